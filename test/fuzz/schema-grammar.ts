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
const PATTERNS = ["^a", "b$", "^[a-c]*$", "^$", ".", "^.{2}$"] as const;
const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
const DEFINITIONS = ["d0", "d1", "d2"] as const;

/** A value of JSON; few names and texts, so that schemas hit them. */
export function drawValue(random: Random, depth: number): Json {
  const kind = random.below(depth > 0 ? 10 : 6);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind <= 3) return random.pick(NUMBERS);
  if (kind <= 5) return random.pick(TEXTS);
  if (kind <= 7) return Array.from({ length: random.below(4) }, () => drawValue(random, depth - 1));
  return drawMembers(random, random.below(4), () => drawValue(random, depth - 1));
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

/** A schema with three definitions, which refer to each other and to the root. */
export class SchemaGrammar {
  readonly #random: Random;
  readonly #dialect: DrawnDialect;
  readonly #definitions: string;

  constructor(random: Random, dialect: DrawnDialect) {
    this.#random = random;
    this.#dialect = dialect;
    this.#definitions = dialect === "draft-07" ? "definitions" : "$defs";
  }

  root(uri: string): JsonObject {
    const root = this.#object(3);
    // There it would make the definitions beside it mean nothing.
    if (this.#dialect === "draft-07") delete root["$ref"];
    root["$schema"] = uri;
    root[this.#definitions] = Object.fromEntries(DEFINITIONS.map((name) => [name, this.#schema(2)]));
    return root;
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
    const $ref = this.#random.chance(0.2) ? "#" : `#/${this.#definitions}/${this.#random.pick(DEFINITIONS)}`;
    if (this.#random.chance(0.3)) return { $ref };
    return this.#random.chance(0.5)
      ? { properties: { [this.#random.pick(NAMES)]: { $ref }, b: inner() } }
      : { items: { $ref } };
  }

  #assertion(): JsonObject {
    const random = this.#random;
    switch (random.below(13)) {
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
        return { [random.pick(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])]: random.pick(NUMBERS) };
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
      default:
        return { minProperties: random.below(2) };
    }
  }
}
