import { DEFAULTS } from "../support/defaults.ts";
import { bytesText, type Finding, percentText, shortNumber, subjectOf, wideKey } from "./finding.ts";
import type { AnomalyKind, AnomalySettings } from "./kinds.ts";
import { amountOf, single } from "./norm.ts";
import { type OperationWatch, type Rates, remember, type SizeWatch } from "./operation-watch.ts";
import type { ServiceWatch } from "./service-watch.ts";

/** The totals of all operations that were looked at, for what is of the service as a whole. */
export interface Totals {
  requests: number;
  failed: number;
  cameRequests: number;
  cameFailed: number;
  failedIds: string[];
  /** The operation that fails most. */
  worst: { readonly requests: number; readonly failed: number };
}

export function noTotals(): Totals {
  return { requests: 0, failed: 0, cameRequests: 0, cameFailed: 0, failedIds: [], worst: { requests: 0, failed: 0 } };
}

/** Looks at one operation, and learns from what is usual of it. */
export function judgeOperation(
  watch: OperationWatch,
  nowMs: number,
  settings: AnomalySettings,
  totals: Totals,
): readonly Finding[] {
  watch.pass();
  const [requests, failed] = [watch.fast.requests.value, watch.fast.failed.value];
  totals.requests += requests;
  totals.failed += failed;
  if (failed > totals.worst.failed) totals.worst = { requests, failed };
  totals.cameRequests += watch.requests;
  totals.cameFailed += watch.failed;
  for (const id of watch.failedIds) remember(totals.failedIds, id);
  const found = [
    errorRate(watch, nowMs, settings),
    missingRate(watch, nowMs, settings),
    slowness(watch, nowMs, settings),
    size(watch, watch.requestSize, "request", nowMs, settings),
    size(watch, watch.responseSize, "answer", nowMs, settings),
    newCaller(watch, settings),
  ];
  if (watch.slow.failed.value < 0.5) watch.failedIds = [];
  if (watch.slow.missing.value < 0.5) watch.missedIds = [];
  watch.begin();
  return found.filter((one) => one !== null);
}

/** Failures of the service as a whole. */
export function judgeErrors(
  service: ServiceWatch,
  totals: Totals,
  nowMs: number,
  { learnMs, factors: { error_rate: factor } }: AnomalySettings,
): readonly Finding[] {
  const { errors } = service;
  const isLearnt = errors.isLearnt(nowMs, learnMs, 200);
  const { requests, failed, cameRequests, cameFailed, failedIds, worst } = totals;
  const isAbove = factor !== null && isLearnt && errors.isAbove(failed, requests, factor);
  errors.learn(cameFailed, cameRequests, nowMs, isLearnt, isAbove);
  // What one operation does alone is told as its own.
  if (!isAbove || !errors.isAbove(failed - worst.failed, requests - worst.requests, factor)) return [];
  return [
    {
      kind: "error_rate",
      subject: subjectOf({}),
      figure: failed / requests,
      seen: `${Math.round(failed)} of ${Math.round(requests)} requests failed (${percentText(failed / requests)}) in a minute`,
      expected: `${percentText(errors.share)} of them`,
      examples: failedIds,
      ticks: DEFAULTS.anomalyServiceErrorTicks,
      within: [],
    },
  ];
}

type Part = Pick<Finding, "figure" | "seen" | "expected" | "examples" | "ticks">;

function findingOf({ name, policy }: OperationWatch, kind: AnomalyKind, part: Part, caller?: string): Finding {
  const subject = subjectOf({ operation: name, policy, caller: caller ?? null });
  return { kind, subject, within: [wideKey(kind)], ...part };
}

/** Those rates that are above what is usual, the faster ones first. */
function ratesAbove(
  watch: OperationWatch,
  kind: "failed" | "missing",
  factor: number,
): readonly [Rates, string] | null {
  const norm = kind === "failed" ? watch.errors : watch.missing;
  if (norm.isAbove(watch.fast[kind].value, watch.fast.requests.value, factor)) return [watch.fast, "a minute"];
  // A long while remembers what is over; what is going on shows in the last minute, too, and by more than the one that always may be.
  const share = watch.slow[kind].value / watch.slow.requests.value;
  const { value: late } = watch.fast[kind];
  const { value: asked } = watch.fast.requests;
  const isGoingOn = late > (asked * share) / 4 && (asked < DEFAULTS.anomalyFewRequests || late > 1);
  const isAbove = isGoingOn && norm.isAbove(watch.slow[kind].value, watch.slow.requests.value, factor);
  return isAbove ? [watch.slow, "15 minutes"] : null;
}

function errorRate(watch: OperationWatch, nowMs: number, settings: AnomalySettings): Finding | null {
  const { learnMs, factors } = settings;
  const isLearnt = watch.errors.isLearnt(nowMs, learnMs, 100);
  const above = factors.error_rate !== null && isLearnt ? ratesAbove(watch, "failed", factors.error_rate) : null;
  watch.errors.learn(watch.failed, watch.requests, nowMs, isLearnt, above !== null);
  if (above === null) return null;
  const [{ requests, failed }, time] = above;
  const share = failed.value / requests.value;
  return findingOf(watch, "error_rate", {
    figure: share,
    seen: `${Math.round(failed.value)} of ${Math.round(requests.value)} requests failed (${percentText(share)}) in ${time}`,
    expected: `${percentText(watch.errors.share)} of them`,
    examples: watch.failedIds,
    ticks: DEFAULTS.anomalyErrorTicks,
  });
}

/** Who asks for what is not there guesses, though each of many callers guesses little. */
function missingRate(watch: OperationWatch, nowMs: number, settings: AnomalySettings): Finding | null {
  const { learnMs, factors } = settings;
  const isLearnt = watch.missing.isLearnt(nowMs, learnMs, 100);
  const above =
    factors.id_enumeration !== null && isLearnt ? ratesAbove(watch, "missing", factors.id_enumeration) : null;
  watch.missing.learn(watch.missed, watch.requests, nowMs, isLearnt, above !== null);
  if (above === null || !watch.name.includes("{")) return null;
  const [{ requests, missing }, time] = above;
  const share = missing.value / requests.value;
  return findingOf(watch, "id_enumeration", {
    figure: share,
    seen: `${Math.round(missing.value)} of ${Math.round(requests.value)} objects were not there (${percentText(share)}) in ${time}, of all callers`,
    expected: `${percentText(watch.missing.share)} of them`,
    examples: watch.missedIds,
    ticks: DEFAULTS.anomalyErrorTicks,
  });
}

function slowness(watch: OperationWatch, nowMs: number, settings: AnomalySettings): Finding | null {
  const { learnMs, factors } = settings;
  const power = watch.timePower;
  if (power === null) return null;
  const { time } = watch;
  const isLearnt = time.isLearnt(nowMs, learnMs, 100);
  const factor = factors.unusual_time ?? 1;
  const { anomalyTimeDeviations } = DEFAULTS;
  const bound = Math.max(time.meanBound(factor, anomalyTimeDeviations), time.peak.power + Math.sqrt(factor) / 2);
  const isSlow = isLearnt && power > bound && amountOf(power) >= DEFAULTS.anomalyTimeMsMin;
  time.learn({ ...single(power), highest: watch.slowTimePower }, nowMs, isLearnt, isSlow);
  if (!isSlow || factors.unusual_time === null) return null;
  return findingOf(watch, "unusual_time", {
    figure: amountOf(power),
    seen: `answers take ${shortNumber(amountOf(power))} ms`,
    expected: `${shortNumber(amountOf(time.mean))} ms, at most ${shortNumber(amountOf(bound))} ms`,
    examples: [watch.lastId],
    ticks: DEFAULTS.anomalyTimeTicks,
  });
}

function size(
  watch: OperationWatch,
  sizes: SizeWatch,
  what: "request" | "answer",
  nowMs: number,
  settings: AnomalySettings,
): Finding | null {
  const factor = settings.factors.unusual_size;
  const bound = sizes.boundBytes;
  sizes.pass(nowMs, settings, factor ?? 1);
  const isMuch = sizes.outliers.value >= DEFAULTS.anomalySizesMin * Math.max(1, factor ?? 1) - 0.5;
  const isHuge = sizes.outliers.value >= 0.5 && sizes.highestBytes > Math.max(bound * 16, 1024 * 1024);
  if (factor === null || (!isMuch && !isHuge)) {
    if (sizes.outliers.value < 0.5) watch.sizeIds = [];
    return null;
  }
  return findingOf(watch, "unusual_size", {
    figure: sizes.highestBytes,
    seen: `${what}s of up to ${bytesText(sizes.highestBytes)}`,
    expected: `${bytesText(amountOf(sizes.norm.mean))}, at most ${bytesText(bound)}`,
    examples: watch.sizeIds,
    ticks: 1,
  });
}

function newCaller(watch: OperationWatch, { factors }: AnomalySettings): Finding | null {
  const came = watch.newCallers.splice(0);
  const [first] = came;
  if (first === undefined || factors.new_caller === null) return null;
  const more = came.length === 1 ? "" : ` and ${came.length - 1} more`;
  return findingOf(
    watch,
    "new_caller",
    {
      figure: came.length,
      seen: `${first.caller}${more} asked for the first time`,
      expected: `one of ${watch.callers.known.size - came.length} callers`,
      examples: came.slice(0, DEFAULTS.anomalyExamplesMax).map(({ id }) => id),
      ticks: 1,
    },
    first.caller,
  );
}
