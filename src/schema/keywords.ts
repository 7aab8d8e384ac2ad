import type { Dialect } from "./dialect.ts";

/** What the value of a keyword has to be. */
export type Shape =
  | "any"
  | "array"
  | "boolean"
  | "count"
  | "dependencies"
  | "number"
  | "pattern"
  | "patternMap"
  | "positive"
  | "schema"
  | "schemaList"
  | "schemaMap"
  | "schemaOrList"
  | "string"
  | "stringList"
  | "stringListMap"
  | "type"
  | "uriReference";

/** Vocabularies of 2019-09 and 2020-12, by the last part of their URIs. */
export type Vocabulary = "core" | "applicator" | "unevaluated" | "validation" | "meta-data" | "format" | "content";

export interface Keyword {
  readonly shape: Shape;
  readonly dialects: number;
  readonly vocabulary: Vocabulary;
}

const BITS: Readonly<Record<Dialect, number>> = {
  "draft-04": 1,
  "draft-06": 2,
  "draft-07": 4,
  "2019-09": 8,
  "2020-12": 16,
  "openapi-3.0": 32,
};

const ALL = 63;
const SINCE_06 = 2 + 4 + 8 + 16;
const SINCE_07 = 4 + 8 + 16;
const SINCE_2019 = 8 + 16;
const ONLY_2019 = 8;
const ONLY_2020 = 16;
const DRAFTS = 1 + 2 + 4 + 8 + 16;
const OPENAPI = 32;

type Row = readonly [shape: Shape, dialects: number, vocabulary: Vocabulary];

/** Every keyword of every dialect. What stands in a schema and not here is another world's, or a slip. */
const ROWS: Readonly<Record<string, Row>> = {
  $schema: ["string", DRAFTS, "core"],
  $id: ["uriReference", SINCE_06, "core"],
  id: ["uriReference", 1, "core"],
  $ref: ["uriReference", ALL, "core"],
  $anchor: ["string", SINCE_2019, "core"],
  $dynamicAnchor: ["string", ONLY_2020, "core"],
  $dynamicRef: ["uriReference", ONLY_2020, "core"],
  $recursiveAnchor: ["boolean", ONLY_2019, "core"],
  $recursiveRef: ["uriReference", ONLY_2019, "core"],
  $vocabulary: ["any", SINCE_2019, "core"],
  $comment: ["string", SINCE_07, "core"],
  // One name came for the other, and both do no more than hold what is referred to.
  $defs: ["schemaMap", ALL, "core"],
  definitions: ["schemaMap", ALL, "core"],

  allOf: ["schemaList", ALL, "applicator"],
  anyOf: ["schemaList", ALL, "applicator"],
  oneOf: ["schemaList", ALL, "applicator"],
  not: ["schema", ALL, "applicator"],
  if: ["schema", SINCE_07, "applicator"],
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema has this name
  then: ["schema", SINCE_07, "applicator"],
  else: ["schema", SINCE_07, "applicator"],
  dependentSchemas: ["schemaMap", SINCE_2019, "applicator"],
  dependencies: ["dependencies", DRAFTS, "applicator"],
  prefixItems: ["schemaList", ONLY_2020, "applicator"],
  items: ["schemaOrList", ALL, "applicator"],
  additionalItems: ["schema", 1 + 2 + 4 + 8, "applicator"],
  contains: ["schema", SINCE_06, "applicator"],
  properties: ["schemaMap", ALL, "applicator"],
  patternProperties: ["patternMap", DRAFTS, "applicator"],
  additionalProperties: ["schema", ALL, "applicator"],
  propertyNames: ["schema", SINCE_06, "applicator"],
  unevaluatedItems: ["schema", SINCE_2019, "unevaluated"],
  unevaluatedProperties: ["schema", SINCE_2019, "unevaluated"],

  type: ["type", ALL, "validation"],
  enum: ["array", ALL, "validation"],
  const: ["any", SINCE_06, "validation"],
  multipleOf: ["positive", ALL, "validation"],
  maximum: ["number", ALL, "validation"],
  exclusiveMaximum: ["number", SINCE_06, "validation"],
  minimum: ["number", ALL, "validation"],
  exclusiveMinimum: ["number", SINCE_06, "validation"],
  maxLength: ["count", ALL, "validation"],
  minLength: ["count", ALL, "validation"],
  pattern: ["pattern", ALL, "validation"],
  maxItems: ["count", ALL, "validation"],
  minItems: ["count", ALL, "validation"],
  uniqueItems: ["boolean", ALL, "validation"],
  maxContains: ["count", SINCE_2019, "validation"],
  minContains: ["count", SINCE_2019, "validation"],
  maxProperties: ["count", ALL, "validation"],
  minProperties: ["count", ALL, "validation"],
  required: ["stringList", ALL, "validation"],
  dependentRequired: ["stringListMap", SINCE_2019, "validation"],
  nullable: ["boolean", OPENAPI, "validation"],

  format: ["string", ALL, "format"],

  contentEncoding: ["string", SINCE_07, "content"],
  contentMediaType: ["string", SINCE_07, "content"],
  contentSchema: ["schema", SINCE_2019, "content"],

  title: ["string", ALL, "meta-data"],
  description: ["string", ALL, "meta-data"],
  default: ["any", ALL, "meta-data"],
  deprecated: ["boolean", SINCE_2019 + OPENAPI, "meta-data"],
  readOnly: ["boolean", SINCE_07 + OPENAPI, "meta-data"],
  writeOnly: ["boolean", SINCE_07 + OPENAPI, "meta-data"],
  examples: ["array", SINCE_06, "meta-data"],
};

/** In these two, `exclusiveMaximum` says how `maximum` is meant. */
const BOOLEAN_EXCLUSIVE: ReadonlySet<string> = new Set(["exclusiveMaximum", "exclusiveMinimum"]);

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  Object.entries(ROWS).map(([name, [shape, dialects, vocabulary]]) => [name, { shape, dialects, vocabulary }]),
);

const EXCLUSIVE: Keyword = { shape: "boolean", dialects: BITS["draft-04"] + OPENAPI, vocabulary: "validation" };

/** The keyword as the dialect has it; undefined where it has none of that name. */
export function keywordOf(name: string, dialect: Dialect): Keyword | undefined {
  const bit = BITS[dialect];
  if ((EXCLUSIVE.dialects & bit) !== 0 && BOOLEAN_EXCLUSIVE.has(name)) return EXCLUSIVE;
  const keyword = KEYWORDS.get(name);
  return keyword !== undefined && (keyword.dialects & bit) !== 0 ? keyword : undefined;
}

/** All keywords of a dialect, to suggest one of them. */
export function keywordsOf(dialect: Dialect): readonly string[] {
  return [...KEYWORDS.keys()].filter((name) => keywordOf(name, dialect) !== undefined);
}

/** True where some other dialect has the keyword. */
export function isKeywordElsewhere(name: string): boolean {
  return KEYWORDS.has(name);
}

/** Says something to other programs; here it means nothing, and nobody expects it to. */
const FOREIGN: ReadonlySet<string> = new Set([
  "example",
  "examples",
  "xml",
  "discriminator",
  "externalDocs",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
  "readOnly",
  "writeOnly",
  "deprecated",
  "$comment",
  "$id",
  "id",
  "$schema",
  "$anchor",
  "nullable",
  "media",
  "links",
  "base",
  "errorMessage",
  "markdownDescription",
  "enumNames",
  "enumDescriptions",
  "defaultSnippets",
  "tsType",
  "javaType",
  "faker",
  "propertyOrder",
  "options",
]);

export function isForeign(name: string): boolean {
  return FOREIGN.has(name) || /^x-/i.test(name);
}

const NEEDED: ReadonlyMap<string, string> = new Map([
  ["then", "if"],
  ["else", "if"],
  ["minContains", "contains"],
  ["maxContains", "contains"],
  ["additionalItems", "items"],
]);

/** The keyword without which this one says nothing; undefined for none. */
export function neededBy(name: string, value: unknown): string | undefined {
  if (value === true && BOOLEAN_EXCLUSIVE.has(name)) return name === "exclusiveMaximum" ? "maximum" : "minimum";
  return NEEDED.get(name);
}

/** In these dialects a `$ref` stands alone: what is written beside it means nothing. */
export function refStandsAlone(dialect: Dialect): boolean {
  return dialect === "draft-04" || dialect === "draft-06" || dialect === "draft-07" || dialect === "openapi-3.0";
}

/** Where only objects are schemas, but for `additionalItems` and `additionalProperties`. */
export function hasBooleanSchemas(dialect: Dialect): boolean {
  return dialect !== "draft-04" && dialect !== "openapi-3.0";
}
