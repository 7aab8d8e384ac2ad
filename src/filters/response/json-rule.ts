import { type BodyFormat, type BodyKind, bodyFormatOf } from "../../bodies/answer-format.ts";
import { JsonSniffer } from "../../bodies/json-sniffer.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { Answer } from "../../message/answer.ts";
import type { AnswerCount } from "../../message/answer-count.ts";
import { NO_HEADERS } from "../../message/headers.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { AnswerReading, StreamRule } from "../response-check.ts";
import { EventTexts } from "./event-texts.ts";
import type { TextsReader } from "./texts-reader.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Services give the fields of their JSON in one of these, too, to a client that asks for it by `Accept` or in the query. */
const HAS_FIELDS: ReadonlySet<BodyKind> = new Set(["xml", "csv", "form", "data", "html"]);

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
export function jsonRule({ headers, status }: Answer, options: JsonRuleOptions): StreamRule {
  const isOne = headers.count("content-type") <= 1;
  const format = isOne ? bodyFormatOf(headers.get("content-type")) : null;
  // Pages of errors and redirects are the server's own, and every service has them.
  const isPage = format?.kind === "html" && status >= 300;
  const hasFields = options.changes && format !== null && HAS_FIELDS.has(format.kind) && !isPage;
  const body = new JsonBody(format, hasFields || options.isListOfAll, options);
  return {
    kind: "stream",
    changes: options.changes,
    heldBytesMax: format?.kind === "events" ? DEFAULTS.answerEventBytesMax : DEFAULTS.answerNameBytesMax,
    take: (piece) => body.take(piece),
    end: () => body.end(),
    // Data in trailers is in no field that a rule could name, and digests there are of other bytes.
    noted: () => options.noted?.() ?? null,
    counted: [...(options.counted === undefined ? [] : [options.counted]), body.unread],
    ...(options.changes ? { judgeTrailers: () => NO_HEADERS } : {}),
  };
}

class JsonBody {
  readonly #format: BodyFormat | null;
  readonly #options: JsonRuleOptions;
  /** What is no JSON cannot be judged. */
  readonly #isJsonAlone: boolean;
  /** Null until it is known that there is JSON. */
  #texts: TextsReader | null = null;
  readonly #sniffer = new JsonSniffer();
  /** The rest passes as it comes. */
  #isPassing = false;
  #isUnread = false;

  constructor(format: BodyFormat | null, isJsonAlone: boolean, options: JsonRuleOptions) {
    this.#format = format;
    this.#isJsonAlone = isJsonAlone;
    this.#options = options;
    if (format === null) return;
    const { open, isListOfAll } = options;
    const { kind } = format;
    if (kind === "json" || kind === "ndjson" || kind === "json-seq") this.#texts = open(format);
    else if (kind === "events") this.#texts = new EventTexts(() => open(format), isListOfAll);
  }

  get unread(): AnswerCount {
    return { action: "unread", count: () => Number(this.#isUnread) };
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
    const at = this.#sniffer.look(piece);
    if (at < 0) return piece;
    const { found } = this.#sniffer;
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
