import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { ServiceLook } from "./service-look.ts";

/** How an adaptive limit may move; its `max` is the limit's own number. */
export interface GradientRules {
  readonly min: number;
  readonly max: number;
  /** How many times as long as unhurried an answer may take before the limit falls. */
  readonly tolerance: number;
}

/**
 * How many requests a service manages, found by how long it takes: while answers come as fast as they do without a crowd, more
 * are let in, a square root of what there are at a time; when they take longer by more than the tolerance, fewer, in the
 * proportion in which they do. After gradient2 of https://github.com/Netflix/concurrency-limits and Envoy's adaptive
 * concurrency filter.
 *
 * What a window says is the median of its answers, which a few slow requests do not move. What an answer takes without a crowd
 * is the least that any window of the last minute said; where the limit was never free in that time, it is lowered for a
 * moment so that there is such a window.
 */
export class Gradient {
  /** Of the policy that was asked last. */
  rules: GradientRules;
  readonly #clock: Clock;
  readonly #random: () => number;
  #limit: number;
  /** Of the window that is open. */
  #samples: number[] = [];
  #seen = 0;
  #late = 0;
  #mostInFlight = 0;
  #windowEndMs: number;
  /** Least median of the spell before, and of this one. */
  #before = Number.POSITIVE_INFINITY;
  #now = Number.POSITIVE_INFINITY;
  #spellEndMs: number;
  /** No window of this spell left room. */
  #wasCrowded = true;
  /** Windows that the limit stays lowered for. */
  #probes = 0;

  constructor(rules: GradientRules, clock: Clock, random: () => number) {
    this.rules = rules;
    this.#clock = clock;
    this.#random = random;
    this.#limit = Math.max(rules.min, Math.min(rules.max, DEFAULTS.adaptiveStart));
    this.#windowEndMs = clock.monotonicMs() + DEFAULTS.adaptiveWindowMs;
    this.#spellEndMs = clock.monotonicMs() + this.#spellMs();
  }

  get limit(): number {
    const { min, tolerance } = this.rules;
    // So low that the crowd is gone, though the limit may have grown to tolerance times what the service manages.
    return this.#probes > 0 ? Math.max(min, Math.floor(this.#limit / (2 * tolerance))) : Math.floor(this.#limit);
  }

  /** Milliseconds that an answer takes without a crowd, as far as that is known. */
  get unhurriedMs(): number {
    return Math.min(this.#before, this.#now);
  }

  /** A request is over that was one of `inFlight`. */
  saw(look: ServiceLook, inFlight: number): void {
    if (look === null) return;
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    this.#seen++;
    if (look === "late") this.#late++;
    else if (this.#samples.length < DEFAULTS.adaptiveSamplesMax) this.#samples.push(look);
    else this.#samples[Math.floor(this.#random() * DEFAULTS.adaptiveSamplesMax)] = look;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#windowEndMs && this.#seen >= DEFAULTS.adaptiveSamplesMin) this.#endWindow(nowMs);
  }

  #endWindow(nowMs: number): void {
    const median = this.#median();
    const wasFull = this.#mostInFlight >= this.limit * 0.9;
    const wasHalfFull = this.#mostInFlight >= this.limit / 2;
    this.#windowEndMs = nowMs + DEFAULTS.adaptiveWindowMs;
    this.#samples = [];
    this.#seen = 0;
    this.#late = 0;
    this.#mostInFlight = 0;
    if (this.#probes > 0) {
      this.#probes--;
      // Answers of the first window were begun before there was room.
      if (this.#probes === 0) this.#now = Math.min(this.#now, median);
      return;
    }
    if (!wasFull) this.#wasCrowded = false;
    this.#now = Math.min(this.#now, median);
    this.#move(median, wasHalfFull);
    if (nowMs >= this.#spellEndMs) this.#endSpell(nowMs);
  }

  #move(median: number, wasHalfFull: boolean): void {
    const { min, max, tolerance } = this.rules;
    // Where most answers did not come in time, nothing is known of how late they are.
    const ratio = Number.isFinite(median) ? (tolerance * this.unhurriedMs) / median : 0;
    const gradient = Math.max(0.5, Math.min(1, ratio));
    const room = Math.sqrt(this.#limit);
    const aim = this.#limit * gradient + room;
    // A limit that nobody comes near says nothing about whether more would do.
    if (aim > this.#limit && !wasHalfFull) return;
    const moved = this.#limit + DEFAULTS.adaptiveStep * (aim - this.#limit);
    this.#limit = Math.max(min, Math.min(max, moved));
  }

  #endSpell(nowMs: number): void {
    if (this.#wasCrowded) this.#probes = 2;
    this.#before = this.#now;
    this.#now = Number.POSITIVE_INFINITY;
    this.#wasCrowded = true;
    this.#spellEndMs = nowMs + this.#spellMs();
  }

  /** Not all replicas at one moment. */
  #spellMs(): number {
    return DEFAULTS.adaptiveSpellMs * (0.75 + this.#random() / 2);
  }

  /** Of all answers; those that did not come in time are longer than any. */
  #median(): number {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const inTime = this.#seen - this.#late;
    const at = inTime === 0 ? 0 : Math.floor((sorted.length * this.#seen) / (2 * inTime));
    const median = sorted[at] ?? Number.POSITIVE_INFINITY;
    return Math.max(median, DEFAULTS.adaptiveLatencyMsMin);
  }
}
