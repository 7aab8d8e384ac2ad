// Goal: no answer of an act says in the log or the audit log who did what, and what came of it. Method: one that has all their names.
import { expect, test } from "vitest";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { snapshotOf } from "../fixtures/snapshot.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

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

test("an act's answer is told without what the line says itself", () => {
  const sink = new MemorySink();
  const telemetry = createTelemetry({ clock: new TestClock(), sink, processFigures: null, memory: unlimitedMemory() });
  const trail: (readonly [string, object])[] = [];
  const audit = { event: (event: string, fields: object) => void trail.push([event, fields]), onHead: () => {} };
  const records = { rooms: [], audit } as never;
  telemetry.policyLoaded(snapshotOf({ records }) as never);
  telemetry.adminActed("/bans/lift", "done", "127.0.0.1", { ...SELF, lifted: 3 });
  const told = { act: "/bans/lift", result: "done", client: "127.0.0.1", lifted: 3 };
  expect(trail.filter(([event]) => event === "admin_act")).toEqual([["admin_act", told]]);
  expect(sink.events("admin_act")).toEqual([expect.objectContaining({ ...told, level: "info" })]);
});
