import { Denial, type Verdict } from "../../decision/verdict.ts";
import { Calendar, type CalendarSettings } from "../../limits/quota/calendar.ts";
import type { SharedCounts, StoredCounts } from "../../limits/quota/shared-counts.ts";
import type { QuotaTerms } from "../../limits/redis/ask.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import { NEAR } from "../../limits/usage.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitState } from "../../message/limit-state.ts";
import type { Waiting } from "../../resources/waiting.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { LimitReport } from "../filter.ts";
import { type Asked, type KeyedFacts, KeyedLimit } from "./keyed-limit.ts";

/** What is known at load of a limit that counts in windows of the calendar. */
export interface CalendarFacts extends KeyedFacts {
  /** In the unit of the counts. */
  readonly limit: number;
  readonly clock: Clock;
  readonly waiting: Waiting;
}

/** What quotas and budgets have in common: counts that survive a restart, and are waited for behind one. */
export abstract class CalendarLimit extends KeyedLimit {
  protected readonly shared: SharedCounts;
  /** Its window. */
  readonly looksBackMs: number;
  #stored: StoredCounts | null = null;
  readonly #facts: CalendarFacts;

  protected constructor(kind: string, facts: CalendarFacts, shared: SharedCounts, asked: Omit<Asked, "keys">) {
    super(kind, facts, { ...asked, keys: 0 });
    this.#facts = facts;
    this.shared = shared;
    this.looksBackMs = facts.policy.windowSeconds * 1_000;
  }

  useStore(stored: Omit<StoredCounts, "textOf">): void {
    this.#stored = { ...stored, textOf: (label) => this.key.reader.textOf(label) };
    this.shared.stored ??= this.#stored;
  }

  /** The store of the policy that is in force is the one that is asked. */
  beforeAsking(): void {
    this.shared.stored = this.#stored;
  }

  protected abstract take(exchange: Exchange, template: string): Verdict;

  evaluate(exchange: Exchange, template: string): Verdict | Promise<Verdict> {
    const { waiting } = this.shared;
    return waiting === null ? this.take(exchange, template) : this.#wait(waiting, exchange, template);
  }

  topCallers(): readonly TopCaller[] {
    return this.shared.usage.top.list(this.#facts.clock.monotonicMs());
  }

  protected counted(): Pick<LimitReport, "near" | "denied" | "evictions"> {
    const { counts, usage } = this.shared;
    return { near: usage.near, denied: usage.denied, evictions: counts.evictions };
  }

  protected keyOf(exchange: Exchange, template: string): number {
    return this.shared.keyOf(this.key.reader.text(exchange, template) ?? "");
  }

  /** Of a request that passed; `left` in the unit of the counts. */
  protected notePassed(key: number, exchange: Exchange, template: string, left: number): void {
    const { usage } = this.shared;
    if (left < this.#facts.limit * (1 - NEAR)) {
      usage.near++;
      this.#note(key, exchange, template, 1, false);
    } else if (usage.top.isDue()) this.#note(key, exchange, template, DEFAULTS.limitTopSampled, false);
  }

  protected noteRefused(key: number, exchange: Exchange, template: string): void {
    this.shared.usage.denied++;
    this.#note(key, exchange, template, 1, true);
  }

  protected tellUntil(exchange: Exchange, remaining: number, resetMs: number): LimitState | null {
    return this.tell(exchange, remaining, secondsOf(resetMs));
  }

  /** What stands in logs may stand beside a count. */
  protected label(exchange: Exchange, template: string): string {
    return this.key.reader.describe(exchange, template).slice(0, DEFAULTS.quotaLabelCharsMax);
  }

  #note(key: number, exchange: Exchange, template: string, weight: number, isDenied: boolean): void {
    const nowMs = this.#facts.clock.monotonicMs();
    const describe = (): string => this.key.reader.describe(exchange, template);
    this.shared.usage.top.note(key | 0, weight, isDenied, nowMs, describe);
  }

  /** What was counted before the process began is being read. */
  async #wait(read: Promise<void>, exchange: Exchange, template: string): Promise<Verdict> {
    const { waiting, description } = this.#facts;
    const waited = await waiting.until(exchange, read, DEFAULTS.quotaLoadMs * 2);
    if (waited.ok) return this.take(exchange, template);
    const seen = `waiting for the counts from before: ${waited.error}`;
    return new Denial("limit_store_unavailable", this.place, seen, `at most ${description}`);
  }
}

/** Rounded up, at least 1. */
export function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** Windows of a calendar, as a store is told of them. */
export function windowsOf(settings: CalendarSettings): QuotaTerms["windowsAt"] {
  const [calendar, later] = [new Calendar(settings), new Calendar(settings)];
  return (wallMs) => {
    const { startMs, endMs } = calendar.at(wallMs);
    return { start: startMs / 1000, end: endMs / 1000, next: later.at(endMs).endMs / 1000 };
  };
}
