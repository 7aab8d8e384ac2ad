// Goal: a picture of `postern top` fits the terminal that it is shown on, and each of its tables has a part of it.
import { expect, test } from "vitest";
import { topText } from "../../src/cli/top-text.ts";

const rows = (count: number, row: (at: number) => object) => Array.from({ length: count }, (_, at) => row(at));
const picture = (operations: number, callers: number, rules: number) => ({
  at: "2026-11-30T09:00:00.000Z",
  requests: 99,
  operations: rows(operations, (at) => ({
    requests: 9,
    confirmed: 9,
    denied: 0,
    method: "GET",
    path: `/operation/${at}`,
  })),
  callers: rows(callers, (at) => ({ requests: 9, denied: 0, caller: `partners/${at}` })),
  rules: rows(rules, (at) => ({ requests: 9, verdict: "allow", route: `/route/${at}`, reason: null, place: null })),
});

const shown = (text: string) => ["/operation/", "partners/", "/route/"].map((word) => text.split(word).length - 1);

test.each([
  { of: [40, 40, 40], height: 24, gives: [5, 5, 6] },
  { of: [40, 2, 40], height: 24, gives: [7, 2, 7] },
  { of: [1, 40, 1], height: 24, gives: [1, 14, 1] },
  { of: [40, 40, 40], height: 5, gives: [1, 1, 1] },
  { of: [40, 40, 40], height: 200, gives: [15, 15, 15] },
])("of $of rows, $height lines have $gives", ({ of: [operations = 0, callers = 0, rules = 0], height, gives }) => {
  const text = topText(picture(operations, callers, rules), null, { columns: 80, rows: height });
  expect(shown(text)).toEqual(gives);
  // The cursor stands in a line of its own.
  if (height >= 11) expect(text.split("\n").length).toBeLessThanOrEqual(height);
});

test("nothing is cut where the output is no screen, or one that does not know its size", () => {
  const whole = topText(picture(40, 40, 40), null, { columns: null, rows: null });
  expect(shown(whole)).toEqual([15, 15, 15]);
  expect(topText(picture(40, 40, 40), null, { columns: 0, rows: 0 })).toBe(whole);
});
