import { isJson, mediaTypeOf } from "../bodies/media-type.ts";
import { readDiscriminator } from "./discriminator.ts";
import type { Site } from "./document.ts";
import type { Library, Target } from "./library.ts";
import { isObject, isOfOpenApi, keywordIn, member, type Resource, type SchemaObject } from "./resource.ts";
import { isNumber, isTypeName } from "./shapes.ts";
import {
  type ArrayRules,
  type DynamicReference,
  type NumberRules,
  type ObjectRules,
  type Rule,
  type Subschema,
  type TextRules,
  TYPE,
} from "./subschema.ts";
import { readXmlWords } from "./xml-words.ts";

type Writable<Rules> = { -readonly [Name in keyof Rules]: Rules[Name] };

const NO_PARTS: ReadonlyMap<string, Subschema> = new Map();
const NONE: readonly never[] = [];
/** Where nothing asks for it. */
const ONE: Rule<number> = { value: 1, site: null };

const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"] as const;
const NUMBER_KEYWORDS = ["multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
const IN_PLACE_KEYWORDS = ["allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"] as const;
const ARRAY_KEYWORDS = ["prefixItems", "items", "contains", "minItems", "maxItems", "uniqueItems"] as const;
/** 3.1 says `contentEncoding: base64` for what was `format: byte`. */
const ENCODING_FORMATS: ReadonlyMap<string, string> = new Map([
  ["base64", "byte"],
  ["base64url", "base64url"],
]);
const CONTENT_KEYWORDS = ["contentEncoding", "contentMediaType", "contentSchema"] as const;
const OBJECT_KEYWORDS = [
  "properties",
  "patternProperties",
  "additionalProperties",
  "propertyNames",
  "required",
  "minProperties",
  "maxProperties",
  "dependentRequired",
  "dependencies",
] as const;

/** What a keyword belongs to, as a bit: most schemas have few, and need not be asked for all others. */
const PART = {
  reference: 1,
  type: 2,
  value: 4,
  number: 8,
  text: 16,
  format: 32,
  array: 64,
  object: 128,
  inPlace: 256,
  unevaluated: 512,
  note: 1024,
  discriminator: 2048,
  xml: 4096,
  content: 8192,
} as const;

const PART_OF: ReadonlyMap<string, number> = new Map([
  ...REFERENCES.map((keyword) => [keyword, PART.reference] as const),
  ["type", PART.type],
  ["nullable", PART.type],
  ["enum", PART.value],
  ["const", PART.value],
  ...NUMBER_KEYWORDS.map((keyword) => [keyword, PART.number] as const),
  ...["minLength", "maxLength", "pattern"].map((keyword) => [keyword, PART.text] as const),
  ["format", PART.format],
  ...CONTENT_KEYWORDS.map((keyword) => [keyword, PART.content] as const),
  ...ARRAY_KEYWORDS.map((keyword) => [keyword, PART.array] as const),
  ...OBJECT_KEYWORDS.map((keyword) => [keyword, PART.object] as const),
  ...IN_PLACE_KEYWORDS.map((keyword) => [keyword, PART.inPlace] as const),
  ["dependencies", PART.object | PART.inPlace],
  ["readOnly", PART.note],
  ["writeOnly", PART.note],
  ["default", PART.note],
  ["discriminator", PART.discriminator],
  ["xml", PART.xml],
  ["unevaluatedItems", PART.unevaluated],
  ["unevaluatedProperties", PART.unevaluated],
]);

/** Reads the keywords of one schema. */
export class Filler {
  readonly #raw: SchemaObject;
  readonly #schema: Subschema;
  readonly #library: Library;
  readonly #take: (target: Target, site: Site | null) => Subschema;
  readonly #alone: boolean;

  constructor(
    raw: SchemaObject,
    schema: Subschema,
    library: Library,
    take: (target: Target, site: Site | null) => Subschema,
  ) {
    this.#raw = raw;
    this.#schema = schema;
    this.#library = library;
    this.#take = take;
    this.#alone = library.isAlone(raw, schema.resource);
  }

  fill(): void {
    let parts = 0;
    for (const keyword in this.#raw) parts |= PART_OF.get(keyword) ?? 0;
    const has = (part: number): boolean => (parts & part) !== 0;
    if (has(PART.reference)) this.#references();
    if (this.#alone) return;
    if (has(PART.type)) this.#types();
    if (has(PART.value)) this.#values();
    const schema = this.#schema;
    if (has(PART.number)) schema.number = this.#numbers();
    if (has(PART.text)) schema.text = this.#texts();
    if (has(PART.format)) this.#format();
    if (has(PART.content)) this.#content();
    if (has(PART.array)) schema.array = this.#array();
    if (has(PART.object)) schema.object = this.#object();
    if (has(PART.inPlace)) this.#inPlace();
    if (has(PART.note)) this.#notes();
    if (has(PART.discriminator) && isOfOpenApi(schema.resource)) this.#discriminator();
    if (has(PART.xml)) schema.xml = readXmlWords(member(this.#raw, "xml"));
    if (!has(PART.unevaluated)) return;
    schema.unevaluatedItems = this.#part("unevaluatedItems");
    schema.unevaluatedProperties = this.#part("unevaluatedProperties");
  }

  #values(): void {
    for (const keyword of ["enum", "const"] as const) {
      const value = this.#value(keyword);
      if (value === undefined) continue;
      const list = keyword === "const" || !Array.isArray(value) ? [value] : value;
      this.#schema.values = [...this.#schema.values, { keyword, list, site: this.#site(keyword) }];
    }
  }

  #notes(): void {
    const schema = this.#schema;
    schema.isReadOnly = this.#value("readOnly") === true;
    schema.isWriteOnly = this.#value("writeOnly") === true;
    const value = this.#value("default");
    if (value !== undefined) schema.default = { value, site: this.#site("default") };
  }

  #discriminator(): void {
    const schema = this.#schema;
    const heirs = this.#library.heirsOf(this.#raw);
    const uris = heirs.map((heir) => this.#library.uriOf(heir));
    const own = this.#library.uriOf({ schema: this.#raw, resource: schema.resource, dynamicAnchor: null });
    const site = this.#site("discriminator");
    schema.discriminator = readDiscriminator(this.#raw, schema.resource, site, [...uris, own]);
    schema.heirs = heirs.map((heir) => this.#take(heir, site));
    if (schema.discriminator === null)
      this.#library.notes.unenforced("discriminator", schema.resource.document, this.#raw, "discriminator");
  }

  #format(): void {
    const schema = this.#schema;
    const format = this.#value("format");
    if (typeof format === "string" && schema.resource.language.assertsFormat) {
      schema.format = { value: format, site: this.#site("format") };
    }
  }

  /** JSON in a text is judged where formats are, and so is whether a text is base64; what else it holds is not looked into, and told. */
  #content(): void {
    const schema = this.#schema;
    const encoding = this.#value("contentEncoding") ?? null;
    const type = this.#value("contentMediaType");
    const isHeld = typeof type === "string" && isJson(mediaTypeOf(type)?.type ?? "");
    const isKnown = encoding === null || encoding === "base64" || encoding === "base64url";
    if (isHeld && isKnown && schema.resource.language.assertsFormat) {
      schema.content = { encoding, schema: this.#part("contentSchema"), site: this.#site("contentMediaType") };
      return;
    }
    const format = typeof encoding === "string" ? ENCODING_FORMATS.get(encoding) : undefined;
    const isAsserted = format !== undefined && schema.resource.language.assertsFormat;
    if (isAsserted && (schema.format === null || schema.format.value === "binary"))
      schema.format = { value: format, site: this.#site("contentEncoding") };
    for (const keyword of CONTENT_KEYWORDS)
      if (this.#value(keyword) !== undefined && !(isAsserted && keyword === "contentEncoding"))
        this.#library.notes.unenforced(keyword, schema.resource.document, this.#raw, keyword);
  }

  #references(): void {
    const schema = this.#schema;
    const refs: Subschema[] = [];
    const dynamic: DynamicReference[] = [];
    for (const keyword of REFERENCES) {
      const target = this.#library.targetOf(this.#raw, keyword);
      if (target === undefined) continue;
      const taken = this.#take(target, this.#site(keyword));
      if (target.dynamicAnchor === null) refs.push(taken);
      else
        dynamic.push({ anchor: target.dynamicAnchor, targets: this.#anchored(target.dynamicAnchor), fallback: taken });
    }
    schema.refs = refs;
    schema.dynamicRefs = dynamic;
  }

  #anchored(anchor: string): ReadonlyMap<Resource, Subschema> {
    const targets = new Map<Resource, Subschema>();
    for (const resource of this.#library.resources) {
      const schema = resource.dynamicAnchors.get(anchor);
      if (schema !== undefined) targets.set(resource, this.#take({ schema, resource, dynamicAnchor: null }, null));
    }
    return targets;
  }

  #types(): void {
    const type = this.#value("type");
    if (type === undefined) return;
    let types = isTypeName(type) ? TYPE[type] : 0;
    if (Array.isArray(type)) for (const name of type) if (isTypeName(name)) types |= TYPE[name];
    if ((types & TYPE.number) !== 0) types |= TYPE.integer;
    if (this.#value("nullable") === true) types |= TYPE.null;
    this.#schema.types = types;
    this.#schema.typeSite = this.#site("type");
  }

  #numbers(): NumberRules {
    const rules: Writable<NumberRules> = {};
    for (const name of NUMBER_KEYWORDS) {
      const value = this.#value(name);
      if (isNumber(value)) rules[name] = { value, site: this.#site(name) };
    }
    // In the old dialects the one says how the other is meant.
    if (this.#value("exclusiveMinimum") === true && rules.minimum !== undefined) {
      rules.exclusiveMinimum = rules.minimum;
      delete rules.minimum;
    }
    if (this.#value("exclusiveMaximum") === true && rules.maximum !== undefined) {
      rules.exclusiveMaximum = rules.maximum;
      delete rules.maximum;
    }
    return rules;
  }

  #texts(): TextRules {
    const rules: Writable<TextRules> = {};
    const pattern = this.#value("pattern");
    const minLength = this.#count("minLength");
    const maxLength = this.#count("maxLength");
    if (minLength !== undefined) rules.minLength = minLength;
    if (maxLength !== undefined) rules.maxLength = maxLength;
    if (typeof pattern === "string") rules.pattern = { value: pattern, site: this.#site("pattern") };
    return rules;
  }

  #array(): ArrayRules | null {
    const { dialect } = this.#schema.resource.language;
    const items = this.#value("items");
    const prefixKeyword = dialect === "2020-12" ? "prefixItems" : "items";
    const listed = this.#value(prefixKeyword);
    const prefix = Array.isArray(listed) ? listed.map((_, at) => this.#partIn(listed, at)) : NONE;
    const rest = dialect !== "2020-12" && Array.isArray(items) ? this.#part("additionalItems") : this.#part("items");
    const contains = this.#part("contains");
    const uniqueItems = this.#value("uniqueItems") === true;
    const minItems = this.#count("minItems");
    const maxItems = this.#count("maxItems");
    const isPlain = prefix.length === 0 && rest === null && contains === null && !uniqueItems;
    if (isPlain && minItems === undefined && maxItems === undefined) return null;
    const containsSite = contains === null ? null : this.#site("contains");
    const rules: Writable<ArrayRules> = {
      prefix,
      rest,
      contains,
      containsSite,
      minContains: this.#count("minContains") ?? (contains === null ? ONE : { value: 1, site: containsSite }),
      maxContains: this.#count("maxContains") ?? null,
      containsEvaluates: dialect === "2020-12",
    };
    if (minItems !== undefined) rules.minItems = minItems;
    if (maxItems !== undefined) rules.maxItems = maxItems;
    if (uniqueItems) rules.uniqueItems = { value: true, site: this.#site("uniqueItems") };
    return rules;
  }

  #object(): ObjectRules | null {
    const required = this.#value("required");
    const properties = this.#map("properties");
    const minProperties = this.#count("minProperties");
    const maxProperties = this.#count("maxProperties");
    const rules: Writable<ObjectRules> = {
      required: Array.isArray(required)
        ? required.map((value, at) => ({ value: String(value), site: this.#siteIn(required, at) }))
        : [],
      properties,
      propertiesSite: this.#site("properties"),
      patterns: [...this.#map("patternProperties")].map(([source, schema]) => ({
        source,
        schema,
        site: this.#siteIn(this.#value("patternProperties"), source),
      })),
      additional: this.#part("additionalProperties"),
      names: this.#part("propertyNames"),
      namesSite: this.#site("propertyNames"),
      dependentRequired: [...this.#needs("dependentRequired"), ...this.#needs("dependencies")],
    };
    if (minProperties !== undefined) rules.minProperties = minProperties;
    if (maxProperties !== undefined) rules.maxProperties = maxProperties;
    const { additional, names, patterns, dependentRequired } = rules;
    const isPlain = rules.required.length + properties.size + patterns.length + dependentRequired.length === 0;
    const isUncounted = minProperties === undefined && maxProperties === undefined;
    return isPlain && isUncounted && additional === null && names === null ? null : rules;
  }

  #needs(keyword: string): ObjectRules["dependentRequired"] {
    const value = this.#value(keyword);
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([name, needs]) =>
      Array.isArray(needs) ? [{ name, needs: needs.map(String), site: this.#siteIn(value, name) }] : [],
    );
  }

  #inPlace(): void {
    const schema = this.#schema;
    schema.allOf = this.#list("allOf");
    for (const keyword of ["anyOf", "oneOf"] as const) {
      const parts = this.#list(keyword);
      if (parts.length > 0) schema[keyword] = { parts, site: this.#site(keyword) };
    }
    const not = this.#part("not");
    if (not !== null) schema.not = { parts: [not], site: this.#site("not") };
    const condition = this.#part("if");
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema has this name
    if (condition !== null) schema.condition = { if: condition, then: this.#part("then"), else: this.#part("else") };
    const dependent = [...this.#map("dependentSchemas"), ...this.#map("dependencies")];
    schema.dependentSchemas = dependent.map(([name, part]) => ({ name, schema: part }));
  }

  /** The keyword's value, where the language has the keyword. */
  #value(keyword: string): unknown {
    const value = member(this.#raw, keyword);
    return value === undefined || keywordIn(keyword, this.#schema.resource.language) === undefined ? undefined : value;
  }

  #site(keyword: string): Site | null {
    return this.#schema.resource.document.site(this.#raw, keyword);
  }

  #siteIn(container: unknown, key: string | number): Site | null {
    if (typeof container !== "object" || container === null) return null;
    return this.#schema.resource.document.site(container, key);
  }

  #count(keyword: string): Rule<number> | undefined {
    const value = this.#value(keyword);
    return typeof value === "number" ? { value, site: this.#site(keyword) } : undefined;
  }

  #part(keyword: string): Subschema | null {
    const value = this.#value(keyword);
    return isSchema(value) ? this.#sub(value, this.#site(keyword)) : null;
  }

  #partIn(list: readonly unknown[], at: number): Subschema {
    const value = list[at];
    return this.#sub(isSchema(value) ? value : true, this.#siteIn(list, at));
  }

  #list(keyword: string): readonly Subschema[] {
    const value = this.#value(keyword);
    return Array.isArray(value) ? value.map((_, at) => this.#partIn(value, at)) : [];
  }

  #map(keyword: string): ReadonlyMap<string, Subschema> {
    const value = this.#value(keyword);
    if (!isObject(value)) return NO_PARTS;
    const parts = new Map<string, Subschema>();
    for (const name in value) {
      const part = value[name];
      if (isSchema(part)) parts.set(name, this.#sub(part, this.#siteIn(value, name)));
    }
    return parts;
  }

  #sub(schema: SchemaObject | boolean, site: Site | null): Subschema {
    return this.#take({ schema, resource: this.#schema.resource, dynamicAnchor: null }, site);
  }
}

function isSchema(value: unknown): value is SchemaObject | boolean {
  return typeof value === "boolean" || isObject(value);
}
