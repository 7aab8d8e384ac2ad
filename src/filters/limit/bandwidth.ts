import {
  CONTINUE,
  type Denial,
  type HeaderLine,
  LimitDenial,
  type Place,
  type Verdict,
} from "../../decision/verdict.ts";
import { KeyPace } from "../../limits/bandwidth/key-pace.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { RateTable } from "../../limits/rate/rate-table.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitPolicy } from "../../message/limit-state.ts";
import type { Way } from "../../message/pace.ts";
import type { Timers } from "../../support/timers.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { CompiledKey } from "./key.ts";

/** Everything about a bandwidth that is known at load. */
export interface BandwidthFacts {
  /** What clients are told. */
  readonly policy: LimitPolicy;
  readonly tellsPartition: boolean;
  readonly place: Place;
  readonly enforcePercent: number;
  readonly key: CompiledKey;
  readonly keys: number;
  /** Null for both together. */
  readonly way: Way | null;
  readonly byteMs: number;
  readonly toleranceMs: number;
  /** Whoever owes more than this is refused: waiting requests cost memory, too. */
  readonly delayMaxMs: number;
  /** As in `1MiB/s of responses, burst 4MiB`. */
  readonly description: string;
  readonly timers: Timers;
}

/** One bandwidth: the bytes of all requests of a key come no faster than it says; who owes too much is refused. */
export class BandwidthLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly keys: number;
  readonly key: CompiledKey;
  readonly #facts: BandwidthFacts;
  readonly #table: RateTable;
  readonly #prefix: KeyHash;

  constructor(facts: BandwidthFacts, table: RateTable) {
    this.name = facts.policy.name;
    this.place = facts.place;
    this.phase = facts.key.reader.phase;
    this.enforcePercent = facts.enforcePercent;
    this.keys = facts.keys;
    this.key = facts.key;
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
    if (this.enforcePercent > 0) this.#tell(exchange, Math.max(0, owedMs - delayMaxMs));
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

  explain(exchange: Exchange, template: string): string {
    return `bandwidth ${this.#facts.description} for ${this.key.reader.describe(exchange, template)}, counted by this process`;
  }

  report(): LimitReport {
    const { description } = this.#facts;
    const { near, refused, evictions } = this.#table;
    const key = this.key.reader.identity;
    return { name: this.name, kind: "bandwidth", description, key, scope: "process", near, denied: refused, evictions };
  }

  topCallers(): readonly TopCaller[] {
    return this.#table.top.list(this.#table.nowMs);
  }

  /** What may come at once now, and until a refused request passes (`waitMs`), or all of it may. */
  #tell(exchange: Exchange, waitMs: number): void {
    const { policy, toleranceMs, byteMs, tellsPartition } = this.#facts;
    const { hash, takenTat, takenAtMs } = this.#table;
    const usedMs = Math.max(0, takenTat - takenAtMs);
    exchange.rateLimit = {
      policy,
      remaining: Math.max(0, Math.floor((toleranceMs - usedMs) / byteMs)),
      resetSeconds: Math.ceil((waitMs > 0 ? waitMs : usedMs) / 1000),
      partition: tellsPartition ? [hash.high, hash.low] : null,
      before: exchange.rateLimit,
    };
  }

  #deny(exchange: Exchange, template: string, owedMs: number): Denial {
    this.#table.noteRefused();
    this.#note(exchange, template, true);
    const { description, delayMaxMs, policy } = this.#facts;
    const seconds = Math.max(1, Math.ceil((owedMs - delayMaxMs) / 1000));
    const seen = `${Math.ceil(owedMs)} ms ahead of it, ${this.key.reader.describe(exchange, template)}`;
    const headers: readonly HeaderLine[] = [["retry-after", String(seconds)]];
    return new LimitDenial("bandwidth_exceeded", this.place, seen, `at most ${description}`, headers, policy);
  }

  #note(exchange: Exchange, template: string, isDenied: boolean): void {
    const { hash, top, nowMs } = this.#table;
    top.note(hash.high, 1, isDenied, nowMs, () => this.key.reader.describe(exchange, template));
  }
}
