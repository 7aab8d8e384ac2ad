import { Denial } from "../decision/verdict.ts";
import { IN_EVERY_SHARE } from "../filters/ladder.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ListenerSettings, Route, Snapshot } from "../policy/snapshot.ts";
import { OwnAnswer } from "../proxy/own-page.ts";
import { judge, type Observer, type Outcome, type Subject } from "../proxy/pipeline.ts";
import { checkStep, ownDenialStep, partSteps, placeText, type Step } from "../records/step.ts";
import { banSteps } from "./ban-steps.ts";
import {
  answerStep,
  type Explanation,
  explanation,
  handshakeExplanation,
  handshakeStep,
  openingSteps,
  ownPageStep,
  preflightStep,
  refusedAnswerStep,
  respondSteps,
  rewriteSteps,
  routeStep,
} from "./explanation.ts";
import { judgeWatched } from "./watched-request.ts";

/**
 * Judges the exchange by the compiled snapshot, as the data path would, and tells each step. `isOnline`: what the policy
 * depends on elsewhere lives as long as this takes.
 */
export async function explain(
  snapshot: Snapshot,
  listener: ListenerSettings,
  exchange: Exchange,
  isOnline: boolean,
): Promise<Explanation> {
  if (!isOnline) return tell(snapshot, listener, exchange, false);
  const resources = [...snapshot.resources.values()];
  for (const resource of resources) resource.start();
  const told = await tell(snapshot, listener, exchange, true);
  for (const resource of resources) resource.close();
  return told;
}

async function tell(
  snapshot: Snapshot,
  listener: ListenerSettings,
  exchange: Exchange,
  isOnline: boolean,
): Promise<Explanation> {
  return explanationOf(await rehearse(snapshot, listener, exchange), exchange, snapshot, isOnline);
}

/** A request that nobody sent, judged. */
export interface Rehearsal {
  readonly steps: readonly Step[];
  /** Null where the connection ends in its handshake. */
  readonly judged: Judgement | null;
}

export interface Judgement {
  readonly subject: Subject;
  readonly outcome: Outcome;
}

/** Where the service's answer was refused, which the request was not. */
export function withRefusedAnswer(rehearsal: Rehearsal, denial: Denial): Rehearsal {
  const { steps, judged } = rehearsal;
  if (judged === null || judged.outcome instanceof Denial) return rehearsal;
  return { steps: [...steps, refusedAnswerStep(denial)], judged: { ...judged, outcome: denial } };
}

/** In place of the id that a request gets when it comes. */
export const DECISION_ID = "the id of the decision";

export interface RehearsalHooks {
  readonly onCheck?: Observer["onCheck"];
  /** The route is known, and none of its checks was asked yet. */
  readonly onRoute?: () => void;
  /** Waits for what a check waits for. */
  readonly awaitOutcome?: (outcome: Promise<Outcome>) => Promise<Outcome>;
}

/** Judges the exchange as the data path would, and notes each step. */
export async function rehearse(
  snapshot: Snapshot,
  listener: ListenerSettings,
  exchange: Exchange,
  { onCheck, onRoute, awaitOutcome }: RehearsalHooks = {},
): Promise<Rehearsal> {
  const steps: Step[] = openingSteps(exchange, listener.place);
  const handshake = handshakeStep(exchange, listener);
  if (handshake !== null) return { steps: [...steps, handshake], judged: null };
  let matched = false;
  const noteMatch = (): void => {
    if (matched || subject.route === null) return;
    matched = true;
    steps.push(routeStep(subject.route, exchange.version));
  };
  const subject: Subject = {
    snapshot,
    exchange,
    trustsForwardedHost: listener.trustsForwardedHost,
    forwardedCertificates: listener.forwardedCertificates,
    trustedProxies: listener.trustedProxies?.has(exchange.connection.peer) === true ? listener.trustedProxies : null,
    shares: IN_EVERY_SHARE,
    fault: null,
    route: null,
    ownPage: null,
    methodBody: null,
    observer: {
      onCheck: (check, verdict, enforced) => {
        noteMatch();
        steps.push(...partSteps(check, verdict), checkStep(check, verdict, enforced, exchange));
        onCheck?.(check, verdict, enforced);
      },
    },
  };
  snapshot.requestIds?.begin(exchange, DECISION_ID, subject.trustedProxies !== null);
  const pending = judge(subject, {
    admit: ({ admitChecks }) => admitChecks,
    of: ({ checks }) => {
      onRoute?.();
      return checks;
    },
  });
  const permitted =
    pending instanceof Promise && awaitOutcome !== undefined ? await awaitOutcome(pending) : await pending;
  const isForwarded = !(permitted instanceof Denial || permitted instanceof OwnAnswer);
  const outcome = isForwarded ? ((await judgeWatched(subject)) ?? permitted) : permitted;
  noteMatch();
  steps.push(...endSteps(subject, outcome, steps.at(-1)));
  return { steps, judged: { subject, outcome } };
}

function endSteps({ route, exchange, ownPage }: Subject, outcome: Outcome, last: Step | undefined): Step[] {
  if ("reason" in outcome)
    return last?.result === "deny" ? [] : [ownDenialStep({ ...outcome, place: placeText(outcome.place) })];
  const steps: Step[] = [];
  if (route !== null && outcome instanceof OwnAnswer && outcome.isOfRoute) steps.push(answerStep(route, outcome));
  else if (route !== null) steps.push(...passedSteps(route, exchange, outcome instanceof OwnAnswer));
  if (ownPage !== null) steps.push(ownPageStep(ownPage));
  return steps;
}

/** What is told of a rehearsal. */
export function explanationOf(
  { steps, judged }: Rehearsal,
  exchange: Exchange,
  snapshot: Snapshot,
  isOnline: boolean,
): Explanation {
  if (judged === null) return handshakeExplanation(exchange, snapshot, steps);
  const { subject, outcome } = judged;
  return explanation(exchange, subject, [...steps, ...banSteps(subject, outcome)], outcome, isOnline);
}

/** What becomes of a request that a route lets pass, and of its answer. */
function passedSteps(route: Route, exchange: Exchange, isPreflight: boolean): Step[] {
  if (isPreflight) return [preflightStep(route)];
  return [...rewriteSteps(route, exchange), ...respondSteps(route, exchange)];
}
