import { drawFormat, drawFormatText } from "./format-texts.ts";
import type { Random } from "./random.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

/** Dialects that both contestants know, with what their schemas write in `$schema`. */
export const DRAWN_DIALECTS = [
  { dialect: "2020-12", uri: "https://json-schema.org/draft/2020-12/schema" },
  { dialect: "2019-09", uri: "https://json-schema.org/draft/2019-09/schema" },
  { dialect: "draft-07", uri: "http://json-schema.org/draft-07/schema#" },
] as const;

export type DrawnDialect = (typeof DRAWN_DIALECTS)[number]["dialect"];

const NAMES = ["a", "b", "c", "aa", "", "toString", "constructor", "x/y", "~", "é"] as const;
const TEXTS = ["", "a", "ab", "abc", "b", "1", "\u{1f600}", "\u{1f600}a", "a\nb"] as const;
const NUMBERS = [0, 1, 2, 3, -1, 1.5, 0.1, 10, 1e3, 4503599627370497] as const;
/** Stand for numbers that no double holds: see `spelledOut`. */
const TOKENS = [...Array(6).keys()].flatMap((at) => [4503599627370600 + at, 0.531 + at / 1000]);
const PATTERNS = ["^a", "b$", "^[a-c]*$", "^$", ".", "^.{2}$"] as const;
const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
const DEFINITIONS = ["d0", "d1", "d2"] as const;

/**
 * JSON text in which some numbers are beyond doubles, and others are spelled in another way. In whatever order the numbers
 * of a schema and a body are before, they are behind, and which of them are whole, equal, or multiples of 1, 2, 3 and 0.5:
 * so the verdict of one who only knows doubles is right for both.
 */
export function spelledOut(value: Json): string {
  return JSON.stringify(value)
    .replace(/\b450359962737060(\d)\b/g, "9007199254740993000$1")
    .replace(/\b0\.53(\d)\b/g, "0.53000000000000000000$1")
    .replace(/\b1000\b/g, "10.00E+2")
    .replace(/\b1\.5\b/g, "150e-2");
}

/** A value of JSON; few names and texts, so that schemas hit them. */
export function drawValue(random: Random, depth: number): Json {
  const kind = random.below(depth > 0 ? 10 : 6);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind <= 3) return drawNumber(random);
  if (kind <= 5) return random.chance(0.3) ? drawFormatText(random) : random.pick(TEXTS);
  if (kind <= 7) return Array.from({ length: random.below(4) }, () => drawValue(random, depth - 1));
  return drawMembers(random, random.below(4), () => drawValue(random, depth - 1));
}

function drawNumber(random: Random): number {
  return random.chance(0.3) ? (TOKENS[random.below(TOKENS.length)] ?? 0) : random.pick(NUMBERS);
}

/** Older dialects want no value twice. */
function distinct(values: Json[]): Json[] {
  return [...new Map(values.map((value) => [JSON.stringify(sortedMembers(value)), value])).values()];
}

function sortedMembers(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortedMembers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, member]) => [name, sortedMembers(member)]),
  );
}

function drawMembers(random: Random, count: number, value: () => Json): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, () => [random.pick(NAMES), value()]));
}

/**
 * A schema with three definitions, which refer to each other and to the root, and with a part that has a URI of its own and
 * the same inside. Each of the two is also to be found by an anchor, which may be a dynamic one.
 */
export class SchemaGrammar {
  readonly #random: Random;
  readonly #dialect: DrawnDialect;
  readonly #definitions: string;

  constructor(random: Random, dialect: DrawnDialect) {
    this.#random = random;
    this.#dialect = dialect;
    this.#definitions = dialect === "draft-07" ? "definitions" : "$defs";
  }

  /** To be registered as `root`, somewhere. */
  root(uri: string): JsonObject {
    const root = this.#resource(3);
    root["$schema"] = uri;
    const definitions = root[this.#definitions] as JsonObject;
    definitions["part"] = { ...this.#resource(2), $id: "part" };
    return root;
  }

  #resource(depth: number): JsonObject {
    const isDraft07 = this.#dialect === "draft-07";
    const schema = this.#object(depth);
    const first = this.#object(2);
    // There it would make all that stands beside it mean nothing.
    if (isDraft07) for (const part of [schema, first]) delete part["$ref"];
    const here: JsonObject = isDraft07 ? { $id: "#here" } : { $anchor: "here" };
    schema[this.#definitions] = Object.fromEntries([
      ["d0", { ...first, ...here }],
      ...DEFINITIONS.slice(1).map((name) => [name, this.#schema(2)]),
    ]);
    if (this.#dialect === "2020-12") schema[this.#random.chance(0.8) ? "$dynamicAnchor" : "$anchor"] = "node";
    if (this.#dialect === "2019-09" && this.#random.chance(0.8)) schema["$recursiveAnchor"] = true;
    return schema;
  }

  #schema(depth: number): Json {
    return this.#random.chance(0.12) ? this.#random.chance(0.7) : this.#object(depth);
  }

  #object(depth: number): JsonObject {
    const schema: JsonObject = {};
    const count = 1 + this.#random.below(3);
    for (let n = 0; n < count; n++) Object.assign(schema, this.#keywords(depth));
    return schema;
  }

  #keywords(depth: number): JsonObject {
    const random = this.#random;
    if (depth === 0 || random.chance(0.45)) return this.#assertion();
    const inner = (): Json => this.#schema(depth - 1);
    const kind = random.below(this.#dialect === "draft-07" ? 11 : 15);
    switch (kind) {
      case 0:
        return { properties: drawMembers(random, 1 + random.below(3), inner) };
      case 1:
        return { additionalProperties: inner() };
      case 2:
        return { patternProperties: { [random.pick(PATTERNS)]: inner() } };
      case 3:
        return this.#items(inner);
      case 4:
        return { contains: inner() };
      case 5:
        return { [random.pick(["allOf", "anyOf", "oneOf"])]: Array.from({ length: 1 + random.below(3) }, inner) };
      case 6:
        return { not: inner() };
      case 7:
        return this.#condition(inner);
      case 8:
        return { propertyNames: inner() };
      case 9:
      case 10:
        return this.#reference(inner);
      case 11:
        return { unevaluatedProperties: inner() };
      case 12:
        return { unevaluatedItems: inner() };
      case 13:
        return { dependentSchemas: { [random.pick(NAMES)]: inner() } };
      default:
        return { contains: inner(), minContains: random.below(3), maxContains: random.below(3) };
    }
  }

  #condition(inner: () => Json): JsonObject {
    const schema: JsonObject = { if: inner() };
    for (const branch of ["then", "else"]) if (this.#random.chance(0.7)) schema[branch] = inner();
    return schema;
  }

  #items(inner: () => Json): JsonObject {
    const list = Array.from({ length: 1 + this.#random.below(2) }, inner);
    if (this.#random.chance(0.5)) return { items: inner() };
    if (this.#dialect === "2020-12")
      return { prefixItems: list, ...(this.#random.chance(0.5) ? { items: inner() } : {}) };
    return { items: list, ...(this.#random.chance(0.5) ? { additionalItems: inner() } : {}) };
  }

  /** Below a step into the value a reference may lead anywhere; beside it, it could lead back without one. */
  #reference(inner: () => Json): JsonObject {
    const random = this.#random;
    const definition = `#/${this.#definitions}/${random.pick(DEFINITIONS)}`;
    if (random.chance(0.25)) return { $ref: random.pick([definition, definition, "#here", "part#here"]) };
    const target = random.pick([
      "#",
      "root",
      "part",
      "#here",
      `root#here`,
      `part${definition}`,
      definition,
      definition,
    ]);
    const reference = random.chance(0.4) ? this.#dynamic() : { $ref: target };
    return random.chance(0.5) ? { properties: { [random.pick(NAMES)]: reference, b: inner() } } : { items: reference };
  }

  #dynamic(): JsonObject {
    if (this.#dialect === "2019-09") return { $recursiveRef: "#" };
    if (this.#dialect === "draft-07") return { $ref: "part" };
    return { $dynamicRef: this.#random.pick(["#node", "#node", "part#node", "root#node", "#/$defs/d1"]) };
  }

  /** An open bound also keeps out what only rounds to it, so it is not one of the decimals that all round to the same. */
  #bound(): JsonObject {
    const random = this.#random;
    if (random.chance(0.5)) return { [random.pick(["minimum", "maximum"])]: drawNumber(random) };
    const limit = drawNumber(random);
    return { [random.pick(["exclusiveMinimum", "exclusiveMaximum"])]: String(limit).startsWith("0.53") ? 1 : limit };
  }

  #assertion(): JsonObject {
    const random = this.#random;
    switch (random.below(14)) {
      case 0:
      case 1:
        return { type: random.pick(TYPES) };
      case 2:
        return { type: [random.pick(["string", "integer", "null"]), random.pick(["array", "object"])] };
      case 3:
        return { enum: distinct(Array.from({ length: 1 + random.below(4) }, () => drawValue(random, 1))) };
      case 4:
        return { const: drawValue(random, 2) };
      case 5:
        return { required: [random.pick(NAMES)] };
      case 6:
        return this.#bound();
      case 7:
        return { multipleOf: random.pick([1, 2, 3, 0.5]) };
      case 8:
        return {
          [random.pick(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"])]:
            random.below(4),
        };
      case 9:
        return { pattern: random.pick(PATTERNS) };
      case 10:
        return { uniqueItems: true };
      case 11:
        return this.#dialect === "draft-07"
          ? { dependencies: { [random.pick(NAMES)]: [random.pick(NAMES)] } }
          : { dependentRequired: { [random.pick(NAMES)]: [random.pick(NAMES)] } };
      case 12:
        return { format: drawFormat(random, this.#dialect === "draft-07") };
      default:
        return { minProperties: random.below(2) };
    }
  }
}
