import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, parseJsonInSteps } from "../../src/bodies/json.ts";
import { JsonNumber, jsonNumber } from "../../src/bodies/json-number.ts";
import { JsonParser } from "../../src/bodies/json-parser.ts";
import { decimalText, parseDecimal } from "../../src/support/decimal.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import type { Result } from "../../src/support/result.ts";

/** Characters that one step may read, some more than it aims at. */
const STEP_CHARS_MAX = 4_200;
const CHARS = 400_000;

function readInSteps(text: string): { result: Result<unknown, string>; steps: number } {
  const work = parseJsonInSteps(Buffer.from(text));
  for (let steps = 1; ; steps++) {
    const step = work.next();
    if (step.done === true) return { result: step.value, steps };
  }
}

function wide(count: number, name: (at: number) => string): string {
  return `{${Array.from({ length: count }, (_, at) => `"${name(at)}":1`).join(",")}}`;
}

/** Of `chars` characters, and outside of the stretches that it fills. */
const LONG: readonly (readonly [what: string, text: string])[] = [
  ["blanks before a value", " ".repeat(CHARS).concat("1")],
  ["blanks behind it", "1".concat("\n".repeat(CHARS))],
  ["blanks in a list", `[${"\t".repeat(CHARS)}]`],
  ["blanks around a colon", `{"a"${" ".repeat(CHARS)}:${"\r".repeat(CHARS)}1}`],
  ["blanks before a name", `{"a":1,${" ".repeat(CHARS)}"b":1}`],
  ["one string", `"${"x".repeat(CHARS)}"`],
  ["one string of escapes", `"${'\\"'.repeat(CHARS / 2)}"`],
  ["one string of escapes of a character", `"${"\\u00e9".repeat(CHARS / 6)}"`],
  ["one string of escaped pairs", `"${"\\ud83d\\ude00".repeat(CHARS / 12)}"`],
  ["one string of pairs", `"${"😀".repeat(CHARS / 2)}"`],
  ["one name of escapes", `{"${"\\n".repeat(CHARS / 2)}":1}`],
  ["an object of many members", wide(30_000, (at) => `member${at}`)],
  ["members named as numbers far apart", wide(30_000, (at) => String((at * 7_919) % 393_000))],
  ["many objects", `[${'{"a":1},'.repeat(CHARS / 8)}1]`],
  ["many lists", `[${"[],".repeat(CHARS / 3)}1]`],
  ["many words", `[${"null,".repeat(CHARS / 5)}1]`],
  ["many numbers", `[${"1.5,2e5,".repeat(CHARS / 8)}1]`],
  ["deep lists", `[${`${"[".repeat(60)}${"]".repeat(60)},`.repeat(CHARS / 121)}1]`],
];

describe("a long body of JSON", () => {
  test.each(LONG)("of %s is read in steps that are all short", (_, text) => {
    const { result, steps } = readInSteps(text);
    expect(steps).toBeGreaterThan(text.length / STEP_CHARS_MAX);
    expect(result).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test("that is one number is refused without reading it to its end", () => {
    for (const text of ["1".repeat(CHARS), `1.${"0".repeat(CHARS)}`, `1e${"0".repeat(CHARS)}`])
      expect(readInSteps(text)).toEqual({
        result: { ok: false, error: "a number of more than 1024 characters" },
        steps: 1,
      });
  });

  test("has so many members in one object and no more, however it is read", () => {
    const max = DEFAULTS.jsonMembersMax;
    const error = `more than ${max} members in one object`;
    for (const name of [
      (at: number) => `k${at}`,
      (at: number) => String(at),
      (at: number) => String(4_294_967_294 - at),
    ]) {
      const most = wide(max, name);
      expect(readInSteps(most).result).toEqual({ ok: true, value: JSON.parse(most) });
      expect(parseJson(Buffer.from(most)).ok).toBe(true);
      expect(readInSteps(wide(max + 1, name)).result).toEqual({ ok: false, error });
      expect(parseJson(Buffer.from(wide(max + 1, name)))).toEqual({ ok: false, error });
    }
    const apart = `[${wide(max, (at) => `a${at}`)},${wide(max, (at) => `a${at}`)}]`;
    expect(readInSteps(apart).result.ok).toBe(true);
    expect(parseJson(Buffer.from(apart)).ok).toBe(true);
  });

  test("says a name twice, however far apart and however it is written", () => {
    for (const twin of ["k7", "\\u006b7", "4294967294"]) {
      const text = wide(20_000, (at) => (at === 9 ? "4294967294" : at === 19_999 ? twin : `k${at}`));
      expect(readInSteps(text).result).toEqual({ ok: false, error: "a key twice in one object" });
    }
  });
});

/** Text of JSON, read so many characters at a time. */
function readBy(chars: number, text: string): unknown {
  const parser = new JsonParser(text, DEFAULTS.jsonDepthMax);
  while (!parser.run(chars));
  return parser.fault === null ? parser.value : parser.fault;
}

/** The one string in a list; null where there is no such thing, or half a pair in it. */
function stringOf(text: string): string | null {
  try {
    const [value]: unknown[] = JSON.parse(text);
    return typeof value === "string" && value.isWellFormed() ? value : null;
  } catch {
    return null;
  }
}

const spelled = fc.constantFrom(
  "\\u0041",
  "\\ud83d\\ude00",
  "\\uD83D\\uDE00",
  "😀",
  "é",
  "a",
  " ",
  "\\n",
  '\\"',
  "\\\\",
  "\\/",
);
const broken = fc.constantFrom(
  "\\ud83d",
  "\\ude00",
  "\\ud83d\\u0041",
  "\\u12",
  '\\u"',
  "\\x",
  "\\",
  "\n",
  '"',
  "\\ud83d\\ud83d",
);

describe("where a turn ends within a text, nothing is read differently", () => {
  test("strings and names in every spelling", () => {
    fc.assert(
      fc.property(fc.array(spelled, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (parts, chars) => {
        const text = ` { "n${parts.join("")}" :\t[ "${parts.join("")}" , "" ] } `;
        expect(readBy(chars, text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("what is wrong in a string", () => {
    const parts = fc.tuple(fc.array(spelled, { maxLength: 6 }), broken, fc.array(spelled, { maxLength: 6 }));
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 9 }), ([before, wrong, behind], chars) => {
        const text = `["${before.join("")}${wrong}${behind.join("")}"]`;
        const read = readBy(chars, text);
        const right = stringOf(text);
        if (right === null) expect(read).toEqual({ text: expect.any(String), at: expect.any(Number) });
        else expect(read).toEqual([right]);
      }),
    );
  });
});

test("a number is a double exactly where it says what the double says", () => {
  const digits = fc.stringMatching(/^[0-9]{1,24}$/);
  const exponent = fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "e-"), fc.integer({ min: 0, max: 330 })));
  fc.assert(
    fc.property(fc.boolean(), digits, fc.option(digits), exponent, (isNegative, whole, fraction, power) => {
      const start = `${isNegative ? "-" : ""}${whole.replace(/^0+(?=\d)/, "")}`;
      const text = `${start}${fraction === null ? "" : `.${fraction}`}${power === null ? "" : power.join("")}`;
      const read = jsonNumber(text);
      const value = Number(text);
      const isExact =
        Number.isFinite(value) && decimalText(parseDecimal(text)) === decimalText(parseDecimal(String(value)));
      expect(read instanceof JsonNumber ? read.text : read).toEqual(isExact ? value : text);
    }),
    { numRuns: 3_000 },
  );
});
