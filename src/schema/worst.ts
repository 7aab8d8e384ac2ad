import type { SchemaPlace } from "./document.ts";
import { inPlaceParts, type Subschema } from "./subschema.ts";

/** The schema that most of a plan's cost comes from. */
export interface Dearest {
  readonly place: SchemaPlace | null;
  readonly pointer: string;
  /** What it has many of. */
  readonly what: string;
  readonly mend: string;
}

/** `counts`: judgements of one value by each schema and what it applies to the same value. */
export function dearestOf(ordered: readonly Subschema[], counts: readonly number[]): Dearest | null {
  const countOf = new Map(ordered.map((schema, index) => [schema, counts[index] ?? 0]));
  let dearest = ordered.reduce<Subschema | undefined>(
    (most, schema) =>
      (countOf.get(schema) ?? 0) > (most === undefined ? 0 : (countOf.get(most) ?? 0)) ? schema : most,
    undefined,
  );
  if (dearest === undefined) return null;
  // What is mostly another's cost is said where that one stands.
  for (;;) {
    const half: number = (countOf.get(dearest) ?? 0) / 2;
    const part: Subschema | undefined = inPlaceParts(dearest).find((one) => (countOf.get(one) ?? 0) > half);
    if (part === undefined) return described(dearest);
    dearest = part;
  }
}

/** Where most of the cost is that of lists in lists, each of which is to have no item twice. */
export function dearestList(ordered: readonly Subschema[]): Dearest | null {
  const schema = ordered.find(({ array }) => array?.uniqueItems !== undefined);
  if (schema === undefined) return null;
  return {
    place: (schema.array?.uniqueItems?.site ?? schema.site)?.place ?? null,
    pointer: schema.pointer,
    what: "'uniqueItems' in 'uniqueItems'",
    mend: "keep the outer one",
  };
}

function described(schema: Subschema): Dearest {
  const { object, anyOf, oneOf, site, pointer } = schema;
  const patterns = object?.patterns ?? [];
  const alternatives = [anyOf, oneOf].reduce((most, one) =>
    (one?.parts.length ?? 0) > (most?.parts.length ?? 0) ? one : most,
  );
  const count = alternatives?.parts.length ?? 0;
  const all = schema.allOf.length + schema.refs.length;
  if (patterns.length > Math.max(count, all)) {
    const place = patterns[0]?.site?.place ?? null;
    return {
      place,
      pointer,
      what: `${patterns.length} patterns of names`,
      mend: "write those that mean the same as one",
    };
  }
  if (alternatives !== null && count > all) {
    return {
      place: (alternatives.site ?? site)?.place ?? null,
      pointer,
      what: `${count} alternatives`,
      mend: "give each a required member with a 'const' of its own, so that it tells which one is meant",
    };
  }
  return {
    place: site?.place ?? null,
    pointer,
    what: all > 1 ? `${all} schemas that all apply` : "several schemas for the same value, level after level",
    mend: "write as one schema what they say of a value",
  };
}
