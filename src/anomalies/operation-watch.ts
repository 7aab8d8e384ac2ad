import { DEFAULTS } from "../support/defaults.ts";
import type { AnomalySettings } from "./kinds.ts";
import { amountOf, Norm, powerOf, ShareNorm, single } from "./norm.ts";

/** A count of late: each tick what was there fades, and what came is added. */
export class Fading {
  value = 0;
  readonly #kept: number;

  /** `ms`: after so long a third is left. */
  constructor(ms: number) {
    this.#kept = Math.exp(-DEFAULTS.anomalyTickMs / ms);
  }

  pass(came: number): void {
    this.value = this.value * this.#kept + came;
  }
}

/** Of one decay: requests, failures, and what was not there. */
export class Rates {
  readonly requests: Fading;
  readonly failed: Fading;
  readonly missing: Fading;

  constructor(ms: number) {
    this.requests = new Fading(ms);
    this.failed = new Fading(ms);
    this.missing = new Fading(ms);
  }
}

/** Bytes of bodies in one direction. */
export class SizeWatch {
  readonly norm: Norm = new Norm();
  readonly outliers: Fading = new Fading(DEFAULTS.anomalySlowMs);
  /** More is unusual; Infinity until it is learnt. */
  boundBytes: number = Number.POSITIVE_INFINITY;
  highestBytes = 0;
  #came = 0;
  #count = 0;
  #sum = 0;
  #squares = 0;
  #highest = 0;

  /** Whether it is unusual. */
  see(bytes: number): boolean {
    const isOutlier = bytes > this.boundBytes;
    const power = Math.log2(1 + (isOutlier ? this.boundBytes : bytes));
    this.#count++;
    this.#sum += power;
    this.#squares += power * power;
    if (power > this.#highest) this.#highest = power;
    if (!isOutlier) return false;
    this.#came++;
    if (bytes > this.highestBytes) this.highestBytes = bytes;
    return true;
  }

  pass(nowMs: number, { learnMs }: AnomalySettings, factor: number): void {
    this.outliers.pass(this.#came);
    if (this.outliers.value < 0.5) this.highestBytes = 0;
    const isLearnt = this.norm.isLearnt(nowMs, learnMs, 100);
    // Outliers are in it as what is just usual.
    const batch = { count: this.#count, sum: this.#sum, squares: this.#squares, highest: this.#highest };
    this.norm.learn(batch, nowMs, isLearnt, false);
    this.boundBytes = isLearnt
      ? Math.max(DEFAULTS.anomalySizeBytesMin * factor, amountOf(this.norm.bound(factor)))
      : Number.POSITIVE_INFINITY;
    this.#came = 0;
    this.#count = 0;
    this.#sum = 0;
    this.#squares = 0;
    this.#highest = 0;
  }
}

/** The callers of an operation, as hashes. Too many, or new ones all the time: nobody is told as new. */
export class CallersWatch {
  readonly known: Set<number> = new Set();
  isOpen = false;
  lastNewMs = 0;
  /** Between two new ones, as it was of late. */
  gapMs = 0;

  /** Whether somebody comes to an operation whose callers have long been the same. */
  isUnexpected(caller: number, nowMs: number, learnMs: number, factor: number): boolean {
    if (this.isOpen || this.known.has(caller)) return false;
    if (this.known.size >= DEFAULTS.anomalyCallersMax) {
      this.isOpen = true;
      this.known.clear();
      return false;
    }
    this.known.add(caller);
    const { anomalySettledMsMin, anomalySettledTimes } = DEFAULTS;
    const since = nowMs - this.lastNewMs;
    const settledMs = Math.max(learnMs, anomalySettledMsMin * factor, this.gapMs * anomalySettledTimes * factor);
    if (this.lastNewMs > 0 && since >= settledMs) return true;
    // Only what is no anomaly says how often somebody new comes.
    this.gapMs = this.lastNewMs === 0 ? 0 : this.gapMs * 0.75 + since * 0.25;
    this.lastNewMs = nowMs;
    return false;
  }
}

/** One operation: a route of the policy and a method. */
export class OperationWatch {
  /** By which it is found again. */
  readonly key: string;
  /** `GET /orders/{id}`. */
  readonly name: string;
  /** `file:line:column` of the route; null for what no route takes. */
  policy: string | null;
  readonly fast: Rates = new Rates(DEFAULTS.anomalyFastMs);
  readonly slow: Rates = new Rates(DEFAULTS.anomalySlowMs);
  readonly errors: ShareNorm = new ShareNorm();
  readonly missing: ShareNorm = new ShareNorm();
  readonly time: Norm = new Norm();
  readonly requestSize: SizeWatch = new SizeWatch();
  readonly responseSize: SizeWatch = new SizeWatch();
  /** Different objects that one caller asked for in a short window. */
  readonly ids: Norm = new Norm();
  readonly callers: CallersWatch = new CallersWatch();
  readonly newCallers: { readonly caller: string; readonly id: string }[] = [];
  readonly #timed: Fading = new Fading(DEFAULTS.anomalyFastMs);
  readonly #timeSum: Fading = new Fading(DEFAULTS.anomalyFastMs);
  readonly #slowTimed: Fading = new Fading(DEFAULTS.anomalySlowMs);
  readonly #slowTimeSum: Fading = new Fading(DEFAULTS.anomalySlowMs);
  /** Since the last tick. */
  requests = 0;
  failed = 0;
  missed = 0;
  #times = 0;
  #timesSum = 0;
  /** It is looked at in the next tick. */
  isTouched = false;
  failedIds: string[] = [];
  missedIds: string[] = [];
  sizeIds: string[] = [];
  lastId = "";

  constructor(key: string, name: string, policy: string | null) {
    this.key = key;
    this.name = name;
    this.policy = policy;
  }

  /** Milliseconds to the service's head. */
  took(ms: number): void {
    this.#times++;
    this.#timesSum += Math.log2(1 + ms);
  }

  /** Mean of late, as a power of milliseconds; null where too few were timed. */
  get timePower(): number | null {
    return this.#timed.value < DEFAULTS.anomalyTimedMin ? null : this.#timeSum.value / this.#timed.value;
  }

  /** A caller has asked for so many objects in a window. */
  idsSeen(count: number, nowMs: number): void {
    const { ids } = this;
    // A few that go through all there is say nothing of the others.
    const most = ids.count < 20 ? Number.POSITIVE_INFINITY : ids.mean + 3 * ids.deviation;
    ids.learn(single(Math.min(powerOf(count), most)), nowMs, ids.isLearnt(nowMs, DEFAULTS.anomalyLearnMs, 20), false);
  }

  /** The same over a longer while: what a moment does to it is not usual. */
  get slowTimePower(): number {
    return this.#slowTimed.value < 1 ? 0 : this.#slowTimeSum.value / this.#slowTimed.value;
  }

  get isQuiet(): boolean {
    return this.slow.requests.value < 0.01;
  }

  /** What came since the last tick becomes what was of late. */
  pass(): void {
    for (const rates of [this.fast, this.slow]) {
      rates.requests.pass(this.requests);
      rates.failed.pass(this.failed);
      rates.missing.pass(this.missed);
    }
    this.#timed.pass(this.#times);
    this.#timeSum.pass(this.#timesSum);
    this.#slowTimed.pass(this.#times);
    this.#slowTimeSum.pass(this.#timesSum);
    this.#times = 0;
    this.#timesSum = 0;
  }

  /** The counts since the last tick are done with. */
  begin(): void {
    this.requests = 0;
    this.failed = 0;
    this.missed = 0;
  }

  dump(): readonly (readonly number[])[] {
    const { callers } = this;
    return [
      this.errors.dump(),
      this.missing.dump(),
      this.time.dump(),
      this.requestSize.norm.dump(),
      this.responseSize.norm.dump(),
      this.ids.dump(),
      [callers.isOpen ? 1 : 0, callers.lastNewMs, callers.gapMs, ...callers.known],
    ];
  }

  restore([errors, missing, time, requests, responses, ids, callers]: readonly (readonly number[])[]): void {
    this.errors.restore(errors ?? []);
    this.missing.restore(missing ?? []);
    this.time.restore(time ?? []);
    this.requestSize.norm.restore(requests ?? []);
    this.responseSize.norm.restore(responses ?? []);
    this.ids.restore(ids ?? []);
    const [isOpen = 0, lastNewMs = 0, gapMs = 0, ...known] = callers ?? [];
    this.callers.isOpen = isOpen === 1;
    this.callers.lastNewMs = lastNewMs;
    this.callers.gapMs = gapMs;
    for (const one of known.slice(0, DEFAULTS.anomalyCallersMax)) this.callers.known.add(one);
  }
}

/** The newest few. */
export function remember(ids: string[], id: string): void {
  ids.push(id);
  if (ids.length > DEFAULTS.anomalyExamplesMax) ids.shift();
}
