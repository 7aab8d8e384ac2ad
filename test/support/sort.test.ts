import { expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { sortedCopy } from "../../src/support/sort.ts";
import { atOnce } from "../../src/support/turns.ts";

test.each([0, 1, 2, 1_023, 1_024, 1_025, 10_000])("%i entries are sorted as the engine sorts them", (count) => {
  const random = seededRandom(count + 1);
  const list = Array.from({ length: count }, (_, at) => ({ key: random(count / 3 + 1), at }));
  const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
  expect(atOnce(sortedCopy(list, compare))).toEqual(list.toSorted(compare));
});

test("many entries come in many steps", () => {
  const list = Array.from({ length: 100_000 }, (_, at) => -at);
  const steps = sortedCopy(list, (a, b) => a - b);
  let count = 0;
  while (steps.next().done !== true) count++;
  expect(count).toBeGreaterThan(300);
});
