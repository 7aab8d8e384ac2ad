import { CONTINUE, type Denial, type Verdict } from "../../decision/verdict.ts";
import { KeyPace } from "../../limits/bandwidth/key-pace.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { RateTable } from "../../limits/rate/rate-table.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Way } from "../../message/pace.ts";
import type { Timers } from "../../support/timers.ts";
import type { LimitReport } from "../filter.ts";
import { type KeyedFacts, KeyedLimit, NEEDS_NOTHING } from "./keyed-limit.ts";

/** Everything about a bandwidth that is known at load. */
export interface BandwidthFacts extends KeyedFacts {
  readonly tellsPartition: boolean;
  readonly keys: number;
  /** Null for both together. */
  readonly way: Way | null;
  readonly byteMs: number;
  readonly toleranceMs: number;
  /** Whoever owes more than this is refused: waiting requests cost memory, too. */
  readonly delayMaxMs: number;
  readonly timers: Timers;
}

/** One bandwidth: the bytes of all requests of a key come no faster than it says; who owes too much is refused. */
export class BandwidthLimit extends KeyedLimit {
  readonly #facts: BandwidthFacts;
  readonly #table: RateTable;
  readonly #prefix: KeyHash;

  constructor(facts: BandwidthFacts, table: RateTable) {
    super("bandwidth", facts, { phase: facts.key.reader.phase, keys: facts.keys, needs: NEEDS_NOTHING });
    this.#facts = facts;
    this.#table = table;
    this.#prefix = table.prefix(facts.policy.name);
  }

  evaluate(exchange: Exchange, template: string): Verdict {
    const { reader } = this.key;
    const { hash } = this.#table;
    if (!reader.feed(hash, this.#prefix, exchange, template)) return this.key.verdict(exchange, template);
    hash.finish();
    const { toleranceMs, delayMaxMs, way } = this.#facts;
    const owedMs = this.#table.spend(hash.high, hash.low, 0, toleranceMs);
    this.#told(exchange, Math.max(0, owedMs - delayMaxMs));
    if (owedMs > delayMaxMs) return this.#deny(exchange, template, owedMs);
    let isNoted = false;
    const onOver = (): void => {
      if (isNoted) return;
      isNoted = true;
      this.#table.noteNear();
      this.#note(exchange, template, false);
    };
    exchange.paces ??= [];
    exchange.paces.push(new KeyPace({ ...this.#facts, table: this.#table, way }, this.enforcePercent > 0, onOver));
    return CONTINUE;
  }

  topCallers(): readonly TopCaller[] {
    return this.#table.top.list(this.#table.nowMs);
  }

  protected counted(): Pick<LimitReport, "near" | "denied" | "evictions"> {
    const { near, refused, evictions } = this.#table;
    return { near, denied: refused, evictions };
  }

  /** What may come at once now, and until a refused request passes (`waitMs`), or all of it may. */
  #told(exchange: Exchange, waitMs: number): void {
    const { toleranceMs, byteMs, tellsPartition } = this.#facts;
    const { hash, takenTat, takenAtMs } = this.#table;
    const usedMs = Math.max(0, takenTat - takenAtMs);
    const remaining = Math.max(0, Math.floor((toleranceMs - usedMs) / byteMs));
    const resetSeconds = Math.ceil((waitMs > 0 ? waitMs : usedMs) / 1000);
    this.tell(exchange, remaining, resetSeconds, tellsPartition ? [hash.high, hash.low] : null);
  }

  #deny(exchange: Exchange, template: string, owedMs: number): Denial {
    this.#table.noteRefused();
    this.#note(exchange, template, true);
    const seconds = Math.max(1, Math.ceil((owedMs - this.#facts.delayMaxMs) / 1000));
    const seen = `${Math.ceil(owedMs)} ms ahead of it, ${this.key.reader.describe(exchange, template)}`;
    return this.refusal("bandwidth_exceeded", seen, seconds);
  }

  #note(exchange: Exchange, template: string, isDenied: boolean): void {
    const { hash, top, nowMs } = this.#table;
    top.note(hash.high, 1, isDenied, nowMs, () => this.key.reader.describe(exchange, template));
  }
}
