import { CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import type { BodyRule, ResponseCheck } from "../filters/response-check.ts";
import { Charge } from "../memory/account.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { clientOf } from "../message/address.ts";
import { Answer, type AnswerObserver } from "../message/answer.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { type ClientResponse, NO_LENGTH } from "../message/stream.ts";
import type { Route } from "../policy/snapshot.ts";
import { type BodyStage, StreamStage, WholeStage } from "./body-stage.ts";
import { headersOfChanged } from "./changed-body.ts";
import { type AnswerOutlet, JudgedAnswer } from "./judged-answer.ts";
import { lengthForClient } from "./service-request.ts";

/** A request whose answer is judged. */
export interface AnswerSubject {
  readonly exchange: Exchange;
  readonly route: Route | null;
  /** 0 to 1, for the ladder's share. */
  readonly random: () => number;
  readonly deps: { readonly memory: Pick<MemoryBudget, "bodies"> };
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
): JudgedAnswer | Denial {
  const { exchange, route } = subject;
  const { status, headers } = response;
  const answer = new Answer(status, headers, exchange.method !== "HEAD" && status !== 204 && status !== 304);
  const observers = watch(exchange, answer);
  const stages: BodyStage[] = [];
  let isBodyJudged = false;
  for (const check of route?.responseChecks ?? []) {
    const isEnforced = climbs(check, subject);
    const denial = judgeOne(check, isEnforced, subject, answer, stages);
    if (denial !== CONTINUE) return denial;
    isBodyJudged ||= isEnforced && check.judgesBody;
  }
  // What HEAD and 304 say of a body that is not here is said of the service's, and the client would get another.
  const saysOfAnother = isBodyJudged && !answer.hasBody;
  if (saysOfAnother) answer.headers = headersOfChanged(answer.headers);
  const bodyBytes = saysOfAnother ? NO_LENGTH : lengthForClient(response);
  return new JudgedAnswer(answer, bodyBytes, outlet, observers, stages);
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
  stages: BodyStage[],
): Verdict {
  const { exchange } = subject;
  const verdict = judgeHead(check, isEnforced, exchange, answer) ?? judgePart(check, isEnforced, exchange, answer);
  if (verdict !== CONTINUE) return verdict;
  const rule = answer.hasBody ? (check.judgeBody?.(exchange, answer) ?? null) : null;
  if (rule !== null) stages.push(stageOf(rule, check, isEnforced, subject));
  return CONTINUE;
}

/** The head alone. What is not enforced changes nothing. */
function judgeHead(check: ResponseCheck, isEnforced: boolean, exchange: Exchange, answer: Answer): Verdict {
  const { headers } = answer;
  const verdict = check.judgeHead?.(exchange, answer) ?? CONTINUE;
  if (isEnforced) return verdict;
  answer.headers = headers;
  if (verdict !== CONTINUE) note(exchange, verdict);
  return CONTINUE;
}

/** A part of a body cannot be judged, for what is wrong with it may stand in the others. It was not asked for either. */
function judgePart(check: ResponseCheck, isEnforced: boolean, exchange: Exchange, { status }: Answer): Verdict {
  if (!check.judgesBody || status !== 206) return CONTINUE;
  const denial = new Denial("response_denied", check.place, "a part of an answer (206)", "the whole, to judge it");
  if (isEnforced) return denial;
  note(exchange, denial);
  return CONTINUE;
}

function stageOf(
  rule: BodyRule,
  check: ResponseCheck,
  isEnforced: boolean,
  { exchange, deps }: AnswerSubject,
): BodyStage {
  const charge = new Charge(deps.memory.bodies, clientOf(exchange.clientAddress));
  const noteIt = (denial: Denial): void => note(exchange, denial);
  return rule.kind === "stream"
    ? new StreamStage(rule, check, isEnforced, charge, noteIt)
    : new WholeStage(rule, check, isEnforced, charge, noteIt);
}

/**
 * Phase `respond` of a head without a body of its own: a 1xx, or the 101 of a WebSocket. Gives the headers that pass, or
 * why none of it does.
 */
export function judgeBareHead(subject: AnswerSubject, status: number, headers: HeaderBlock): HeaderBlock | Denial {
  const answer = new Answer(status, headers, false);
  for (const check of subject.route?.responseChecks ?? []) {
    const verdict = judgeHead(check, climbs(check, subject), subject.exchange, answer);
    if (verdict !== CONTINUE) return verdict;
  }
  return answer.headers;
}

function climbs({ enforcePercent }: ResponseCheck, { random }: AnswerSubject): boolean {
  return enforcePercent >= 100 || random() * 100 < enforcePercent;
}

function note(exchange: Exchange, denial: Denial): void {
  exchange.audited ??= [];
  exchange.audited.push(denial);
}
