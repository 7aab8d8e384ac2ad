import { CONTINUE, Denial, type HeaderLine, LimitDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import { amountText } from "../../limits/budget/amount.ts";
import { AnswerCost, type CostSource } from "../../limits/budget/answer-cost.ts";
import type { Reservation } from "../../limits/quota/reservations.ts";
import type { SharedCounts } from "../../limits/quota/shared-counts.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Account } from "../../memory/account.ts";
import type { Answer, AnswerObserver, AnswerWatcher } from "../../message/answer.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitPolicy, LimitState } from "../../message/limit-state.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { Waiting } from "../../resources/waiting.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { LimitNeeds } from "../limit-port.ts";
import type { MethodRule } from "../method-rule.ts";
import { isFailure } from "./counted.ts";
import type { CompiledKey } from "./key.ts";

/** What a request costs whose answer does not say. */
export type Otherwise = "estimate" | "nothing" | "nothing-on-errors";

/** Everything about a budget that is known at load; amounts are in 1/scale. */
export interface BudgetFacts {
  readonly place: Place;
  readonly enforcePercent: number;
  readonly key: CompiledKey;
  readonly phase: "admit" | "limit";
  readonly limit: number;
  readonly scale: number;
  /** As in `2000000 tokens/month`. */
  readonly description: string;
  readonly policy: LimitPolicy;
  /** What is taken before the answer is known. */
  readonly estimate: (exchange: Exchange) => number;
  /** Of methods whose estimates are not the same; null where all are. */
  readonly tellsMethods: MethodRule | null;
  /** Null where the estimate is the cost. */
  readonly source: CostSource | null;
  readonly otherwise: Otherwise;
  /** How long an estimate is kept for a request that does not end. */
  readonly reservationMs: number;
  readonly clock: Clock;
  readonly waiting: Waiting;
  /** For what compressed answers hold while they are looked at. */
  readonly account: Account;
}

/** Status of a request whose client left: what the service did for it nobody knows. */
const CLIENT_LEFT = 499;

/** What one request took of a budget, until it is known what it cost. */
class BudgetTaken implements Taken, AnswerWatcher {
  readonly #facts: BudgetFacts;
  readonly #reservation: Reservation;
  readonly #source: CostSource;
  /** What the client is told of it; null where nothing. */
  readonly #state: LimitState | null;
  #cost: AnswerCost | null = null;

  constructor(facts: BudgetFacts, reservation: Reservation, source: CostSource, state: LimitState | null) {
    this.#facts = facts;
    this.#state = state;
    this.#reservation = reservation;
    this.#source = source;
  }

  watch(answer: Answer): AnswerObserver | null {
    this.#cost = new AnswerCost(this.#source, this.#facts.scale, this.#facts.account);
    return this.#cost.watch(answer);
  }

  giveBack(): void {
    const { limit, scale } = this.#facts;
    this.#reservation.giveBack(limit);
    if (this.#state !== null) this.#state.remaining += Math.floor(this.#reservation.estimate / scale);
  }

  onEnd(facts: AnswerFacts): void {
    const cost = this.#cost;
    if (facts.denied) this.giveBack();
    else if (cost?.isPending === true) cost.onSeen = () => this.#settle(facts);
    else this.#settle(facts);
  }

  #settle(facts: AnswerFacts): void {
    this.#cost?.stop();
    const { limit } = this.#facts;
    // More than all of it makes no difference, and a figure without end would.
    this.#reservation.settle(Math.min(this.#amount(facts), limit), limit);
  }

  #amount(facts: AnswerFacts): number {
    if (this.#source.kind === "bytes") return bytesOf(this.#source.of, facts) * this.#facts.scale;
    const { estimate } = this.#reservation;
    const amount = this.#cost?.amount ?? null;
    // Of an answer that was cut, what was seen is a part: whoever leaves in the middle is not to pay less.
    if (amount !== null) return this.#cost?.isWhole === true ? amount : Math.max(amount, estimate);
    const { otherwise } = this.#facts;
    const isError = isFailure(facts) && facts.status !== CLIENT_LEFT;
    return otherwise === "nothing" || (otherwise === "nothing-on-errors" && isError) ? 0 : estimate;
  }
}

function bytesOf(of: "request" | "response" | "both", { requestBodyBytes, responseBodyBytes }: AnswerFacts): number {
  return (of === "response" ? 0 : requestBodyBytes) + (of === "request" ? 0 : responseBodyBytes);
}

/** What one request took where that is what it costs. */
class Spent implements Taken {
  readonly #facts: BudgetFacts;
  readonly #reservation: Reservation;
  /** What the client is told of it; null where nothing. */
  readonly #state: LimitState | null;

  constructor(facts: BudgetFacts, reservation: Reservation, state: LimitState | null) {
    this.#facts = facts;
    this.#reservation = reservation;
    this.#state = state;
  }

  giveBack(): void {
    const { limit, scale } = this.#facts;
    this.#reservation.giveBack(limit);
    if (this.#state !== null) this.#state.remaining += Math.floor(this.#reservation.estimate / scale);
  }

  onEnd({ denied }: AnswerFacts): void {
    this.#reservation.settle(denied ? 0 : this.#reservation.estimate, this.#facts.limit);
  }
}

/** One budget: an amount in each window of the calendar, of which each request takes what its answer says it cost. */
export class BudgetLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  /** It has none in the tables that rates share. */
  readonly keys = 0;
  readonly key: CompiledKey;
  readonly needs: LimitNeeds;
  readonly #facts: BudgetFacts;
  readonly #shared: SharedCounts;

  constructor(facts: BudgetFacts, shared: SharedCounts) {
    this.name = facts.policy.name;
    this.place = facts.place;
    this.phase = facts.phase;
    this.enforcePercent = facts.enforcePercent;
    this.key = facts.key;
    this.needs = { tellsMethods: facts.tellsMethods, readsAnswers: facts.source?.kind === "figures" };
    this.#facts = facts;
    this.#shared = shared;
  }

  evaluate(exchange: Exchange, routeTemplate: string): Verdict | Promise<Verdict> {
    const { waiting } = this.#shared;
    return waiting === null ? this.#take(exchange, routeTemplate) : this.#wait(waiting, exchange, routeTemplate);
  }

  explain(exchange: Exchange, routeTemplate: string): string {
    const { policy, description, scale } = this.#facts;
    let state = exchange.rateLimit;
    while (state !== null && state.policy !== policy) state = state.before;
    const left = state === null ? "" : `, ${state.remaining} left`;
    const estimate = amountText(this.#facts.estimate(exchange), scale);
    const by = this.key.reader.describe(exchange, routeTemplate);
    return `budget ${description} for ${by}, ${estimate} reserved, counted by this process${left}`;
  }

  report(): LimitReport {
    const { description, policy } = this.#facts;
    const { counts, usage } = this.#shared;
    const { near, denied } = usage;
    const key = this.key.reader.identity;
    const { scope } = policy;
    return { name: this.name, kind: "budget", description, key, scope, near, denied, evictions: counts.evictions };
  }

  topCallers(): readonly TopCaller[] {
    return this.#shared.usage.top.list(this.#facts.clock.monotonicMs());
  }

  #take(exchange: Exchange, routeTemplate: string): Verdict {
    const { limit, clock, reservationMs, source } = this.#facts;
    const { counts, reservations } = this.#shared;
    const text = this.key.reader.text(exchange, routeTemplate);
    if (text === null) return this.key.verdict(exchange, routeTemplate);
    const nowMs = clock.wallMs();
    const monotonicMs = clock.monotonicMs();
    counts.turn(nowMs);
    reservations.sweep(monotonicMs, limit);
    const estimate = this.#facts.estimate(exchange);
    const found = this.#shared.keyOf(text);
    const count = counts.take(found, estimate, limit, () => this.#label(exchange, routeTemplate));
    if (count === null) return this.#deny(exchange, routeTemplate, nowMs, estimate);
    if (count.used > limit * NEAR) {
      this.#shared.usage.near++;
      this.#note(found, exchange, routeTemplate, 1, false);
    } else if (this.#shared.usage.top.isDue()) {
      this.#note(found, exchange, routeTemplate, DEFAULTS.limitTopSampled, false);
    }
    // Clients are told nothing of a limit that is only tried out.
    const state = this.enforcePercent === 0 ? null : this.#state(exchange, limit - count.used, nowMs);
    if (state !== null) exchange.rateLimit = state;
    const reservation = reservations.add(count, estimate, monotonicMs + reservationMs);
    if (source === null) exchange.take(new Spent(this.#facts, reservation, state));
    else this.#watch(exchange, new BudgetTaken(this.#facts, reservation, source, state));
    return CONTINUE;
  }

  #note(key: number, exchange: Exchange, routeTemplate: string, weight: number, isDenied: boolean): void {
    const { usage } = this.#shared;
    if (isDenied) usage.denied++;
    const nowMs = this.#facts.clock.monotonicMs();
    usage.top.note(key | 0, weight, isDenied, nowMs, () => this.key.reader.describe(exchange, routeTemplate));
  }

  #watch(exchange: Exchange, taken: BudgetTaken): void {
    exchange.take(taken);
    exchange.watchers ??= [];
    exchange.watchers.push(taken);
  }

  /** What was counted before the process began is being read. */
  async #wait(read: Promise<void>, exchange: Exchange, routeTemplate: string): Promise<Verdict> {
    const waited = await this.#facts.waiting.until(exchange, read, DEFAULTS.quotaLoadMs * 2);
    if (waited.ok) return this.#take(exchange, routeTemplate);
    const seen = `waiting for the counts from before: ${waited.error}`;
    return new Denial("limit_store_unavailable", this.place, seen, `at most ${this.#facts.description}`);
  }

  #deny(exchange: Exchange, routeTemplate: string, nowMs: number, estimate: number): Denial {
    const { limit, scale, description } = this.#facts;
    const found = this.#shared.keyOf(this.key.reader.text(exchange, routeTemplate) ?? "");
    this.#note(found, exchange, routeTemplate, 1, true);
    const left = Math.max(0, limit - (this.#shared.counts.find(found)?.used ?? 0));
    const state = this.#state(exchange, left, nowMs);
    if (this.enforcePercent > 0) exchange.rateLimit = state;
    const headers: readonly HeaderLine[] = [["retry-after", String(state.resetSeconds)]];
    const by = this.key.reader.describe(exchange, routeTemplate);
    const seen = `${amountText(estimate, scale)} wanted and ${amountText(left, scale)} left for ${by}`;
    return new LimitDenial("budget_exceeded", this.place, seen, `at most ${description}`, headers, state.policy);
  }

  #state(exchange: Exchange, left: number, nowMs: number): LimitState {
    const { policy, scale } = this.#facts;
    const resetSeconds = Math.max(1, Math.ceil((this.#shared.counts.window.endMs - nowMs) / 1000));
    const remaining = Math.max(0, Math.floor(left / scale));
    return { policy, remaining, resetSeconds, partition: null, before: exchange.rateLimit };
  }

  #label(exchange: Exchange, routeTemplate: string): string | null {
    return this.key.reader.describe(exchange, routeTemplate).slice(0, DEFAULTS.quotaLabelCharsMax);
  }
}
