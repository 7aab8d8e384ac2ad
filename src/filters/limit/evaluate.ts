import { CONTINUE, type Denial, type Verdict } from "../../decision/verdict.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { RateTable } from "../../limits/rate/rate-table.ts";
import type { RateTerms } from "../../limits/redis/ask.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitState } from "../../message/limit-state.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { LimitReport, ShareableLimit } from "../filter.ts";
import type { Cost } from "./cost.ts";
import type { Counts } from "./counted.ts";
import { type KeyedFacts, KeyedLimit, phaseWith } from "./keyed-limit.ts";
import { StoreTaken } from "./store-taken.ts";

/** Everything about a rate that is known at load. */
export interface RateLimitFacts extends KeyedFacts {
  /** How many keys are counted at once. */
  readonly keys: number;
  readonly intervalMs: number;
  readonly toleranceMs: number;
  /** As a store counts the whole limit. */
  readonly terms: RateTerms;
  readonly tellsPartition: boolean;
  /** Null where each request costs 1. */
  readonly cost: Cost | null;
  /** Null where all requests count. */
  readonly counts: Counts | null;
  /** Whether other limits of the policy may refuse what this one counted. */
  readonly hasOthers: boolean;
}

/** One request that a table counted. */
class RateTaken implements Taken {
  readonly #table: RateTable;
  readonly #high: number;
  readonly #low: number;
  readonly #spentMs: number;
  readonly #takenTat: number;
  readonly #counts: Counts | null;
  /** What the client is told of it; null where nothing. */
  readonly #state: LimitState | null;
  readonly #units: number;

  /** What `table` took last. */
  constructor(table: RateTable, spentMs: number, units: number, counts: Counts | null, state: LimitState | null) {
    this.#state = state;
    this.#units = units;
    this.#table = table;
    this.#high = table.hash.high;
    this.#low = table.hash.low;
    this.#spentMs = spentMs;
    this.#takenTat = table.takenTat;
    this.#counts = counts;
  }

  giveBack(): void {
    this.#table.giveBack(this.#high, this.#low, this.#spentMs, this.#takenTat);
    if (this.#state !== null) this.#state.remaining += this.#units;
  }

  onEnd(facts: AnswerFacts): void {
    if (this.#counts !== null && !this.#counts(facts)) this.giveBack();
  }
}

/** One limit: counts each request by its key in its share (GCRA, the virtual scheduling of ITU-T I.371). */
export class RateLimit extends KeyedLimit implements ShareableLimit {
  readonly storedAs = "rate";
  readonly scale = 1;
  readonly looksBackMs: number;
  readonly #facts: RateLimitFacts;
  readonly #table: RateTable;
  readonly #prefix: KeyHash;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #nearMs: number;
  readonly #isKept: boolean;

  constructor(facts: RateLimitFacts, table: RateTable) {
    const { key, cost, keys } = facts;
    const needs = { tellsMethods: cost?.tellsMethods ?? null, readsAnswers: false };
    super("rate", facts, { phase: phaseWith(key, cost?.phase), keys, needs });
    this.#facts = facts;
    this.#table = table;
    this.#prefix = table.prefix(facts.policy.name);
    this.#intervalMs = facts.intervalMs;
    this.#toleranceMs = facts.toleranceMs;
    this.#nearMs = facts.toleranceMs * NEAR;
    this.#isKept = facts.hasOthers || facts.counts !== null;
    this.looksBackMs = facts.toleranceMs;
  }

  get terms(): RateTerms {
    return this.#facts.terms;
  }

  evaluate(exchange: Exchange, routeTemplate: string): Verdict {
    const table = this.#table;
    if (!this.key.reader.feed(table.hash, this.#prefix, exchange, routeTemplate)) {
      return this.key.verdict(exchange, routeTemplate);
    }
    const units = this.costOf(exchange);
    if (units === 0) return CONTINUE;
    const spentMs = this.#intervalMs * units;
    const used = table.take(spentMs, this.#toleranceMs);
    if (used < 0) return this.#deny(exchange, routeTemplate, -used, units);
    const state = this.#told(exchange, routeTemplate, Math.floor((this.#toleranceMs - used) / this.#intervalMs), used);
    if (this.#isKept) exchange.take(new RateTaken(table, spentMs, units, this.#facts.counts, state));
    return CONTINUE;
  }

  costOf(exchange: Exchange): number {
    const { cost } = this.#facts;
    return cost === null ? 1 : cost.of(exchange);
  }

  /** Milliseconds until the request would pass, 0 where it does now, Infinity for never; nothing is counted. */
  waitMs(exchange: Exchange, routeTemplate: string): number {
    const table = this.#table;
    if (!this.key.reader.feed(table.hash, this.#prefix, exchange, routeTemplate)) return 0;
    const spentMs = this.#intervalMs * this.costOf(exchange);
    if (spentMs > this.#toleranceMs) return Number.POSITIVE_INFINITY;
    return spentMs === 0 ? 0 : table.peek(spentMs, this.#toleranceMs);
  }

  taken(_: Exchange, units: number, correct: (units: number) => void): Taken {
    return new StoreTaken(units, this.#facts.counts, correct);
  }

  admit(exchange: Exchange, routeTemplate: string, remaining: number, resetMs: number): Verdict {
    this.#countedElsewhere(exchange, routeTemplate, false);
    this.#told(exchange, routeTemplate, remaining, resetMs);
    return CONTINUE;
  }

  refuse(exchange: Exchange, routeTemplate: string, waitMs: number): Verdict {
    this.#countedElsewhere(exchange, routeTemplate, true);
    return this.#deny(exchange, routeTemplate, waitMs, this.costOf(exchange));
  }

  topCallers(): readonly TopCaller[] {
    return this.#table.top.list(this.#table.nowMs);
  }

  protected counted(): Pick<LimitReport, "near" | "denied" | "evictions"> {
    const { near, refused, evictions } = this.#table;
    return { near, denied: refused, evictions };
  }

  #countedElsewhere(exchange: Exchange, routeTemplate: string, isRefused: boolean): void {
    this.key.reader.feed(this.#table.hash, this.#prefix, exchange, routeTemplate);
    this.#table.noteElsewhere(isRefused);
  }

  #told(exchange: Exchange, routeTemplate: string, remaining: number, usedMs: number): LimitState | null {
    if (usedMs > this.#nearMs) {
      this.#table.noteNear();
      this.#note(exchange, routeTemplate, 1, false);
    } else if (this.#table.top.isDue()) this.#note(exchange, routeTemplate, DEFAULTS.limitTopSampled, false);
    return this.tell(exchange, remaining, Math.ceil(usedMs / 1000), this.#partition());
  }

  #deny(exchange: Exchange, routeTemplate: string, waitMs: number, units: number): Denial {
    this.#note(exchange, routeTemplate, 1, true);
    const by = this.key.reader.describe(exchange, routeTemplate);
    // It would have to wait for ever: a time would be a lie.
    if (units * this.#intervalMs > this.#toleranceMs) {
      return this.refusal("rate_limited", `a request that costs ${units}, of ${by}`, null);
    }
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    this.tell(exchange, 0, seconds, this.#partition());
    return this.refusal("rate_limited", `the burst is used up for ${by}`, seconds);
  }

  #partition(): LimitState["partition"] {
    const { high, low } = this.#table.hash;
    return this.#facts.tellsPartition ? [high, low] : null;
  }

  #note(exchange: Exchange, routeTemplate: string, weight: number, isDenied: boolean): void {
    const { hash, top, takenAtMs } = this.#table;
    top.note(hash.high, weight, isDenied, takenAtMs, () => this.key.reader.describe(exchange, routeTemplate));
  }
}
