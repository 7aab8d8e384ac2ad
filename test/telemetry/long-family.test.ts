import { Counter, Registry } from "prom-client";
import { expect, test } from "vitest";
import { atOnce } from "../../src/support/turns.ts";
import { familyText, type LabelledValue } from "../../src/telemetry/long-family.ts";

const help = "What it counts.";

test("a family reads as prom-client writes it, whatever its labels hold", async () => {
  const samples: LabelledValue[] = ["a", 'quote " and \\ and \n', "{}", "é\u2028", ""].map((route, value) => ({
    labels: { route, check: "x" },
    value,
  }));
  const registry = new Registry();
  const counter = new Counter({ name: "c_total", help, labelNames: ["route", "check"], registers: [registry] });
  for (const { labels, value } of samples) counter.inc(labels, value);
  const text = atOnce(familyText({ name: "c_total", help, samples: () => samples }, "prometheus"));
  expect(text).toBe(await registry.metrics());
});

test("twenty thousand series come in hundreds of steps", () => {
  const samples = Array.from({ length: 20_000 }, (_, at) => ({ labels: { route: `/v1/r${at}` }, value: at }));
  const steps = familyText({ name: "c_total", help, samples: () => samples }, "prometheus");
  let count = 0;
  while (steps.next().done !== true) count++;
  expect(count).toBeGreaterThan(300);
});
