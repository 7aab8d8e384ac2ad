import type { JsonNumber } from "../bodies/json-number.ts";
import type { Discriminator } from "./discriminator.ts";
import type { Site } from "./document.ts";
import type { Resource } from "./resource.ts";

/** A number of JSON, with its spelling where a double would lose it. */
export type Numeric = number | JsonNumber;

/** Bits of `Subschema.types`. */
export const TYPE = { null: 1, boolean: 2, integer: 4, number: 8, string: 16, array: 32, object: 64 } as const;
export const ALL_TYPES = 127;

/** An assertion's parameter and where its keyword stands. */
export interface Rule<Value> {
  readonly value: Value;
  readonly site: Site | null;
}

/** What another schema is applied to the same value for. */
export interface Alternatives {
  readonly parts: readonly Subschema[];
  readonly site: Site | null;
  /** What is said where none fits, in place of the usual. */
  readonly none?: { readonly keyword: string; readonly detail: string; readonly site: Site | null };
}

export interface NumberRules {
  readonly multipleOf?: Rule<Numeric>;
  readonly minimum?: Rule<Numeric>;
  readonly maximum?: Rule<Numeric>;
  readonly exclusiveMinimum?: Rule<Numeric>;
  readonly exclusiveMaximum?: Rule<Numeric>;
}

export interface TextRules {
  readonly minLength?: Rule<number>;
  readonly maxLength?: Rule<number>;
  readonly pattern?: Rule<string>;
}

/** What a text holds: JSON, as it stands or in base64. Where nothing of it can be judged there are no such rules. */
export interface ContentRules {
  readonly encoding: "base64" | "base64url" | null;
  /** What the JSON in it is; null for any. */
  readonly schema: Subschema | null;
  readonly site: Site | null;
}

export interface ArrayRules {
  readonly minItems?: Rule<number>;
  readonly maxItems?: Rule<number>;
  readonly uniqueItems?: Rule<true>;
  /** One for each of the first items. */
  readonly prefix: readonly Subschema[];
  /** For the items behind those. */
  readonly rest: Subschema | null;
  readonly contains: Subschema | null;
  readonly containsSite: Site | null;
  readonly minContains: Rule<number>;
  readonly maxContains: Rule<number> | null;
  /** Whether an item that `contains` fits counts as evaluated: since 2020-12. */
  readonly containsEvaluates: boolean;
}

export interface ObjectRules {
  readonly minProperties?: Rule<number>;
  readonly maxProperties?: Rule<number>;
  readonly required: readonly Rule<string>[];
  readonly properties: ReadonlyMap<string, Subschema>;
  readonly propertiesSite: Site | null;
  readonly patterns: readonly { readonly source: string; readonly schema: Subschema; readonly site: Site | null }[];
  /** For members that neither of the two is for. */
  readonly additional: Subschema | null;
  readonly names: Subschema | null;
  readonly namesSite: Site | null;
  /** Where the first member is there, so must be the others. */
  readonly dependentRequired: readonly {
    readonly name: string;
    readonly needs: readonly string[];
    readonly site: Site | null;
  }[];
}

export interface DynamicReference {
  readonly anchor: string;
  /** What each resource has under that name. */
  readonly targets: ReadonlyMap<Resource, Subschema>;
  readonly fallback: Subschema;
}

/** How a value is written as XML, as it stands there (OpenAPI 3.2 section 4.26). */
export interface XmlWords {
  readonly name: string | null;
  readonly namespace: string | null;
  readonly prefix: string | null;
  /** Null where nothing is said; `attribute` and `wrapped` are the older words for two of them. */
  readonly nodeType: "element" | "attribute" | "text" | "cdata" | "none" | null;
}

/** A schema in the one form that all dialects mean; what its keywords say and where they stand. */
export interface Subschema {
  /** Its number among all of a plan. */
  readonly index: number;
  readonly resource: Resource;
  /** JSON Pointer in its document. */
  readonly pointer: string;
  /** Where the schema itself begins: what a fault of `false` names. */
  readonly site: Site | null;
  /** `false`, and nothing else. */
  isNever: boolean;
  /** Of `false`: nobody wrote it, and it is for members of which no schema says a word. */
  isUndeclared: boolean;
  /** Of a member: the service alone sets it; in a plan for answers, the client alone. */
  isReadOnly: boolean;
  /** Of a member: the client alone sets it. */
  isWriteOnly: boolean;
  /** What stands for the value where there is none. */
  default: Rule<unknown> | null;
  types: number;
  typeSite: Site | null;
  /** Of `enum` and `const`: values of which it must be one. */
  values: readonly {
    readonly keyword: "enum" | "const";
    readonly list: readonly unknown[];
    readonly site: Site | null;
  }[];
  number: NumberRules;
  text: TextRules;
  format: Rule<string> | null;
  content: ContentRules | null;
  array: ArrayRules | null;
  object: ObjectRules | null;
  allOf: readonly Subschema[];
  anyOf: Alternatives | null;
  oneOf: Alternatives | null;
  xml: XmlWords | null;
  /** Which of them is meant, as it stands there. */
  discriminator: Discriminator | null;
  /** Where it has a discriminator and no alternatives: the components whose `allOf` leads to it. */
  heirs: readonly Subschema[];
  not: Alternatives | null;
  condition: { readonly if: Subschema; readonly then: Subschema | null; readonly else: Subschema | null } | null;
  dependentSchemas: readonly { readonly name: string; readonly schema: Subschema }[];
  /** Schemas that references lead to. */
  refs: readonly Subschema[];
  /** References whose target the dynamic scope decides; `fallback` where it has no such anchor. */
  dynamicRefs: readonly DynamicReference[];
  unevaluatedItems: Subschema | null;
  unevaluatedProperties: Subschema | null;
}

const NONE: readonly Subschema[] = [];

/** Most schemas apply no other. */
export function isLeaf(schema: Subschema): boolean {
  const { array, object, unevaluatedItems, unevaluatedProperties } = schema;
  if (array !== null || object !== null || unevaluatedItems !== null || unevaluatedProperties !== null) return false;
  if (schema.content !== null && schema.content.schema !== null) return false;
  return !hasInPlaceParts(schema);
}

function hasInPlaceParts(schema: Subschema): boolean {
  const { allOf, refs, dynamicRefs, dependentSchemas, anyOf, oneOf, not, condition } = schema;
  if (anyOf !== null || oneOf !== null || not !== null || condition !== null) return true;
  return allOf.length + refs.length + dynamicRefs.length + dependentSchemas.length > 0;
}

/** Schemas for the same value, of whatever kind. */
export function inPlaceParts(schema: Subschema): readonly Subschema[] {
  const { condition } = schema;
  if (!hasInPlaceParts(schema)) return NONE;
  return [
    ...schema.allOf,
    ...(schema.anyOf?.parts ?? []),
    ...(schema.oneOf?.parts ?? []),
    ...(schema.not?.parts ?? []),
    ...(condition === null ? [] : [condition.if, condition.then, condition.else].filter((part) => part !== null)),
    ...schema.dependentSchemas.map((dependent) => dependent.schema),
    ...schema.refs,
    ...schema.dynamicRefs.flatMap(({ targets, fallback }) => [...targets.values(), fallback]),
  ];
}

/** Schemas for items and members of the value, the members' names, and for what a text holds. */
export function childParts(schema: Subschema): readonly Subschema[] {
  const held = schema.content?.schema ?? null;
  return held === null ? memberParts(schema) : [...memberParts(schema), held];
}

/** The same without what a text holds. */
export function memberParts({
  array,
  object,
  unevaluatedItems,
  unevaluatedProperties,
}: Subschema): readonly Subschema[] {
  return [
    ...(array === null ? [] : [...array.prefix, array.rest, array.contains]),
    ...(object === null
      ? []
      : [
          ...object.properties.values(),
          ...object.patterns.map(({ schema }) => schema),
          object.additional,
          object.names,
        ]),
    unevaluatedItems,
    unevaluatedProperties,
  ].filter((part) => part !== null);
}
