import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import { Blocked, HELD_BYTES_MAX, type Leak, type LeakAction, LeakStream } from "../../../leaks/leak-stream.ts";
import type { Answer } from "../../../message/answer.ts";
import type { AnswerCount } from "../../../message/answer-count.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { HeaderBlock } from "../../../message/headers.ts";
import { LeakNotes } from "../../../message/leak-notes.ts";
import { LeakBody, leakFormatOf, Unreadable } from "../../leak-body.ts";
import type { LeakRules } from "../../leak-rules.ts";
import type { AnswerReading, StreamRule } from "../../response-check.ts";

const NOTHING: Buffer = Buffer.alloc(0);

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
  if (!mayHaveLeaks(headers, rules)) return headers;
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

/** All lines at once, for nearly none has anything; and of heads that come again, once. */
function mayHaveLeaks(headers: HeaderBlock, rules: LeakRules): boolean {
  if (headers.cleanFor === rules) return false;
  if (mayHaveInLines(headers, rules)) return true;
  headers.cleanFor = rules;
  return false;
}

function mayHaveInLines({ names, values }: HeaderBlock, { scanner }: LeakRules): boolean {
  let text = "";
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? "";
    const value = values[at] ?? "";
    if (OWN_HEADERS.has(name)) continue;
    if (ADDRESSES.has(name) && ENCODED.test(value)) return true;
    text += `${name} ${value}\n`;
  }
  return text !== "" && scanner.mayFind(Buffer.from(text, "latin1"));
}

const ENCODED = /[%+]/;

/** Their values are addresses, which have signs such as @ as percent signs and digits. */
const ADDRESSES: ReadonlySet<string> = new Set(["location", "content-location", "link", "refresh"]);

/** The name is a telling word as that of any field, and not one under which any value is a secret: `X-Auth-Token` gives one to its client. */
function judgeLine(exchange: Exchange, name: string, value: string, rules: LeakRules): string | Denial {
  const lead = `${name} `;
  const stream = new LeakStream(rules.scanner, ADDRESSES.has(name) ? "form" : "text", ({ kind }) =>
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

/** The body of one answer, and its trailers. */
export class LeakRule implements StreamRule {
  readonly kind = "stream";
  readonly changes: boolean;
  readonly heldBytesMax: number;
  readonly counted: readonly AnswerCount[];
  readonly #exchange: Exchange;
  readonly #rules: LeakRules;
  readonly #reading: AnswerReading;
  readonly #body: LeakBody;
  /** The first that is masked. */
  #masked: Leak | null = null;
  /** The rest passes as it comes. */
  #isPassing = false;

  constructor(exchange: Exchange, { headers }: Answer, rules: LeakRules, reading: AnswerReading) {
    const format = leakFormatOf(headers);
    this.changes = rules.masks && format !== "none";
    this.heldBytesMax = format === "none" ? 0 : HELD_BYTES_MAX;
    this.counted = [{ action: "unread", count: () => Number(this.#isPassing) }];
    this.#exchange = exchange;
    this.#rules = rules;
    this.#reading = reading;
    this.#body = new LeakBody(format, rules.scanner, (leak) => {
      const action = decide(exchange, rules, leak, rules.actionIn(leak.kind, leak.path));
      if (action === "mask") this.#masked ??= leak;
      return action;
    });
  }

  take(piece: Buffer): Buffer | Denial {
    return this.#isPassing ? piece : this.#settled(this.#body.take(piece));
  }

  end(): Buffer | Denial {
    return this.#isPassing ? NOTHING : this.#settled(this.#body.end());
  }

  takeAll(body: Buffer): Buffer | Denial {
    return this.#settled(this.#body.takeAll(body));
  }

  judgeTrailers(trailers: HeaderBlock): HeaderBlock | Denial {
    return judgeLines(this.#exchange, trailers, this.#rules);
  }

  /** What would have been masked. */
  noted(): Denial | null {
    return this.#masked === null ? null : denialOf(this.#masked, this.#rules);
  }

  #settled(judged: Buffer | Blocked | Unreadable): Buffer | Denial {
    if (judged instanceof Blocked) return denialOf(judged.leak, this.#rules);
    if (!(judged instanceof Unreadable)) return judged;
    if (this.#reading.unreadable === "refuse" && this.#rules.acts)
      return new Denial("response_unreadable", this.#rules.place, judged.seen, "text with one reading");
    this.#isPassing = true;
    return judged.rest;
  }
}
