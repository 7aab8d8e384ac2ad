import { parseJsonInSteps } from "../../bodies/json.ts";
import { JsonSniffer } from "../../bodies/json-sniffer.ts";
import { hasItems, isForm, isJson, isMultipart, isXml } from "../../bodies/media-type.ts";
import { type BodyFacts, type NamedText, NO_BODY } from "../../detection/facts.ts";
import type { Exchange } from "../../message/exchange.ts";
import { isRecord } from "../../protobuf/record.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { formArgumentsInSteps, typeOf } from "./head-facts.ts";
import { jsonArguments } from "./json-arguments.ts";
import { jsonStringsInSteps, unescapedTextInSteps } from "./json-strings.ts";
import type { ValueShapes } from "./value-shapes.ts";
import { unmarkedXmlInSteps, xmlTexts } from "./xml-texts.ts";

/** Why a body that says what it is has no reading. */
export interface UnreadBody {
  readonly reason: "body_not_json" | "body_not_xml";
  readonly seen: string;
  readonly wanted: string;
}

/** How a body is searched. `stream`: part by part as it goes by; `none`: it holds no text. */
export type BodyWay = "whole" | "stream" | "none";

/** Types whose bytes are no text of a client's: pictures, archives, messages that have a description of their own. */
const NO_TEXT =
  /^(?:(?:image|audio|video|font)\/(?!svg)|application\/(?:octet-stream|pdf|zip|gzip|x-gzip|x-tar|zstd|wasm|grpc|connect\+|proto|x-protobuf|protobuf|cbor|msgpack|x-msgpack|avro|vnd\.apache\.))/;

export function wayOf(type: string): BodyWay {
  if (isMultipart(type)) return "stream";
  return NO_TEXT.test(type) ? "none" : "whole";
}

/** Bytes of messages, which may begin as JSON does and never end. */
const MESSAGES = /^application\/(?:grpc|connect\+)/;

export function isOfMessages(type: string): boolean {
  return MESSAGES.test(type);
}

/** A body that is here whole, in the reading of its type. */
export function* bodyFacts(
  bytes: Buffer,
  exchange: Exchange,
  shapes: ValueShapes,
): Steps<Result<BodyFacts, UnreadBody>> {
  const type = typeOf(exchange);
  const length = bytes.length;
  if (isJson(type)) return yield* jsonFacts(bytes, exchange, shapes);
  if (isXml(type)) return yield* xmlFacts(bytes);
  // An attack is written in ASCII: without its zero bytes, text of wide characters is narrow.
  const narrow = isWide(bytes) ? Buffer.from(bytes.filter((byte) => byte !== 0)) : bytes;
  const raw = narrow.toString("latin1");
  const args = yield* hiddenArguments(narrow, raw, type);
  args.push(...(yield* unmarkedXmlInSteps(raw, "body")));
  if (!isForm(type) && type !== "") return ok({ ...NO_BODY, args, raw, length });
  args.push(...(yield* formArgumentsInSteps(raw, (name) => (isForm(type) ? shapes.ofForm(name) : -1))));
  return ok({ ...NO_BODY, processor: isForm(type) ? "URLENCODED" : "", args, raw, length });
}

/** What services read that do not ask for the type: Go's decoder, and others that are told to, read JSON under any label. */
function* hiddenArguments(bytes: Buffer, raw: string, type: string): Steps<NamedText[]> {
  const isLikeJson = looksLikeJson(bytes);
  const json = isLikeJson ? yield* parseJsonInSteps(bytes) : null;
  if (json?.ok === true) return yield* jsonArguments(json.value, null);
  if (isForm(type) && !isLikeJson) return [];
  const strings = isLikeJson || raw.includes("\\") ? yield* jsonStringsInSteps(raw, "json") : [];
  yield;
  // Of a text the whole is one value.
  const isText = !isForm(type) && !hasItems(type) && wayOf(type) === "whole";
  if (!isText) return strings;
  return [...strings, { name: "body", value: raw, shape: -1 }, ...(yield* unescapedTextInSteps(raw, "body"))];
}

function* jsonFacts(bytes: Buffer, exchange: Exchange, shapes: ValueShapes): Steps<Result<BodyFacts, UnreadBody>> {
  const { length } = bytes;
  if (length === 0) return ok({ ...NO_BODY, processor: "JSON", length });
  // What `validate` has read is not read again; of a body that it did not judge nothing is promised.
  const isRead = exchange.bodyValue !== undefined && !isRecord(exchange.bodyValue);
  const parsed = isRead ? ok(exchange.bodyValue) : yield* parseJsonInSteps(bytes);
  if (!parsed.ok) return err({ reason: "body_not_json", seen: parsed.error, wanted: "JSON in UTF-8" });
  return ok({
    ...NO_BODY,
    processor: "JSON",
    args: yield* jsonArguments(parsed.value, exchange.isBodyJudged ? shapes.body : null),
    length,
  });
}

function* xmlFacts(bytes: Buffer): Steps<Result<BodyFacts, UnreadBody>> {
  const read = yield* xmlTexts(bytes);
  if (!read.ok)
    return err({
      reason: "body_not_xml",
      seen: read.error,
      wanted: "a document of XML 1.0 in UTF-8 without a document type",
    });
  const { texts, attributes } = read.value;
  return ok({
    ...NO_BODY,
    processor: "XML",
    xmlTexts: texts,
    xmlAttributes: attributes,
    raw: "",
    length: bytes.length,
  });
}

/** Of UTF-16 and UTF-32 in ASCII every other byte, or more, is zero; a zero by itself is what some rules look for. */
function isWide(bytes: Buffer): boolean {
  if (!bytes.includes(0)) return false;
  const zeros = bytes.reduce((count, byte) => (byte === 0 ? count + 1 : count), 0);
  return zeros * WIDE_SHARE >= bytes.length;
}

const WIDE_SHARE = 4;

function looksLikeJson(bytes: Buffer): boolean {
  const sniffer = new JsonSniffer();
  return sniffer.look(bytes) >= 0 && sniffer.found !== "other";
}
