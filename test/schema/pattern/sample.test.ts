import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, sampleOf } from "../../../src/schema/pattern/index.ts";
import { compiledOf } from "../kit.ts";
import { findsMatch, isMisreadByV8 } from "./agrees.ts";
import { patterns } from "./arbitrary.ts";

const USUAL = [
  "^[A-Z]{2}-\\d+$",
  "^[A-Z]{2}\\-\\d+$",
  "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$",
  "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
  "^(?:draft|paid|sent)$",
  "^(?i:draft|paid)$",
  "^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$",
  "^https?://[\\w.-]+(?::\\d+)?(?:/.*)?$",
  "^\\+[1-9]\\d{6,14}$",
  "^#?([0-9a-fA-F]{3}){1,2}$",
  "^(?=.*[A-Z])(?=.*\\d).{8,}$",
  "^(?!admin$)[a-z]{3,16}$",
  "^\\p{Lu}\\p{L}*$",
  "^[Α-Ω]+$",
  "\\bword\\b",
  "^$",
  "^\\s*$",
  "-\\d{3}$",
  "^SKU",
  "^(\\d{1,3}\\.){3}\\d{1,3}$",
  "^(?:[A-Za-z0-9+/]{4})+$",
];

const ANY = { lengthMin: 0, lengthMax: Number.POSITIVE_INFINITY, liked: [] };

describe("an example of a pattern", () => {
  test.each(USUAL)("%s", (pattern) => {
    const compiled = compiledOf({ type: "string", pattern });
    const example = compiled.example();
    expect(example).toEqual(expect.any(String));
    expect(new RegExp(pattern, /\\-/.test(pattern) ? "" : "u").test(String(example))).toBe(true);
    expect(compiled.validator.judge(example)).toBeNull();
  });

  test("keeps to lengths, to other patterns and to formats beside it, and stands in members", () => {
    const texts = [
      { pattern: "^[a-z]+$", minLength: 12 },
      { pattern: "^(ab|c)*$", minLength: 7, maxLength: 8 },
      { pattern: "x$", minLength: 5 },
      { allOf: [{ pattern: "^[A-Z]" }, { pattern: "\\d$" }, { pattern: "^.{6}$" }] },
      { pattern: "^20", format: "date" },
      { anyOf: [{ pattern: "^never$", maxLength: 2 }, { pattern: "^\\d{5}$" }] },
    ].map((part) => ({ type: "string", ...part }));
    const properties = Object.fromEntries(texts.map((part, at) => [`p${at}`, part]));
    for (const schema of [...texts, { type: "object", properties, required: ["p0", "p1", "p2", "p3", "p4"] }]) {
      const compiled = compiledOf(schema);
      expect(compiled.example(), JSON.stringify(schema)).not.toBeUndefined();
      expect(compiled.validator.judge(compiled.example())).toBeNull();
    }
  });

  test.each([true, false])("of whatever pattern matches it, by V8 too (u: %s)", (unicode) => {
    let found = 0;
    let tried = 0;
    fc.assert(
      fc.property(patterns(unicode), fc.constantFrom(0, 0, 0, 5), (source, lengthMin) => {
        const asUnicode = compilePattern(source, { unicode: true }).ok;
        const compiled = compilePattern(source, { unicode: asUnicode });
        if (!compiled.ok) return;
        if (lengthMin === 0) tried++;
        const sample = sampleOf([source], { ...ANY, lengthMin });
        if (sample === null) return;
        if (lengthMin === 0) found++;
        expect(compiled.value.test(sample)).toBe(true);
        if (isMisreadByV8(source, asUnicode, sample)) return;
        expect(findsMatch(new RegExp(source, asUnicode ? "uy" : "y"), sample), JSON.stringify(sample)).toBe(true);
      }),
      { numRuns: 1_500, seed: 9 },
    );
    // The others ask for what cannot be, as `$a`, or look to the side.
    expect(found / tried).toBeGreaterThan(0.75);
  });

  test("there is none where nothing matches, or where it would be long, and it is said soon", () => {
    expect(sampleOf(["$a^"], ANY)).toBeNull();
    expect(sampleOf(["^a$", "^b$"], ANY)).toBeNull();
    expect(sampleOf(["^(?:a{90}){90}$"], ANY)).toBeNull();
    expect(sampleOf(["^a+$"], { ...ANY, lengthMin: 1_000_000 })).toBeNull();
    expect(compiledOf({ type: "string", pattern: "$a^" }).example()).toBeUndefined();
  });
});
