import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Ask, StoreAnswer, StoreCounter } from "../../limits/redis/ask.ts";
import type { LimitStore } from "../../limits/redis/store.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { Limit, LimitKey, LimitReport, ShareableLimit } from "../filter.ts";
import type { LimitNeeds } from "../limit-port.ts";

export type OnFailure = "local" | "open" | "closed";

export interface SharedLimitFacts {
  /** The limit that the store counts, which counts by itself while the store does not answer. */
  readonly limit: ShareableLimit;
  readonly store: LimitStore;
  readonly storeName: string;
  readonly onFailure: OnFailure;
  readonly counter: StoreCounter;
}

/** What the store said of the limits of a request, until each of them is asked; weak, for a request may end before. */
const answers = new WeakMap<Exchange, Map<SharedLimit, StoreAnswer>>();

const ONLY_HERE = {
  local: "counts in this process alone",
  open: "lets every request in",
  closed: "denies every request",
};

/** A limit whose counters lie in a store that other processes use, too. */
export class SharedLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly keys: number;
  readonly key: LimitKey;
  readonly needs: LimitNeeds;
  readonly store: LimitStore;
  readonly #facts: SharedLimitFacts;

  constructor(facts: SharedLimitFacts) {
    const { limit, store } = facts;
    this.name = limit.name;
    this.place = limit.place;
    this.phase = limit.phase;
    this.enforcePercent = limit.enforcePercent;
    this.keys = limit.keys;
    this.key = limit.key;
    this.needs = limit.needs;
    this.store = store;
    this.#facts = facts;
  }

  bindRoute(template: string): { readonly text: string } | null {
    const { limit } = this.#facts;
    return limit.bindRoute === undefined ? limit.key.reader.bindRoute(template) : limit.bindRoute(template);
  }

  report(): LimitReport {
    return this.#facts.limit.report();
  }

  /** Of this process's requests. */
  topCallers(): readonly TopCaller[] {
    return this.#facts.limit.topCallers();
  }

  /** The first of a request's limits in a store asks for all `together`; each then has its own answer. */
  evaluate(exchange: Exchange, template: string, together: readonly Limit[] = []): Verdict | Promise<Verdict> {
    const { limit, store } = this.#facts;
    if (!store.isStarted) return limit.evaluate(exchange, template);
    const known = this.#takeKnown(exchange);
    if (known !== null) return this.#verdict(known, exchange, template);
    const own = this.askFor(exchange, template);
    // A request without this key, or without cost: what becomes of it is the limit's own word, and nothing is counted.
    if (own === null) return limit.evaluate(exchange, template);
    if (together.length < 2) {
      const answered = store.ask([own]);
      return answered instanceof Promise
        ? answered.then(([answer]) => this.#verdict(this.#noted(exchange, own, answer), exchange, template))
        : this.#verdict(this.#noted(exchange, own, answered[0]), exchange, template);
    }
    const asked = askTogether(store, exchange, template, together);
    if (!(asked instanceof Promise)) return this.#verdict(this.#takeKnown(exchange), exchange, template);
    return asked.then(() => this.#verdict(this.#takeKnown(exchange), exchange, template));
  }

  explain(exchange: Exchange, template: string): string {
    const { limit, storeName, onFailure } = this.#facts;
    if (this.key.isUnlimited(exchange, template)) return limit.explain(exchange, template);
    const scope = `of all processes that use store '${storeName}'; while that does not answer, it ${ONLY_HERE[onFailure]}`;
    return `${limit.explain(exchange, template)}; ${scope}`;
  }

  /** Null where the request has no key for it, or costs nothing. */
  askFor(exchange: Exchange, template: string): Ask | null {
    const { limit, counter } = this.#facts;
    limit.beforeAsking?.();
    const cost = limit.costOf(exchange);
    const key = cost === 0 ? null : limit.key.reader.text(exchange, template);
    if (key === null) return null;
    if (limit.memberOf === undefined) return { counter, key, cost };
    const member = limit.memberOf(exchange, template);
    return member === null ? null : { counter, key, cost, member };
  }

  /** What was taken may have to be given back, however the request ends. */
  note(exchange: Exchange, ask: Ask, answer: StoreAnswer): void {
    if (answer.kind !== "admitted") return;
    const { limit, store } = this.#facts;
    const taken = limit.taken(exchange, ask.cost, (units) => store.correct(ask, answer, units));
    exchange.take(new SharedTaken(limit, taken, exchange, ask.cost));
  }

  #noted(exchange: Exchange, ask: Ask, answer: StoreAnswer | undefined): StoreAnswer | null {
    if (answer !== undefined) this.note(exchange, ask, answer);
    return answer ?? null;
  }

  #takeKnown(exchange: Exchange): StoreAnswer | null {
    const all = answers.get(exchange);
    const known = all?.get(this) ?? null;
    all?.delete(this);
    return known;
  }

  #verdict(answer: StoreAnswer | null, exchange: Exchange, template: string): Verdict | Promise<Verdict> {
    const { limit, onFailure, storeName } = this.#facts;
    if (answer?.kind === "admitted") return limit.admit(exchange, template, answer.remaining, answer.resetMs);
    if (answer?.kind === "over") return limit.refuse(exchange, template, answer.waitMs);
    if (answer?.kind === "spared" || onFailure === "open") return CONTINUE;
    if (onFailure === "local") return limit.evaluate(exchange, template);
    const seen = `store '${storeName}' does not say what is left`;
    return new Denial("limit_store_unavailable", this.place, seen, "an answer in time", [["retry-after", "1"]]);
  }
}

/** What a request took, and what its client was told of it. */
class SharedTaken implements Taken {
  readonly #limit: ShareableLimit;
  readonly #taken: Taken;
  readonly #exchange: Exchange;
  readonly #units: number;

  constructor(limit: ShareableLimit, taken: Taken, exchange: Exchange, units: number) {
    this.#limit = limit;
    this.#taken = taken;
    this.#exchange = exchange;
    this.#units = units;
  }

  giveBack(): void {
    this.#taken.giveBack();
    let state = this.#exchange.rateLimit;
    while (state !== null && state.policy.name !== this.#limit.name) state = state.before;
    if (state !== null) state.remaining += Math.floor(this.#units / this.#limit.scale);
  }

  onEnd(facts: AnswerFacts): void {
    this.#taken.onEnd?.(facts);
  }
}

/**
 * Asks for all limits of a store. Those that are enforced are counted together or not at all; one that is only tried out must
 * not keep others from counting, so it is asked by itself, in the same call.
 */
function askTogether(
  store: LimitStore,
  exchange: Exchange,
  template: string,
  together: readonly Limit[],
): undefined | Promise<unknown> {
  const enforced: (readonly [SharedLimit, Ask])[] = [];
  const groups = [enforced];
  for (const limit of together) {
    if (!(limit instanceof SharedLimit) || limit.store !== store) continue;
    const ask = limit.askFor(exchange, template);
    if (ask === null) continue;
    if (limit.enforcePercent === 100) enforced.push([limit, ask]);
    else groups.push([[limit, ask]]);
  }
  const known = answers.get(exchange) ?? new Map<SharedLimit, StoreAnswer>();
  answers.set(exchange, known);
  const waits: Promise<void>[] = [];
  for (const group of groups) {
    if (group.length === 0) continue;
    const keep = (answered: readonly StoreAnswer[]): void => {
      for (const [at, [limit, ask]] of group.entries()) {
        const answer = answered[at] as StoreAnswer;
        known.set(limit, answer);
        limit.note(exchange, ask, answer);
      }
    };
    const answered = store.ask(group.map(([, ask]) => ask));
    if (answered instanceof Promise) waits.push(answered.then(keep));
    else keep(answered);
  }
  return waits.length > 0 ? Promise.all(waits) : undefined;
}
