import type { Reason } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Distinct } from "./distinct.ts";
import type { AnomalySettings } from "./kinds.ts";
import { Norm, powerOf, ShareNorm, single } from "./norm.ts";
import { Fading, remember } from "./operation-watch.ts";
import { Telling } from "./telling.ts";

/** Who is refused: a caller, or an address. */
export interface Refused {
  readonly name: string;
  readonly isCaller: boolean;
}

/** How many of late, by one decay, and what is usual of that. */
export class Pace {
  readonly norm: Norm = new Norm();
  readonly late: Fading;
  readonly words: string;
  readonly floor: number;

  constructor(ms: number, words: string, floor: number) {
    this.late = new Fading(ms);
    this.words = words;
    this.floor = floor;
  }

  learn(nowMs: number, isLearnt: boolean, isAnomalous: boolean): void {
    this.norm.learn(single(powerOf(this.late.value)), nowMs, isLearnt, isAnomalous);
  }
}

/** Refusals for one reason. */
export class ReasonWatch {
  readonly reason: Reason;
  readonly paces: readonly Pace[] = [
    new Pace(DEFAULTS.anomalyFastMs, "a minute", DEFAULTS.anomalyDenialsMin),
    new Pace(DEFAULTS.anomalySlowMs, "15 minutes", DEFAULTS.anomalyDenialsSlowMin),
  ];
  examples: string[] = [];
  /** Who has most of them, where one has more than half (Boyer and Moore's vote). */
  leader: Refused | null = null;
  votes = 0;
  #came = 0;
  readonly #late = new Fading(DEFAULTS.anomalyFastMs);

  constructor(reason: Reason) {
    this.reason = reason;
  }

  see(name: string, isCaller: boolean, id: string): void {
    this.#came++;
    remember(this.examples, id);
    if (this.votes === 0) this.leader = { name, isCaller };
    this.votes += name === this.leader?.name ? 1 : -1;
  }

  pass(): void {
    for (const { late } of this.paces) late.pass(this.#came);
    this.#late.pass(this.#came);
    this.#came = 0;
    if (this.#late.value < 0.5) this.votes = 0;
  }

  get minute(): number {
    return this.#late.value;
  }

  /** Who has more than half of the last minute's. */
  get most(): Refused | null {
    return this.leader !== null && this.votes > this.#late.value / 2 ? this.leader : null;
  }
}

/** What comes of many addresses together, in windows: what no one of them shows. */
export class SpreadWatch {
  readonly windowMs: number;
  readonly norm: Norm = new Norm();
  readonly members: Distinct = new Distinct();
  readonly addresses: Distinct = new Distinct();
  examples: string[] = [];
  marked = 0;
  readonly telling: Telling = new Telling();
  isAnomalous = false;
  #startMs = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  see(member: number, address: number, id: string): void {
    this.marked++;
    this.telling.grow();
    this.addresses.add(address);
    if (this.members.add(member)) remember(this.examples, id);
  }

  /** Ends the window when it is time; `figure`: what is learnt of it. */
  pass(nowMs: number, figure: number, { learnMs }: AnomalySettings): void {
    if (this.#startMs === 0) this.#startMs = nowMs;
    if (nowMs - this.#startMs < this.windowMs) return;
    this.norm.learn(single(powerOf(figure)), nowMs, this.norm.isLearnt(nowMs, learnMs, 3), this.isAnomalous);
    this.#startMs = nowMs;
    this.members.clear();
    this.addresses.clear();
    this.examples = [];
    this.marked = 0;
    this.isAnomalous = false;
    this.telling.roll();
  }
}

/** What is counted of the service as a whole. */
export class ServiceWatch {
  readonly reasons: Map<Reason, ReasonWatch> = new Map();
  readonly errors: ShareNorm = new ShareNorm();
  /** Requests that were let through, in a minute. */
  readonly allowed: Fading = new Fading(DEFAULTS.anomalyFastMs);
  readonly traffic: Norm = new Norm();
  readonly scans: readonly SpreadWatch[] = [new SpreadWatch(DEFAULTS.anomalyShortMs), new SpreadWatch(6 * 3_600_000)];
  readonly guesses: readonly SpreadWatch[] = [new SpreadWatch(DEFAULTS.anomalyShortMs), new SpreadWatch(3_600_000)];
  allowedCame = 0;

  reason(reason: Reason): ReasonWatch {
    const known = this.reasons.get(reason);
    if (known !== undefined) return known;
    const watch = new ReasonWatch(reason);
    this.reasons.set(reason, watch);
    return watch;
  }

  /** How many times as busy as usual it is, from 1 to 10: what honest clients do wrong grows with them. */
  get rush(): number {
    if (this.traffic.count === 0) return 1;
    return Math.min(10, Math.max(1, this.allowed.value / Math.max(1, 2 ** this.traffic.mean - 1)));
  }

  pass(nowMs: number, { learnMs }: AnomalySettings): void {
    this.allowed.pass(this.allowedCame);
    this.allowedCame = 0;
    const isLearnt = this.traffic.isLearnt(nowMs, learnMs, 1);
    this.traffic.learn(single(powerOf(this.allowed.value)), nowMs, isLearnt, false);
  }

  restore(name: string, numbers: readonly number[], isReason: (text: string) => text is Reason): void {
    const [word = "", reason = ""] = name.split(" ");
    if (word === "errors") this.errors.restore(numbers);
    if (word === "traffic") this.traffic.restore(numbers);
    if (/^reason[01]$/.test(word) && isReason(reason)) {
      this.reason(reason).paces[Number(word.at(-1))]?.norm.restore(numbers);
    }
    for (const [at, watch] of this.scans.entries()) if (word === `scans${at}`) watch.norm.restore(numbers);
    for (const [at, watch] of this.guesses.entries()) if (word === `guesses${at}`) watch.norm.restore(numbers);
  }

  dump(): { readonly [name: string]: readonly number[] } {
    const named: Record<string, readonly number[]> = { errors: this.errors.dump(), traffic: this.traffic.dump() };
    for (const [at, watch] of this.scans.entries()) named[`scans${at}`] = watch.norm.dump();
    for (const [at, watch] of this.guesses.entries()) named[`guesses${at}`] = watch.norm.dump();
    for (const [reason, { paces }] of this.reasons) {
      for (const [at, { norm }] of paces.entries()) named[`reason${at} ${reason}`] = norm.dump();
    }
    return named;
  }
}
