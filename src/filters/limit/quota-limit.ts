import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Count } from "../../limits/quota/counts.ts";
import type { SharedCounts } from "../../limits/quota/shared-counts.ts";
import type { Exchange, RateLimitState } from "../../message/exchange.ts";
import type { Taken } from "../../message/taken.ts";
import type { Waiting } from "../../resources/waiting.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Limit } from "../filter.ts";
import { describeKey, keyText } from "./key-text.ts";
import type { KeyPart } from "./schema.ts";

/** Everything about a quota that is known at load. */
export interface QuotaFacts {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly key: readonly KeyPart[];
  readonly limit: number;
  /** As in `10000/day in Europe/Berlin`. */
  readonly description: string;
  /** Ready `RateLimit-Policy` value. */
  readonly policyField: string;
  /** Whether other limits of the policy may refuse what this one counted. */
  readonly hasOthers: boolean;
  readonly clock: Pick<Clock, "wallMs">;
  readonly waiting: Waiting;
}

/** One request that a quota counted. */
class QuotaTaken implements Taken {
  readonly #shared: SharedCounts;
  readonly #count: Count;
  readonly #amount: number;
  readonly #startMs: number;

  constructor(shared: SharedCounts, count: Count, amount: number) {
    this.#shared = shared;
    this.#count = count;
    this.#amount = amount;
    this.#startMs = shared.counts.window.startMs;
  }

  giveBack(): void {
    this.#shared.counts.giveBack(this.#count, this.#amount, this.#startMs);
  }
}

/** One quota: a hard number in each window of the calendar. */
export class QuotaLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  /** It has none in the tables that rates share. */
  readonly keys = 0;
  readonly #facts: QuotaFacts;
  readonly #shared: SharedCounts;

  constructor(facts: QuotaFacts, shared: SharedCounts) {
    this.name = facts.name;
    this.place = facts.place;
    this.phase = facts.phase;
    this.enforcePercent = facts.enforcePercent;
    this.#facts = facts;
    this.#shared = shared;
  }

  get evictions(): number {
    return this.#shared.counts.evictions;
  }

  evaluate(exchange: Exchange, routeTemplate: string): Verdict | Promise<Verdict> {
    const { waiting } = this.#shared;
    return waiting === null ? this.#take(exchange, routeTemplate) : this.#wait(waiting, exchange, routeTemplate);
  }

  explain(exchange: Exchange, routeTemplate: string): string {
    const state = exchange.rateLimit;
    const left = state?.policy === this.name ? `, ${state.remaining} left` : "";
    const key = describeKey(this.#facts.key, exchange, routeTemplate);
    return `quota ${this.#facts.description} for ${key}, counted by this process${left}`;
  }

  #take(exchange: Exchange, routeTemplate: string): Verdict {
    const { key, limit, clock, hasOthers } = this.#facts;
    const { counts } = this.#shared;
    const nowMs = clock.wallMs();
    counts.turn(nowMs);
    const found = this.#shared.keyOf(keyText(key, exchange, routeTemplate));
    const count = counts.take(found, 1, limit, () => this.#label(exchange, routeTemplate));
    if (count === null) return this.#deny(exchange, routeTemplate, nowMs);
    if (hasOthers) exchange.take(new QuotaTaken(this.#shared, count, 1));
    // Clients are told nothing of a limit that is only tried out.
    if (this.enforcePercent === 0) return CONTINUE;
    const remaining = Math.floor(limit - count.used);
    const tightest = exchange.rateLimit;
    if (tightest === null || remaining < tightest.remaining) exchange.rateLimit = this.#state(remaining, nowMs);
    return CONTINUE;
  }

  /** What was counted before the process began is being read. */
  async #wait(read: Promise<void>, exchange: Exchange, routeTemplate: string): Promise<Verdict> {
    const waited = await this.#facts.waiting.until(exchange, read, DEFAULTS.quotaLoadMs * 2);
    if (waited.ok) return this.#take(exchange, routeTemplate);
    const seen = `waiting for the counts from before: ${waited.error}`;
    return new Denial("limit_store_unavailable", this.place, seen, `at most ${this.#facts.description}`);
  }

  #deny(exchange: Exchange, routeTemplate: string, nowMs: number): Denial {
    const { key, description } = this.#facts;
    const state = this.#state(0, nowMs);
    if (this.enforcePercent > 0) exchange.rateLimit = state;
    const headers: readonly HeaderLine[] = [["retry-after", String(state.resetSeconds)]];
    const seen = `the quota is used up for ${describeKey(key, exchange, routeTemplate)}`;
    return new Denial("quota_exceeded", this.place, seen, `at most ${description}`, headers);
  }

  #state(remaining: number, nowMs: number): RateLimitState {
    const { name, policyField } = this.#facts;
    const resetSeconds = Math.max(1, Math.ceil((this.#shared.counts.window.endMs - nowMs) / 1000));
    return { policy: name, policyField, remaining, resetSeconds };
  }

  /** A header's value may be a credential, and is kept nowhere. */
  #label(exchange: Exchange, routeTemplate: string): string | null {
    const { key } = this.#facts;
    if (key.some(({ kind }) => kind === "header")) return null;
    return describeKey(key, exchange, routeTemplate).slice(0, DEFAULTS.quotaLabelCharsMax);
  }
}
