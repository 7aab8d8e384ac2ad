import { expect, test } from "vitest";
import { createRateGate } from "../../src/telemetry/rate-gate.ts";
import { ManualTime } from "../fixtures/manual-time.ts";

function setUp() {
  const time = new ManualTime(0);
  const told: number[] = [];
  const gate = createRateGate(time, 2, { timers: time, tell: (lines) => told.push(lines) });
  return { time, told, gate };
}

test("so many pass in a second; the next that does says how many did not", () => {
  const { time, told, gate } = setUp();
  expect([gate(), gate(), gate(), gate()]).toEqual([0, 0, null, null]);
  time.pass(1_000);
  expect(gate()).toBe(2);
  time.pass(10_000);
  expect(gate()).toBe(0);
  expect(told).toEqual([]);
});

test("where none follows, what was held back is told soon, and once", () => {
  const { time, told, gate } = setUp();
  for (let at = 0; at < 10; at++) gate();
  time.pass(2_000);
  expect(told).toEqual([8]);
  expect(gate()).toBe(0);
  time.pass(10_000);
  expect(told).toEqual([8]);
});

test("a flood that goes on is told by its own lines, and at its end the rest", () => {
  const { time, told, gate } = setUp();
  let suppressed = 0;
  for (let at = 0; at < 100; at++) {
    suppressed += gate() ?? 0;
    time.pass(100);
  }
  expect(told).toEqual([]);
  time.pass(2_000);
  expect(suppressed + (told[0] ?? 0)).toBe(100 - 20);
});
