import type { MediaRanges } from "../../bodies/media-ranges.ts";
import {
  hasItems,
  hasParts,
  isAnyText,
  isForm,
  isJson,
  isMultipart,
  isXml,
  mediaTypeOf,
} from "../../bodies/media-type.ts";
import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { BodyWatch } from "../../message/body-watch.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Fault } from "../../schema/judge/faults.ts";
import type { Judgement, Validator } from "../../schema/judge/validator.ts";
import type { Recogniser } from "../../schema/recognise/recogniser.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import type { Turns } from "../../support/turns.ts";
import type { BodyFault, BodyReader } from "./body-reader.ts";
import { type HoldRules, judgeHeld, judgeInLine, type Part, tooLarge } from "./held-body.ts";
import { placeText } from "./parameter-faults.ts";
import { isRespelled, type SyncPart } from "./parameter-parts.ts";

/** Without the hyphen it is no registered name, but has no second reading: the WHATWG Encoding Standard knows both. */
const UTF8 = /^utf-?8$/i;

/** What postern makes of a body by its media type; null where it cannot look into it. */
export type Kind = "json" | "form" | "text" | "items" | null;

/** How bodies of one media type or range are judged. */
export interface MediaRules {
  readonly isJudged: boolean;
  takes(kind: Kind): boolean;
  /** Null where nothing is asked of its bytes, or where they cannot be looked into. */
  readonly judge: ((kind: Kind) => Part | null) | null;
  /** Who is to look at its items as they stream; absent where there are none. */
  readonly watch?: (exchange: Exchange) => BodyWatch | null;
}

function kindOf(type: string): Kind {
  if (isJson(type)) return "json";
  if (isForm(type)) return "form";
  if (isAnyText(type)) return "text";
  return hasItems(type) ? "items" : null;
}

/**
 * Requests without a body need no type. JSON, XML, a form or text that is judged in another charset than UTF-8 would be read
 * differently behind. `media` is in the order of the ranges.
 */
export function judgeContentType(
  ranges: MediaRanges,
  media: readonly MediaRules[],
  isRequired: boolean,
  place: Place,
): SyncPart {
  const wanted = ranges.texts.join(", ");
  const headers: readonly HeaderLine[] = [["accept", wanted]];
  const plain = new Set(ranges.texts.filter((text) => isJson(text) || isForm(text)));
  const denied = (seen: string): Denial => new Denial("content_type_unsupported", place, seen, wanted, headers);
  return (exchange) => {
    const text = exchange.headers.get("content-type");
    if (isRespelled(exchange.headers, "content-type")) return denied("content type in another spelling");
    if (exchange.body.announcedBytes === 0 && isRequired) return noBody(place);
    if (text === undefined) return exchange.body.announcedBytes === 0 ? CONTINUE : denied("no content type");
    if (exchange.headers.count("content-type") > 1) return denied("two content types");
    if (plain.has(text)) return CONTINUE;
    const parsed = mediaTypeOf(text);
    const at = parsed === null ? null : ranges.positionOf(parsed.type);
    if (parsed === null || at === null) return denied(`content type ${excerpt(text)}`);
    const kind = kindOf(parsed.type);
    const rules = media[at];
    if (rules?.takes(kind) === false) return denied(`content type ${excerpt(text)}, which no schema can look into`);
    const charset = parsed.parameters.get("charset");
    const isJudgedText = (kind === "text" || kind === "items" || hasParts(parsed.type)) && rules?.isJudged === true;
    const isRead = kind === "json" || kind === "form" || isMultipart(parsed.type) || isXml(parsed.type) || isJudgedText;
    if (isRead && charset !== undefined && !UTF8.test(charset)) return denied(`charset ${excerpt(charset)}`);
    return CONTINUE;
  };
}

export function noBody(place: Place): Denial {
  const errors = [{ pointer: "", keyword: "required", detail: "expected a body" }];
  const faults = [`/ required (${placeText({ place })})`];
  return new Denial("body_schema_mismatch", place, "no body", "a body", [], false, [], { faults, errors });
}

/** Each body by the rules of its own type, which `judgeContentType` has seen to be one of these. */
export function judgeByType(ranges: MediaRanges, media: readonly MediaRules[]): Part | null {
  const judged = media.filter(({ isJudged }) => isJudged);
  const [first] = judged;
  if (first === undefined) return null;
  const isOne = judged.length === media.length && judged.every((one) => one === first);
  const whenNone: Kind = ranges.texts.every(isForm) ? "form" : "json";
  const usual = isOne && ranges.texts.every(isJson) ? (first.judge?.("json") ?? null) : null;
  if (usual !== null) return usual;
  return (exchange) => {
    const text = exchange.headers.get("content-type");
    // A body that is not there has no type; whoever asks for one says so.
    if (text === undefined) return first.judge?.(whenNone)?.(exchange) ?? CONTINUE;
    const type = mediaTypeOf(text)?.type ?? "";
    const rules = media[ranges.positionOf(type) ?? -1];
    return rules?.judge?.(kindOf(type))?.(exchange) ?? CONTINUE;
  };
}

/** Who looks at the items of a body, by the rules of its own type; null where no type has any. */
export function watchByType(
  ranges: MediaRanges,
  media: readonly MediaRules[],
): ((exchange: Exchange) => BodyWatch | null) | null {
  if (media.every(({ watch }) => watch === undefined)) return null;
  return (exchange) => {
    const type = mediaTypeOf(exchange.headers.get("content-type") ?? "")?.type ?? "";
    return media[ranges.positionOf(type) ?? -1]?.watch?.(exchange) ?? null;
  };
}

/** What is compressed cannot be looked into as it is; `inflate` is another part of the check. */
export function judgeContentEncoding(place: Place): SyncPart {
  const headers: readonly HeaderLine[] = [["accept-encoding", "identity"]];
  return (exchange) => {
    const coding = isRespelled(exchange.headers, "content-encoding")
      ? "in another spelling"
      : exchange.headers.list("content-encoding");
    if (coding === undefined || coding.toLowerCase() === "identity") return CONTINUE;
    const seen = `content encoding ${excerpt(coding)}`;
    return new Denial("content_encoding_unsupported", place, seen, "identity", headers);
  };
}

/** Refuses by Content-Length, before a byte is read; a chunked body is counted while it is read. */
export function judgeAnnouncedLength(bytesMax: number, place: Place): SyncPart {
  return ({ body: { announcedBytes } }) =>
    announcedBytes > bytesMax ? tooLarge(`${announcedBytes} bytes announced`, bytesMax, place, false) : CONTINUE;
}

export interface BodyRules extends HoldRules {
  /** Whether there has to be one. */
  readonly required: boolean;
  readonly read: BodyReader;
  readonly validator: Validator;
  /** Null where a body must be read to be judged. */
  readonly recogniser: Recogniser | null;
  /** Whether the client hears what is wrong with its body. */
  readonly showsErrors: boolean;
  /** Whether a rule behind this one looks at members of the body. */
  readonly keepsValue: boolean;
}

/** Reads the body whole; the bytes that were judged are the bytes that are forwarded. */
export function judgeBody(rules: BodyRules): Part {
  const { read, validator, keepsValue } = rules;
  const recogniser = keepsValue ? null : rules.recogniser;
  return judgeHeld(rules, (bytes, exchange) => {
    if (bytes.length === 0 && !rules.required) return CONTINUE;
    if (bytes.length > validator.atOnceBytesMax) return judgeLong(bytes, exchange, rules);
    if (recogniser?.takes(bytes) === true) return taken(exchange, recogniser);
    const parsed = read.atOnce(bytes, exchange);
    if (!parsed.ok) return unreadable(parsed.error, rules);
    if (keepsValue) exchange.bodyValue = parsed.value;
    const judgement = validator.judge(parsed.value, DEFAULTS.patternWorkAtOnceMax);
    return validator.gaveUp(judgement) ? judgeLong(bytes, exchange, rules) : judged(judgement, exchange, rules);
  });
}

/** What could hold the thread for too long is read and judged a stretch at a time. */
function judgeLong(bytes: Buffer, exchange: Exchange, rules: BodyRules): Promise<Verdict> {
  const { read, validator, keepsValue } = rules;
  return judgeInLine(exchange, rules, bytes.length, async (begin) => {
    const turns = begin();
    if (await isRecognised(bytes, exchange, rules, turns)) return CONTINUE;
    const parsed = await read.inTurns(bytes, exchange, turns);
    if (!parsed.ok) return unreadable(parsed.error, rules);
    if (keepsValue) exchange.bodyValue = parsed.value;
    return judged(await validator.judgeInTurns(parsed.value, turns), exchange, rules);
  });
}

/** Whether a long body is seen to fit without being read in full, which takes a tenth of the time. */
export async function isRecognised(
  bytes: Buffer,
  exchange: Exchange,
  { validator: { atOnceBytesMax }, recogniser, keepsValue }: Pick<BodyRules, "validator" | "recogniser" | "keepsValue">,
  turns: Turns,
): Promise<boolean> {
  if (recogniser === null || keepsValue || bytes.length <= atOnceBytesMax) return false;
  if (!(await turns.run(recogniser.takesInSteps(bytes, atOnceBytesMax)))) return false;
  taken(exchange, recogniser);
  return true;
}

/** A body that fits, seen without being read in full. */
export function taken(exchange: Exchange, { outermostNames }: Recogniser): Verdict {
  exchange.outermostNames = outermostNames;
  exchange.isBodyJudged = true;
  return CONTINUE;
}

function judged(judgement: Judgement, exchange: Exchange, rules: BodyRules): Verdict {
  exchange.isBodyJudged = judgement === null;
  return verdictOf(judgement, rules);
}

export function unreadable(
  { reason, seen, wanted, error }: BodyFault,
  { showsErrors, place }: Pick<BodyRules, "showsErrors" | "place">,
): Denial {
  return new Denial(reason, place, seen, wanted, [], false, [], { faults: [], errors: showsErrors ? [error] : [] });
}

/** What a schema found, as an answer. */
export function verdictOf(
  judgement: Judgement,
  { showsErrors, place }: Pick<BodyRules, "showsErrors" | "place">,
): Verdict {
  const first = judgement?.[0];
  if (judgement === null || first === undefined) return CONTINUE;
  const more = judgement.length > 1 ? ` and ${judgement.length - 1} more` : "";
  const seen = `body ${excerpt(first.pointer || "/", POINTER_SHOWN_MAX)} ${first.keyword}${more}`;
  const errors = judgement.map(({ pointer, keyword, detail }) => ({ pointer, keyword, detail }));
  const faults = judgement.map(faultText);
  const wanted = `${excerpt(first.detail, DEFAULTS.logTextCharsMax)}${sitePlaceText(first)}`;
  return new Denial("body_schema_mismatch", place, seen, wanted, [], false, [], {
    faults,
    errors: showsErrors ? errors : [],
  });
}

const POINTER_SHOWN_MAX = 128;

function faultText(fault: Fault): string {
  return `${excerpt(fault.pointer || "/", POINTER_SHOWN_MAX)} ${fault.keyword}${sitePlaceText(fault)}`;
}

function sitePlaceText({ place }: Fault): string {
  return place === null ? "" : ` (${placeText({ place })})`;
}

/** In order, until one refuses. Only the last part may give a promise. */
export function inOrder(parts: readonly SyncPart[], last: Part | null): Part {
  return (exchange) => {
    for (const part of parts) {
      const verdict = part(exchange);
      if (verdict !== CONTINUE) return verdict;
    }
    return last === null ? CONTINUE : last(exchange);
  };
}

/** For `explain`: what there was to look at. */
export function describeRequest(exchange: Exchange): string {
  const { announcedBytes } = exchange.body;
  const body = announcedBytes === 0 ? "no body" : announcedBytes < 0 ? "a chunked body" : `${announcedBytes} bytes`;
  const type = exchange.headers.get("content-type");
  const parameters = exchange.params.length;
  const query = exchange.target.query.length > 1 ? "a query" : "no query";
  const changed = changesOf(exchange);
  return `${parameters} path parameter${parameters === 1 ? "" : "s"}, ${query}, ${body}${type === undefined ? "" : ` of ${excerpt(type)}`}${changed}`;
}

function changesOf({ bodyEdits }: Exchange): string {
  if (bodyEdits === null) return "";
  const { shown, total } = bodyEdits;
  return `; changed: ${shown.join(", ")}${total > shown.length ? ` and ${total - shown.length} more` : ""}`;
}
