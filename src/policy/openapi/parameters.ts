import { compileParameterSchema } from "../../filters/validate/engine.ts";
import type { DescribedParameter, SchemaReference } from "../../openapi/operation.ts";
import { isMapping } from "./entry.ts";

/** A parameter in the words of `validate`, and what of it these have no word for. */
export interface LoweredParameter {
  /** Null where nothing of its value can be said. */
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly loose: readonly string[];
}

const NUMBER_WORDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const TEXT_WORDS = ["minLength", "maxLength", "pattern"];
const WORDS: Readonly<Record<string, readonly string[]>> = {
  string: ["enum", "const", "format", ...TEXT_WORDS],
  integer: ["enum", "const", "format", ...NUMBER_WORDS],
  number: ["enum", "const", "format", ...NUMBER_WORDS],
  boolean: ["enum", "const"],
};
const LIST_WORDS = ["minItems", "maxItems", "uniqueItems"];

/** Words that say nothing of what a value may be. */
const NOTES: ReadonlySet<string> = new Set([
  ..."type title description default example examples deprecated readOnly writeOnly nullable externalDocs xml".split(
    " ",
  ),
  ..."$comment $id $schema $anchor $defs contentMediaType contentEncoding".split(" "),
]);

type Schema = Readonly<Record<string, unknown>>;
type Follow = (schema: unknown) => SchemaReference | null;

/**
 * A parameter whose text is read alike by OpenAPI and by `validate`: one value as it stands, or in a query one for each
 * time its name comes. `follow` leads from a schema's `$ref` to what it means.
 */
export function lowerParameter(parameter: DescribedParameter, follow: Follow): LoweredParameter {
  const { style, in: where, schema, content, allowEmptyValue } = parameter;
  if (where === "cookie" || where === "querystring") return unread(`parameters in ${where}`);
  if (content !== null) return unread("parameters with 'content'");
  if (style !== (where === "query" ? "form" : "simple")) return unread(`style ${style}`);
  if (schema === null) return { settings: { type: "string", ...requiredOf(parameter) }, loose: [] };
  if (!isMapping(schema.value)) return unread("parameters with a schema of true or false");
  const type = typeOf(schema.value);
  if (type === "array") return lowerList(parameter, schema.value, follow);
  if (type === null || WORDS[type] === undefined) return unread("parameters that are objects or of several types");
  if (allowEmptyValue && type !== "string") return unread("allowEmptyValue");
  return settled(scalar(schema.value, type), parameter);
}

function unread(what: string): LoweredParameter {
  return { settings: null, loose: [what] };
}

function requiredOf({ required, in: where }: DescribedParameter): Schema {
  return required && where !== "path" ? { required: true } : {};
}

function lowerList(parameter: DescribedParameter, schema: Schema, follow: Follow): LoweredParameter {
  const { in: where, explode } = parameter;
  if (where !== "query" || !explode) return unread(`lists in a ${where} that are one text`);
  const items = follow(schema["items"])?.value ?? {};
  const type = isMapping(items) ? typeOf(items) : null;
  if (!isMapping(items) || type === null || WORDS[type] === undefined)
    return unread("lists of objects or lists in parameters");
  const inner = scalar(items, type);
  const own = pick(schema, LIST_WORDS);
  return settled(
    { settings: { ...own.settings, type: "array", items: inner.settings }, loose: [...inner.loose, ...own.loose] },
    parameter,
  );
}

/** The plain type of a schema; `string` where it says nothing that another type would need. */
function typeOf(schema: Schema): string | null {
  const { type } = schema;
  if (typeof type === "string") return type;
  if (Array.isArray(type)) {
    // There is no null in a text.
    const others = type.filter((one) => one !== "null");
    return others.length === 1 && typeof others[0] === "string" ? others[0] : null;
  }
  const isPlain = Object.keys(schema).every(
    (key) => NOTES.has(key) || key.startsWith("x-") || TEXT_WORDS.includes(key),
  );
  if (isPlain) return "string";
  const { enum: choices, format } = schema;
  if (Array.isArray(choices) && choices.every((one) => typeof one === "string")) return "string";
  return typeof format === "string" && choices === undefined ? "string" : null;
}

interface Lowered {
  readonly settings: Record<string, unknown>;
  readonly loose: readonly string[];
}

function scalar(schema: Schema, type: string): Lowered {
  const { settings, loose } = pick(schema, WORDS[type] ?? []);
  return { settings: { type, ...bounds(settings) }, loose };
}

/** 3.0 says by true and false whether a bound is one that is not reached. */
function bounds(settings: Record<string, unknown>): Record<string, unknown> {
  const result = { ...settings };
  for (const [exclusive, plain] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    const flag = result[exclusive];
    if (typeof flag !== "boolean") continue;
    if (flag && result[plain] !== undefined) result[exclusive] = result[plain];
    else delete result[exclusive];
    if (flag) delete result[plain];
  }
  return result;
}

function pick(schema: Schema, words: readonly string[]): Lowered {
  const settings: Record<string, unknown> = {};
  const loose: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (words.includes(key) && isPlainValue(value)) settings[key] = plainValue(key, value);
    else if (!NOTES.has(key) && !key.startsWith("x-") && !LIST_WORDS.includes(key) && key !== "items") {
      loose.push(`${key} of parameters`);
    }
  }
  return { settings, loose };
}

/** Null among the choices of a parameter can never be sent. */
function plainValue(key: string, value: unknown): unknown {
  return key === "enum" && Array.isArray(value) ? value.filter((one) => one !== null) : value;
}

function isPlainValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlainValue);
  return value === null || typeof value !== "object";
}

/** Keywords that the engine does not take, one after the other, come off and are told. */
function settled({ settings, loose }: Lowered, parameter: DescribedParameter): LoweredParameter {
  const left = { ...settings };
  const told = [...loose];
  for (const key of ["", "format", "pattern", "enum", "items"]) {
    if (key !== "" && left[key] !== undefined) {
      const value = left[key];
      delete left[key];
      if (compileParameterSchema(left).ok || key === "items") {
        told.push(typeof value === "string" ? `${key} '${value.slice(0, 40)}' of parameters` : `${key} of parameters`);
      } else left[key] = value;
    }
    if (compileParameterSchema(left).ok) return { settings: { ...left, ...requiredOf(parameter) }, loose: told };
  }
  return unread("schemas of parameters that have faults");
}
