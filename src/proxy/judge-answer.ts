import type { Coding } from "../bodies/codings.ts";
import type { Inflation, InflationSink } from "../bodies/inflation.ts";
import { CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import type { Shares } from "../filters/ladder.ts";
import type { AnswerReading, BodyRule, ResponseCheck } from "../filters/response-check.ts";
import { Charge } from "../memory/account.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { clientOf } from "../message/address.ts";
import { Answer, type AnswerObserver } from "../message/answer.ts";
import { UNREAD } from "../message/answer-count.ts";
import { CHUNKED } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { type ClientResponse, NO_LENGTH } from "../message/stream.ts";
import type { Route } from "../policy/snapshot.ts";
import { excerpt } from "../support/excerpt.ts";
import { AuditedAnswer } from "./audited-answer.ts";
import { type BodyStage, type StageHost, StreamStage, WholeStage } from "./body-stage.ts";
import { headersOfInflated } from "./changed-body.ts";
import { INFLATION_FAULTS, InflatedAnswer } from "./inflated-answer.ts";
import { type AnswerOutlet, type AnswerWay, JudgedAnswer } from "./judged-answer.ts";
import { lengthForClient } from "./service-request.ts";

/** A request whose answer is judged. */
export interface AnswerSubject {
  /** Of the decision. */
  readonly id: string;
  readonly exchange: Exchange;
  readonly route: Route | null;
  /** For the ladder. */
  readonly shares: Shares;
  readonly deps: { readonly memory: Pick<MemoryBudget, "bodies"> };
  /** Who wants to know which checks look at the answer: tests of the policy. */
  readonly onAnswerCheck?: (check: ResponseCheck) => void;
}

/** Whether anybody looks at this request's answer; nearly always nobody does. */
export function isAnswerJudged({ exchange, route }: AnswerSubject): boolean {
  return exchange.watchers !== null || (route !== null && route.responseChecks.length > 0);
}

/** Phase `respond` of a final answer's head, and what is to be done with its body. */
export function judgeAnswer(
  subject: AnswerSubject,
  response: ClientResponse,
  outlet: AnswerOutlet,
): AnswerWay | Denial {
  const { exchange, route } = subject;
  const { status, headers } = response;
  const hasBody = exchange.method !== "HEAD" && status !== 204 && status !== 304;
  const answer = new Answer(status, headers, hasBody, subject.id);
  const observers = watch(exchange, answer);
  const rules: RuleToRun[] = [];
  let isBodyJudged = false;
  for (const check of route?.responseChecks ?? []) {
    if (check.appliesTo?.(exchange) === false) continue;
    subject.onAnswerCheck?.(check);
    const isEnforced = climbs(check, subject);
    const denial = judgeOne(check, isEnforced, subject, answer, rules);
    if (denial !== CONTINUE) return denial;
    isBodyJudged ||= isEnforced && check.judgesBody;
  }
  const coding = codingOf(answer, rules, subject);
  if (coding instanceof Denial) return coding;
  // What HEAD and 304 say of a body that is not here is said of the service's, and the client would get another.
  const saysOfAnother = (isBodyJudged || answer.isReplaced) && !answer.hasBody;
  if (saysOfAnother || answer.isReplaced) answer.headers = headersOfInflated(answer.headers);
  const bodyBytes = saysOfAnother ? NO_LENGTH : lengthForClient(response);
  const host = hostOf(subject);
  const stagesOf = (some: readonly RuleToRun[]): BodyStage[] => some.map((rule) => stageOf(rule, host, exchange));
  if (coding === null) return new JudgedAnswer(answer, bodyBytes, outlet, observers, stagesOf(rules), host);
  if (coding.isEnforced) return inflated(host, answer, coding, outlet, observers, stagesOf(rules));
  const others = stagesOf(rules.filter((rule) => !isLooking(rule)));
  const asItCame = new JudgedAnswer(answer, bodyBytes, outlet, observers, others, host);
  return audited(host, asItCame, coding, outlet, stagesOf(rules.filter(isLooking)), exchange);
}

interface RuleToRun {
  readonly rule: BodyRule;
  readonly check: ResponseCheck;
  readonly isEnforced: boolean;
}

interface KnownCoding {
  readonly coding: Coding;
  readonly reading: AnswerReading;
  /** False where all that look into it only audit or observe. */
  readonly isEnforced: boolean;
  /** The first that looks into it. */
  readonly looking: RuleToRun;
}

/**
 * How a body is inflated to be judged; null where it is not. What only audits or observes has changed nothing of the request,
 * so that the service was not asked for identity where it will be: then it is inflated beside the answer, which passes as it came.
 */
function codingOf(
  { headers, hasBody }: Answer,
  rules: RuleToRun[],
  { exchange, route }: AnswerSubject,
): KnownCoding | Denial | null {
  const looking = rules.find(isLooking);
  const text = hasBody && looking !== undefined ? headers.list("content-encoding")?.trim().toLowerCase() : undefined;
  if (looking === undefined || text === undefined || text === "" || text === "identity") return null;
  const reading = route?.answerReading ?? null;
  const isEnforced = rules.some(({ check, isEnforced: is }) => check.judgesBody && is);
  const isInflated = reading?.compressed === "inflate" || (reading?.asksForIdentity === true && !isEnforced);
  const coding = isInflated ? reading.codingOf(text) : null;
  if (coding !== null && reading !== null) return { coding, reading, isEnforced, looking };
  rules.splice(0, rules.length, ...rules.filter((one) => !isLooking(one)));
  if (reading?.compressed === "pass" || (reading?.unreadable === "pass" && reading.compressed === "inflate")) {
    if (looking.isEnforced) countUnread(exchange);
    return null;
  }
  const seen = `content encoding ${excerpt(text)}`;
  const denial = new Denial("response_unreadable", reading?.place ?? null, seen, "an answer that can be looked into");
  if (isEnforced) return denial;
  noteUnread(exchange, looking, denial);
  return null;
}

/** What puts another body in the place of an answer's need not know what that one holds. */
function isLooking({ check }: RuleToRun): boolean {
  return check.judgesBody || check.observesBody === true;
}

/** It passes all the same. Who audits would have refused it, who observes has not seen it. */
function noteUnread(exchange: Exchange, { check, isEnforced }: RuleToRun, denial: Denial): void {
  if (isEnforced) countUnread(exchange);
  else exchange.audit(denial, check);
}

/** It leaves as what it holds. */
function inflated(
  host: StageHost,
  answer: Answer,
  { coding, reading }: KnownCoding,
  outlet: AnswerOutlet,
  observers: readonly AnswerObserver[],
  stages: readonly BodyStage[],
): AnswerWay | Denial {
  const charge = host.openCharge();
  if (!charge.hold(coding.bytes))
    return new Denial("memory_bodies", reading.place, `${coding.bytes} bytes to inflate an answer`, "room for them");
  answer.headers = headersOfInflated(answer.headers);
  const judge = (inner: AnswerOutlet): JudgedAnswer => new JudgedAnswer(answer, CHUNKED, inner, [], stages, host, true);
  return new InflatedAnswer(judge, outlet, observers, (sink) => reading.inflate(coding, sink), charge, reading.place);
}

/** It leaves as it came, and those who only audit or observe see what it holds. */
function audited(
  host: StageHost,
  asItCame: JudgedAnswer,
  { coding, reading, looking }: KnownCoding,
  outlet: AnswerOutlet,
  stages: readonly BodyStage[],
  exchange: Exchange,
): AnswerWay {
  const charge = host.openCharge();
  const unread = (seen: string): void =>
    noteUnread(
      exchange,
      looking,
      new Denial("response_unreadable", reading.place, seen, "one that can be looked into"),
    );
  if (!charge.hold(coding.bytes)) {
    unread("no room to inflate an answer");
    return asItCame;
  }
  const open = (sink: InflationSink): Inflation => reading.inflate(coding, sink);
  return new AuditedAnswer(asItCame, outlet, stages, open, charge, (failure) => unread(INFLATION_FAULTS[failure]));
}

/** Whoever watches it sees it as the service sent it, before anybody changes it. */
function watch({ watchers }: Exchange, answer: Answer): AnswerObserver[] {
  const observers: AnswerObserver[] = [];
  for (const watcher of watchers ?? []) {
    const observer = watcher.watch(answer);
    if (observer !== null) observers.push(observer);
  }
  return observers;
}

function judgeOne(
  check: ResponseCheck,
  isEnforced: boolean,
  subject: AnswerSubject,
  answer: Answer,
  rules: RuleToRun[],
): Verdict {
  const { exchange } = subject;
  const { isReplaced } = answer;
  const verdict = judgeHead(check, isEnforced, exchange, answer);
  if (verdict !== CONTINUE || !answer.hasBody || isReplaced) return verdict;
  if (check.judgesBody && answer.status === 206) return judgePart(check, isEnforced, subject);
  const rule = check.judgeBody?.(exchange, answer) ?? null;
  if (rule !== null) rules.push({ rule, check, isEnforced });
  return CONTINUE;
}

/** The head alone. What is not enforced changes nothing. */
function judgeHead(check: ResponseCheck, isEnforced: boolean, exchange: Exchange, answer: Answer): Verdict {
  const { headers, isReplaced } = answer;
  const verdict = check.judgeHead?.(exchange, answer) ?? CONTINUE;
  if (isEnforced) return verdict;
  answer.headers = headers;
  answer.isReplaced = isReplaced;
  if (verdict !== CONTINUE) exchange.audit(verdict, check);
  return CONTINUE;
}

/** A part of a body cannot be judged, for what is wrong with it may stand in the others. It was not asked for either, but
 * where a check only audits. */
function judgePart(check: ResponseCheck, isEnforced: boolean, { exchange, route }: AnswerSubject): Verdict {
  const isAsked = !isEnforced && exchange.headers.get("range") !== undefined;
  if (isAsked || route?.answerReading?.unreadable === "pass") {
    if (isEnforced || isAsked) countUnread(exchange);
    return CONTINUE;
  }
  const denial = new Denial("response_unreadable", check.place, "a part of an answer (206)", "the whole, to judge it");
  if (isEnforced) return denial;
  exchange.audit(denial, check);
  return CONTINUE;
}

function stageOf({ rule, check, isEnforced }: RuleToRun, host: StageHost, exchange: Exchange): BodyStage {
  if (isEnforced && rule.counted !== undefined) {
    exchange.answerCounts ??= [];
    exchange.answerCounts.push(...rule.counted);
  }
  return rule.kind === "stream"
    ? new StreamStage(rule, check, isEnforced, host)
    : new WholeStage(rule, check, isEnforced, host);
}

function hostOf({ exchange, deps }: AnswerSubject): StageHost {
  return {
    openCharge: () => new Charge(deps.memory.bodies, clientOf(exchange.clientAddress)),
    note: (denial, check) => exchange.audit(denial, check),
  };
}

/**
 * Phase `respond` of a head without a body of its own: a 1xx, or the 101 of a WebSocket. Gives the headers that pass, or
 * why none of it does.
 */
export function judgeBareHead(subject: AnswerSubject, status: number, headers: HeaderBlock): HeaderBlock | Denial {
  const answer = new Answer(status, headers, false);
  for (const check of subject.route?.responseChecks ?? []) {
    if (check.appliesTo?.(subject.exchange) === false) continue;
    const verdict = judgeHead(check, climbs(check, subject), subject.exchange, answer);
    if (verdict !== CONTINUE) return verdict;
  }
  return answer.headers;
}

function climbs({ name, enforcePercent }: ResponseCheck, { exchange, shares }: AnswerSubject): boolean {
  if (enforcePercent >= 100 || enforcePercent === 0) return enforcePercent > 0;
  return shares.of(name, exchange) * 100 < enforcePercent;
}

function countUnread(exchange: Exchange): void {
  exchange.answerCounts ??= [];
  exchange.answerCounts.push(UNREAD);
}
