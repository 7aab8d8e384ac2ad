import { JsonNumber } from "../../bodies/json-number.ts";
import { ALL_TYPES, type ArrayRules, inPlaceParts, type ObjectRules, type Subschema, TYPE } from "../subschema.ts";

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
  return typesOfGroup({ all: schemas });
}

/** Schemas that all judge a value, or alternatives of which any may; schemas and groups within groups. */
type Group = Subschema | { readonly all: readonly Group[] } | { readonly any: readonly Group[] };

function typesOfGroup(group: Group): TextTypes {
  return new GroupTypes(group);
}

/** Most is never asked for: of a thousand parameters it would be made a thousand times. */
class GroupTypes implements TextTypes {
  readonly types: number;
  readonly #group: Group;
  #objects: readonly ObjectRules[] | null = null;
  #arrays: readonly ArrayRules[] | null = null;
  #names: readonly string[] | null = null;
  #members: Map<string, TextTypes> | null = null;
  #others: TextTypes | null = null;
  #items: Map<number, TextTypes> | null = null;

  constructor(group: Group) {
    this.#group = group;
    this.types = possibleIn(group);
  }

  get names(): readonly string[] {
    this.#names ??= [...new Set(this.#spokenObjects().flatMap(({ properties }) => [...properties.keys()]))];
    return this.#names;
  }

  get namesOthers(): boolean {
    return this.#spokenObjects().some(({ additional }) => additional !== null && !additional.isNever);
  }

  member(name: string): TextTypes {
    if (!this.names.includes(name)) {
      this.#others ??= this.#memberOf("");
      return this.#others;
    }
    this.#members ??= new Map();
    return keptOf(this.#members, name, () => this.#memberOf(name));
  }

  item(at: number): TextTypes {
    this.#arrays ??= this.#spoken().flatMap(({ array }) => (array === null ? [] : [array]));
    const place = Math.min(at, Math.max(0, ...this.#arrays.map(({ prefix }) => prefix.length)));
    this.#items ??= new Map();
    return keptOf(this.#items, place, () => this.#childOf(({ array }) => array?.prefix[place] ?? array?.rest));
  }

  #memberOf(name: string): TextTypes {
    return this.#childOf(({ object }) => object?.properties.get(name) ?? object?.additional);
  }

  #childOf(pick: (schema: Subschema) => Subschema | null | undefined): TextTypes {
    return typesOfGroup(childIn(this.#group, pick, new Map()) ?? NOTHING);
  }

  #spokenObjects(): readonly ObjectRules[] {
    this.#objects ??= this.#spoken().flatMap(({ object }) => (object === null ? [] : [object]));
    return this.#objects;
  }

  #spoken(): readonly Subschema[] {
    const schemas = schemasIn(this.#group, new Set());
    return schemas.every((schema) => inPlaceParts(schema).length === 0) ? schemas : [...speaking(schemas)];
  }
}

const NOTHING: Group = { all: [] };

/** Groups may be parts of several; each is seen once. */
function schemasIn(group: Group, seen: Set<Group>): readonly Subschema[] {
  if (seen.has(group)) return [];
  seen.add(group);
  if ("index" in group) return [group];
  return ("all" in group ? group.all : group.any).flatMap((part) => schemasIn(part, seen));
}

function possibleIn(group: Group, known: Map<Group, number> = new Map()): number {
  if ("index" in group) return possible(group, CHAIN_MAX);
  const types = known.get(group);
  if (types !== undefined) return types;
  const found =
    "all" in group
      ? group.all.reduce((bits, part) => bits & possibleIn(part, known), ALL_TYPES)
      : group.any.reduce((bits, part) => bits | possibleIn(part, known), 0);
  known.set(group, found);
  return found;
}

/** What judges a member or an item: of alternatives, those that say something of it. Null where nobody does. */
function childIn(
  group: Group,
  pick: (schema: Subschema) => Subschema | null | undefined,
  known: Map<Group, Group | null>,
): Group | null {
  const child = known.get(group);
  if (child !== undefined) return child;
  const within = (parts: readonly (Group | null)[]): readonly Group[] =>
    parts.map((part) => (part === null ? null : childIn(part, pick, known))).filter(isThere);
  const anyOf = (parts: readonly (Group | null)[]): Group | null => {
    const any = within(parts);
    return any.length === 0 ? null : { any };
  };
  known.set(group, null);
  const found =
    "index" in group
      ? together([pick(group) ?? null, ...within(partsOf(group)), ...choicesOf(group).map(anyOf)].filter(isThere))
      : "all" in group
        ? together(within(group.all))
        : anyOf(group.any);
  known.set(group, found);
  return found;
}

function partsOf({ refs, allOf }: Subschema): readonly Subschema[] {
  return [...refs, ...allOf];
}

/** Lists of which some may judge the value, or none. */
function choicesOf({
  anyOf,
  oneOf,
  condition,
  dependentSchemas,
}: Subschema): readonly (readonly (Subschema | null)[])[] {
  return [
    anyOf?.parts ?? [],
    oneOf?.parts ?? [],
    condition === null ? [] : [condition.then, condition.else],
    ...dependentSchemas.map(({ schema }) => [schema]),
  ];
}

function together(all: readonly Group[]): Group | null {
  return all.length === 0 ? null : all.length === 1 ? (all[0] ?? null) : { all };
}

function isThere<Value>(value: Value | null): value is Value {
  return value !== null;
}

function keptOf<Key>(map: Map<Key, TextTypes>, key: Key, make: () => TextTypes): TextTypes {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
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
