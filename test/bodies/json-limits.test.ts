import { describe, expect, test } from "vitest";
import { type JsonExcess, type JsonLimits, jsonExcess } from "../../src/bodies/json-limits.ts";

const NONE: JsonLimits = {
  depthMax: 64,
  membersMax: Number.POSITIVE_INFINITY,
  itemsMax: Number.POSITIVE_INFINITY,
  charactersMax: Number.POSITIVE_INFINITY,
  refusedNames: ['"constructor"'],
};

/** What there is too much of, and in how many stretches that was found. */
function judge(text: string, limits: Partial<JsonLimits> = {}): { excess: JsonExcess | null; stretches: number } {
  const steps = jsonExcess(Buffer.from(text), { ...NONE, ...limits });
  for (let stretches = 1; ; stretches++) {
    const step = steps.next();
    if (step.done === true) return { excess: step.value, stretches };
  }
}

const MIB = 1024 * 1024;

describe("a text, a name or a number of a MiB", () => {
  test.each([
    ["text", `{"a":"${"x".repeat(MIB)}"}`],
    ["escapes", `["${"\\n".repeat(MIB / 2)}"]`],
    ["name", `{"${"\\n".repeat(MIB / 2)}":1}`],
    ["number", `[${"1".repeat(MIB)}]`],
  ])("is gone through in stretches: %s", (_, text) => {
    const { excess, stretches } = judge(text);
    expect(excess).toBeNull();
    expect(stretches).toBeGreaterThanOrEqual(MIB / (32 * 1024));
  });

  test("is given up where it has more than it may", () => {
    expect(judge(`["${"x".repeat(MIB)}"]`, { charactersMax: 1_000 })).toEqual({ excess: "characters", stretches: 1 });
  });
});

describe("wherever a stretch ends", () => {
  test.each<[string, string, Partial<JsonLimits>, JsonExcess | null]>([
    ["a refused name is one", '{"constructor":1}', {}, "name"],
    ["also with escapes", '{"\\u0063onstructor":1}', {}, "name"],
    [
      "all of it escaped",
      `{"${[..."constructor"].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join("")}":1}`,
      {},
      "name",
    ],
    ["a value is no name", '{"a":"constructor"}', {}, null],
    ["an escaped quote ends nothing", '["a\\"b","c"]', { itemsMax: 2, charactersMax: 3 }, null],
    ["an escaped backslash hides no quote", '["a\\\\","c","d"]', { itemsMax: 2 }, "items"],
    ["characters are counted once", '["é€😀ab"]', { charactersMax: 5 }, null],
    ["and one too many is seen", '["é€😀abc"]', { charactersMax: 5 }, "characters"],
    ["a number is one item", "[123456789,2]", { itemsMax: 2 }, null],
  ])("%s", (_, text, limits, excess) => {
    const length = Buffer.byteLength(text);
    for (let before = 32 * 1024 - length - 2; before <= 32 * 1024 + 1; before++) {
      expect({ before, excess: judge(" ".repeat(before) + text, limits).excess }).toEqual({ before, excess });
    }
  });
});
