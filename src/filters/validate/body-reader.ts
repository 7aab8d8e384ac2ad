import { isUtf8 } from "node:buffer";
import { type FormValues, parseForm, parseFormInTurns } from "../../bodies/form.ts";
import { parseJson, parseJsonInTurns } from "../../bodies/json.ts";
import { DeclaredNames } from "../../bodies/names.ts";
import type { BodyError } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { pointerToken } from "../../schema/document.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { TYPE } from "../../schema/subschema.ts";
import { excerpt } from "../../support/excerpt.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Turns } from "../../support/turns.ts";
import { formObject } from "./form-object.ts";
import { ONE_VALUE } from "./parameters.ts";

/** Why a body has no reading. */
export interface BodyFault {
  readonly reason: "body_not_json" | "body_not_form" | "body_not_multipart" | "body_schema_mismatch";
  readonly seen: string;
  readonly wanted: string;
  /** For the client. */
  readonly error: BodyError;
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
  return parsed.ok ? parsed : err(notJson(parsed.error));
}

export function notJson(seen: string): BodyFault {
  const error = { pointer: "", keyword: "content", detail: `expected JSON in UTF-8: ${seen}` };
  return { reason: "body_not_json", seen, wanted: "JSON in UTF-8", error };
}

/** A body of `text/plain` is one text. */
export const readText: BodyReader = {
  atOnce: (bytes) => (isUtf8(bytes) ? ok(bytes.toString("utf8")) : NOT_TEXT),
  inTurns: async (bytes) => (isUtf8(bytes) ? ok(bytes.toString("utf8")) : NOT_TEXT),
};

const NOT_TEXT: Reading = err({
  reason: "body_schema_mismatch",
  seen: "body that is not UTF-8",
  wanted: "text in UTF-8",
  error: { pointer: "", keyword: "content", detail: "expected text in UTF-8" },
});

/** What no field of a form can be, of the schema's own `properties`; null for nothing. */
export function formFault(types: TextTypes): string | null {
  const lists = (part: TextTypes): boolean => (part.types & TYPE.array) !== 0;
  const isField = (part: TextTypes): boolean => (part.types & ~(TYPE.array | TYPE.object | TYPE.null)) !== 0;
  for (const name of types.names) {
    const field = types.member(name);
    if (!isField(field) && !(lists(field) && isField(field.item(0))))
      return `property '${name}' is no field of a form; expected a string, number, boolean or a list of them`;
  }
  return null;
}

/** A form (application/x-www-form-urlencoded) as one object of what its schema takes for fields. */
export function formReader(types: TextTypes): BodyReader {
  const declared = new DeclaredNames(types.names);
  const reading = (parsed: Result<FormValues, string>): Reading => {
    if (!parsed.ok) return notForm(excerpt(parsed.error));
    const object = formObject(parsed.value, types);
    return object.ok ? object : sentTwice(object.error);
  };
  return {
    atOnce: (bytes) => (isUtf8(bytes) ? reading(parseForm(bytes.toString("utf8"), declared)) : NOT_UTF8),
    inTurns: async (bytes, _, turns) =>
      isUtf8(bytes) ? reading(await parseFormInTurns(bytes.toString("utf8"), declared, turns)) : NOT_UTF8,
  };
}

function notForm(seen: string): Result<never, BodyFault> {
  const wanted = "a form in UTF-8 with each name in one spelling";
  return err({ reason: "body_not_form", seen, wanted, error: formError(seen) });
}

/** For the client, of a form that has more than one reading, or none. */
export function formError(seen: string): BodyError {
  return {
    in: "form",
    pointer: "",
    keyword: "content",
    detail: `expected a form that all services read alike: ${seen}`,
  };
}

const NOT_UTF8 = notForm("not UTF-8");

function sentTwice(name: string): Result<never, BodyFault> {
  const seen = `body /${excerpt(name)}: sent twice`;
  const error = { pointer: `/${pointerToken(excerpt(name))}`, keyword: "type", detail: ONE_VALUE };
  return err({ reason: "body_schema_mismatch", seen, wanted: "a body as the schema says", error });
}
