import { JsonNumber } from "../../bodies/json-number.ts";
import type { Pattern } from "../pattern/index.ts";
import { defaultOf, togetherWith } from "../requests.ts";
import type { ObjectRules, Subschema } from "../subschema.ts";
import type { Alternative, Group } from "./group.ts";

/** What is changed of a value, beside what its schema refuses. */
export interface SanitiseRules {
  /** Members of which no schema says a word come off, where no `additionalProperties` speaks of them. */
  readonly undeclared: boolean;
  /** And so do those that `additionalProperties: false` would refuse. */
  readonly unknown: boolean;
  /** Members that only the service sets come off. */
  readonly readOnly: boolean;
  /** Members that are missing are filled in. */
  readonly defaults: boolean;
}

/** One that stays: who speaks of it; or why it comes off. */
export type MemberPlan = Group | "undeclared" | "readOnly";

/** Where an object or a list stands: all schemas that speak of it, and what that makes of its members and items. */
export class Place {
  readonly #group: Group;
  readonly #rules: SanitiseRules;
  readonly #patternOf: (source: string) => Pattern;
  readonly #stripsOthers: boolean;
  readonly #all: readonly Subschema[];
  readonly #known = new Map<string, MemberPlan>();
  /** Of every member that none of them declares. */
  #others: MemberPlan | null = null;
  readonly #items: Group[] = [];
  /** Beyond so many items all are alike. */
  readonly #prefixLength: number;
  /** Members with a default, and the two of them as JSON. */
  readonly defaults: readonly { readonly name: string; readonly text: string }[];

  /** `alternatives`: what of the group may speak of the value, each by itself. */
  constructor(
    group: Group,
    alternatives: readonly Alternative[],
    rules: SanitiseRules,
    patternOf: (source: string) => Pattern,
  ) {
    this.#group = group;
    this.#rules = rules;
    this.#patternOf = patternOf;
    this.#all = [...group.certain, ...group.possible];
    this.#prefixLength = Math.max(0, ...this.#all.map(({ array }) => array?.prefix.length ?? 0));
    this.#stripsOthers = stripsOthers(group, alternatives, rules);
    this.defaults = rules.defaults ? defaultsOf(group) : [];
  }

  member(name: string): MemberPlan {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const isNamed = this.#all.some(({ object }) => object?.properties.has(name) === true);
    // Names of clients are without number.
    if (!isNamed) return this.#unnamedPlan(name);
    const plan = this.#stayingPlan(name);
    this.#known.set(name, plan);
    return plan;
  }

  /** Who speaks of the item at this position. */
  item(at: number): Group {
    const index = Math.min(at, this.#prefixLength);
    this.#items[index] ??= this.#childGroup(({ array, unevaluatedItems }) => {
      const own = array?.prefix[index] ?? array?.rest ?? null;
      return [own, array?.contains ?? null, own === null ? unevaluatedItems : null];
    });
    return this.#items[index];
  }

  #unnamedPlan(name: string): MemberPlan {
    const isMatched = this.#all.some(({ object }) => object !== null && this.#declaredIn(object, name).length > 0);
    if (isMatched) return this.#stayingPlan(name);
    this.#others ??= this.#stripsOthers ? "undeclared" : this.#stayingPlan(name);
    return this.#others;
  }

  #stayingPlan(name: string): MemberPlan {
    const group = this.#childGroup(({ object, unevaluatedProperties }) => {
      const own = object === null ? [] : this.#declaredIn(object, name);
      return own.length > 0 ? own : [openPart(object?.additional), openPart(unevaluatedProperties)];
    });
    return this.#rules.readOnly && isSetByService(group) ? "readOnly" : group;
  }

  #declaredIn({ properties, patterns }: ObjectRules, name: string): readonly Subschema[] {
    const own = properties.get(name);
    const matching = patterns.filter(({ source }) => this.#patternOf(source).test(name)).map(({ schema }) => schema);
    return own === undefined ? matching : [own, ...matching];
  }

  #childGroup(partsOf: (schema: Subschema) => readonly (Subschema | null)[]): Group {
    const certain = new Set<Subschema>();
    const possible = new Set<Subschema>();
    for (const schema of this.#group.certain) for (const part of partsOf(schema)) if (part !== null) certain.add(part);
    for (const schema of this.#group.possible) {
      for (const part of partsOf(schema)) if (part !== null && !certain.has(part)) possible.add(part);
    }
    return { certain, possible };
  }
}

/** What says of other members that there may be some; null where that is nobody's word, or none may be. */
function openPart(part: Subschema | null | undefined): Subschema | null {
  return part === undefined || part === null || part.isNever ? null : part;
}

/** Whether members that no schema of the group declares come off: by those that surely speak, or by each that may. */
function stripsOthers(
  { certain, possible }: Group,
  alternatives: readonly Alternative[],
  rules: SanitiseRules,
): boolean {
  if (!rules.undeclared && !rules.unknown) return false;
  if ([...certain, ...possible].some(isOpen)) return false;
  const isStrict = (schemas: Iterable<Subschema>): boolean => closes([...schemas], rules);
  return isStrict(certain) || (alternatives.length > 0 && alternatives.every(isStrict));
}

/** Says of other members that there may be some. */
function isOpen({ object, unevaluatedProperties }: Subschema): boolean {
  return openPart(object?.additional) !== null || openPart(unevaluatedProperties) !== null;
}

/** Whether schemas that say nothing of other members leave no room for them. */
function closes(schemas: readonly Subschema[], { unknown }: SanitiseRules): boolean {
  const declaresSome = schemas.some(({ object }) => object !== null && object.properties.size > 0);
  const isClosed = schemas.some(({ object, unevaluatedProperties }) =>
    [object?.additional, unevaluatedProperties].some((rest) => rest?.isNever === true && !rest.isUndeclared),
  );
  return unknown ? declaresSome || isClosed : declaresSome && !isClosed;
}

/** By a schema that surely speaks of it, or by all that may. */
function isSetByService({ certain, possible }: Group): boolean {
  const says = (schema: Subschema): boolean => [...togetherWith(schema)].some(({ isReadOnly }) => isReadOnly);
  if ([...certain].some(says)) return true;
  return certain.size === 0 && possible.size > 0 && [...possible].every(says);
}

function defaultsOf({ certain }: Group): Place["defaults"] {
  const found = new Map<string, string>();
  for (const { object } of certain) {
    for (const [name, member] of object?.properties ?? []) {
      const value = defaultOf(member);
      if (value === undefined || found.has(name)) continue;
      if (isSetByService({ certain: new Set([member]), possible: new Set() })) continue;
      found.set(name, `${JSON.stringify(name)}:${jsonText(value)}`);
    }
  }
  return [...found].map(([name, text]) => ({ name, text }));
}

/** A value of a schema's file as JSON; its numbers as they are written there. */
function jsonText(value: unknown): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`)
    .join(",")}}`;
}
