import { expect, test } from "vitest";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { ManualTime } from "../fixtures/manual-time.ts";

test("what costs more than a whole burst waits, however long its key was idle", () => {
  const time = new ManualTime(1_000_000);
  const table = new RateTable(64, [1, 2], time);
  const prefix = table.prefix("costly");
  const key = (): RateTable => {
    table.hash.copy(prefix);
    return table;
  };
  for (const idleMs of [0, 1, 100, 60_000]) {
    time.pass(idleMs);
    expect(key().peek(400, 300), `peek after ${idleMs} ms`).toBeGreaterThan(0);
    expect(key().take(400, 300), `take after ${idleMs} ms`).toBeLessThan(0);
  }
  expect(key().peek(300, 300)).toBe(0);
  expect(key().take(300, 300)).toBe(300);
});
