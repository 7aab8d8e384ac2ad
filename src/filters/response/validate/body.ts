import { isAscii, isUtf8 } from "node:buffer";
import type { BodyFormat } from "../../../bodies/answer-format.ts";
import { parseJson, parseJsonInSteps, parseJsonInTurns } from "../../../bodies/json.ts";
import { editJson } from "../../../bodies/json-editor.ts";
import { CONTINUE, Denial, type Place } from "../../../decision/verdict.ts";
import { type AnswerCount, FieldNames } from "../../../message/answer-count.ts";
import { type BodyEdit, BodyEdits } from "../../../message/body-edits.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { NO_HEADERS } from "../../../message/headers.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import type { Judgement } from "../../../schema/judge/validator.ts";
import type { Sanitiser } from "../../../schema/sanitise/sanitiser.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { ok, type Result } from "../../../support/result.ts";
import { atOnce, type Steps } from "../../../support/turns.ts";
import type { AnswerReading, WholeRule } from "../../response-check.ts";
import { verdictOf } from "../../validate/evaluate.ts";
import { judgeInLine, type LineRules } from "../../validate/held-body.ts";
import { invalid, unreadable } from "./verdicts.ts";

/** What a whole body has to be, compiled. */
export interface BodyContract {
  readonly schema: CompiledSchema;
  /** What comes off before the schema has the last word; null for nothing. */
  readonly sanitiser: Sanitiser | null;
  readonly bytesMax: number;
  /** Where long ones wait for their turn. */
  readonly line: LineRules;
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
  exchange: Exchange,
): WholeRule {
  const { sanitiser, bytesMax, place } = contract;
  const strips = sanitiser !== null && !isText;
  const judging: Judging = { contract, isText, edits: new BodyEdits(), exchange };
  return {
    kind: "whole",
    changes: strips,
    bytesMax,
    judge: (body) => {
      // What its characters are is another matter in Latin-1, where JSON has none.
      if (charset === "latin1" && !isAscii(body)) return unreadable(place, "text in Latin-1", "UTF-8", reading) ?? body;
      return body.length > contract.schema.validator.atOnceBytesMax
        ? judgedInLine(body, judging)
        : judged(body, judging);
    },
    judgeTooLong: () => unreadable(place, `more than ${bytesMax} bytes`, `at most ${bytesMax} bytes`, reading),
    counted: [countOf("undeclared", "undeclared", judging), countOf("writeOnly", "readOnly", judging)],
    noted: () => (judging.edits.isEmpty ? null : notedOf(judging.edits, place)),
    ...(strips ? { judgeTrailers: () => NO_HEADERS } : {}),
  };
}

/** Of an answer `readOnly` is what its schema calls writeOnly. */
function countOf(action: "undeclared" | "writeOnly", edit: BodyEdit, judging: Judging): AnswerCount {
  return { action, count: () => judging.edits.counts[edit] ?? 0, fields: () => namesOf(edit, judging.edits) };
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

/** One body that is judged. */
interface Judging {
  readonly contract: BodyContract;
  readonly isText: boolean;
  /** Of the last that was tried. */
  edits: BodyEdits;
  readonly exchange: Exchange;
}

type Judged = Buffer | Denial;

function judged(body: Buffer, judging: Judging): Judged | Promise<Judged> {
  const { schema, place } = judging.contract;
  const { validator, recogniser } = schema;
  if (!judging.isText && recogniser?.takes(body) === true) return body;
  const value = read(body, judging.isText);
  if (!value.ok) return unread(value.error, judging);
  const first = validator.judge(value.value, DEFAULTS.patternWorkAtOnceMax);
  if (validator.gaveUp(first)) return judgedInLine(body, judging);
  const denial = schemaDenial(first, place);
  if (denial === null) return body;
  const left = atOnce(stripped(body, value.value, judging));
  if (left === null || left instanceof Denial) return left ?? denial;
  const last = validator.judge(left.value, DEFAULTS.patternWorkAtOnceMax);
  return validator.gaveUp(last) ? judgedInLine(body, judging) : (schemaDenial(last, place) ?? left.bytes);
}

/** What could hold the thread for too long is read and judged a stretch at a time, in line with the bodies of requests. */
function judgedInLine(body: Buffer, judging: Judging): Promise<Judged> {
  const { schema, line, place } = judging.contract;
  const { validator, recogniser } = schema;
  return judgeInLine(judging.exchange, line, body.length, async (begin) => {
    const turns = begin();
    const isKnown = recogniser !== null && !judging.isText;
    if (isKnown && (await turns.run(recogniser.takesInSteps(body, validator.atOnceBytesMax)))) return body;
    const value = judging.isText ? read(body, true) : await parseJsonInTurns(body, turns);
    if (!value.ok) return unread(value.error, judging);
    const denial = schemaDenial(await validator.judgeInTurns(value.value, turns), place);
    if (denial === null) return body;
    judging.edits = new BodyEdits();
    const left = await turns.run(stripped(body, value.value, judging));
    if (left === null || left instanceof Denial) return left ?? denial;
    return schemaDenial(await validator.judgeInTurns(left.value, turns), place) ?? left.bytes;
  });
}

function unread(fault: string, { contract, isText }: Judging): Denial {
  return invalid(contract.place, `body: ${fault}`, isText ? "text in UTF-8" : "JSON with one reading");
}

function read(body: Buffer, isText: boolean): Result<unknown, string> {
  if (!isText) return body.length === 0 ? NO_BODY : parseJson(body);
  return isUtf8(body) ? ok(body.toString("utf8")) : NOT_UTF8;
}

const NO_BODY = { ok: false, error: "nothing" } as const;
const NOT_UTF8 = { ok: false, error: "not UTF-8" } as const;

/** Null where nothing comes off. What comes of it is read anew, to be judged anew, and only that may leave. */
function* stripped(
  body: Buffer,
  value: unknown,
  judging: Judging,
): Steps<{ readonly bytes: Buffer; readonly value: unknown } | Denial | null> {
  const { sanitiser, bytesMax } = judging.contract;
  const rules = judging.isText ? null : (sanitiser?.rulesOf(value, judging.edits) ?? null);
  if (rules === null) return null;
  const edited = yield* editJson(body.toString("utf8"), value, { rules, text: null, name: null, charsMax: bytesMax });
  if (typeof edited === "string") return null;
  const bytes = Buffer.from(edited.text);
  const again = bytes.length > DEFAULTS.bodyAtOnceBytesMax ? yield* parseJsonInSteps(bytes) : parseJson(bytes);
  return again.ok ? { bytes, value: again.value } : unread(again.error, judging);
}

function notedOf(edits: BodyEdits, place: Place): Denial {
  const seen = `${edits.total} members`;
  const body = { faults: edits.shown.map((text) => text.replace(/ readOnly$/, " writeOnly")), errors: [] };
  return new Denial("response_invalid", place, seen, "an answer without them", [], false, [], body);
}
