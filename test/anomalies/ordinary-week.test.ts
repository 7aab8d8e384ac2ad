// Goal: an ordinary life is told of rarely, and attacks within it are told as what they are. Method: the simulation of
// `npm run bench:anomalies`, shorter and with one seed.
import { beforeAll, expect, test } from "vitest";
import { ATTACKS } from "../fixtures/anomaly-attacks.ts";
import { DAY_MS, HOUR_MS } from "../fixtures/anomaly-world.ts";
import { OrdinaryWeek } from "../fixtures/ordinary-week.ts";

const week = new OrdinaryWeek(5, 0.7);

beforeAll(() => week.pass(4 * DAY_MS), 240_000);

test("four days from nothing, with deployments, a peak, retries and a job at night, are told of not at all", () => {
  expect(week.world.requests).toBeGreaterThan(100_000);
  expect(week.world.told).toEqual([]);
});

/** One after the other, in a morning: all of them at their hours are the benchmark's. */
const QUICK = ATTACKS.filter(({ name }) =>
  /fails, and|again and again|reports|6 MB|one address, two|150|walks|guess|one address$|stolen/.test(name),
);

test("attacks in a morning are told, each as what it is and as little else", { timeout: 240_000 }, () => {
  expect(QUICK).toHaveLength(11);
  week.pass(9 * HOUR_MS);
  for (const attack of QUICK) {
    const beginMs = week.world.nowMs;
    week.pass(attack.lastsMs, (nowMs) => attack.each(week, nowMs - beginMs));
    attack.end?.(week);
    const kinds = week.world.begun(beginMs).map(({ kind }) => kind);
    expect(kinds, attack.name).toContain(attack.kind);
    expect(kinds.length, attack.name).toBeLessThanOrEqual(2);
    week.pass(HOUR_MS / 3);
  }
});
