import { JsonNumber } from "../../bodies/json-number.ts";
import { ALL_TYPES, type Subschema, TYPE } from "../subschema.ts";

/**
 * Which types a value can have that is written as text, of a parameter or of a form: bits of TYPE, never fewer than some
 * value that fits has.
 */
export interface TextTypes {
  readonly types: number;
  /** Names that the schema declares. */
  readonly names: readonly string[];
  /** Whether it says of members with other names what they are. */
  readonly namesOthers: boolean;
  member(name: string): TextTypes;
  /** The item at a position, from 0. */
  item(at: number): TextTypes;
}

/** Schemas that lead from one to the next for the same value; beyond that they say nothing. */
const CHAIN_MAX = 32;

export function textTypesOf(schemas: readonly Subschema[]): TextTypes {
  const spoken = [...speaking(schemas)];
  const objects = spoken.flatMap(({ object }) => (object === null ? [] : [object]));
  const arrays = spoken.flatMap(({ array }) => (array === null ? [] : [array]));
  const members = new Map<string, TextTypes>();
  const items = new Map<number, TextTypes>();
  const prefixMax = Math.max(0, ...arrays.map(({ prefix }) => prefix.length));
  const memberOf = (name: string): TextTypes => {
    const own = objects.flatMap(({ properties, additional }) => properties.get(name) ?? additional ?? []);
    return textTypesOf(own);
  };
  const itemOf = (at: number): TextTypes => textTypesOf(arrays.flatMap(({ prefix, rest }) => prefix[at] ?? rest ?? []));
  const names = [...new Set(objects.flatMap(({ properties }) => [...properties.keys()]))];
  const others = once(() => memberOf(""));
  return {
    types: schemas.reduce((types, schema) => types & possible(schema, CHAIN_MAX), ALL_TYPES),
    names,
    namesOthers: objects.some(({ additional }) => additional !== null && !additional.isNever),
    member: (name) => (names.includes(name) ? keptOf(members, name, () => memberOf(name)) : others()),
    item: (at) => keptOf(items, Math.min(at, prefixMax), () => itemOf(Math.min(at, prefixMax))),
  };
}

function keptOf<Key>(map: Map<Key, TextTypes>, key: Key, make: () => TextTypes): TextTypes {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}

function once(make: () => TextTypes): () => TextTypes {
  let made: TextTypes | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Everything that may speak of the same value, alternatives among it. */
function speaking(schemas: readonly Subschema[]): ReadonlySet<Subschema> {
  const found = new Set(schemas);
  for (const { refs, allOf, anyOf, oneOf, condition, dependentSchemas } of found) {
    const conditional = condition === null ? [] : [condition.then, condition.else];
    const parts = [...refs, ...allOf, ...(anyOf?.parts ?? []), ...(oneOf?.parts ?? []), ...conditional];
    for (const part of parts) if (part !== null) found.add(part);
    for (const { schema } of dependentSchemas) found.add(schema);
  }
  return found;
}

function possible(schema: Subschema, left: number): number {
  if (schema.isNever) return 0;
  if (left === 0) return ALL_TYPES;
  const { refs, allOf, anyOf, oneOf, values } = schema;
  let { types } = schema;
  for (const { list } of values) types &= list.reduce<number>((bits, value) => bits | typeBits(value), 0);
  for (const part of [...refs, ...allOf]) types &= possible(part, left - 1);
  for (const alternatives of [anyOf, oneOf]) {
    if (alternatives !== null) types &= alternatives.parts.reduce((bits, part) => bits | possible(part, left - 1), 0);
  }
  return types;
}

function typeBits(value: unknown): number {
  if (value === null) return TYPE.null;
  if (Array.isArray(value)) return TYPE.array;
  if (typeof value === "boolean") return TYPE.boolean;
  if (typeof value === "string") return TYPE.string;
  if (value instanceof JsonNumber || typeof value === "number")
    return Number.isInteger(value) ? TYPE.integer : TYPE.integer | TYPE.number;
  return TYPE.object;
}
