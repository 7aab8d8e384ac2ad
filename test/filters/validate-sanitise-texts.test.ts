// Goal: a text is composed as a whole would be, however long it is, and no stretch of it holds the thread.
// Method: every character that a stretch may begin with is held against all that characters are composed of; long texts of
// such parts against the runtime's own composition.
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { textEdits } from "../../src/filters/validate/sanitise/texts.ts";
import { BodyEdits } from "../../src/message/body-edits.ts";

const CHARACTERS = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
/** What is composed with something before it. */
const SECONDS = [...new Set(CHARACTERS.flatMap((char) => [...char.normalize("NFD")].slice(1)))];

/** The text as it is written, and in how many steps. */
function composed(text: string): { readonly written: string; readonly steps: number } {
  const edits = textEdits({ trims: false, normalizes: true }, new BodyEdits(), () => {
    throw new Error("no text has so many marks");
  });
  const work = edits?.text?.(text, { keys: () => ["a"] }) ?? "";
  if (typeof work === "string") return { written: work, steps: 0 };
  for (let steps = 0; ; steps++) {
    const step = work.next();
    if (step.done === true) return { written: step.value, steps };
  }
}

describe("a long text", () => {
  test("is what the runtime composes of it, wherever it is cut", () => {
    const random = seededRandom(13);
    const pick = (choices: readonly string[]): string => choices[random(choices.length)] ?? "";
    for (let run = 0; run < 20; run++) {
      let text = "";
      while (text.length < 12_000) {
        text += pick(CHARACTERS);
        for (let marks = random(4); marks > 0; marks--) text += pick(SECONDS);
        if (/\p{M}{20}$/u.test(text.slice(-40))) text += "a";
      }
      const { written, steps } = composed(text);
      expect(written === text.normalize("NFC")).toBe(true);
      expect(steps).toBeGreaterThan(1);
    }
  });

  test("is cut before no character that is composed with another", () => {
    // Each of them stands where a stretch would end, behind what it might be composed with.
    const seconds = new Set(SECONDS);
    const joined = CHARACTERS.filter((char) => {
      const [first = ""] = char.normalize("NFD");
      return seconds.has(first);
    });
    for (const char of joined) {
      const text = `${"a".repeat(4095)}\u1100${char}b${"c".repeat(100)}`;
      expect({ char, written: composed(text).written }).toEqual({ char, written: text.normalize("NFC") });
    }
    expect(joined.length).toBeGreaterThan(100);
  });

  test("of marks alone, as many as may stand in a row, gives way after each 4,096 characters", () => {
    const marks = "\u0345\u0301\u0316\u0334".repeat(7);
    expect(composed(`a${marks}`.repeat(3_000)).steps).toBeGreaterThan(15);
  });
});
