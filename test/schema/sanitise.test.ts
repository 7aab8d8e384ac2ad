import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/bodies/json.ts";
import { type ContainerRules, editJson } from "../../src/bodies/json-editor.ts";
import { printJson } from "../../src/bodies/json-printer.ts";
import { BodyEdits } from "../../src/message/body-edits.ts";
import { type CompiledSchema, compileSchema } from "../../src/schema/compile.ts";
import { inlineDocument } from "../../src/schema/document.ts";
import type { SanitiseRules } from "../../src/schema/sanitise/place.ts";
import { Sanitiser } from "../../src/schema/sanitise/sanitiser.ts";
import { atOnce } from "../../src/support/turns.ts";
import { caseSeed, Random } from "../fuzz/random.ts";
import { DRAWN_DIALECTS, drawValue, SchemaGrammar, spelledOut } from "../fuzz/schema-grammar.ts";

const STRIP: SanitiseRules = { undeclared: true, unknown: false, readOnly: true, defaults: false };

type Requests = NonNullable<Parameters<typeof compileSchema>[1]["view"]>;

function compile(schema: unknown, dialect: "2020-12" | "2019-09" | "draft-07", view: Requests): CompiledSchema | null {
  const compiled = compileSchema(inlineDocument("https://example.org/s", schema), {
    dialect,
    assertsFormat: true,
    takesUnknownKeywords: true,
    refusesOtherCase: true,
    view,
    retrieve: () => null,
  });
  return compiled.ok ? compiled.value : null;
}

/** What is left of a text; itself where nothing comes off. */
function sanitised(compiled: CompiledSchema, rules: SanitiseRules, text: string): string {
  const value = parsed(text);
  const sanitiser = new Sanitiser(compiled.root, rules, (source) => compiled.judging.patternOf(source));
  const own = sanitiser.rulesOf(value, new BodyEdits());
  if (own === null) return text;
  const edited = atOnce(editJson(text, value, { rules: own, text: null, name: null, charsMax: 1e6 }));
  if (edited === "too long") throw new Error("too long");
  return edited === "unchanged" ? text : edited.text;
}

function parsed(text: string): unknown {
  const reading = parseJson(Buffer.from(text));
  if (!reading.ok) throw new Error(reading.error);
  return reading.value;
}

/** Whether the first is the second without some of its members. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.length === whole.length && part.every((item, at) => isPartOf(item, whole[at]));
  }
  if (typeof part !== "object" || part === null) return JSON.stringify(part) === JSON.stringify(whole);
  if (typeof whole !== "object" || whole === null) return false;
  const members = new Map<string, unknown>(Object.entries(whole));
  return Object.entries(part).every(([name, member]) => members.has(name) && isPartOf(member, members.get(name)));
}

describe("of random bodies for random schemas", () => {
  it("nothing but members comes off, and once is enough", () => {
    let changed = 0;
    for (let index = 0; index < 4_000; index++) {
      const random = new Random(caseSeed(17, index));
      const { dialect, uri } = random.pick<(typeof DRAWN_DIALECTS)[number]>(DRAWN_DIALECTS);
      const drawn = new SchemaGrammar(random, dialect).root(uri);
      const schema = random.chance(0.7) ? { ...drawn, type: "object" } : drawn;
      const compiled = compile(schema, dialect, { readOnly: "refuse", undeclared: "refuse" });
      if (compiled === null) continue;
      for (let n = 0; n < 8; n++) {
        const text = spelledOut(drawValue(random, 3));
        const left = sanitised(compiled, STRIP, text);
        if (left !== text) changed++;
        expect({ schema, text, left, isPart: isPartOf(parsed(left), parsed(text)) }).toMatchObject({ isPart: true });
        // Nothing is left for a second time.
        expect(sanitised(compiled, STRIP, left)).toBe(left);
      }
    }
    expect(changed).toBeGreaterThan(300);
  }, 60_000);

  it("printed JSON says the same, in one spelling", () => {
    for (let index = 0; index < 5_000; index++) {
      const random = new Random(caseSeed(19, index));
      const value = drawValue(random, 4);
      const text = random.chance(0.5) ? spelledOut(value) : JSON.stringify(value, null, random.below(3));
      const printed = atOnce(printJson(text));
      expect(parsed(printed)).toEqual(parsed(text));
      expect(atOnce(printJson(printed))).toBe(printed);
      if (!text.includes("900719925474") && !text.includes("0.53000")) expect(printed).toBe(JSON.stringify(value));
    }
  });
});

describe("an editor of JSON", () => {
  const NAMES = ["a", "b", "c"] as const;

  it("takes off and fills in as one would who has read it all", () => {
    for (let index = 0; index < 5_000; index++) {
      const random = new Random(caseSeed(23, index));
      const value = drawMembers(random, 3);
      const text = JSON.stringify(value, null, random.below(2) * 2).replaceAll('"a"', () =>
        random.pick(['"a"', '"\\u0061"']),
      );
      const off = random.pick(NAMES);
      const edited = atOnce(
        editJson(text, value, { rules: rulesOf(off, value), text: null, name: null, charsMax: 1e6 }),
      );
      const expected = without(value, off);
      expect(JSON.parse(typeof edited === "string" ? text : edited.text)).toEqual(expected);
    }
  });
});

type Drawn = number | Drawn[] | { [name: string]: Drawn };

function drawMembers(random: Random, depth: number): Drawn {
  if (depth === 0 || random.chance(0.2)) return random.below(100);
  if (random.chance(0.3)) return Array.from({ length: random.below(4) }, () => drawMembers(random, depth - 1));
  const names = ["a", "b", "c"].filter(() => random.chance(0.6));
  return Object.fromEntries(names.map((name) => [name, drawMembers(random, depth - 1)]));
}

function rulesOf(off: string, root: unknown) {
  const rules = (isList: boolean): ContainerRules => ({
    removes: (name) => name === off,
    inside: (_key, value) => rules(Array.isArray(value)),
    added: () => (isList ? [] : ['"z":0']),
  });
  return rules(Array.isArray(root));
}

function without(value: Drawn, off: string): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, off));
  if (typeof value !== "object") return value;
  const left = Object.entries(value).filter(([name]) => name !== off);
  return { ...Object.fromEntries(left.map(([name, member]) => [name, without(member, off)])), z: 0 };
}
