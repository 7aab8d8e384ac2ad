import { CONTINUE, Denial, type HeaderLine, LimitDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import { Calendar } from "../../limits/quota/calendar.ts";
import type { Count } from "../../limits/quota/counts.ts";
import type { SharedCounts } from "../../limits/quota/shared-counts.ts";
import type { QuotaTerms, QuotaWindows } from "../../limits/redis/ask.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitPolicy, LimitState } from "../../message/limit-state.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { Waiting } from "../../resources/waiting.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { LimitReport, ShareableLimit } from "../filter.ts";
import type { LimitNeeds } from "../limit-port.ts";
import type { Cost } from "./cost.ts";
import type { Counts } from "./counted.ts";
import type { CompiledKey } from "./key.ts";

/** Everything about a quota that is known at load. */
export interface QuotaFacts {
  readonly place: Place;
  readonly enforcePercent: number;
  readonly key: CompiledKey;
  readonly limit: number;
  /** As in `10000/day in Europe/Berlin`. */
  readonly description: string;
  /** Of all replicas together, where a store counts it. */
  readonly whole: number;
  /** Who counts together. */
  readonly countedBy: string;
  /** What clients are told. */
  readonly policy: LimitPolicy;
  /** Null where each request costs 1. */
  readonly cost: Cost | null;
  /** Null where all requests count. */
  readonly counts: Counts | null;
  /** Whether other limits of the policy may refuse what this one counted. */
  readonly hasOthers: boolean;
  readonly clock: Clock;
  readonly waiting: Waiting;
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
export class QuotaLimit implements ShareableLimit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  /** It has none in the tables that rates share. */
  readonly keys = 0;
  readonly key: CompiledKey;
  readonly needs: LimitNeeds;
  readonly #facts: QuotaFacts;
  readonly #shared: SharedCounts;

  constructor(facts: QuotaFacts, shared: SharedCounts) {
    this.name = facts.policy.name;
    this.place = facts.place;
    this.key = facts.key;
    this.needs = { tellsMethods: facts.cost?.tellsMethods ?? null, readsAnswers: false };
    this.phase = facts.key.reader.phase === "admit" && facts.cost?.phase !== "limit" ? "admit" : "limit";
    this.enforcePercent = facts.enforcePercent;
    this.#facts = facts;
    this.#shared = shared;
  }

  /** As a store counts it: windows of the same calendar, at the store's time. */
  get terms(): QuotaTerms {
    const [calendar, later] = [new Calendar(this.#shared.identity), new Calendar(this.#shared.identity)];
    const windowsAt = (wallMs: number): QuotaWindows => {
      const { startMs, endMs } = calendar.at(wallMs);
      return { start: startMs / 1000, end: endMs / 1000, next: later.at(endMs).endMs / 1000 };
    };
    return { kind: "quota", limit: this.#facts.whole, windowsAt };
  }

  costOf(exchange: Exchange): number {
    const { cost } = this.#facts;
    return cost === null ? 1 : cost.of(exchange);
  }

  isCounted(facts: AnswerFacts): boolean {
    return this.#facts.counts?.(facts) ?? true;
  }

  admit(exchange: Exchange, routeTemplate: string, remaining: number, resetMs: number): Verdict {
    this.#tell(this.#keyOf(exchange, routeTemplate), exchange, routeTemplate, remaining, resetMs);
    return CONTINUE;
  }

  refuse(exchange: Exchange, routeTemplate: string, waitMs: number): Verdict {
    this.#note(this.#keyOf(exchange, routeTemplate), exchange, routeTemplate, 1, true);
    return this.#deny(exchange, routeTemplate, waitMs);
  }

  evaluate(exchange: Exchange, routeTemplate: string): Verdict | Promise<Verdict> {
    const { waiting } = this.#shared;
    return waiting === null ? this.#take(exchange, routeTemplate) : this.#wait(waiting, exchange, routeTemplate);
  }

  explain(exchange: Exchange, routeTemplate: string): string {
    const { description, cost, policy } = this.#facts;
    let state = exchange.rateLimit;
    while (state !== null && state.policy !== policy) state = state.before;
    const left = state === null ? "" : `, ${state.remaining} left`;
    const by = this.key.reader.describe(exchange, routeTemplate);
    return `quota ${description}${cost?.text ?? ""} for ${by}, counted by ${this.#facts.countedBy}${left}`;
  }

  report(): LimitReport {
    const { description, cost, policy } = this.#facts;
    const { counts, usage } = this.#shared;
    return {
      name: this.name,
      kind: "quota",
      description: `${description}${cost?.text ?? ""}`,
      key: this.key.reader.identity,
      scope: policy.scope,
      near: usage.near,
      denied: usage.denied,
      evictions: counts.evictions,
    };
  }

  topCallers(): readonly TopCaller[] {
    return this.#shared.usage.top.list(this.#facts.clock.monotonicMs());
  }

  #take(exchange: Exchange, routeTemplate: string): Verdict {
    const { limit, clock, counts: counted, hasOthers } = this.#facts;
    const { counts } = this.#shared;
    const nowMs = clock.wallMs();
    counts.turn(nowMs);
    this.#shared.limit = limit;
    const text = this.key.reader.text(exchange, routeTemplate);
    if (text === null) return this.key.verdict(exchange, routeTemplate);
    const units = this.costOf(exchange);
    if (units === 0) return CONTINUE;
    const found = this.#shared.keyOf(text);
    const count = counts.take(found, units, limit, () => this.#label(exchange, routeTemplate));
    if (count === null) {
      this.#note(found, exchange, routeTemplate, 1, true);
      return this.#deny(exchange, routeTemplate, counts.window.endMs - nowMs);
    }
    const resetMs = counts.window.endMs - nowMs;
    const state = this.#tell(found, exchange, routeTemplate, Math.floor(limit - count.used), resetMs);
    if (hasOthers || counted !== null) exchange.take(new QuotaTaken(this.#shared, count, units, counted, state));
    return CONTINUE;
  }

  #tell(key: number, exchange: Exchange, routeTemplate: string, remaining: number, resetMs: number): LimitState | null {
    const { usage } = this.#shared;
    if (remaining < this.#facts.limit * (1 - NEAR)) {
      usage.near++;
      this.#note(key, exchange, routeTemplate, 1, false);
    } else if (usage.top.isDue()) this.#note(key, exchange, routeTemplate, DEFAULTS.limitTopSampled, false);
    // Clients are told nothing of a limit that is only tried out.
    if (this.enforcePercent === 0) return null;
    const state = this.#state(exchange, remaining, resetMs);
    exchange.rateLimit = state;
    return state;
  }

  #keyOf(exchange: Exchange, routeTemplate: string): number {
    return this.#shared.keyOf(this.key.reader.text(exchange, routeTemplate) ?? "");
  }

  #note(key: number, exchange: Exchange, routeTemplate: string, weight: number, isDenied: boolean): void {
    const { usage } = this.#shared;
    if (isDenied) usage.denied++;
    const nowMs = this.#facts.clock.monotonicMs();
    usage.top.note(key | 0, weight, isDenied, nowMs, () => this.key.reader.describe(exchange, routeTemplate));
  }

  /** What was counted before the process began is being read. */
  async #wait(read: Promise<void>, exchange: Exchange, routeTemplate: string): Promise<Verdict> {
    const waited = await this.#facts.waiting.until(exchange, read, DEFAULTS.quotaLoadMs * 2);
    if (waited.ok) return this.#take(exchange, routeTemplate);
    const seen = `waiting for the counts from before: ${waited.error}`;
    return new Denial("limit_store_unavailable", this.place, seen, `at most ${this.#facts.description}`);
  }

  #deny(exchange: Exchange, routeTemplate: string, waitMs: number): Denial {
    const state = this.#state(exchange, 0, waitMs);
    if (this.enforcePercent > 0) exchange.rateLimit = state;
    const headers: readonly HeaderLine[] = [["retry-after", String(state.resetSeconds)]];
    const seen = `the quota is used up for ${this.key.reader.describe(exchange, routeTemplate)}`;
    const { description, policy } = this.#facts;
    return new LimitDenial("quota_exceeded", this.place, seen, `at most ${description}`, headers, policy);
  }

  #state(exchange: Exchange, remaining: number, resetMs: number): LimitState {
    const resetSeconds = Math.max(1, Math.ceil(resetMs / 1000));
    return { policy: this.#facts.policy, remaining, resetSeconds, partition: null, before: exchange.rateLimit };
  }

  /** What stands in logs may stand beside a count. */
  #label(exchange: Exchange, routeTemplate: string): string {
    return this.key.reader.describe(exchange, routeTemplate).slice(0, DEFAULTS.quotaLabelCharsMax);
  }
}
