import { CONTINUE, Denial, type HeaderLine, LimitDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Addition, DistinctSets } from "../../limits/distinct/distinct-sets.ts";
import type { KeyReader } from "../../limits/key.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitPolicy, LimitState } from "../../message/limit-state.ts";
import type { Taken } from "../../message/taken.ts";
import type { Clock } from "../../support/clock.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { CompiledKey } from "./key.ts";

/** Everything about a guard that is known at load. */
export interface DistinctFacts {
  /** What clients are told. */
  readonly policy: LimitPolicy;
  readonly tellsPartition: boolean;
  readonly place: Place;
  readonly enforcePercent: number;
  readonly key: CompiledKey;
  /** What is told apart. */
  readonly of: KeyReader;
  readonly limit: number;
  /** As in `50 path.orderId in 10m`. */
  readonly description: string;
  readonly hasOthers: boolean;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** One member that was taken up for a request. */
class MemberTaken implements Taken {
  readonly #sets: DistinctSets;
  readonly #addition: Addition;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** What the client is told of it; null where nothing. */
  readonly #state: LimitState | null;

  /** What `sets` took last. */
  constructor(sets: DistinctSets, clock: Pick<Clock, "monotonicMs">, state: LimitState | null) {
    this.#state = state;
    this.#sets = sets;
    this.#addition = sets.addition();
    this.#clock = clock;
  }

  giveBack(): void {
    this.#sets.giveBack(this.#addition, this.#clock.monotonicMs());
    if (this.#state !== null && !this.#addition.isShared) this.#state.remaining++;
  }

  onEnd(): void {
    this.#sets.settle(this.#addition);
  }
}

/** A guard against enumeration: how many different things a key may ask for within a window. */
export class DistinctLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  /** It has none in the tables that rates share. */
  readonly keys = 0;
  readonly key: CompiledKey;
  readonly #facts: DistinctFacts;
  readonly #sets: DistinctSets;
  readonly #prefix: KeyHash;

  constructor(facts: DistinctFacts, sets: DistinctSets) {
    this.name = facts.policy.name;
    this.place = facts.place;
    this.key = facts.key;
    this.phase = facts.key.reader.phase === "admit" && facts.of.phase === "admit" ? "admit" : "limit";
    this.enforcePercent = facts.enforcePercent;
    this.#facts = facts;
    this.#sets = sets;
    this.#prefix = sets.prefix(facts.policy.name);
  }

  evaluate(exchange: Exchange, routeTemplate: string): Verdict {
    const { of, clock, limit } = this.#facts;
    const sets = this.#sets;
    if (!of.feed(sets.memberHash, this.#prefix, exchange, routeTemplate))
      return this.#withoutMember(exchange, routeTemplate);
    if (!this.key.reader.feed(sets.keyHash, this.#prefix, exchange, routeTemplate)) {
      return this.key.verdict(exchange, routeTemplate);
    }
    const seen = sets.take(limit, clock.monotonicMs());
    if (typeof seen === "number") return this.#deny(exchange, routeTemplate, -seen);
    if (seen === "added" && sets.taken > limit * NEAR) this.#note(exchange, routeTemplate, false);
    const state = this.#tell(exchange, limit - sets.taken, this.#facts.policy.windowSeconds);
    if (seen === "added" && this.#facts.hasOthers) exchange.take(new MemberTaken(sets, clock, state));
    return CONTINUE;
  }

  bindRoute(template: string): { readonly text: string } | null {
    return this.#facts.of.bindRoute(template) ?? this.key.reader.bindRoute(template);
  }

  explain(exchange: Exchange, routeTemplate: string): string {
    const by = this.key.reader.describe(exchange, routeTemplate);
    const member = this.#facts.of.describe(exchange, routeTemplate);
    return `distinct: at most ${this.#facts.description} for ${by}, now ${member}, counted by this process`;
  }

  report(): LimitReport {
    const { usage, evictions } = this.#sets;
    const key = `${this.#facts.of.identity} per ${this.key.reader.identity}`;
    const { description } = this.#facts;
    const { near, denied } = usage;
    return { name: this.name, kind: "distinct", description, key, scope: "process", near, denied, evictions };
  }

  topCallers(): readonly TopCaller[] {
    return this.#sets.usage.top.list(this.#facts.clock.monotonicMs());
  }

  #tell(exchange: Exchange, left: number, resetSeconds: number): LimitState | null {
    // Clients are told nothing of a limit that is only tried out.
    if (this.enforcePercent === 0) return null;
    const { policy, tellsPartition } = this.#facts;
    const { high, low } = this.#sets.keyHash;
    const partition = tellsPartition ? ([high, low] as const) : null;
    const state = { policy, remaining: Math.max(0, left), resetSeconds, partition, before: exchange.rateLimit };
    exchange.rateLimit = state;
    return state;
  }

  #note(exchange: Exchange, routeTemplate: string, isDenied: boolean): void {
    const { usage, keyHash } = this.#sets;
    if (isDenied) usage.denied++;
    else usage.near++;
    const nowMs = this.#facts.clock.monotonicMs();
    usage.top.note(keyHash.high, 1, isDenied, nowMs, () => this.key.reader.describe(exchange, routeTemplate));
  }

  /** A request that names nothing enumerates nothing; one that names it in two ways asks for what nobody knows. */
  #withoutMember(exchange: Exchange, routeTemplate: string): Verdict {
    const missing = this.#facts.of.missing(exchange, routeTemplate);
    if (missing?.isAmbiguous !== true) return CONTINUE;
    return new Denial("limit_key_missing", this.place, `${missing.text} in more than one reading`, "one of it");
  }

  #deny(exchange: Exchange, routeTemplate: string, waitMs: number): Denial {
    this.#note(exchange, routeTemplate, true);
    const { description, of, policy } = this.#facts;
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    this.#tell(exchange, 0, seconds);
    const headers: readonly HeaderLine[] = [["retry-after", String(seconds)]];
    const by = this.key.reader.describe(exchange, routeTemplate);
    const seen = `one more, ${of.describe(exchange, routeTemplate)}, for ${by}`;
    return new LimitDenial("distinct_exceeded", this.place, seen, `at most ${description}`, headers, policy);
  }
}
