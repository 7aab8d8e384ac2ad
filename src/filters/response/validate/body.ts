import { isAscii, isUtf8 } from "node:buffer";
import type { BodyFormat } from "../../../bodies/answer-format.ts";
import { parseJson } from "../../../bodies/json.ts";
import { editJson } from "../../../bodies/json-editor.ts";
import { CONTINUE, Denial, type Place } from "../../../decision/verdict.ts";
import { type AnswerCount, FieldNames } from "../../../message/answer-count.ts";
import { type BodyEdit, BodyEdits } from "../../../message/body-edits.ts";
import { NO_HEADERS } from "../../../message/headers.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import type { Judgement } from "../../../schema/judge/validator.ts";
import type { Sanitiser } from "../../../schema/sanitise/sanitiser.ts";
import { ok, type Result } from "../../../support/result.ts";
import { atOnce } from "../../../support/turns.ts";
import type { AnswerReading, WholeRule } from "../../response-check.ts";
import { verdictOf } from "../../validate/evaluate.ts";
import { invalid, unreadable } from "./verdicts.ts";

/** What a whole body has to be, compiled. */
export interface BodyContract {
  readonly schema: CompiledSchema;
  /** What comes off before the schema has the last word; null for nothing. */
  readonly sanitiser: Sanitiser | null;
  readonly bytesMax: number;
  readonly place: Place;
}

/** What a schema found, for the log: the client has not sent it, and gets no word of it. */
export function schemaDenial(judgement: Judgement, place: Place): Denial | null {
  const verdict = verdictOf(judgement, { showsErrors: false, place });
  if (verdict === CONTINUE) return null;
  return new Denial("response_invalid", place, verdict.seen, verdict.wanted, [], false, [], verdict.body);
}

/** Reads the body whole, has it judged, and takes off what may not leave. */
export function judgeWhole(
  contract: BodyContract,
  isText: boolean,
  { charset }: BodyFormat,
  reading: AnswerReading,
): WholeRule {
  const { sanitiser, bytesMax, place } = contract;
  const edits = new BodyEdits();
  const strips = sanitiser !== null && !isText;
  return {
    kind: "whole",
    changes: strips,
    bytesMax,
    judge: (body) => {
      // What its characters are is another matter in Latin-1, where JSON has none.
      if (charset === "latin1" && !isAscii(body)) return unreadable(place, "text in Latin-1", "UTF-8", reading) ?? body;
      return judged(body, isText, contract, edits);
    },
    judgeTooLong: () => unreadable(place, `more than ${bytesMax} bytes`, `at most ${bytesMax} bytes`, reading),
    counted: [countOf("undeclared", "undeclared", edits), countOf("writeOnly", "readOnly", edits)],
    noted: () => (edits.isEmpty ? null : notedOf(edits, place)),
    ...(strips ? { judgeTrailers: () => NO_HEADERS } : {}),
  };
}

/** Of an answer `readOnly` is what its schema calls writeOnly. */
function countOf(action: "undeclared" | "writeOnly", edit: BodyEdit, edits: BodyEdits): AnswerCount {
  return { action, count: () => edits.counts[edit] ?? 0, fields: () => namesOf(edit, edits) };
}

/** Of those among the first that are shown, as `/items/0/cost undeclared`. */
function namesOf(edit: BodyEdit, { shown }: BodyEdits): readonly string[] {
  const names = new FieldNames();
  for (const text of shown) {
    const pointer = text.slice(0, -edit.length - 1);
    if (text.endsWith(` ${edit}`)) names.add(pointer.slice(pointer.lastIndexOf("/") + 1));
  }
  return names.shown;
}

function judged(body: Buffer, isText: boolean, contract: BodyContract, edits: BodyEdits): Buffer | Denial {
  const { schema, place } = contract;
  if (!isText && schema.recogniser?.takes(body) === true) return body;
  const value = read(body, isText);
  if (!value.ok) return invalid(place, `body: ${value.error}`, isText ? "text in UTF-8" : "JSON with one reading");
  const denial = schemaDenial(schema.validator.judge(value.value), place);
  if (denial === null) return body;
  return isText ? denial : (stripped(body, value.value, contract, edits) ?? denial);
}

function read(body: Buffer, isText: boolean): Result<unknown, string> {
  if (!isText) return body.length === 0 ? NO_BODY : parseJson(body);
  return isUtf8(body) ? ok(body.toString("utf8")) : NOT_UTF8;
}

const NO_BODY = { ok: false, error: "nothing" } as const;
const NOT_UTF8 = { ok: false, error: "not UTF-8" } as const;

/** Null where nothing comes off. What comes of it is read and judged anew, and only that may leave. */
function stripped(body: Buffer, value: unknown, contract: BodyContract, edits: BodyEdits): Buffer | Denial | null {
  const { schema, sanitiser, bytesMax, place } = contract;
  const rules = sanitiser?.rulesOf(value, edits) ?? null;
  if (rules === null) return null;
  const edited = atOnce(editJson(body.toString("utf8"), value, { rules, text: null, name: null, charsMax: bytesMax }));
  if (typeof edited === "string") return null;
  const left = Buffer.from(edited.text);
  const again = parseJson(left);
  if (!again.ok) return invalid(place, `body: ${again.error}`, "JSON with one reading");
  return schemaDenial(schema.validator.judge(again.value), place) ?? left;
}

function notedOf(edits: BodyEdits, place: Place): Denial {
  const seen = `${edits.total} members`;
  const body = { faults: edits.shown.map((text) => text.replace(/ readOnly$/, " writeOnly")), errors: [] };
  return new Denial("response_invalid", place, seen, "an answer without them", [], false, [], body);
}
