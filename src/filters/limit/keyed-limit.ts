import type { Reason } from "../../decision/reason.ts";
import { LimitDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitPolicy, LimitState } from "../../message/limit-state.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { LimitNeeds } from "../limit-port.ts";
import type { CompiledKey } from "./key.ts";

/** What is known at load of every limit that counts by a key. */
export interface KeyedFacts {
  readonly place: Place;
  readonly enforcePercent: number;
  readonly key: CompiledKey;
  /** As in `50/second, burst 100`. */
  readonly description: string;
  /** Behind it: what requests cost, where they do not all cost 1. */
  readonly costs?: string;
  /** Who counts together, for people. */
  readonly countedBy: string;
  /** What clients are told. */
  readonly policy: LimitPolicy;
}

/** When a limit can be asked, and what it needs for that. */
export interface Asked {
  readonly phase: "admit" | "limit";
  /** How many keys it has in the tables that rates share. */
  readonly keys: number;
  readonly needs: LimitNeeds;
}

export const NEEDS_NOTHING: LimitNeeds = { tellsMethods: null, readsAnswers: false };

/** The wanted phase where the key is known by then. */
export function phaseWith(key: CompiledKey, wanted: "admit" | "limit" | undefined): "admit" | "limit" {
  return key.reader.phase === "admit" && wanted !== "limit" ? "admit" : "limit";
}

/** What all kinds of limits that count by a key have in common: how they show themselves, and how they refuse. */
export abstract class KeyedLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly keys: number;
  readonly key: CompiledKey;
  readonly needs: LimitNeeds;
  readonly #kind: string;
  readonly #facts: KeyedFacts;

  /** `kind`: its word in the policy. */
  protected constructor(kind: string, facts: KeyedFacts, { phase, keys, needs }: Asked) {
    this.#kind = kind;
    this.#facts = facts;
    this.name = facts.policy.name;
    this.place = facts.place;
    this.phase = phase;
    this.enforcePercent = facts.enforcePercent;
    this.keys = keys;
    this.key = facts.key;
    this.needs = needs;
  }

  abstract evaluate(exchange: Exchange, template: string): Verdict | Promise<Verdict>;
  abstract topCallers(): readonly TopCaller[];
  protected abstract counted(): Pick<LimitReport, "near" | "denied" | "evictions">;

  explain(exchange: Exchange, template: string): string {
    const { description, costs = "", countedBy, policy } = this.#facts;
    const what = `${this.#kind} ${description}${costs}`;
    const { reader } = this.key;
    if (this.key.isUnlimited(exchange, template)) {
      return `${what}: not limited, for ${reader.missing(exchange, template)?.text ?? "the key"} is absent`;
    }
    let state = exchange.rateLimit;
    while (state !== null && state.policy !== policy) state = state.before;
    const left = state === null ? "" : `, ${state.remaining} left`;
    const by = `${reader.describe(exchange, template)}${this.saw(exchange, template)}`;
    return `${what} for ${by}, counted by ${countedBy}${left}`;
  }

  report(): LimitReport {
    const { description, costs = "", policy } = this.#facts;
    const key = this.#facts.key.reader.identity;
    const { scope } = policy;
    return { name: this.name, kind: this.#kind, description: `${description}${costs}`, key, scope, ...this.counted() };
  }

  /** For `explain`, behind the key: what else it looked at. */
  protected saw(_exchange: Exchange, _template: string): string {
    return "";
  }

  /** Tells the client, unless the limit is only tried out: null then. */
  protected tell(
    exchange: Exchange,
    remaining: number,
    resetSeconds: number,
    partition: LimitState["partition"] = null,
  ): LimitState | null {
    if (this.enforcePercent === 0) return null;
    const { policy } = this.#facts;
    const state = { policy, remaining, resetSeconds, partition, before: exchange.rateLimit };
    exchange.rateLimit = state;
    return state;
  }

  /** `retrySeconds`: when the same request would pass; null where a time would be a lie. */
  protected refusal(reason: Reason, seen: string, retrySeconds: number | null): LimitDenial {
    const { description, policy } = this.#facts;
    const headers = retrySeconds === null ? [] : [["retry-after", String(retrySeconds)] as const];
    return new LimitDenial(reason, this.place, seen, `at most ${description}`, headers, policy);
  }
}
