import { type BodyFormat, type BodyKind, bodyFormatOf } from "../../bodies/answer-format.ts";
import { JsonSniffer } from "../../bodies/json-sniffer.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { Answer } from "../../message/answer.ts";
import type { AnswerCount } from "../../message/answer-count.ts";
import { type HeaderBlock, NO_HEADERS } from "../../message/headers.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { AnswerReading, StreamRule } from "../response-check.ts";
import { EventTexts } from "./event-texts.ts";
import type { TextsReader } from "./texts-reader.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Services give the fields of their JSON in one of these, too, to a client that asks for it by `Accept` or in the query. */
const HAS_FIELDS: ReadonlySet<BodyKind> = new Set(["xml", "csv", "form", "notation", "data", "html"]);

export interface JsonRuleOptions {
  readonly reading: AnswerReading;
  readonly place: Place;
  /** It hides fields: it may change bytes, and what has fields that it does not find cannot be judged. */
  readonly changes: boolean;
  /** Nothing leaves but what is listed, so that a body which is no JSON cannot be judged. */
  readonly isListOfAll: boolean;
  open(format: BodyFormat): TextsReader;
  /** What it would have changed, where it only audits. */
  noted?(): Denial | null;
  /** What it changed. */
  readonly counted?: AnswerCount;
}

/**
 * A rule over the JSON of an answer: one text, several (NDJSON, JSON sequences), or those of the events of a stream. Many
 * services say of JSON that it is something else, and many clients do not look, so that what begins as JSON does is read
 * as JSON, whatever its label.
 */
export class JsonRule implements StreamRule {
  readonly kind = "stream";
  readonly changes: boolean;
  readonly heldBytesMax: number;
  readonly counted: readonly AnswerCount[];
  readonly #format: BodyFormat | null;
  readonly #options: JsonRuleOptions;
  /** What is no JSON cannot be judged. */
  readonly #isJsonAlone: boolean;
  /** Null until it is known that there is JSON. */
  #texts: TextsReader | null = null;
  /** Null where that is known at once. */
  readonly #sniffer: JsonSniffer | null;
  /** The rest passes as it comes. */
  #isPassing = false;
  #isUnread = false;

  constructor({ headers, status }: Answer, options: JsonRuleOptions) {
    const isOne = headers.count("content-type") <= 1;
    const format = isOne ? bodyFormatOf(headers.get("content-type")) : null;
    // Pages of errors and redirects are the server's own, and every service has them.
    const isPage = format?.kind === "html" && status >= 300;
    const hasFields = options.changes && format !== null && HAS_FIELDS.has(format.kind) && !isPage;
    this.changes = options.changes;
    this.heldBytesMax = format?.kind === "events" ? DEFAULTS.answerEventBytesMax : DEFAULTS.answerNameBytesMax;
    const unread: AnswerCount = { action: "unread", count: () => Number(this.#isUnread) };
    this.counted = options.counted === undefined ? [unread] : [options.counted, unread];
    this.#format = format;
    this.#isJsonAlone = hasFields || options.isListOfAll;
    this.#options = options;
    if (format !== null) this.#texts = textsOf(format, options);
    this.#sniffer = this.#texts === null ? new JsonSniffer() : null;
  }

  noted(): Denial | null {
    return this.#options.noted?.() ?? null;
  }

  /** Data in trailers is in no field that a rule could name, and digests there are of other bytes. */
  judgeTrailers(trailers: HeaderBlock): HeaderBlock {
    return this.changes ? NO_HEADERS : trailers;
  }

  take(piece: Buffer): Buffer | Denial {
    if (this.#isPassing) return piece;
    if (this.#format === null) return this.#unreadable("a Content-Type with more than one reading", piece);
    if (this.#format.charset === null) return this.#unreadable("a charset that nobody here reads", piece);
    return this.#texts === null ? this.#sniffed(this.#format, piece) : this.#settled(this.#texts.take(piece));
  }

  end(): Buffer | Denial {
    if (this.#isPassing || this.#texts === null) return NOTHING;
    return this.#settled(this.#texts.end());
  }

  #sniffed(format: BodyFormat, piece: Buffer): Buffer | Denial {
    const at = this.#sniffer?.look(piece) ?? -1;
    if (at < 0) return piece;
    const found = this.#sniffer?.found;
    if (found === "wide") return this.#unreadable("JSON in UTF-16 or UTF-32", piece);
    if (found === "other") {
      if (this.#isJsonAlone) return this.#unreadable("no JSON", piece);
      this.#isPassing = true;
      return piece;
    }
    this.#texts = this.#options.open(format);
    const taken = this.#settled(this.#texts.take(at === 0 ? piece : piece.subarray(at)));
    return at === 0 || taken instanceof Denial ? taken : Buffer.concat([piece.subarray(0, at), taken]);
  }

  #settled(taken: Buffer): Buffer | Denial {
    const { fault = null, denial = null, rest = NOTHING } = this.#texts ?? {};
    if (denial !== null) return denial;
    return fault === null ? taken : this.#unreadable(fault, Buffer.concat([taken, rest]));
  }

  #unreadable(seen: string, asItIs: Buffer): Buffer | Denial {
    const { reading, place } = this.#options;
    if (reading.unreadable === "refuse") return new Denial("response_unreadable", place, seen, "JSON with one reading");
    this.#isPassing = true;
    this.#isUnread = true;
    return asItIs;
  }
}

/** Null where the label does not say that there is JSON. */
function textsOf(format: BodyFormat, { open, isListOfAll }: JsonRuleOptions): TextsReader | null {
  const { kind } = format;
  if (kind === "json" || kind === "ndjson" || kind === "json-seq") return open(format);
  return kind === "events" ? new EventTexts(() => open(format), isListOfAll) : null;
}
