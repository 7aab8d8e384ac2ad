import { isAscii } from "node:buffer";
import { parseJson, parseJsonInSteps } from "../../../bodies/json.ts";
import { editJson, type JsonEdits } from "../../../bodies/json-editor.ts";
import { printJson } from "../../../bodies/json-printer.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import { BodyEdits } from "../../../message/body-edits.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Sanitiser } from "../../../schema/sanitise/sanitiser.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { atOnce, type Steps } from "../../../support/turns.ts";
import { notJson } from "../body-reader.ts";
import { headersOfChangedBody } from "../changed-headers.ts";
import { type BodyRules, isRecognised, taken, unreadable, verdictOf } from "../evaluate.ts";
import { judgeHeld, judgeInLine, noRoom, type Part, tooLarge } from "../held-body.ts";
import { type TextRules, textEdits } from "./texts.ts";

/** What becomes of a body of JSON before its schema has the last word. */
export interface SanitisedRules extends Omit<BodyRules, "read"> {
  readonly texts: TextRules;
  /** What comes off and is filled in; null for nothing. */
  readonly members: Sanitiser | null;
  /** What is filled in where a body fits as it is: of such a one nothing comes off. Null for nothing. */
  readonly fitting: Sanitiser | null;
  /** The service gets it as JSON.stringify would write it. */
  readonly rewrites: boolean;
}

/** A body on its way to the service, and what it says. */
interface Reading {
  readonly bytes: Buffer;
  readonly value: unknown;
  readonly edits: BodyEdits;
}

/**
 * Reads a body, changes what the policy says, reads what came of it and has that judged: what the service gets is what was
 * judged, whatever changed it. A body of which nothing is changed goes on as it came.
 */
export function judgeSanitised(rules: SanitisedRules): Part {
  const { validator, required, texts } = rules;
  const recogniser = rules.keepsValue ? null : rules.recogniser;
  return judgeHeld(rules, (bytes, exchange) => {
    if (bytes.length === 0 && !required) return CONTINUE;
    if (bytes.length > validator.atOnceBytesMax) return judgeLong(bytes, exchange, rules);
    if (mayBeAsItIs(bytes, texts) && recogniser?.takes(bytes) === true) return taken(exchange, recogniser);
    return judgeAtOnce(bytes, exchange, rules);
  });
}

/** Whether a body that fits has no text that would be composed. */
function mayBeAsItIs(bytes: Buffer, { normalizes }: TextRules): boolean {
  return !normalizes || (isAscii(bytes) && !bytes.includes("\\u"));
}

function judgeAtOnce(bytes: Buffer, exchange: Exchange, rules: SanitisedRules): Verdict | Promise<Verdict> {
  const { validator } = rules;
  const sent = atOnce(withTexts(bytes, rules));
  if (sent instanceof Denial) return sent;
  const first = validator.judge(sent.value, DEFAULTS.patternWorkAtOnceMax);
  if (validator.gaveUp(first)) return judgeLong(bytes, exchange, rules);
  const changed = atOnce(withMembers(sent, first === null, rules));
  if (changed instanceof Denial) return changed;
  const last = changed === sent ? first : validator.judge(changed.value, DEFAULTS.patternWorkAtOnceMax);
  if (validator.gaveUp(last)) return judgeLong(bytes, exchange, rules);
  return settle(verdictOf(last, rules), changed, exchange, rules);
}

/** What could hold the thread for too long is read, changed and judged a stretch at a time. */
function judgeLong(bytes: Buffer, exchange: Exchange, rules: SanitisedRules): Promise<Verdict> {
  const { validator, texts } = rules;
  return judgeInLine(exchange, rules, bytes.length, async (begin) => {
    const turns = begin();
    if (mayBeAsItIs(bytes, texts) && (await isRecognised(bytes, exchange, rules, turns))) return CONTINUE;
    const sent = await turns.run(withTexts(bytes, rules));
    if (sent instanceof Denial) return sent;
    const first = await validator.judgeInTurns(sent.value, turns);
    const changed = await turns.run(withMembers(sent, first === null, rules));
    if (changed instanceof Denial) return changed;
    const last = changed === sent ? first : await validator.judgeInTurns(changed.value, turns);
    return settle(verdictOf(last, rules), changed, exchange, rules);
  });
}

function settle(
  verdict: Verdict,
  { bytes, value, edits }: Reading,
  exchange: Exchange,
  rules: SanitisedRules,
): Verdict {
  if (verdict !== CONTINUE) return verdict;
  exchange.isBodyJudged = true;
  if (rules.keepsValue) exchange.bodyValue = value;
  if (edits.isEmpty) return CONTINUE;
  if (!exchange.chargeTo(rules.bodies).hold(bytes.length)) return noRoom(rules.bodies, rules.place);
  exchange.bodyEdits = edits;
  exchange.collectedBody = bytes;
  exchange.headers = headersOfChangedBody(exchange.headers);
  return CONTINUE;
}

/** Reads it. Its texts change first, for they decide what is meant. */
function* withTexts(bytes: Buffer, rules: SanitisedRules): Steps<Reading | Denial> {
  const edits = new BodyEdits();
  const sent = yield* read(bytes, edits, rules);
  let isEndless = false;
  const ofTexts = textEdits(rules.texts, edits, () => {
    isEndless = true;
  });
  if (sent instanceof Denial || ofTexts === null) return sent;
  const edited = yield* edit(sent, { ...ofTexts, rules: null }, rules);
  if (!isEndless) return edited;
  const seen = "more than 30 marks in a row in one text";
  const wanted = "text that can be composed (NFC)";
  const error = { pointer: "", keyword: "normalize", detail: `expected ${wanted}` };
  return unreadable({ reason: "body_schema_mismatch", seen, wanted, error }, rules);
}

/** Then members come off and are filled in, and then all of it may be written anew. */
function* withMembers(sent: Reading, fits: boolean, rules: SanitisedRules): Steps<Reading | Denial> {
  const { members, fitting, rewrites } = rules;
  const ofMembers = (fits ? fitting : members)?.rulesOf(sent.value, sent.edits) ?? null;
  const changed = ofMembers === null ? sent : yield* edit(sent, { rules: ofMembers, text: null, name: null }, rules);
  if (changed instanceof Denial || !rewrites) return changed;
  const text = changed.bytes.toString("utf8");
  const printed = yield* printJson(text);
  if (printed === text) return changed;
  sent.edits.add("rewrite", () => "");
  return yield* read(Buffer.from(printed), sent.edits, rules);
}

function* edit(sent: Reading, edits: Omit<JsonEdits, "charsMax">, rules: SanitisedRules): Steps<Reading | Denial> {
  const text = sent.bytes.toString("utf8");
  const edited = yield* editJson(text, sent.value, { ...edits, charsMax: rules.bytesMax });
  if (edited === "unchanged") return sent;
  return edited === "too long" ? grown(rules) : yield* read(Buffer.from(edited.text), sent.edits, rules);
}

function* read(bytes: Buffer, edits: BodyEdits, rules: SanitisedRules): Steps<Reading | Denial> {
  // Defaults may be many times what was sent.
  if (bytes.length > rules.bytesMax) return grown(rules);
  const parsed = bytes.length > DEFAULTS.bodyAtOnceBytesMax ? yield* parseJsonInSteps(bytes) : parseJson(bytes);
  if (parsed.ok) return { bytes, value: parsed.value, edits };
  return unreadable(notJson(parsed.error), rules);
}

function grown({ bytesMax, place }: SanitisedRules): Denial {
  return tooLarge("more bytes once members are filled in and texts are written anew", bytesMax, place, false);
}
