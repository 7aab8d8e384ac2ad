import { type BodyKind, bodyFormatOf } from "../../bodies/answer-format.ts";
import { CONTINUE, Denial, type Verdict } from "../../decision/verdict.ts";
import { unescaped } from "../../detection/byte-text.ts";
import type { AnswerFacts } from "../../detection/facts.ts";
import type { SearchBudget } from "../../detection/rules/spending.ts";
import type { Answer } from "../../message/answer.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { atOnce, type Steps } from "../../support/turns.ts";
import type { BodyRule, ResponseCheck } from "../response-check.ts";
import { judgeInSteps } from "../validate/held-body.ts";
import { isOfMessages } from "./body-facts.ts";
import type { DetectRules, Searches } from "./evaluate.ts";
import { EventCutter } from "./event-cutter.ts";
import { noteHits, type Search } from "./hits.ts";

/** Formats in which a service tells what it should not; archives and pictures are no text. */
const TEXTS: ReadonlySet<BodyKind> = new Set([
  ...(["json", "ndjson", "json-seq", "csv", "html", "text", "xml", "form", "notation"] as const),
]);

/** A body of the longest kind with the texts that rules make of it; what is longer is told before it is searched. */
const BUDGET: SearchBudget = {
  bytes: 16 * DEFAULTS.detectAnswerBytesMax,
  patterns: DEFAULTS.detectPatternsMax,
  steps: DEFAULTS.detectStepsMax,
};

/** `answers` of a detector: the rules of its answer phases. */
export function answerCheck(
  rules: DetectRules,
  enforcePercent: number,
  looksInto: "heads" | "bodies",
  searches: Searches,
): ResponseCheck {
  const { place } = rules;
  return {
    name: "detect",
    place,
    enforcePercent,
    judgesBody: looksInto === "bodies",
    appliesTo: (exchange) => searches.has(exchange),
    explain: () => `searches ${looksInto === "heads" ? "the head" : "head and body"} of the answer`,
    judgeHead: (exchange, answer) => {
      const search = searches.get(exchange);
      if (search === undefined) return CONTINUE;
      search.transaction.renewBudget(BUDGET);
      atOnce(search.transaction.answerHead(factsOf(exchange, answer, null)));
      return verdictOf(exchange, search, rules);
    },
    judgeBody: (exchange, answer) => {
      const search = searches.get(exchange);
      if (search === undefined || looksInto === "heads") return null;
      return bodyRule(exchange, answer, search, rules);
    },
  };
}

/** Messages go by; the text of an error stands in what follows them. */
const PASSES = {
  kind: "stream",
  changes: false,
  heldBytesMax: 0,
  take: (piece: Buffer): Buffer => piece,
  end: (): Buffer => Buffer.alloc(0),
} as const;

function bodyRule(exchange: Exchange, answer: Answer, search: Search, rules: DetectRules): BodyRule | null {
  const type = answer.headers.get("content-type") ?? "";
  const kind = bodyFormatOf(type)?.kind ?? "text";
  function* judge(body: Buffer): Steps<Verdict> {
    search.transaction.renewBudget(BUDGET);
    yield* search.transaction.answerBody(factsOf(exchange, answer, body.toString("latin1")));
    return verdictOf(exchange, search, rules);
  }
  const judgeTrailers = (trailers: HeaderBlock): HeaderBlock | Denial => {
    const texts = trailers.values.map((value, at) => `${trailers.names[at]}: ${unescaped(value)}\n`);
    return atOnce(judge(Buffer.from(texts.join(""), "latin1"))) ?? trailers;
  };
  if (kind === "events") return new EventCutter(rules.place, (event) => atOnce(judge(event)), judgeTrailers);
  if (!TEXTS.has(kind)) return isOfMessages(type.toLowerCase()) ? { ...PASSES, judgeTrailers } : null;
  return {
    kind: "whole",
    changes: false,
    judgeTrailers,
    bytesMax: DEFAULTS.detectAnswerBytesMax,
    judge: (body) => {
      const verdict = judgeInSteps(exchange, rules.hold, body.length, judge(body));
      return verdict instanceof Promise ? verdict.then((settled) => settled ?? body) : (verdict ?? body);
    },
    judgeTooLong: () => (rules.refusesBeyond ? tooLong(rules) : CONTINUE),
  };
}

function factsOf(exchange: Exchange, { status, headers }: Answer, body: string | null): AnswerFacts {
  return {
    status,
    protocol: exchange.connection.protocol === "h2" ? "HTTP/2.0" : "HTTP/1.1",
    headers: headers.names.map((name, at) => ({ name, value: headers.values[at] ?? "", shape: -1 })),
    body,
  };
}

function verdictOf(exchange: Exchange, search: Search, rules: DetectRules): Verdict {
  const { detector, place } = rules;
  noteHits(exchange, search, detector, "response");
  const { answerBlockedBy, answerScore, overBudget } = search.transaction;
  if (answerBlockedBy === null) return overBudget && rules.refusesBeyond ? tooLong(rules) : CONTINUE;
  const { id, message, target } = answerBlockedBy;
  const seen = `score ${answerScore}: ${id} ${message} in ${target}`;
  return new Denial("response_attack_detected", place, seen, "an answer that tells nothing of the kind");
}

function tooLong({ place }: DetectRules): Denial {
  const most = `at most ${DEFAULTS.detectAnswerBytesMax} bytes, or 'beyond: pass'`;
  return new Denial("response_unreadable", place, "an answer with more to search", most);
}
