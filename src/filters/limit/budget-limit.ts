import { CONTINUE, type Denial, type Verdict } from "../../decision/verdict.ts";
import { amountText } from "../../limits/budget/amount.ts";
import { AnswerCost, type CostSource } from "../../limits/budget/answer-cost.ts";
import type { Reservation } from "../../limits/quota/reservations.ts";
import type { SharedCounts } from "../../limits/quota/shared-counts.ts";
import type { QuotaTerms } from "../../limits/redis/ask.ts";
import type { Account } from "../../memory/account.ts";
import type { Answer, AnswerObserver, AnswerWatcher } from "../../message/answer.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitState } from "../../message/limit-state.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { ShareableLimit } from "../filter.ts";
import type { MethodRule } from "../method-rule.ts";
import { type CalendarFacts, CalendarLimit, secondsOf, windowsOf } from "./calendar-limit.ts";
import { isFailure } from "./counted.ts";

/** What a request costs whose answer does not say. */
export type Otherwise = "estimate" | "nothing" | "nothing-on-errors";

/** Everything about a budget that is known at load; amounts are in 1/scale. */
export interface BudgetFacts extends CalendarFacts {
  readonly scale: number;
  readonly phase: "admit" | "limit";
  /** What is taken before the answer is known. */
  readonly estimate: (exchange: Exchange) => number;
  /** Of methods whose estimates are not the same; null where all are. */
  readonly tellsMethods: MethodRule | null;
  /** Null where the estimate is the cost. */
  readonly source: CostSource | null;
  readonly otherwise: Otherwise;
  /** How long an estimate is kept for a request that does not end. */
  readonly reservationMs: number;
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
export class BudgetLimit extends CalendarLimit implements ShareableLimit {
  readonly storedAs: string;
  readonly scale: number;
  readonly #facts: BudgetFacts;

  constructor(facts: BudgetFacts, shared: SharedCounts) {
    const { phase, tellsMethods, source } = facts;
    super("budget", facts, shared, { phase, needs: { tellsMethods, readsAnswers: source?.kind === "figures" } });
    this.#facts = facts;
    this.scale = facts.scale;
    this.storedAs = `budget in 1/${facts.scale}`;
  }

  get terms(): QuotaTerms {
    return { kind: "quota", limit: this.#facts.limit, windowsAt: windowsOf(this.shared.identity) };
  }

  override beforeAsking(): void {
    super.beforeAsking();
    this.shared.reservations.sweep(this.#facts.clock.monotonicMs(), this.#facts.limit);
  }

  costOf(exchange: Exchange): number {
    return this.#facts.estimate(exchange);
  }

  taken(exchange: Exchange, units: number, correct: (units: number) => void): Taken {
    const { clock, reservationMs } = this.#facts;
    const untilMs = clock.monotonicMs() + reservationMs;
    return this.#settling(exchange, this.shared.reservations.hold(correct, units, untilMs), null);
  }

  admit(exchange: Exchange, routeTemplate: string, remaining: number, resetMs: number): Verdict {
    this.notePassed(this.keyOf(exchange, routeTemplate), exchange, routeTemplate, remaining);
    this.tellUntil(exchange, this.#told(remaining), resetMs);
    return CONTINUE;
  }

  refuse(exchange: Exchange, routeTemplate: string, waitMs: number): Verdict {
    return this.#deny(this.keyOf(exchange, routeTemplate), exchange, routeTemplate, waitMs, null);
  }

  protected override saw(exchange: Exchange): string {
    return `, ${amountText(this.#facts.estimate(exchange), this.#facts.scale)} reserved`;
  }

  protected take(exchange: Exchange, routeTemplate: string): Verdict {
    const { limit, clock, reservationMs } = this.#facts;
    const { counts, reservations } = this.shared;
    const text = this.key.reader.text(exchange, routeTemplate);
    if (text === null) return this.key.verdict(exchange, routeTemplate);
    const nowMs = clock.wallMs();
    const monotonicMs = clock.monotonicMs();
    counts.turn(nowMs);
    reservations.sweep(monotonicMs, limit);
    const estimate = this.#facts.estimate(exchange);
    const key = this.shared.keyOf(text);
    const count = counts.take(key, estimate, limit, () => this.label(exchange, routeTemplate));
    const resetMs = counts.window.endMs - nowMs;
    if (count === null) {
      const left = Math.max(0, limit - (counts.find(key)?.used ?? 0));
      return this.#deny(key, exchange, routeTemplate, resetMs, left);
    }
    this.notePassed(key, exchange, routeTemplate, limit - count.used);
    const state = this.tellUntil(exchange, this.#told(limit - count.used), resetMs);
    const reservation = reservations.add(count, estimate, monotonicMs + reservationMs);
    exchange.take(this.#settling(exchange, reservation, state));
    return CONTINUE;
  }

  /** What ends a reservation with its request. */
  #settling(exchange: Exchange, reservation: Reservation, state: LimitState | null): Taken {
    const { source } = this.#facts;
    if (source === null) return new Spent(this.#facts, reservation, state);
    const taken = new BudgetTaken(this.#facts, reservation, source, state);
    exchange.watchers ??= [];
    exchange.watchers.push(taken);
    return taken;
  }

  /** `left`: null where a store does not say. */
  #deny(key: number, exchange: Exchange, routeTemplate: string, waitMs: number, left: number | null): Denial {
    const { scale, estimate } = this.#facts;
    this.noteRefused(key, exchange, routeTemplate);
    this.tellUntil(exchange, this.#told(left ?? 0), waitMs);
    const by = this.key.reader.describe(exchange, routeTemplate);
    const rest = left === null ? "less" : amountText(left, scale);
    const seen = `${amountText(estimate(exchange), scale)} wanted and ${rest} left for ${by}`;
    return this.refusal("budget_exceeded", seen, secondsOf(waitMs));
  }

  /** In what clients are told. */
  #told(left: number): number {
    return Math.max(0, Math.floor(left / this.#facts.scale));
  }
}
