import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Addition, DistinctSets } from "../../limits/distinct/distinct-sets.ts";
import type { KeyReader } from "../../limits/key.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Taken } from "../../message/taken.ts";
import type { Clock } from "../../support/clock.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { CompiledKey } from "./key.ts";

/** Everything about a guard that is known at load. */
export interface DistinctFacts {
  readonly name: string;
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

  /** What `sets` took last. */
  constructor(sets: DistinctSets, clock: Pick<Clock, "monotonicMs">) {
    this.#sets = sets;
    this.#addition = sets.addition();
    this.#clock = clock;
  }

  giveBack(): void {
    this.#sets.giveBack(this.#addition, this.#clock.monotonicMs());
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
    this.name = facts.name;
    this.place = facts.place;
    this.key = facts.key;
    this.phase = facts.key.reader.phase === "admit" && facts.of.phase === "admit" ? "admit" : "limit";
    this.enforcePercent = facts.enforcePercent;
    this.#facts = facts;
    this.#sets = sets;
    this.#prefix = sets.prefix(facts.name);
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
    if (seen === "added" && this.#facts.hasOthers) exchange.take(new MemberTaken(sets, clock));
    return CONTINUE;
  }

  bindRoute(template: string): { readonly text: string } | null {
    return this.#facts.of.bindRoute(template) ?? this.key.reader.bindRoute(template);
  }

  explain(exchange: Exchange, routeTemplate: string): string {
    const by = this.key.reader.describe(exchange, routeTemplate);
    const member = this.#facts.of.describe(exchange, routeTemplate);
    return `at most ${this.#facts.description} for ${by}, now ${member}, counted by this process`;
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
    const { description, of } = this.#facts;
    const headers: readonly HeaderLine[] = [["retry-after", String(Math.max(1, Math.ceil(waitMs / 1000)))]];
    const by = this.key.reader.describe(exchange, routeTemplate);
    const seen = `one more, ${of.describe(exchange, routeTemplate)}, for ${by}`;
    return new Denial("distinct_exceeded", this.place, seen, `at most ${description}`, headers);
  }
}
