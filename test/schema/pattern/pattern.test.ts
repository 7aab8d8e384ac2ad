import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, isPattern, type Pattern } from "../../../src/schema/pattern/index.ts";
import { beginPatternWork, patternWorkLeft, withPatternWork } from "../../../src/schema/pattern/work.ts";
import { cpuMs } from "../../fixtures/cpu-time.ts";
import { compareWithV8 } from "./agrees.ts";
import { patterns, soups, texts } from "./arbitrary.ts";

function compile(source: string, unicode = true): Pattern {
  const result = compilePattern(source, { unicode });
  if (!result.ok) throw new Error(`${source}: ${result.error.message}`);
  return result.value;
}

function faultOf(source: string, unicode = true): string {
  const result = compilePattern(source, { unicode });
  return result.ok ? "none" : `${result.error.kind} at ${result.error.at}: ${result.error.message}`;
}

test("bytes that have been seen before are told without a string, others not at all", () => {
  const bytes = Buffer.from("xABC-1234x");
  const pattern = compile("^[A-Z]{3}-\\d{4}$");
  expect(pattern.glance(bytes, 1, 9)).toBeNull();
  expect(pattern.test("ABC-1234")).toBe(true);
  expect(pattern.glance(bytes, 1, 9)).toBe(true);
  expect(pattern.glance(bytes, 1, 8)).toBeNull();
  expect(pattern.test("ABC-123") || pattern.test("xABC-123")).toBe(false);
  expect(pattern.glance(bytes, 1, 8)).toBe(false);
  expect(pattern.glance(bytes, 0, 9)).toBe(false);
  const both = compile("^(?=.*\\d)(?!.*x)[a-z0-9]{2,4}$");
  for (const text of ["a1", "ab", "ax1", "abcd1", "a"]) {
    const matches = both.test(text);
    expect(both.glance(Buffer.from(text), 0, text.length) ?? matches, text).toBe(matches);
  }
});

test("what one client's judgement spent is not missing to whoever asks beside it, and the other way round", () => {
  const pattern = compile("^(?:a|b)+c$");
  beginPatternWork(0);
  expect(withPatternWork(1_000, () => pattern.test("ababc"))).toBe(true);
  expect(patternWorkLeft()).toBe(0);
  beginPatternWork(1_000);
  expect(withPatternWork(0, () => compile("^(?:c|d)+e$").test("cdcde"))).toBeNull();
  expect(patternWorkLeft()).toBe(1_000);
  beginPatternWork(Number.POSITIVE_INFINITY);
});

describe("what a pattern matches is what JavaScript's own engine says", () => {
  const samples = fc.array(texts, { minLength: 6, maxLength: 6 });

  test.each([true, false])("random patterns and texts, with the flag u: %s", (unicode) => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(patterns(unicode), samples, (source, all) => {
        const { outcome, detail } = compareWithV8(source, unicode, all);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        expect([source, detail]).toEqual([source, undefined]);
      }),
      { numRuns: 600 },
    );
    expect(outcomes.get("agrees")).toBeGreaterThan(400);
  });

  test.each([true, false])("random syntax is a pattern to both or to none, with the flag u: %s", (unicode) => {
    fc.assert(
      fc.property(soups, (source) => {
        expect([source, compareWithV8(source, unicode, []).detail]).toEqual([source, undefined]);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([true, false])("a whole pattern without regard to case, with the flag u: %s", (unicode) => {
    fc.assert(
      fc.property(
        patterns(unicode).filter((source) => !/\(\?[ms-]*i/.test(source)),
        samples,
        (source, all) => {
          const ours = compilePattern(`(?i:${source})`, { unicode });
          let native: RegExp;
          try {
            native = new RegExp(source, unicode ? "iu" : "i");
          } catch {
            return;
          }
          if (!ours.ok) return;
          // With u, a search may begin inside a pair: `sticky` tests have that covered, here the text has none.
          for (const text of all.filter((each) => !unicode || !/[\u{10000}-\u{10ffff}]/u.test(each))) {
            expect([source, text, ours.value.test(text)]).toEqual([source, text, native.test(text)]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the meanings that users expect", () => {
  test.each([
    ["^\\d$", "٣", false],
    ["^\\w$", "é", false],
    ["^\\s$", "\ufeff", true],
    ["^\\s$", "\u180e", false],
    ["^.$", "\u2028", false],
    ["^.$", "😀", true],
    ["^a$", "a\n", false],
    ["a|b$", "ab", true],
    ["\\bcat\\b", "a cat!", true],
    ["\\bcat\\b", "écaté", true],
    ["^[]$", "", false],
    ["^[^]$", "\n", true],
    ["^\\p{Script=Greek}+$", "αβγ", true],
    ["^\\p{Lu}\\p{Ll}+$", "Ärger", true],
    ["^(?<year>\\d{4})-(?<month>\\d\\d)$", "2026-10", true],
    ["^(?i:on|off)$", "ON", true],
    ["^\\u{1f600}\\ud83d\\ude00$", "😀😀", true],
    ["^\\ud83d$", "\ud83d", true],
    ["\\ud83d", "😀", false],
  ] as const)("%s on %j: %s", (source, text, matches) => {
    expect(compile(source).test(text)).toBe(matches);
  });

  test.each([
    ["^[A-Z]{2}\\-\\d+$", "AB-12", true],
    ["^{a}$", "{a}", true],
    ["^a{,2}$", "a{,2}", true],
    ["^\\101$", "A", true],
    ["^\\c$", "\\c", true],
    ["^[\\w-.]+$", "a-b.c", true],
    ["^.$", "😀", false],
    ["^..$", "😀", true],
    ["^(?=a)*a$", "a", true],
  ] as const)("without u, %s on %j: %s", (source, text, matches) => {
    expect(compile(source, false).test(text)).toBe(matches);
    expect(new RegExp(source).test(text)).toBe(matches);
  });

  test.each([
    ["^(?=.*\\d)(?=.*[a-z])(?=.*[A-Z])(?=.*[!@#$%^&*]).{8,64}$", ["Passw0rd!"], ["password", "Pa0!", "PASSWORD0!"]],
    ["^(?!foo$)[a-z]+$", ["foobar", "fo"], ["foo"]],
    ["^(?!.*--)[a-z-]+$", ["a-b"], ["a--b", ""]],
    ["^(?:(?!ab).)*$", ["ba", ""], ["xab"]],
    ["^[a-z.]+(?<!\\.)$", ["a.b"], ["a.b."]],
    ["(?<=€)\\d+", ["a €5"], ["5", "$5"]],
    ["^(?=[a-z])[a-z-]*(?<!-)$", ["a-b"], ["a-", "-a"]],
    ["\\d(?=€)(?!€€)", ["5€"], ["5€€", "5"]],
  ] as const)("looks around: %s", (source, matching, others) => {
    const pattern = compile(source);
    for (const text of matching) expect([text, pattern.test(text)]).toEqual([text, true]);
    for (const text of others) expect([text, pattern.test(text)]).toEqual([text, false]);
  });

  test("many looks at the character beside are told apart", () => {
    const letters = [..."abcdefghijklmnopqrst"];
    const source = `^[a-z]*(?:${letters.map((letter) => `(?<=${letter})${letter.toUpperCase()}`).join("|")})+$`;
    for (const letter of letters) {
      expect(compile(source).test(`b${letter}${letter.toUpperCase()}`)).toBe(true);
      expect(compile(source).test(`b${letter}Z`)).toBe(false);
      expect(compile(source).test(`z${letter.toUpperCase()}`)).toBe(false);
    }
    expect(faultOf(`^${letters.map((letter) => `(?!${letter})`).join("")}${"(?!\\d)".repeat(5)}x`)).toBe("none");
    expect(faultOf(`${letters.map((letter) => `(?!${letter})`).join("")}${"(?!\\d)".repeat(5)}x`)).toMatch(
      /^size at 0/,
    );
  });

  test("counts of any size that is one set alone are the length of the text, in the flag's characters", () => {
    const pattern = compile("^[^<]{1,100000}$");
    expect(pattern.test("😀".repeat(100_000))).toBe(true);
    expect(pattern.test("😀".repeat(100_001))).toBe(false);
    expect(pattern.test("")).toBe(false);
    expect(compile("^(?:a?){100}$").test("a".repeat(100))).toBe(true);
    expect(compile("^(?:a?){100}$").test("a".repeat(101))).toBe(false);
    expect(compile("^[^<]{2}$", false).test("😀")).toBe(true);
    expect(compile("^[a-z]{0,5000}-$").test(`${"a".repeat(5000)}-`)).toBe(true);
    expect(compile("^[a-z]{0,5000}-$").test(`${"a".repeat(5001)}-`)).toBe(false);
  });
});

describe("what is known of a text that matches", () => {
  test("its alphabet and its length, where the pattern holds from end to end", () => {
    expect(compile("^[a-f]{2,4}(?:-\\d)?$").facts).toEqual({
      alphabet: [45, 45, 48, 57, 97, 102],
      lengthMin: 2,
      lengthMax: 6,
    });
  });

  test("the least length alone where other text may stand beside it", () => {
    expect(compile("[a-f]{2}$").facts).toEqual({ alphabet: null, lengthMin: 2, lengthMax: null });
    expect(compile("^ab").facts).toEqual({ alphabet: null, lengthMin: 2, lengthMax: null });
  });

  test("what is only looked at is no part of the text", () => {
    expect(compile("^(?!.*x)[a-c]+$").facts).toEqual({ alphabet: [97, 99], lengthMin: 1, lengthMax: null });
  });
});

describe("what is refused says what to write instead", () => {
  test.each([
    ["^(['\"]).*\\1$", /^backreference at 9: .*write the texts that the group can hold as alternatives/],
    ["(?<q>a)\\k<q>", /^backreference at 7/],
    ["a(?=bc)b(?<=ab)c", /^lookaround at 0: .*put looks ahead right behind the first \^/],
    ["^[a-z]{1,100000}x$", /^size at 0: .*write \* or \+ here and the length as 'maxLength'/],
    ["^((a{1000}){1000}){1000}$", /^size at 0/],
    ["x.{300}$", /^size at 0: a text can be at too many of its 302 steps at once; begin it with \^/],
    ["^[a-z", /^syntax at 1: a class is not closed/],
    ["(a", /^syntax at 0: a group is not closed/],
    ["a)", /^syntax at 1: '\)' closes nothing/],
    ["*a", /^syntax at 0: a count with nothing before it/],
    ["a{2,1}", /^syntax at 1: the counts stand in the wrong order/],
    ["[z-a]", /^syntax at 1: the range's ends/],
    ["\\-", /^syntax at 0: \\- is no escape; write the character without its backslash/],
    ["\\p{Nothing}", /^syntax at 0: no Unicode property/],
    ["a{", /^syntax at 1: a \{ that begins no count; write \\\{/],
    ["\\", /^syntax at 0: a backslash with nothing behind it/],
  ])("%s", (source, fault) => {
    expect(faultOf(source)).toMatch(fault);
  });
});

test("patterns have an end in length and depth", () => {
  expect(faultOf("(".repeat(101) + ")".repeat(101))).toMatch(/^size at 100: more than 100 groups inside each other/);
  expect(faultOf("a".repeat(32 * 1024 + 1))).toMatch(/^size at 0: longer than/);
  expect(faultOf("a".repeat(20_001))).toMatch(/^size at 0: its counts/);
});

/** x and y without order. */
function mixed(seed: number, length: number): string {
  let text = "";
  for (let next = seed; text.length < length; ) {
    next = (next * 48_271) % 2_147_483_647;
    text += next % 2 === 0 ? "x" : "y";
  }
  return text;
}

describe("time and memory are bounded", () => {
  const megabyte = 1024 * 1024;

  test.each([
    ["^(a+)+$", `${"a".repeat(megabyte)}!`],
    ["^(a|aa|a?)+$", `${"a".repeat(megabyte)}!`],
    ["[a-z]+$", `${"a".repeat(megabyte)}!`],
    ["^(?:(?!ab).)*$", "a".repeat(megabyte)],
    ["(?<=a+)b", "a".repeat(megabyte)],
    ["^(\\w+\\s?)*$", `${"word ".repeat(megabyte / 5)}!`],
  ])("%s reads a megabyte in one pass", (source, text) => {
    const startMs = cpuMs();
    expect(compile(source).test(text)).toBe(compile(source).test(text.slice(-4)));
    expect(cpuMs() - startMs).toBeLessThan(3_000);
  });

  // Each fills the table more than once, and stays in one state then; without it a megabyte takes many seconds.
  test.each([
    ["x.{240}$", "x".repeat(megabyte), true],
    ["[xy]{1,250}z", "xyx".repeat(megabyte / 3), false],
    ["[xy]{1,250}z", `${"!xy".repeat(megabyte / 3)}z`, true],
  ])("%s takes little of the CPU for a megabyte that it comes to rest on", (source, text, fits) => {
    const startMs = cpuMs();
    expect(compile(source).test(text)).toBe(fits);
    expect(cpuMs() - startMs).toBeLessThan(1_500);
  });

  test.each(["x.{240}$", "[xy]{1,250}z", "(?:x|yy).{200}y$"])("%s is right after its table was full", (source) => {
    const expression = new RegExp(source, "u");
    for (let seed = 1; seed < 40; seed++) {
      const text = mixed(seed, 200 + 20 * seed);
      expect(compile(source).test(text), text).toBe(expression.test(text));
      expect(compile(source).test(`${text}z`), text).toBe(expression.test(`${text}z`));
    }
  });

  test("a text that needs states without end is read to its end all the same", () => {
    // Each text leads to other sets of places: 2^60 of them.
    const pattern = compile("x.{60}$");
    const text = mixed(1, 200_000);
    expect(pattern.test(text)).toBe(text.at(-61) === "x");
    expect(pattern.test(`${text}\n`)).toBe(false);
  });
});

test("the format 'regex' asks for the syntax alone", () => {
  expect(isPattern("(?i:\\p{L}[\\W])\\k<a>(?<a>)", true)).toBe(true);
  expect(isPattern("^(['\"]).*\\1$", true)).toBe(true);
  expect(isPattern("a{2,1}", true)).toBe(false);
});
