// Goal: what a request costs is in line with its length, whatever it says. Method: what the rules that Debian ships spend on hostile
// texts, counted in instructions and not in time, for each doubling of a field, and of how many fields there are.
import { existsSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { NO_BODY } from "../../src/detection/facts.ts";
import type { RouteRules } from "../../src/detection/rules/rule-set.ts";
import type { SearchBudget } from "../../src/detection/rules/spending.ts";
import { nestedStrings } from "../../src/filters/detect/json-strings.ts";
import { atOnce } from "../../src/support/turns.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";
import { named, PLENTY, requestOf } from "./own-rules.ts";
import { compileRelease, RELEASE_RULES } from "./release.ts";

let route: RouteRules | null = null;

function spentOn(args: readonly (readonly [string, string])[]): SearchBudget {
  route ??= compileRelease(4).rules.forRoute({ exclusions: [], constraints: [] });
  const transaction = route.begin(requestOf({ method: "POST" }), PLENTY);
  atOnce(transaction.head());
  atOnce(transaction.body({ ...NO_BODY, processor: "JSON", args: named(args) }));
  return transaction.spent;
}

const KIB = 1024;
/** Twice as long, with room for what each request costs, and for tables that a longer text needs first. */
const FACTOR_MAX = 2.5;

describe.runIf(existsSync(RELEASE_RULES))("twice as much takes twice as long", () => {
  // The tables of states are there, as they are after the first such text.
  beforeAll(() => {
    const steps = Object.values(HOSTILE_TEXTS).map((text) => spentOn([["json.text", text]]).steps);
    expect(Math.max(...steps)).toBeGreaterThan(100_000);
  });

  test.for(Object.entries(HOSTILE_TEXTS))("a field of %s", ([, text]) => {
    let before = spentOn([["json.text", text.slice(0, 8 * KIB)]]);
    for (const kib of [16, 32, 64]) {
      const spent = spentOn([["json.text", text.slice(0, kib * KIB)]]);
      expect(spent.steps, `${kib} KiB`).toBeLessThan(FACTOR_MAX * before.steps);
      expect(spent.bytes, `${kib} KiB`).toBeLessThan(FACTOR_MAX * before.bytes);
      before = spent;
    }
  });

  test.for(Object.entries(HOSTILE_TEXTS))("many fields of %s", ([, text]) => {
    const fields = (count: number) =>
      Array.from({ length: count }, (_, at) => [`json.${at}`, `${at} ${text.slice(at, at + 300)}`] as const);
    const [some, twice] = [spentOn(fields(200)), spentOn(fields(400))];
    expect(twice.steps).toBeLessThan(FACTOR_MAX * some.steps);
    expect(twice.patterns).toBeLessThan(FACTOR_MAX * some.patterns);
  });
});

test("a text within texts within texts is not read more often than it is deep", () => {
  let nested = JSON.stringify("'");
  while (nested.length < 64 * KIB) nested = JSON.stringify([nested]);
  const bytes = nestedStrings(nested, "x").reduce((sum, { value }) => sum + value.length, 0);
  expect(bytes).toBeLessThan(nested.length);
});
