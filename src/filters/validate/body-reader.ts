import { isUtf8 } from "node:buffer";
import { type FormValues, parseForm, parseFormInTurns } from "../../bodies/form.ts";
import { parseJson, parseJsonInTurns } from "../../bodies/json.ts";
import { noteMembers } from "../../bodies/json-parser.ts";
import { isForm, isJson, mediaTypeOf } from "../../bodies/media-type.ts";
import { DeclaredNames } from "../../bodies/names.ts";
import type { Exchange } from "../../message/exchange.ts";
import { excerpt } from "../../support/excerpt.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Turns } from "../../support/turns.ts";
import { coerce } from "./parameters.ts";
import type { ParameterType } from "./schema.ts";

/** Why a body has no reading. */
export interface BodyFault {
  readonly reason: "body_not_json" | "body_not_form" | "body_schema_mismatch";
  readonly seen: string;
  readonly wanted: string;
}

/** Bytes of a body → the one value that the schema judges. */
export interface BodyReader {
  atOnce(bytes: Buffer, exchange: Exchange): Reading;
  /** Of a long body; what waits has its turn in between. */
  inTurns(bytes: Buffer, exchange: Exchange, turns: Turns): Promise<Reading>;
}

type Reading = Result<unknown, BodyFault>;

export const readJson: BodyReader = {
  atOnce: (bytes) => jsonReading(parseJson(bytes)),
  inTurns: async (bytes, _, turns) => jsonReading(await parseJsonInTurns(bytes, turns)),
};

function jsonReading(parsed: Result<unknown, string>): Reading {
  return parsed.ok ? parsed : err({ reason: "body_not_json", seen: parsed.error, wanted: "JSON in UTF-8" });
}

/** A field that a form's schema declares. */
export interface FormField {
  readonly name: string;
  readonly type: ParameterType;
  /** Type of the items where `type` is array. */
  readonly itemType: ParameterType;
}

/**
 * The fields of a form: the schema's own `properties`, each with a plain `type` or none, which is a string. The error
 * names what no form can have.
 */
export function formFieldsOf(schema: unknown): Result<readonly FormField[], string> {
  const fields: FormField[] = [];
  for (const [name, property] of Object.entries(member(schema, "properties") ?? {})) {
    const type = fieldType(member(property, "type"));
    const itemType = fieldType(member(member(property, "items"), "type"));
    const isField = type !== null && itemType !== null && itemType !== "array";
    if (!isField)
      return err(`property '${name}' is no field of a form; expected a string, number, boolean or a list of them`);
    fields.push({ name, type, itemType });
  }
  return ok(fields);
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

const TYPES: readonly unknown[] = ["string", "integer", "number", "boolean", "array"] satisfies ParameterType[];

function fieldType(type: unknown): ParameterType | null {
  if (type === undefined) return "string";
  return isFieldType(type) ? type : null;
}

function isFieldType(type: unknown): type is ParameterType {
  return TYPES.includes(type);
}

/**
 * A form (application/x-www-form-urlencoded) as one object: a declared field has the type that its schema says, any other
 * is a string. A name that comes twice is a list only where the schema declares one, for services disagree on whether
 * the first, the last or a list of both counts.
 */
export function formReader(fields: readonly FormField[]): BodyReader {
  const declared = new DeclaredNames(fields.map(({ name }) => name));
  const byName = new Map(fields.map((field) => [field.name, field]));
  const reading = (parsed: Result<FormValues, string>): Reading =>
    parsed.ok ? objectOf(parsed.value, byName) : notForm(excerpt(parsed.error));
  return {
    atOnce: (bytes) => (isUtf8(bytes) ? reading(parseForm(bytes.toString("utf8"), declared)) : NOT_UTF8),
    inTurns: async (bytes, _, turns) =>
      isUtf8(bytes) ? reading(await parseFormInTurns(bytes.toString("utf8"), declared, turns)) : NOT_UTF8,
  };
}

function notForm(seen: string): Result<never, BodyFault> {
  return err({ reason: "body_not_form", seen, wanted: "a form in UTF-8 with each name in one spelling" });
}

const NOT_UTF8 = notForm("not UTF-8");

function objectOf(values: FormValues, fields: ReadonlyMap<string, FormField>): Result<unknown, BodyFault> {
  const entries: [string, unknown][] = [];
  for (const [name, texts] of values) {
    const field = fields.get(name);
    if (field?.type === "array") {
      const items = texts.map((text) => coerce(text, field.itemType));
      if (items.includes(undefined)) return mismatch(name, `an item that is no ${field.itemType}`);
      entries.push([name, items]);
      continue;
    }
    if (texts.length > 1) return mismatch(name, "sent twice");
    const value = coerce(texts[0] ?? "", field?.type ?? "string");
    if (value === undefined) return mismatch(name, `no ${field?.type}`);
    entries.push([name, value]);
  }
  // Makes members of its own, `__proto__` too.
  const object = Object.fromEntries(entries);
  noteMembers(
    object,
    entries.map(([name]) => name),
  );
  return ok(object);
}

function mismatch(name: string, fault: string): Result<never, BodyFault> {
  const seen = `body /${excerpt(name)}: ${fault}`;
  return err({ reason: "body_schema_mismatch", seen, wanted: "a body as the schema says" });
}

/** By the request's own type where a route takes both; `judgeContentType` has seen to it that it is one of them. */
export function eitherReader(form: BodyReader): BodyReader {
  const readerOf = (exchange: Exchange): BodyReader => {
    const type = mediaTypeOf(exchange.headers.get("content-type") ?? "")?.type ?? "";
    return isForm(type) && !isJson(type) ? form : readJson;
  };
  return {
    atOnce: (bytes, exchange) => readerOf(exchange).atOnce(bytes, exchange),
    inTurns: (bytes, exchange, turns) => readerOf(exchange).inTurns(bytes, exchange, turns),
  };
}
