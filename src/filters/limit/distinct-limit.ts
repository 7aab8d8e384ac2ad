import { CONTINUE, Denial, type Verdict } from "../../decision/verdict.ts";
import type { Addition, DistinctSets } from "../../limits/distinct/distinct-sets.ts";
import type { KeyReader } from "../../limits/key.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { DistinctTerms } from "../../limits/redis/ask.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitState } from "../../message/limit-state.ts";
import type { Taken } from "../../message/taken.ts";
import type { Clock } from "../../support/clock.ts";
import type { LimitReport, ShareableLimit } from "../filter.ts";
import { type KeyedFacts, KeyedLimit, NEEDS_NOTHING, phaseWith } from "./keyed-limit.ts";
import { StoreTaken } from "./store-taken.ts";

/** Everything about a guard that is known at load. */
export interface DistinctFacts extends KeyedFacts {
  readonly tellsPartition: boolean;
  /** What is told apart. */
  readonly of: KeyReader;
  readonly limit: number;
  readonly windowMs: number;
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
export class DistinctLimit extends KeyedLimit implements ShareableLimit {
  readonly storedAs: string;
  readonly scale = 1;
  readonly #facts: DistinctFacts;
  readonly looksBackMs: number;
  readonly #sets: DistinctSets;
  readonly #prefix: KeyHash;

  constructor(facts: DistinctFacts, sets: DistinctSets) {
    super("distinct", facts, { phase: phaseWith(facts.key, facts.of.phase), keys: 0, needs: NEEDS_NOTHING });
    this.#facts = facts;
    this.#sets = sets;
    this.#prefix = sets.prefix(facts.policy.name);
    this.looksBackMs = facts.windowMs;
    this.storedAs = `distinct ${facts.of.identity}`;
  }

  get terms(): DistinctTerms {
    return { kind: "distinct", limit: this.#facts.limit, windowUs: this.#facts.windowMs * 1000 };
  }

  costOf(): number {
    return 1;
  }

  memberOf(exchange: Exchange, routeTemplate: string): string | null {
    return this.#facts.of.text(exchange, routeTemplate);
  }

  taken(_: Exchange, units: number, correct: (units: number) => void): Taken {
    return new StoreTaken(units, null, correct);
  }

  admit(exchange: Exchange, routeTemplate: string, remaining: number): Verdict {
    this.#hashKey(exchange, routeTemplate);
    if (remaining < this.#facts.limit * (1 - NEAR)) this.#note(exchange, routeTemplate, false);
    this.#told(exchange, remaining, this.#facts.policy.windowSeconds);
    return CONTINUE;
  }

  refuse(exchange: Exchange, routeTemplate: string, waitMs: number): Verdict {
    this.#hashKey(exchange, routeTemplate);
    return this.#deny(exchange, routeTemplate, waitMs);
  }

  #hashKey(exchange: Exchange, routeTemplate: string): void {
    this.key.reader.feed(this.#sets.keyHash, this.#prefix, exchange, routeTemplate);
    this.#sets.keyHash.finish();
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
    const state = this.#told(exchange, limit - sets.taken, this.#facts.policy.windowSeconds);
    if (seen === "added" && this.#facts.hasOthers) exchange.take(new MemberTaken(sets, clock, state));
    return CONTINUE;
  }

  bindRoute(template: string): { readonly text: string } | null {
    return this.#facts.of.bindRoute(template) ?? this.key.reader.bindRoute(template);
  }

  override report(): LimitReport {
    const report = super.report();
    return { ...report, key: `${this.#facts.of.identity} per ${report.key}` };
  }

  topCallers(): readonly TopCaller[] {
    return this.#sets.usage.top.list(this.#facts.clock.monotonicMs());
  }

  protected counted(): Pick<LimitReport, "near" | "denied" | "evictions"> {
    const { usage, evictions } = this.#sets;
    return { near: usage.near, denied: usage.denied, evictions };
  }

  protected override saw(exchange: Exchange, routeTemplate: string): string {
    return `, now ${this.#facts.of.describe(exchange, routeTemplate)}`;
  }

  #told(exchange: Exchange, left: number, resetSeconds: number): LimitState | null {
    const { high, low } = this.#sets.keyHash;
    return this.tell(exchange, Math.max(0, left), resetSeconds, this.#facts.tellsPartition ? [high, low] : null);
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
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    this.#told(exchange, 0, seconds);
    const by = this.key.reader.describe(exchange, routeTemplate);
    return this.refusal(
      "distinct_exceeded",
      `one more, ${this.#facts.of.describe(exchange, routeTemplate)}, for ${by}`,
      seconds,
    );
  }
}
