// Goal: a flood of probes is one question a second to the service. Method: a probe that counts, and a clock that a test moves.
import { expect, test } from "vitest";
import { ServiceProbe } from "../../src/health/service-probe.ts";
import { ManualTime } from "../fixtures/manual-time.ts";

test("whoever asks meanwhile, and a second later, gets the same answer", async () => {
  const time = new ManualTime(0);
  let status = 200;
  let asked = 0;
  let release = (): void => {};
  const probe = new ServiceProbe(async () => {
    asked++;
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return { isGood: status === 200, status, text: "" };
  }, time);
  const many = Array.from({ length: 1000 }, () => probe.ask());
  time.pass(60_000);
  many.push(probe.ask());
  expect(asked).toBe(1);
  release();
  expect(new Set((await Promise.all(many)).map((answer) => answer.status))).toEqual(new Set([200]));
  status = 503;
  time.pass(999);
  expect((await probe.ask()).status).toBe(200);
  time.pass(1);
  const next = probe.ask();
  release();
  expect((await next).status).toBe(503);
  expect(asked).toBe(2);
});
