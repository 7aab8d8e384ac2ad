import { JsonNumber } from "../../bodies/json-number.ts";
import { ALL_TYPES, inPlaceParts, type Subschema, TYPE } from "../subschema.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** So few are counted as if all were tried, and are not looked at before. */
const FEW = 4;

/** Positions of alternatives that a value may fit: the others need not be tried. */
export type Selector = (value: unknown) => readonly number[];

/** Beyond it references are not followed: what they add is only speed. */
const FACTS_DEPTH_MAX = 8;

/**
 * Tells alternatives apart by what shows at a glance: the type of the value, and a member whose value says which one is
 * meant. Only what cannot fit is left out, so a verdict is the same as if all were tried.
 */
export function selectorOf(parts: readonly Subschema[]): Selector {
  const { byType, byMember } = choiceOf(parts);
  const glances = parts.length > FEW ? parts.map(glanceOf) : [];
  const ofObject = (object: JsonObject): readonly number[] => {
    const list = byMember === null ? byType.object : byMember.select(object);
    return list.length > FEW ? list.filter((at) => mayFit(object, glances[at])) : list;
  };
  return (value) => {
    if (typeof value === "string") return byType.string;
    if (typeof value === "number" || value instanceof JsonNumber) return byType.number;
    if (typeof value === "boolean") return byType.boolean;
    if (value === null) return byType.null;
    if (Array.isArray(value)) return byType.array;
    return ofObject(value as JsonObject);
  };
}

/** Alternatives that are tried for some value: of these lists, for each value, one. */
export function candidateLists(parts: readonly Subschema[]): readonly (readonly Subschema[])[] {
  if (parts.length <= FEW) return [parts];
  const { byType, byMember } = choiceOf(parts);
  const { object, ...others } = byType;
  const lists = [
    ...Object.values(others).map((list) =>
      list.filter((at) => parts[at] !== undefined && saysOfOthers(parts[at], FACTS_DEPTH_MAX)),
    ),
    ...(byMember === null ? [object] : byMember.lists),
  ];
  return [...new Map(lists.map((list) => [list.join(), list])).values()].map((list) =>
    list.map((at) => parts[at]).filter((part) => part !== undefined),
  );
}

/** What shows of an object without judging its members. */
interface Glance {
  readonly required: readonly string[];
  /** Members that have to be of some types where they are there. */
  readonly types: readonly (readonly [name: string, types: number])[];
}

/** More would take as long as to try the alternative. */
const GLANCES_MAX = 8;

function glanceOf(part: Subschema): Glance {
  const required = new Set<string>();
  const types = new Map<string, number>();
  const parts = new Set([part]);
  for (const { object, refs, allOf } of parts) {
    if (required.size + types.size >= GLANCES_MAX) break;
    for (const always of [...refs, ...allOf]) parts.add(always);
    for (const { value } of object?.required ?? []) required.add(value);
    for (const [name, member] of object?.properties ?? []) {
      const bits = typesOf(member, FACTS_DEPTH_MAX);
      if (bits !== ALL_TYPES) types.set(name, bits & (types.get(name) ?? ALL_TYPES));
    }
  }
  return { required: [...required].slice(0, GLANCES_MAX), types: [...types].slice(0, GLANCES_MAX) };
}

function mayFit(object: JsonObject, glance: Glance | undefined): boolean {
  if (glance === undefined) return true;
  for (const name of glance.required) if (!Object.hasOwn(object, name)) return false;
  for (const [name, types] of glance.types) {
    if (Object.hasOwn(object, name) && (types & typeBit(object[name])) === 0) return false;
  }
  return true;
}

function choiceOf(parts: readonly Subschema[]) {
  const types = parts.map((part) => typesOf(part, FACTS_DEPTH_MAX));
  const ofType = (bits: number): readonly number[] =>
    parts.flatMap((part, at) => (part.isNever || ((types[at] ?? ALL_TYPES) & bits) === 0 ? [] : [at]));
  const byType = {
    null: ofType(TYPE.null),
    boolean: ofType(TYPE.boolean),
    number: ofType(TYPE.number | TYPE.integer),
    string: ofType(TYPE.string),
    array: ofType(TYPE.array),
    object: ofType(TYPE.object),
  };
  return { byType, byMember: memberChoiceOf(parts, byType.object) };
}

/** Whether a schema says anything, beside its type, of what is no object: else it takes no time. */
function saysOfOthers(schema: Subschema, depth: number): boolean {
  const { values, text, number, format, array } = schema;
  if (values.length > 0 || format !== null || array !== null) return true;
  if (Object.keys(text).length + Object.keys(number).length > 0) return true;
  const parts = inPlaceParts(schema);
  return depth === 0 ? parts.length > 0 : parts.some((part) => saysOfOthers(part, depth - 1));
}

/** Types that a value must have to fit; more than these at worst. */
function typesOf(schema: Subschema, depth: number): number {
  let types = schema.types;
  for (const { list } of schema.values) types &= list.reduce<number>((bits, value) => bits | typeBit(value), 0);
  if (depth > 0) for (const part of [...schema.refs, ...schema.allOf]) types &= typesOf(part, depth - 1);
  return types;
}

function typeBit(value: unknown): number {
  if (typeof value === "number" || value instanceof JsonNumber) return TYPE.number | TYPE.integer;
  if (typeof value === "string") return TYPE.string;
  if (typeof value === "boolean") return TYPE.boolean;
  if (value === null) return TYPE.null;
  return Array.isArray(value) ? TYPE.array : TYPE.object;
}

interface MemberChoice {
  select(object: JsonObject): readonly number[];
  /** All that it gives. */
  readonly lists: readonly (readonly number[])[];
}

/** By the member that tells most alternatives apart. */
function memberChoiceOf(parts: readonly Subschema[], candidates: readonly number[]): MemberChoice | null {
  if (candidates.length < 2) return null;
  const tags = parts.map((part) => tagsOf(part, FACTS_DEPTH_MAX));
  const uses = new Map<string, number>();
  for (const at of candidates) for (const name of tags[at]?.keys() ?? []) uses.set(name, (uses.get(name) ?? 0) + 1);
  const [best] = [...uses].sort((a, b) => b[1] - a[1]);
  if (best === undefined || best[1] < 2) return null;
  const [name] = best;
  const open = candidates.filter((at) => tags[at]?.has(name) !== true);
  const byValue = new Map<string, number[]>();
  for (const at of candidates)
    for (const value of tags[at]?.get(name) ?? []) if (!byValue.has(value)) byValue.set(value, []);
  for (const [value, list] of byValue) {
    for (const at of candidates) if (tags[at]?.get(name)?.has(value) !== false) list.push(at);
  }
  const without = candidates.filter((at) => parts[at] === undefined || !requires(parts[at], name, FACTS_DEPTH_MAX));
  return {
    select(object) {
      if (!Object.hasOwn(object, name)) return without;
      const value = object[name];
      return typeof value === "string" ? (byValue.get(value) ?? open) : open;
    },
    lists: [without, open, ...byValue.values()],
  };
}

/** Whether an object must have the member to fit. */
function requires(schema: Subschema, name: string, depth: number): boolean {
  if (schema.object?.required.some(({ value }) => value === name) === true) return true;
  return depth > 0 && [...schema.refs, ...schema.allOf].some((part) => requires(part, name, depth - 1));
}

/** Members that, where they are there, must be one of a few strings. */
export function tagsOf(schema: Subschema, depth: number): Map<string, ReadonlySet<string>> {
  const tags = new Map<string, ReadonlySet<string>>();
  for (const [name, part] of schema.object?.properties ?? []) {
    const values = stringsOf(part, depth);
    if (values !== null) tags.set(name, values);
  }
  if (depth === 0) return tags;
  for (const part of [...schema.refs, ...schema.allOf]) {
    for (const [name, values] of tagsOf(part, depth - 1)) if (!tags.has(name)) tags.set(name, values);
  }
  return tags;
}

/** The strings that a schema of `enum` or `const` allows; null where it allows anything else. */
function stringsOf(schema: Subschema, depth: number): ReadonlySet<string> | null {
  for (const { list } of schema.values) {
    const strings = list.filter((value) => typeof value === "string");
    if (strings.length === list.length) return new Set(strings);
  }
  if (depth === 0) return null;
  for (const part of [...schema.refs, ...schema.allOf]) {
    const strings = stringsOf(part, depth - 1);
    if (strings !== null) return strings;
  }
  return null;
}
