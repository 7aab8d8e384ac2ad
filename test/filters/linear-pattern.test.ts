import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { compileLinear } from "../../src/filters/validate/linear-pattern.ts";

const isNative = (pattern: string): boolean => compileLinear(pattern, "u") instanceof RegExp;

describe("patterns of a schema", () => {
  test.each(["^$", "^[A-Z]{3}-\\d{4}$", "^[a-z]+$", "^[0-9]{5}$", "^\\w{1,64}$", "^[A-Za-z0-9_.-]*$"])(
    "%s leaves no choice and runs natively",
    (pattern) => {
      expect(isNative(pattern)).toBe(true);
    },
  );

  test.each([
    "[a-z]+$",
    "^[a-z]+",
    "^[a-z]+[a-z]+$",
    "^[a-z]?[a-z]?$",
    "^(a+)+$",
    "^a|b$",
    "^a+{2}$",
    "^(?:a|aa)+$",
    "^.*$",
    "^\\s+$",
    "^[^a]+$",
    "^[\\s]+$",
    "^\\S$",
    "^\\bab$",
    "^\\p{L}+$",
    "^ä+$",
    "^a{1,2}b$",
    "^a$b$",
  ])("%s is left to RE2, or is none", (pattern) => {
    let native = false;
    try {
      native = isNative(pattern);
    } catch {
      // not a pattern at all
    }
    expect(native).toBe(false);
  });

  test("what runs natively finds what RE2 finds", () => {
    const one = fc.oneof(
      fc.constantFrom("a", "Z", "0", "-", "_", " ", "\\d", "\\w", "\\.", "\\/", "[a-z]", "[A-Z0-9]", "[a-z0-9_.-]"),
      fc
        .array(fc.constantFrom("a", "z", "A", "0", "9", "-", ".", ":", "+", "\\d", "\\-", "\\.", "a-z"), {
          minLength: 1,
          maxLength: 5,
        })
        .map((parts) => `[${parts.join("")}]`),
    );
    const fixed = fc.tuple(one, fc.constantFrom("", "", "{2}", "{0}")).map((parts) => parts.join(""));
    const last = fc.tuple(one, fc.constantFrom("+", "*", "{1,3}", "{2,}", "")).map((parts) => parts.join(""));
    const text = fc.string({
      unit: fc.constantFrom("a", "z", "A", "Z", "0", "9", "-", "_", ".", "/", ":", "+", " ", "\n", "ä", "😀", "\ud800"),
      maxLength: 8,
    });
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(fixed, { maxLength: 3 }),
        last,
        fc.array(text, { minLength: 1, maxLength: 10 }),
        (head, end, texts) => {
          const pattern = `^${head.join("")}${end}$`;
          let native: ReturnType<typeof compileLinear>;
          try {
            native = compileLinear(pattern, "u");
          } catch {
            return; // refused by one of the two, as before
          }
          if (!(native instanceof RegExp)) return;
          const linear = RE2JS.compile(RE2JS.translateRegExp(pattern));
          for (const candidate of texts)
            expect([pattern, candidate, native.test(candidate)]).toEqual([pattern, candidate, linear.test(candidate)]);
          compared++;
        },
      ),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(500);
  });
});
