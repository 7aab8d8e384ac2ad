import type { Subschema } from "../subschema.ts";
import { factsOf, togetherWith, type ValueFacts } from "./facts.ts";

/** A place of a body, as a JSON Pointer in which `*` stands for any item, and for members that are not declared. */
export interface BodyPlace {
  readonly pointer: string;
  readonly schemas: readonly Subschema[];
  readonly facts: ValueFacts;
  /** False where only an alternative or a condition speaks of the place, so that its schemas may not count. */
  readonly isCertain: boolean;
}

/** Places of a schema that leads back to itself have no end. */
const PLACES_MAX = 1_000;
const DEPTH_MAX = 16;

/** Every place that a schema speaks of, from the root down; a recursive one to some depth. */
export function placesOf(root: Subschema): readonly BodyPlace[] {
  const places: BodyPlace[] = [];
  const pending: { pointer: string; schemas: readonly Subschema[]; isCertain: boolean; depth: number }[] = [
    { pointer: "", schemas: [root], isCertain: true, depth: 0 },
  ];
  for (let next = pending.shift(); next !== undefined && places.length < PLACES_MAX; next = pending.shift()) {
    const { pointer, schemas, isCertain, depth } = next;
    places.push({ pointer, schemas, facts: factsOf(schemas), isCertain });
    if (depth === DEPTH_MAX) continue;
    const sure = childrenOf(togetherWith(schemas));
    for (const [token, parts] of sure) {
      pending.push({ pointer: `${pointer}/${token}`, schemas: parts, isCertain, depth: depth + 1 });
    }
    for (const [token, parts] of childrenOf(togetherWith(alternativesOf(schemas)))) {
      if (!sure.has(token))
        pending.push({ pointer: `${pointer}/${token}`, schemas: parts, isCertain: false, depth: depth + 1 });
    }
  }
  return places;
}

function alternativesOf(schemas: readonly Subschema[]): readonly Subschema[] {
  return togetherWith(schemas).flatMap(({ anyOf, oneOf, condition, dependentSchemas }) => [
    ...(anyOf?.parts ?? []),
    ...(oneOf?.parts ?? []),
    ...(condition === null ? [] : [condition.then, condition.else].filter((part) => part !== null)),
    ...dependentSchemas.map(({ schema }) => schema),
  ]);
}

/** Schemas of members and items, by token of the pointer. */
export function childrenOf(together: readonly Subschema[]): ReadonlyMap<string, readonly Subschema[]> {
  const children = new Map<string, Subschema[]>();
  for (const { own, others } of [membersOf(together), itemsOf(together)]) {
    for (const [name, parts] of own) children.set(tokenOf(name), [...(children.get(tokenOf(name)) ?? []), ...parts]);
    if (others.length > 0) children.set("*", [...(children.get("*") ?? []), ...others]);
  }
  return children;
}

function tokenOf(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** What is said of parts of a value: of each that has a word of its own, and of all others. */
export interface Parts {
  readonly own: ReadonlyMap<string, readonly Subschema[]>;
  readonly others: readonly Subschema[];
}

/** Members of an object, by name. */
export function membersOf(together: readonly Subschema[]): Parts {
  return partsOf(
    together.flatMap(({ object }) => [...(object?.properties ?? [])]),
    together.map(({ object }) => object?.additional ?? null),
  );
}

/** Items of an array, by number. */
export function itemsOf(together: readonly Subschema[]): Parts {
  return partsOf(
    together.flatMap(({ array }) => (array?.prefix ?? []).map((schema, at) => [String(at), schema] as const)),
    together.map(({ array }) => array?.rest ?? null),
  );
}

function partsOf(
  named: readonly (readonly [name: string, schema: Subschema])[],
  others: readonly (Subschema | null)[],
): Parts {
  const own = new Map<string, Subschema[]>();
  for (const [name, schema] of named) {
    if (schema.isNever) continue;
    const known = own.get(name);
    if (known === undefined) own.set(name, [schema]);
    else known.push(schema);
  }
  return { own, others: others.flatMap((schema) => (schema === null || schema.isNever ? [] : [schema])) };
}
