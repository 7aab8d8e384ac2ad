import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import { Blocked, type Leak, type LeakAction, type LeakFormat, LeakStream } from "../../../leaks/leak-stream.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { LeakNotes } from "../../../message/leak-notes.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { LeakBody, leakFormatOf, Unreadable } from "../../leak-body.ts";
import type { LeakRules } from "../../leak-rules.ts";
import { judgeInLine, type LineRules, type Part } from "../held-body.ts";
import type { SyncPart } from "../parameter-parts.ts";

/** Credentials are for the service, and the rest is made of digests and keys. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "host",
  "content-type",
  "content-length",
  "if-match",
  "if-none-match",
  "content-digest",
  "repr-digest",
  "digest",
  "signature",
  "signature-input",
  "dpop",
  "sec-websocket-key",
]);

const STRETCH_BYTES = 64 * 1024;

/** The target and the headers, and a body that is here whole; others are watched on their way. */
export function judgeRequest(rules: LeakRules, encoding: SyncPart | null, line: LineRules): Part {
  return (exchange) => {
    const head = judgeTarget(exchange, rules) ?? judgeHeaders(exchange, rules) ?? encoding?.(exchange) ?? CONTINUE;
    if (head !== CONTINUE || exchange.collectedBody === null) return head;
    return judgeWhole(exchange.collectedBody, exchange, rules, line);
  };
}

/** Segments of the path, and parameters of the query by their names. */
function judgeTarget(exchange: Exchange, rules: LeakRules): Verdict {
  const { path, query } = exchange.target;
  const inPath = judgeText(exchange, rules, "path", path, "form", "");
  if (inPath !== CONTINUE) return inPath;
  for (const pair of query.slice(1).split("&")) {
    const [name = ""] = pair.split("=", 1);
    const verdict = judgeText(exchange, rules, nameOf(name), pair, "form", "");
    if (verdict !== CONTINUE) return verdict;
  }
  return CONTINUE;
}

function nameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return encoded;
  }
}

function judgeHeaders(exchange: Exchange, rules: LeakRules): Verdict {
  const { names, values } = exchange.headers;
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? "";
    if (OWN_HEADERS.has(name)) continue;
    const verdict = judgeText(exchange, rules, name, values[at] ?? "", "text", `${name} `);
    if (verdict !== CONTINUE) return verdict;
  }
  return CONTINUE;
}

/** `lead`: what stands before the text, as a telling word. */
function judgeText(
  exchange: Exchange,
  rules: LeakRules,
  name: string,
  text: string,
  format: LeakFormat,
  lead: string,
): Verdict {
  const field = rules.nameTold(name);
  const stream = new LeakStream(rules.scanner, format, ({ kind }) =>
    decide(exchange, { kind, path: [] }, rules.actionUnder(kind, name), field),
  );
  const judged = stream.takeAll(Buffer.from(lead + text, "latin1"));
  return judged instanceof Blocked ? denialOf(judged.leak, rules, field) : CONTINUE;
}

function decide(
  exchange: Exchange,
  { kind }: Leak,
  action: ReturnType<LeakRules["actionIn"]>,
  field: string,
): LeakAction {
  if (action === null) return "pass";
  exchange.leaks ??= new LeakNotes();
  exchange.leaks.add({ way: "request", kind: kind.name, action, field });
  return action === "block" ? "block" : "pass";
}

function denialOf({ kind }: Leak, rules: LeakRules, field: string): Denial {
  const seen = field === "" ? kind.name : `${kind.name} in ${field}`;
  return new Denial("request_leak", rules.placeOf(kind), seen, "a request without it");
}

/** Who looks at the body as it streams. */
export function watchRequest(exchange: Exchange, rules: LeakRules): LeakWatch {
  const body = new LeakBody(leakFormatOf(exchange.headers), rules.scanner, (leak) =>
    decide(exchange, leak, rules.actionIn(leak.kind, leak.path), rules.pointerOf(leak.path)),
  );
  return new LeakWatch(body, rules);
}

/** What may be the beginning of a find stays until it is told. */
class LeakWatch implements BodyWatch {
  readonly #body: LeakBody;
  readonly #rules: LeakRules;
  #isPassing = false;

  constructor(body: LeakBody, rules: LeakRules) {
    this.#body = body;
    this.#rules = rules;
  }

  /** What it holds is a copy of what may not go on yet. */
  get ownBytes(): number {
    return this.#body.heldBytes;
  }

  scan(piece: Buffer): number | Denial {
    const denial = this.#isPassing ? null : this.#judge(this.#body.take(piece));
    return denial ?? (this.#isPassing ? 0 : this.#body.heldBytes);
  }

  end(): Verdict {
    return this.#isPassing ? CONTINUE : this.#judge(this.#body.end());
  }

  #judge(judged: Buffer | Blocked | Unreadable): Denial | null {
    const { place, acts } = this.#rules;
    if (judged instanceof Blocked) return denialOf(judged.leak, this.#rules, this.#rules.pointerOf(judged.leak.path));
    if (!(judged instanceof Unreadable)) return null;
    if (acts) return new Denial("content_type_unsupported", place, judged.seen, "text with one reading");
    this.#isPassing = true;
    return null;
  }
}

function judgeWhole(bytes: Buffer, exchange: Exchange, rules: LeakRules, line: LineRules): Verdict | Promise<Verdict> {
  const watch = watchRequest(exchange, rules);
  if (bytes.length === 0) return CONTINUE;
  const stretch = (at: number): Verdict => {
    const judged = watch.scan(bytes.subarray(at, at + STRETCH_BYTES));
    return judged instanceof Denial ? judged : CONTINUE;
  };
  if (bytes.length <= DEFAULTS.bodyAtOnceBytesMax) return stretch(0) ?? watch.end();
  return judgeInLine(exchange, line, bytes.length, async (begin) => {
    const turns = begin();
    for (let at = 0; at < bytes.length; at += STRETCH_BYTES) {
      const verdict = stretch(at);
      if (verdict !== CONTINUE) return verdict;
      if (turns.due) await turns.give();
    }
    return watch.end();
  });
}
