import { Denial } from "../decision/verdict.ts";
import type { Ban } from "../limits/bans/ban.ts";
import type { Clock } from "../support/clock.ts";
import { threadHolds } from "../support/thread-holds.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { judge, type Outcome, type Subject } from "./pipeline.ts";

interface NotedBy {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Judges, and notes how long that kept the thread: up to the verdict, or to the first check that waits. A failure counts for
 * the policy's bans here and not where it is found, for what is judged again or only explained has failed nowhere.
 */
export function judgeNoted(subject: Subject, { clock, telemetry }: NotedBy): Outcome | Promise<Outcome> {
  const beganMs = clock.monotonicMs();
  const outcome = judge(subject);
  threadHolds.note("judge", clock.monotonicMs() - beganMs, subject.route?.template ?? "unmatched");
  if (subject.snapshot.bans === null) return outcome;
  const note = (settled: Outcome): Outcome => {
    if (settled instanceof Denial)
      for (const ban of countFailure(subject, settled)) telemetry.banned(ban, settled.reason);
    return settled;
  };
  return outcome instanceof Promise ? outcome.then(note) : note(outcome);
}

/** A denial counts for the policy's bans; those that begin with it. */
export function countFailure(
  { snapshot, exchange, route, trustedProxies }: Subject,
  { reason }: Denial,
): readonly Ban[] {
  if (snapshot.bans === null) return NO_BANS;
  // Whoever can make a request of which its proxy's word cannot be read would have the proxy banned, and all behind it.
  const isProxy = trustedProxies?.has(exchange.clientAddress) === true;
  return snapshot.bans.failed(reason, exchange, route?.template ?? null, isProxy);
}

/** What detectors found in a request that is over counts for the policy's bans, also where it was let through; those that begin with it. */
export function countSuspicion({ snapshot, exchange, route, trustedProxies }: Subject): readonly Ban[] {
  const score = exchange.detected?.score ?? 0;
  if (snapshot.bans === null || score === 0) return NO_BANS;
  const isProxy = trustedProxies?.has(exchange.clientAddress) === true;
  return snapshot.bans.suspected(score, exchange, route?.template ?? null, isProxy);
}

const NO_BANS: readonly Ban[] = [];

/** Of a fault in a check, which is no way through. */
export function faultDenial(error: unknown): Denial {
  const seen = error instanceof Error ? `${error.name}: ${error.message}` : "unknown error";
  return new Denial("internal_error", null, seen, "no error");
}
