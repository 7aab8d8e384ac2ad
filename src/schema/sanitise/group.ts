import { type Selector, selectorOf } from "../judge/alternatives.ts";
import { togetherWith } from "../requests.ts";
import type { Alternatives, Subschema } from "../subschema.ts";

/** Schemas that are said to speak of one value: some surely, others where theirs is the alternative that fits. */
export interface Group {
  readonly certain: ReadonlySet<Subschema>;
  readonly possible: ReadonlySet<Subschema>;
}

/** What one alternative, and whatever holds with it, says. */
export type Alternative = readonly Subschema[];

/** The same schemas in any order are the same group. */
export function groupKey({ certain, possible }: Group): string {
  return `${indexes(certain)}|${indexes(possible)}`;
}

function indexes(schemas: ReadonlySet<Subschema>): string {
  return [...schemas]
    .map(({ index }) => index)
    .sort((a, b) => a - b)
    .join();
}

/** Finds all schemas that speak of a value, from those where it stands. */
export class Groups {
  /** Whether the group that was found last is that of every value. */
  isOfAll = true;
  readonly #selectors = new Map<Alternatives, Selector>();

  /** Through references and compositions; of alternatives those that the value does not rule out at a glance. */
  around(start: Group, value: object): Group {
    this.isOfAll = true;
    const certain = new Set(start.certain);
    const possible = new Set(start.possible);
    // Both grow while they are gone through.
    for (const schema of certain) this.#follow(schema, value, certain, possible);
    for (const schema of possible) {
      if (certain.has(schema)) possible.delete(schema);
      else this.#follow(schema, value, possible, possible);
    }
    return { certain, possible };
  }

  /** `own`: where what holds with the schema is put. */
  #follow(schema: Subschema, value: object, own: Set<Subschema>, possible: Set<Subschema>): void {
    const { refs, allOf, anyOf, oneOf, condition, dependentSchemas, dynamicRefs } = schema;
    for (const part of refs) own.add(part);
    for (const part of allOf) own.add(part);
    if (dependentSchemas.length > 0 || anyOf !== null || oneOf !== null) this.isOfAll = false;
    for (const { name, schema: part } of dependentSchemas) if (Object.hasOwn(value, name)) own.add(part);
    for (const alternatives of [anyOf, oneOf]) {
      if (alternatives === null) continue;
      const fitting = this.#selectorOf(alternatives)(value);
      // Where only one is left it has to fit, or the value does not.
      const into = fitting.length === 1 ? own : possible;
      for (const at of fitting) {
        const part = alternatives.parts[at];
        if (part !== undefined) into.add(part);
      }
    }
    for (const part of condition === null ? [] : [condition.if, condition.then, condition.else]) {
      if (part !== null) possible.add(part);
    }
    for (const { targets, fallback } of dynamicRefs) {
      for (const part of targets.values()) possible.add(part);
      possible.add(fallback);
    }
  }

  /** Of those that may speak of a value, each by itself. */
  alternativesIn({ certain, possible }: Group): readonly Alternative[] {
    const parts = new Set<Subschema>();
    for (const schema of [...certain, ...possible]) {
      for (const part of [...schema.refs, ...schema.allOf]) parts.add(part);
    }
    return [...possible].filter((schema) => !parts.has(schema)).map((schema) => [...togetherWith(schema)]);
  }

  #selectorOf(alternatives: Alternatives): Selector {
    const known = this.#selectors.get(alternatives) ?? selectorOf(alternatives.parts);
    this.#selectors.set(alternatives, known);
    return known;
  }
}
