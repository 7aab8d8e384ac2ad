import { CONTINUE, type Denial, type Verdict } from "../../decision/verdict.ts";
import type { Count } from "../../limits/quota/counts.ts";
import type { SharedCounts } from "../../limits/quota/shared-counts.ts";
import type { QuotaTerms } from "../../limits/redis/ask.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitState } from "../../message/limit-state.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { ShareableLimit } from "../filter.ts";
import { type CalendarFacts, CalendarLimit, secondsOf, windowsOf } from "./calendar-limit.ts";
import type { Cost } from "./cost.ts";
import type { Counts } from "./counted.ts";
import { phaseWith } from "./keyed-limit.ts";
import { StoreTaken } from "./store-taken.ts";

/** Everything about a quota that is known at load. */
export interface QuotaFacts extends CalendarFacts {
  /** Of all replicas together, where a store counts it. */
  readonly whole: number;
  /** Null where each request costs 1. */
  readonly cost: Cost | null;
  /** Null where all requests count. */
  readonly counts: Counts | null;
  /** Whether other limits of the policy may refuse what this one counted. */
  readonly hasOthers: boolean;
}

/** One request that a quota counted. */
class QuotaTaken implements Taken {
  readonly #shared: SharedCounts;
  readonly #count: Count;
  readonly #amount: number;
  readonly #startMs: number;
  readonly #counts: Counts | null;
  /** What the client is told of it; null where nothing. */
  readonly #state: LimitState | null;

  constructor(shared: SharedCounts, count: Count, amount: number, counts: Counts | null, state: LimitState | null) {
    this.#counts = counts;
    this.#state = state;
    this.#shared = shared;
    this.#count = count;
    this.#amount = amount;
    this.#startMs = shared.counts.window.startMs;
  }

  giveBack(): void {
    this.#shared.counts.giveBack(this.#count, this.#amount, this.#startMs);
    if (this.#state !== null) this.#state.remaining += this.#amount;
  }

  onEnd(facts: AnswerFacts): void {
    if (this.#counts !== null && !this.#counts(facts)) this.giveBack();
  }
}

/** One quota: a hard number in each window of the calendar. */
export class QuotaLimit extends CalendarLimit implements ShareableLimit {
  readonly storedAs = "quota";
  readonly scale = 1;
  readonly #facts: QuotaFacts;

  constructor(facts: QuotaFacts, shared: SharedCounts) {
    const { key, cost } = facts;
    const needs = { tellsMethods: cost?.tellsMethods ?? null, readsAnswers: false };
    super("quota", facts, shared, { phase: phaseWith(key, cost?.phase), needs });
    this.#facts = facts;
  }

  /** As a store counts it: windows of the same calendar, at the store's time. */
  get terms(): QuotaTerms {
    return { kind: "quota", limit: this.#facts.whole, windowsAt: windowsOf(this.shared.identity) };
  }

  costOf(exchange: Exchange): number {
    const { cost } = this.#facts;
    return cost === null ? 1 : cost.of(exchange);
  }

  taken(_: Exchange, units: number, correct: (units: number) => void): Taken {
    return new StoreTaken(units, this.#facts.counts, correct);
  }

  admit(exchange: Exchange, routeTemplate: string, remaining: number, resetMs: number): Verdict {
    this.notePassed(this.keyOf(exchange, routeTemplate), exchange, routeTemplate, remaining);
    this.tellUntil(exchange, remaining, resetMs);
    return CONTINUE;
  }

  refuse(exchange: Exchange, routeTemplate: string, waitMs: number): Verdict {
    return this.#deny(this.keyOf(exchange, routeTemplate), exchange, routeTemplate, waitMs);
  }

  protected take(exchange: Exchange, routeTemplate: string): Verdict {
    const { limit, clock, counts: counted, hasOthers } = this.#facts;
    const { counts } = this.shared;
    const nowMs = clock.wallMs();
    counts.turn(nowMs);
    this.shared.limit = limit;
    const text = this.key.reader.text(exchange, routeTemplate);
    if (text === null) return this.key.verdict(exchange, routeTemplate);
    const units = this.costOf(exchange);
    if (units === 0) return CONTINUE;
    const key = this.shared.keyOf(text);
    const count = counts.take(key, units, limit, () => this.label(exchange, routeTemplate));
    const resetMs = counts.window.endMs - nowMs;
    if (count === null) return this.#deny(key, exchange, routeTemplate, resetMs);
    const remaining = Math.floor(limit - count.used);
    this.notePassed(key, exchange, routeTemplate, remaining);
    const state = this.tellUntil(exchange, remaining, resetMs);
    if (hasOthers || counted !== null) exchange.take(new QuotaTaken(this.shared, count, units, counted, state));
    return CONTINUE;
  }

  #deny(key: number, exchange: Exchange, routeTemplate: string, waitMs: number): Denial {
    this.noteRefused(key, exchange, routeTemplate);
    this.tellUntil(exchange, 0, waitMs);
    const seen = `the quota is used up for ${this.key.reader.describe(exchange, routeTemplate)}`;
    return this.refusal("quota_exceeded", seen, secondsOf(waitMs));
  }
}
