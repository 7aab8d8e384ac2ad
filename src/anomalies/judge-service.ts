import type { Reason } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Finding, keyOf, shortNumber, subjectOf, wideKey } from "./finding.ts";
import { ANOMALY_KINDS, type AnomalyKind, type AnomalySettings } from "./kinds.ts";
import { amountOf } from "./norm.ts";
import type { Pace, ReasonWatch, ServiceWatch, SpreadWatch } from "./service-watch.ts";

/** Refusals that a scan is made of; those of guesses come from the policy. */
export const SCANNED: ReadonlySet<Reason> = new Set<Reason>([
  "route_not_found",
  "operation_undeclared",
  "method_not_allowed",
]);

export interface ServiceWorld {
  readonly nowMs: number;
  /** Since when anything is learnt: a reason that never came is learnt, too. */
  readonly sinceMs: number;
  readonly settings: AnomalySettings;
  /** Reasons of credentials that are not good. */
  readonly guesses: ReadonlySet<Reason>;
}

/** Looks at what all clients together do, and learns from what is usual of it. */
export function judgeService(service: ServiceWatch, world: ServiceWorld): readonly Finding[] {
  const { nowMs, settings } = world;
  service.pass(nowMs, settings);
  const { rush } = service;
  const found: (Finding | null)[] = [];
  for (const watch of service.reasons.values()) found.push(denials(watch, world, rush));
  for (const watch of service.scans) {
    found.push(scan(watch, nowMs, settings, rush));
    watch.pass(nowMs, watch.members.count, settings);
  }
  for (const watch of service.guesses) {
    found.push(stuffing(watch, nowMs, settings, rush));
    watch.pass(nowMs, watch.marked, settings);
  }
  return found.filter((one) => one !== null);
}

function denials(watch: ReasonWatch, world: ServiceWorld, rush: number): Finding | null {
  watch.pass();
  const { nowMs, sinceMs, settings } = world;
  const factor = settings.factors.denial_burst;
  const isLearnt = nowMs - sinceMs >= settings.learnMs;
  let found: Finding | null = null;
  for (const pace of watch.paces) {
    const limit = Math.max(pace.floor * (factor ?? 1), pace.norm.limit(factor ?? 1, rush));
    // A long while remembers what is over; what is going on shows in the last minute, too.
    const isBurst = isLearnt && pace.late.value > limit && watch.minute > limit / 30;
    pace.learn(nowMs, isLearnt, isBurst);
    if (factor !== null && isBurst) found ??= burst(watch, pace, limit, world.guesses);
  }
  return found;
}

function burst(watch: ReasonWatch, { late, norm, words }: Pace, limit: number, guesses: ReadonlySet<Reason>): Finding {
  const { reason, most, examples } = watch;
  const who = most === null ? null : most.isCaller ? { caller: most.name } : { client: most.name };
  // A scan is refused a lot; it is told as what it is.
  const told = SCANNED.has(reason) ? "path_scan" : guesses.has(reason) ? "credential_stuffing" : null;
  const wide = told === null ? [] : [wideKey(told)];
  return {
    kind: "denial_burst",
    subject: subjectOf(who ?? { reason }),
    figure: late.value,
    seen: `${Math.round(late.value)} requests were refused in ${words} with ${reason}${who === null ? "" : ", most of one client"}`,
    expected: `${shortNumber(amountOf(norm.mean))}, at most ${shortNumber(limit)}`,
    examples,
    ticks: told === null ? DEFAULTS.anomalyDenialTicks : DEFAULTS.anomalyDenialToldTicks,
    within: told === null || who === null ? wide : [...wide, keyOf(told, who)],
  };
}

const windowText = ({ windowMs }: SpreadWatch): string =>
  windowMs < 3_600_000 ? "10 minutes" : windowMs === 3_600_000 ? "an hour" : `${windowMs / 3_600_000} hours`;

function scan(watch: SpreadWatch, nowMs: number, settings: AnomalySettings, rush: number): Finding | null {
  const factor = settings.factors.path_scan;
  if (factor === null || !watch.norm.isLearnt(nowMs, settings.learnMs, 3)) return null;
  const limit = Math.max(DEFAULTS.anomalyPathsSpreadMin * factor, watch.norm.limit(factor, rush));
  const { members, addresses, norm } = watch;
  // One or two are told by their addresses.
  if (members.count < limit || addresses.count < 3) return null;
  return wide("path_scan", watch, members.count, nowMs, {
    seen: `${members.count} different paths that are not there or are refused, by ${addresses.count} addresses in ${windowText(watch)}`,
    expected: `${shortNumber(amountOf(norm.mean))}, at most ${shortNumber(limit)}`,
  });
}

function stuffing(watch: SpreadWatch, nowMs: number, settings: AnomalySettings, rush: number): Finding | null {
  const factor = settings.factors.credential_stuffing;
  if (factor === null || !watch.norm.isLearnt(nowMs, settings.learnMs, 3)) return null;
  const limit = Math.max(DEFAULTS.anomalyFailuresMin * factor, watch.norm.limit(factor, rush));
  const { marked, addresses, norm } = watch;
  if (marked < limit || addresses.count < DEFAULTS.anomalyFailedAddressesMin) return null;
  return wide("credential_stuffing", watch, marked, nowMs, {
    seen: `${marked} credentials failed, of ${addresses.count} addresses in ${windowText(watch)}`,
    expected: `${shortNumber(amountOf(norm.mean))}, at most ${shortNumber(limit)}`,
  });
}

/** Null where there is no more of it, or it was told before. */
function wide(
  kind: AnomalyKind,
  watch: SpreadWatch,
  figure: number,
  nowMs: number,
  texts: Pick<Finding, "seen" | "expected">,
): Finding | null {
  watch.isAnomalous = true;
  const { telling } = watch;
  if (!telling.takeGrowth() || !telling.isNews(figure, nowMs, ANOMALY_KINDS[kind].quietMs)) return null;
  telling.told(figure, nowMs);
  return { kind, subject: subjectOf({}), figure, examples: watch.examples, ticks: 1, within: [], ...texts };
}
