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
  const add = (token: string, schema: Subschema | null): void => {
    if (schema === null || schema.isNever) return;
    const known = children.get(token);
    if (known === undefined) children.set(token, [schema]);
    else known.push(schema);
  };
  for (const { object, array } of together) {
    for (const [name, schema] of object?.properties ?? [])
      add(name.replaceAll("~", "~0").replaceAll("/", "~1"), schema);
    add("*", object?.additional ?? null);
    for (const [at, schema] of (array?.prefix ?? []).entries()) add(String(at), schema);
    add("*", array?.rest ?? null);
  }
  return children;
}
