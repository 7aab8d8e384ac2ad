import { type BodyFormat, type BodyKind, bodyFormatOf } from "../../../bodies/answer-format.ts";
import { JsonSniffer } from "../../../bodies/json-sniffer.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import {
  Blocked,
  HELD_BYTES_MAX,
  type Leak,
  type LeakAction,
  type LeakFormat,
  LeakStream,
} from "../../../leaks/leak-stream.ts";
import type { Answer } from "../../../message/answer.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { HeaderBlock } from "../../../message/headers.ts";
import { LeakNotes } from "../../../message/leak-notes.ts";
import type { LeakRules } from "../../leak-rules.ts";
import type { AnswerReading, StreamRule } from "../../response-check.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** What a body is read as. What begins as JSON does is JSON, whatever its label. */
const FORMATS: Readonly<Record<BodyKind, LeakFormat>> = {
  json: "json",
  ndjson: "json",
  "json-seq": "json",
  events: "events",
  csv: "csv",
  html: "markup",
  xml: "markup",
  text: "text",
  form: "form",
  other: "text",
};

/** Byte order marks of UTF-16, and of UTF-32 as it mostly is. */
const WIDE_MARKS: ReadonlySet<string> = new Set(["\xff\xfe", "\xfe\xff"]);

/** Types in which bytes are no characters. */
const NO_TEXT = /^\s*(?:image|audio|video|font)\//i;

/** Headers that are what they are: a session's cookie is its client's own, and the rest is made of digests and keys. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "set-cookie",
  "etag",
  "date",
  "content-length",
  "content-type",
  "content-security-policy",
  "strict-transport-security",
  "content-digest",
  "repr-digest",
  "digest",
  "content-md5",
  "signature",
  "signature-input",
]);

/** Headers of an answer: what is masked stands in its place, what is blocked refuses the answer. */
export function judgeAnswerHead(exchange: Exchange, answer: Answer, rules: LeakRules): Verdict {
  const judged = judgeLines(exchange, answer.headers, rules);
  if (judged instanceof Denial) return judged;
  answer.headers = judged;
  return CONTINUE;
}

function judgeLines(exchange: Exchange, headers: HeaderBlock, rules: LeakRules): HeaderBlock | Denial {
  const { names, values } = headers;
  let changed: string[] | null = null;
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? "";
    if (OWN_HEADERS.has(name)) continue;
    const value = judgeLine(exchange, name, values[at] ?? "", rules);
    if (value instanceof Denial) return value;
    if (value === values[at]) continue;
    changed ??= [...values];
    changed[at] = value;
  }
  return changed === null ? headers : new HeaderBlock(names, changed);
}

/** The name is a telling word as that of any field. */
function judgeLine(exchange: Exchange, name: string, value: string, rules: LeakRules): string | Denial {
  const lead = `${name}: `;
  const stream = new LeakStream(rules.scanner, "text", ({ kind }) =>
    decide(exchange, rules, { kind, path: [] }, rules.actionUnder(kind, name), name),
  );
  const judged = stream.takeAll(Buffer.from(lead + value, "latin1"));
  if (judged instanceof Blocked) return denialOf(judged.leak, rules, name);
  return judged.toString("latin1", lead.length);
}

function decide(
  exchange: Exchange,
  rules: LeakRules,
  { kind, path }: Leak,
  action: ReturnType<LeakRules["actionIn"]>,
  field: string = rules.pointerOf(path),
): LeakAction {
  if (action === null) return "pass";
  exchange.leaks ??= new LeakNotes();
  exchange.leaks.add({ way: "response", kind: kind.name, action, field });
  return action === "observe" ? "pass" : action;
}

function denialOf({ kind, path }: Leak, rules: LeakRules, name?: string): Denial {
  const field = name ?? rules.pointerOf(path);
  const seen = field === "" ? kind.name : `${kind.name} in ${field}`;
  return new Denial("response_leak", rules.placeOf(kind), seen, "an answer without it");
}

/** The body of one answer; null where nobody can look into it. */
export function leakRule(
  exchange: Exchange,
  { headers }: Answer,
  rules: LeakRules,
  reading: AnswerReading,
): StreamRule | null {
  const isOne = headers.count("content-type") <= 1;
  const type = isOne ? headers.get("content-type") : undefined;
  const format = isOne ? bodyFormatOf(type) : null;
  if (format?.kind === "other" && NO_TEXT.test(type ?? "")) return null;
  const body = new LeakBody(exchange, format, rules, reading);
  return {
    kind: "stream",
    changes: rules.masks,
    heldBytesMax: HELD_BYTES_MAX,
    take: (piece) => body.take(piece),
    end: () => body.end(),
    noted: () => body.noted(),
    judgeTrailers: (trailers) => judgeLines(exchange, trailers, rules),
  };
}

class LeakBody {
  readonly #format: BodyFormat | null;
  readonly #rules: LeakRules;
  readonly #reading: AnswerReading;
  readonly #decide: (leak: Leak) => LeakAction;
  readonly #sniffer = new JsonSniffer();
  /** The first two bytes, as latin1. */
  #mark = "";
  /** Null until it is known what is read. */
  #stream: LeakStream | null = null;
  /** The first that is masked. */
  #masked: Leak | null = null;
  /** The rest passes as it comes. */
  #isPassing = false;

  constructor(exchange: Exchange, format: BodyFormat | null, rules: LeakRules, reading: AnswerReading) {
    this.#format = format;
    this.#rules = rules;
    this.#reading = reading;
    this.#decide = (leak) => {
      const action = decide(exchange, rules, leak, rules.actionIn(leak.kind, leak.path));
      if (action === "mask") this.#masked ??= leak;
      return action;
    };
    if (format !== null && (FORMATS[format.kind] === "json" || format.kind === "events")) this.#open(format);
  }

  #open({ kind }: BodyFormat): void {
    const format = this.#sniffer.found === "json" ? "json" : FORMATS[kind];
    this.#stream = new LeakStream(this.#rules.scanner, format, this.#decide);
  }

  take(piece: Buffer): Buffer | Denial {
    if (this.#isPassing) return piece;
    const fault = this.#fault(piece);
    if (fault !== null) return this.#unreadable(fault, piece);
    return this.#stream === null ? piece : this.#settled(this.#stream.take(piece));
  }

  end(): Buffer | Denial {
    return this.#stream === null || this.#isPassing ? NOTHING : this.#settled(this.#stream.end());
  }

  /** Why nobody here reads it; looks what it is, where that is not known. */
  #fault(piece: Buffer): string | null {
    if (this.#format === null) return "a Content-Type with more than one reading";
    if (this.#format.charset === null) return "a charset that nobody here reads";
    if (this.#sniffer.found !== null) return null;
    if (this.#mark.length < 2) this.#mark += piece.toString("latin1", 0, 2 - this.#mark.length);
    if (WIDE_MARKS.has(this.#mark)) return "UTF-16 or UTF-32";
    const isJson = this.#stream !== null;
    if (this.#sniffer.look(piece) < 0) return null;
    if (this.#sniffer.found === "wide") return "UTF-16 or UTF-32";
    if (!isJson) this.#open(this.#format);
    return null;
  }

  /** What would have been masked. */
  noted(): Denial | null {
    return this.#masked === null ? null : denialOf(this.#masked, this.#rules);
  }

  #settled(judged: Buffer | Blocked): Buffer | Denial {
    return judged instanceof Blocked ? denialOf(judged.leak, this.#rules) : judged;
  }

  #unreadable(seen: string, piece: Buffer): Buffer | Denial {
    const { unreadable } = this.#reading;
    if (unreadable === "refuse" && this.#rules.acts)
      return new Denial("response_unreadable", this.#rules.place, seen, "text with one reading");
    this.#isPassing = true;
    return piece;
  }
}
