import { parseJsonInTurns } from "../../../bodies/json.ts";
import { type DeclaredNames, stepsInto } from "../../../bodies/names.ts";
import { SENT_TWICE } from "../../../bodies/parameter-styles.ts";
import type { Reason } from "../../../decision/reason.ts";
import { type BodyError, Denial, type Place } from "../../../decision/verdict.ts";
import type { Validator } from "../../../schema/judge/validator.ts";
import type { TextTypes } from "../../../schema/questions/texts.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { err, ok } from "../../../support/result.ts";
import type { Turns } from "../../../support/turns.ts";
import { formError } from "../body-reader.ts";
import { unreadable } from "../evaluate.ts";
import type { HoldRules } from "../held-body.ts";
import { contentFault, faultsOf, judgeParameter, type Parameter, type ParameterFault } from "../parameters.ts";

/** A field that is no file. */
export interface FieldRule {
  readonly parameter: Parameter;
  /** JSON of it may come as a `Blob` of a browser does, which is a file called `blob`. */
  readonly takesBlob: boolean;
  /** It may come several times. */
  readonly isList: boolean;
  /** `deep`: under names with steps, as `filter[status]`. `delimited`: items in one text of an urlencoded form. */
  readonly way: "plain" | "deep" | "delimited";
  /** Of its value as sent, whatever its schema says of letters. */
  readonly bytesMax: number;
  readonly validator: Validator;
  /** Of the part that it comes in. */
  readonly headers: readonly Parameter[];
}

/** The field that a name belongs to; null for none. */
export function fieldOf({ fields }: Pick<FormRules, "fields">, name: string): FieldRule | null {
  const own = fields.get(name);
  if (own !== undefined) return own.way === "deep" ? null : own;
  const deep = fields.get(stepsInto(name)?.[0] ?? "");
  return deep?.way === "deep" ? deep : null;
}

/** All that is wrong with a field, by each time it came. */
export function judgeField({ parameter, isList }: FieldRule, values: readonly string[]): readonly ParameterFault[] {
  const [first] = values;
  if (first === undefined) return judgeParameter(parameter, ok(null));
  if (isList) return judgeParameter(parameter, ok([values]));
  return judgeParameter(parameter, values.length > 1 ? err(SENT_TWICE) : ok([first]));
}

/** Whether it is JSON that could hold the thread: by its length, or by what its schema judges of it. */
export function isLongField({ parameter, validator }: FieldRule, values: readonly string[]): boolean {
  return parameter.isJson && values.reduce((sum, { length }) => sum + length, 0) > validator.atOnceBytesMax;
}

/** The same as `judgeField`; JSON is read and judged a stretch at a time. */
export async function judgeFieldInTurns(
  field: FieldRule,
  values: readonly string[],
  turns: Turns,
): Promise<readonly ParameterFault[]> {
  const { parameter, isList, validator } = field;
  if (!isLongField(field, values) || (!isList && values.length > 1)) return judgeField(field, values);
  const items: unknown[] = [];
  for (const [at, text] of values.entries()) {
    const parsed = await parseJsonInTurns(Buffer.from(text), turns);
    if (!parsed.ok) return [contentFault(parameter, parsed.error, isList ? `/${at}` : "")];
    items.push(parsed.value);
  }
  return faultsOf(parameter, await validator.judgeInTurns(isList ? items : items[0], turns));
}

/** The form as one object, for what single fields do not show. */
export interface WholeRule {
  readonly types: TextTypes;
  readonly validator: Validator;
  placeOf(keyword: string): Place;
}

/** A field in which files come, compiled. */
export interface FileRule {
  readonly name: string;
  readonly required: boolean;
  readonly bytesMax: number;
  readonly countMax: number;
  /** Null: any, or none. */
  readonly types: readonly string[] | null;
  readonly extensions: readonly string[] | null;
  readonly checksContent: boolean;
  /** Of the part that it comes in. */
  readonly headers: readonly Parameter[];
  /** Where the policy says so; the file's own place where it does not. */
  placeOf(keyword: string): Place;
}

/** What a form may hold, compiled. */
export interface FormRules extends HoldRules {
  readonly fields: ReadonlyMap<string, FieldRule>;
  readonly files: ReadonlyMap<string, FileRule>;
  readonly declared: DeclaredNames;
  readonly refusesUndeclared: boolean;
  readonly partsMax: number;
  readonly fieldBytesMax: number;
  readonly fieldsBytesMax: number;
  /** Whether some field holds items in one text. */
  readonly isDelimited: boolean;
  /** What all fields together have to be; null for nothing. */
  readonly whole: WholeRule | null;
  /** Nothing goes on before all of it was judged. */
  readonly isBuffered: boolean;
  /** Whether the client hears what is wrong with its form. */
  readonly showsErrors: boolean;
  placeOf(keyword: string): Place;
}

/** What is wrong with one field or file of a form. */
export interface FormFault {
  readonly reason: Reason;
  /** Null for the form as a whole. */
  readonly name: string | null;
  readonly keyword: string;
  /** For the client. */
  readonly detail: string;
  /** For the log; nothing of the values. */
  readonly seen: string;
  readonly place: Place;
}

export function formDenial({ reason, name, keyword, detail, seen, place }: FormFault, showsErrors: boolean): Denial {
  const named = name === null ? {} : { name: excerpt(name) };
  const error: BodyError = { in: "form", ...named, pointer: "", keyword, detail };
  const text = `form${name === null ? "" : ` ${excerpt(name)}`}: ${seen}`;
  const faults = [`${text} (${place.file}:${place.line}:${place.column})`];
  return new Denial(reason, place, text, detail, [], false, [], { faults, errors: showsErrors ? [error] : [] });
}

/** The form has not one reading. */
export function malformed(
  reason: "body_not_multipart" | "body_not_form",
  seen: string,
  rules: Pick<FormRules, "showsErrors" | "place">,
): Denial {
  const wanted = "a form that all services read alike";
  return unreadable({ reason, seen, wanted, error: formError(seen) }, rules);
}

export const OTHER_CHARSET = "a form in another charset than UTF-8";

/** A hidden field by which pages tell in which charset they send, and some services read the rest in it. */
export function isOtherCharset(name: string, value: string): boolean {
  return name === "_charset_" && !/^utf-?8$/i.test(value);
}
