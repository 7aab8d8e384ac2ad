// Goal: no answer of an act says in the log or the audit log who did what, and what came of it. Method: one that has all their names.
import { expect, test } from "vitest";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { snapshotOf } from "../fixtures/snapshot.ts";
import { type LogLine, MemorySink } from "../fixtures/telemetry.ts";

const SELF = {
  act: "/x",
  result: "refused",
  client: "203.0.113.9",
  seq: 1,
  hash: "0",
  prev: "0",
  event: "start",
  level: "error",
};

/** A telemetry with an audit log in memory. */
function open() {
  const sink = new MemorySink();
  const time = new ManualTime(0);
  const telemetry = createTelemetry({
    clock: time,
    timers: time,
    sink,
    processFigures: null,
    memory: unlimitedMemory(),
  });
  const trail: (readonly [string, object])[] = [];
  const audit = { event: (event: string, fields: object) => void trail.push([event, fields]), onHead: () => {} };
  const records = { rooms: [], audit } as never;
  telemetry.policyLoaded(snapshotOf({ records }) as never);
  return { sink, time, telemetry, trail };
}

test("an act's answer is told without what the line says itself", () => {
  const { sink, telemetry, trail } = open();
  telemetry.adminActed("/bans/lift", "done", "127.0.0.1", { ...SELF, lifted: 3 });
  const told = { act: "/bans/lift", result: "done", client: "127.0.0.1", lifted: 3 };
  expect(trail.filter(([event]) => event === "admin_act")).toEqual([["admin_act", told]]);
  expect(sink.events("admin_act")).toEqual([expect.objectContaining({ ...told, level: "info" })]);
});

test("who has no token fills neither log, and hides no act of who has it", () => {
  const { sink, time, telemetry, trail } = open();
  const max = DEFAULTS.connectionLogLinesPerSecondMax;
  for (let at = 0; at < 1_000; at++) telemetry.adminActed("/bans/lift", "unauthorized", "127.0.0.1", { fault: "no" });
  for (let at = 0; at < 2 * max; at++) telemetry.adminActed("/bans/lift", "failed", "127.0.0.1", { fault: "none" });
  telemetry.adminActed("/bans/lift", "done", "127.0.0.1", { lifted: 1 });
  time.pass(5_000);
  const acts = trail.flatMap(([event, fields]) => (event === "admin_act" ? [(fields as LogLine).result] : []));
  const expected = [...Array(max).fill("unauthorized"), ...Array(2 * max).fill("failed"), "done"];
  expect(acts).toEqual(expected);
  expect(sink.events("admin_act").map(({ result }) => result)).toEqual(expected);
  const leftOut = { lines: 1_000 - max, of: "admin_act" };
  expect(trail.at(-1)).toEqual(["lines_left_out", leftOut]);
  expect(sink.events("lines_left_out")).toEqual([expect.objectContaining(leftOut)]);
});
