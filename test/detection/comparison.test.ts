import fc from "fast-check";
import { expect, test } from "vitest";
import { comparisonThatHolds } from "../../src/detection/sqli/comparison.ts";
import { compiled, hitsOf } from "./own-rules.ts";

const GAP = "[\\t-\\r '\"`()]*?";
const SAME = ["<=>", "like", "sounds[\\t-\\r ]+like", "regexp", "rlike", "="];
const OTHER = ["<=", "<>?", ">=?", "!=", "\\^", "not[\\t-\\r ]+regexp", "not[\\t-\\r ]+like", "is[\\t-\\r ]+not"];
/** The same with references back, which V8 follows however long that takes. */
const REFERRING = new RegExp(
  `\\b(\\w+)\\b${GAP}(?:(?:${OTHER.join("|")})${GAP}(?!\\b\\1\\b)\\w+|(?:${SAME.join("|")})${GAP}\\b\\1\\b)`,
  "i",
);

test.for([
  ["1=1", "1=1"],
  ["x' or 'a'='A' --", "a'='A"],
  ["1 SOUNDS  LIKE (1)", "1 SOUNDS  LIKE (1"],
  ["7 <=> 7", "7 <=> 7"],
  ["a is not b", "a is not b"],
  ["1 <> 2", "1 <> 2"],
  ["1 >= 2", "1 >= 2"],
] as const)("%s holds whatever a table has", ([text, found]) => {
  expect(comparisonThatHolds(text)).toBe(found);
});

test.for(["11=1", "1=11", "1 <> 1", "1 like", "like", "name=value", "a == a", "I like it", "", "1 <=> 2", "it is not"])(
  "%s says nothing of the kind",
  (text) => {
    expect(comparisonThatHolds(text)).toBeUndefined();
  },
);

test("it finds what a pattern with references back finds", () => {
  const part = fc.constantFrom(..."a|b|ab|1|like|not|is|sounds|regexp|rlike| |  |'|(|=|<|>|!|^|-".split("|"));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      const text = parts.join("");
      expect([text, comparisonThatHolds(text) !== undefined]).toEqual([text, REFERRING.test(text)]);
    }),
    { numRuns: 5_000 },
  );
});

test("a rule of the set's id runs by it where its pattern refers back, and by its pattern where it does not", () => {
  const rule = (id: number, pattern: string): string =>
    `SecRule ARGS "@rx ${pattern}" "id:${id},phase:2,pass,log,t:none"`;
  const asked = { args: [["q", "1=1"]] } as const;
  const referring = rule(942130, "\\b(\\w+)=\\1\\b");
  expect(hitsOf(referring, asked)).toEqual([942130]);
  expect(compiled(referring).listing.map(({ status, reason }) => [status, reason])).toEqual([
    ["runs", "by an operator of our own, for its pattern refers back"],
  ]);
  expect(hitsOf(rule(942130, "two=2"), asked)).toEqual([]);
  expect(hitsOf(rule(7, "\\b(\\w+)=\\1\\b"), asked)).toEqual([]);
  expect(compiled(rule(7, "\\b(\\w+)=\\1\\b")).listing[0]?.status).toBe("left");
});
