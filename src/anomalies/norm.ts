import { DEFAULTS } from "../support/defaults.ts";

const DAY_MS = 24 * 3_600_000;
/** In powers of two: what is learnt may grow by so much in a day. */
const GROWTH_A_DAY = 1;

/** Numbers are learnt by their powers of two: bytes, milliseconds and counts differ by factors. */
export const powerOf = (value: number): number => Math.log2(1 + Math.max(0, value));
export const amountOf = (power: number): number => 2 ** power - 1;

/** How a learned number stood when the day began: in a day it rises by so much and no more. */
class DayBegin {
  #atMs = 0;
  #value = 0;

  /** What the number, now `value`, may rise to at most. Until it is learnt the day has not begun. */
  most(value: number, nowMs: number, isLearnt: boolean, mostOf: (begin: number) => number): number {
    if (!isLearnt || nowMs - this.#atMs >= DAY_MS) {
      this.#atMs = nowMs;
      this.#value = value;
    }
    return mostOf(this.#value);
  }
}

/**
 * The highest of what was usual, which fades. Once it is learnt, it rises by no more than a factor of two in a day: whoever
 * would teach it a higher one has to come back for days, and is told of until then.
 */
export class Peak {
  power = 0;
  #atMs = 0;
  readonly #day = new DayBegin();

  raise(power: number, nowMs: number, isBounded: boolean): void {
    if (this.#atMs > 0) this.power *= 0.5 ** (Math.max(0, nowMs - this.#atMs) / DEFAULTS.anomalyPeakMs);
    this.#atMs = nowMs;
    const most = this.#day.most(this.power, nowMs, isBounded, (begin) => Math.max(1, begin) + GROWTH_A_DAY);
    this.power = Math.max(this.power, isBounded ? Math.min(power, most) : power);
  }

  dump(): readonly number[] {
    return [this.power, this.#atMs];
  }

  restore([power = 0, atMs = 0]: readonly number[]): void {
    this.power = power;
    this.#atMs = atMs;
  }
}

/** What was seen in a stretch of time, as powers of two. */
export interface Batch {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  readonly highest: number;
}

/** A single number as such a batch. */
export function single(power: number): Batch {
  return { count: 1, sum: power, squares: power * power, highest: power };
}

/**
 * A learned mean, deviation and peak. What is anomalous does not teach it, unless it stays for hours; and then its mean grows by
 * no more than a factor of two in a day.
 */
export class Norm {
  readonly peak: Peak = new Peak();
  count = 0;
  mean = 0;
  #variance = 0;
  #sinceMs = 0;
  #atMs = 0;
  #anomalousMs: number | null = null;
  readonly #meanDay = new DayBegin();
  readonly #deviationDay = new DayBegin();

  get deviation(): number {
    return Math.max(DEFAULTS.anomalyDeviationMin, Math.sqrt(this.#variance));
  }

  isLearnt(nowMs: number, learnMs: number, countMin: number): boolean {
    return this.count >= countMin && this.#sinceMs > 0 && nowMs - this.#sinceMs >= learnMs;
  }

  /** From where on something is unusual, by the mean and the peak. `factor`: of the sensitivity. */
  bound(factor: number, deviations: number = DEFAULTS.anomalyDeviations): number {
    return Math.max(this.meanBound(factor, deviations), this.peak.power + Math.sqrt(factor));
  }

  /** The same by the mean alone. */
  meanBound(factor: number, deviations: number): number {
    return this.mean + deviations * Math.sqrt(factor) * this.deviation;
  }

  /** For counts, of which there are more where there is more of everything (`rush`): more than so many are unusual. */
  limit(factor: number, rush: number): number {
    const usual = DEFAULTS.anomalyTimes * rush * amountOf(this.mean);
    return Math.max(amountOf(this.bound(factor, DEFAULTS.anomalyCountDeviations)), usual);
  }

  /** `isLearnt`: its growth is bounded. */
  learn(batch: Batch, nowMs: number, isLearnt: boolean, isAnomalous: boolean): void {
    if (batch.count === 0) return;
    this.#anomalousMs = isAnomalous ? (this.#anomalousMs ?? nowMs) : null;
    if (this.#anomalousMs !== null && nowMs - this.#anomalousMs < DEFAULTS.anomalyNewNormalMs) return;
    const passedMs = this.#atMs === 0 ? 0 : Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    if (this.#sinceMs === 0) this.#sinceMs = nowMs;
    const { count, sum, squares, highest } = batch;
    const mean = sum / count;
    const weight = Math.max(count / (this.count + count), Math.min(1, passedMs / DEFAULTS.anomalyMeanMs));
    const apart = mean - this.mean;
    const within = Math.max(0, squares / count - mean * mean);
    const variance = (1 - weight) * (this.#variance + weight * apart * apart) + weight * within;
    const mostMean = this.#meanDay.most(this.mean, nowMs, isLearnt, (begin) => begin + GROWTH_A_DAY);
    // Bounded, too: whoever widens the deviation has widened the bound.
    const mostDeviation = this.#deviationDay.most(this.deviation, nowMs, isLearnt, (begin) => begin * 2);
    this.mean += weight * apart;
    this.#variance = variance;
    if (isLearnt) {
      this.mean = Math.min(this.mean, mostMean);
      this.#variance = Math.min(variance, mostDeviation ** 2);
    }
    this.count = Math.min(this.count + count, 1e9);
    this.peak.raise(highest, nowMs, isLearnt);
  }

  dump(): readonly number[] {
    return [this.count, this.mean, this.#variance, this.#sinceMs, this.#atMs, ...this.peak.dump()];
  }

  restore([count = 0, mean = 0, variance = 0, sinceMs = 0, atMs = 0, ...peak]: readonly number[]): void {
    this.count = count;
    this.mean = mean;
    this.#variance = Math.max(0, variance);
    this.#sinceMs = sinceMs;
    this.#atMs = atMs;
    this.peak.restore(peak);
  }
}

/** A learned share, as of failures among requests. */
export class ShareNorm {
  #events = 0;
  #all = 0;
  #sinceMs = 0;
  #atMs = 0;
  #anomalousMs: number | null = null;
  readonly #day = new DayBegin();

  get share(): number {
    return this.#all === 0 ? 0 : this.#events / this.#all;
  }

  isLearnt(nowMs: number, learnMs: number, countMin: number): boolean {
    return this.#all >= countMin && this.#sinceMs > 0 && nowMs - this.#sinceMs >= learnMs;
  }

  /** Whether so many of so many are more than chance and the learned share make of them. */
  isAbove(events: number, all: number, factor: number): boolean {
    if (events < DEFAULTS.anomalyErrorsMin * factor || all === 0) return false;
    const { share } = this;
    const expected = all * share;
    const least = Math.max(DEFAULTS.anomalyErrorShareMin * factor, DEFAULTS.anomalyErrorTimes * share);
    if (events / all < Math.min(least, (1 + share) / 2)) return false;
    const deviations = (events - expected) / Math.sqrt(Math.max(1, expected * (1 - share)));
    return deviations > DEFAULTS.anomalyDeviations * Math.sqrt(factor);
  }

  learn(events: number, all: number, nowMs: number, isLearnt: boolean, isAnomalous: boolean): void {
    if (all === 0) return;
    this.#anomalousMs = isAnomalous ? (this.#anomalousMs ?? nowMs) : null;
    if (this.#anomalousMs !== null && nowMs - this.#anomalousMs < DEFAULTS.anomalyNewNormalMs) return;
    const passedMs = this.#atMs === 0 ? 0 : Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    if (this.#sinceMs === 0) this.#sinceMs = nowMs;
    const most = this.#day.most(this.share, nowMs, isLearnt, (begin) => 2 * begin + 0.001);
    const kept = Math.exp(-passedMs / DEFAULTS.anomalyMeanMs);
    this.#all = this.#all * kept + all;
    this.#events = this.#events * kept + events;
    if (isLearnt && this.share > most) this.#events = most * this.#all;
  }

  dump(): readonly number[] {
    return [this.#events, this.#all, this.#sinceMs, this.#atMs];
  }

  restore([events = 0, all = 0, sinceMs = 0, atMs = 0]: readonly number[]): void {
    this.#events = Math.min(events, all);
    this.#all = all;
    this.#sinceMs = sinceMs;
    this.#atMs = atMs;
  }
}
