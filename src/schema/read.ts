import type { Site } from "./document.ts";
import type { Library, Target } from "./library.ts";
import { Filler } from "./read-keywords.ts";
import type { Resource, SchemaObject } from "./resource.ts";
import { ALL_TYPES, type Subschema } from "./subschema.ts";

/** Schemas of a library, which has no problems → the form that all dialects mean, each once. */
export class Reader {
  readonly #library: Library;
  readonly #known = new Map<SchemaObject, Subschema>();
  /** Still to be filled: a chain of references may be longer than a stack is deep. */
  readonly #pending: Filler[] = [];
  readonly all: Subschema[] = [];

  constructor(library: Library) {
    this.#library = library;
  }

  root(target: Target): Subschema {
    const schema = this.#take(target, null);
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) next.fill();
    return schema;
  }

  #take({ schema, resource }: Target, site: Site | null): Subschema {
    if (typeof schema === "boolean") return this.#add(blank(this.all.length, resource, "", site, !schema));
    const known = this.#known.get(schema);
    if (known !== undefined) return known;
    const own = this.#library.resourceOf(schema) ?? resource;
    const made = this.#add(blank(this.all.length, own, this.#library.pointerOf(schema), site, false));
    this.#known.set(schema, made);
    this.#pending.push(new Filler(schema, made, this.#library, (target, at) => this.#take(target, at)));
    return made;
  }

  #add(schema: Subschema): Subschema {
    this.all.push(schema);
    return schema;
  }
}

const NONE: readonly never[] = [];
const NO_RULES = {};

/** A schema that says nothing, or `false`. */
export function blank(
  index: number,
  resource: Resource,
  pointer: string,
  site: Site | null,
  isNever: boolean,
): Subschema {
  return {
    index,
    resource,
    pointer,
    site,
    isNever,
    isUndeclared: false,
    isReadOnly: false,
    isWriteOnly: false,
    default: null,
    types: ALL_TYPES,
    typeSite: null,
    values: NONE,
    number: NO_RULES,
    text: NO_RULES,
    format: null,
    content: null,
    array: null,
    object: null,
    allOf: NONE,
    anyOf: null,
    oneOf: null,
    xml: null,
    discriminator: null,
    heirs: NONE,
    not: null,
    condition: null,
    dependentSchemas: NONE,
    refs: NONE,
    dynamicRefs: NONE,
    unevaluatedItems: null,
    unevaluatedProperties: null,
  };
}
