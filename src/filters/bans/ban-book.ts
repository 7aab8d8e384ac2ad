import type { KeyHash } from "../../limits/rate/key-hash.ts";
import { RateTable } from "../../limits/rate/rate-table.ts";
import { Charge } from "../../memory/account.ts";
import { type MemoryBudget, NOBODY } from "../../memory/budget.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/** One ban, as it is listed; `ban` is its name in the policy. */
export interface Ban {
  readonly ban: string;
  /** The address, or `authenticator/account`. */
  readonly key: string;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** How many bans there were of this key, each within a day of the last one's end. */
  readonly count: number;
}

/** What a ban of the policy counts by. */
export interface BanRule {
  readonly name: string;
  readonly times: number;
  readonly windowMs: number;
  readonly forMs: number;
  readonly growing: boolean;
}

/**
 * Who is banned, and who was good before; of the process, so that no reload forgets it. Bounded: failures and the good are
 * counted in tables of fixed size whose keys are hashes that nobody outside can aim at; of bans, when there are too many,
 * those give way that are over, and then the one that ends first.
 */
export class BanBook {
  readonly #clock: Clock;
  readonly #failures: RateTable;
  readonly #good: RateTable;
  readonly #failurePrefix: KeyHash;
  readonly #goodPrefix: KeyHash;
  readonly #entries = new Map<string, Ban>();
  readonly #charge: Charge;
  /** Bans begun, by the name of the ban. */
  readonly begun: Map<string, number> = new Map();
  /** While nobody is banned, a request costs one comparison. */
  #lastEndMs = 0;

  constructor(seed: readonly [number, number], clock: Clock, memory: MemoryBudget) {
    this.#clock = clock;
    this.#failures = new RateTable(DEFAULTS.banFailureKeys, seed, clock);
    this.#good = new RateTable(DEFAULTS.banGoodKeys, seed, clock);
    this.#failurePrefix = this.#failures.prefix("failed");
    this.#goodPrefix = this.#good.prefix("good");
    this.#charge = new Charge(memory.tables, NOBODY);
    this.#hold();
  }

  /** Unix milliseconds. */
  get nowMs(): number {
    return this.#clock.wallMs();
  }

  get isAnyBanned(): boolean {
    return this.#clock.wallMs() < this.#lastEndMs;
  }

  /** The ban that holds now; null for none. */
  find(rule: string, key: string): Ban | null {
    const ban = this.#entries.get(nameOf(rule, key));
    return ban !== undefined && this.#clock.wallMs() < ban.untilMs ? ban : null;
  }

  /** One more failure; the ban that it led to, null where there is none yet or one already. */
  failed(rule: BanRule, key: string): Ban | null {
    if (this.find(rule.name, key) !== null) return null;
    feed(this.#failures, this.#failurePrefix, rule.name, key);
    const intervalMs = rule.windowMs / rule.times;
    // The failure that uses the burst up is the last one that is free.
    if (this.#failures.take(intervalMs, rule.windowMs) >= 0) return null;
    return this.#begin(rule, key);
  }

  /** `principal` was good when it came from `address`: a ban does not take that from it for a day. */
  wasGood(address: string, principal: string): void {
    feed(this.#good, this.#goodPrefix, address, principal);
    this.#good.take(DEFAULTS.banGoodMs, DEFAULTS.banGoodMs);
  }

  isGood(address: string, principal: string): boolean {
    feed(this.#good, this.#goodPrefix, address, principal);
    return this.#good.peek(DEFAULTS.banGoodMs, DEFAULTS.banGoodMs) > 0;
  }

  /** Bans that hold now, for the admin port. */
  *list(): Generator<Ban> {
    const nowMs = this.#clock.wallMs();
    for (const ban of this.#entries.values()) if (nowMs < ban.untilMs) yield ban;
  }

  /** Lifts a ban and forgets those before it; false where there is none. */
  lift(rule: string, key: string): boolean {
    return this.#entries.delete(nameOf(rule, key));
  }

  #begin(rule: BanRule, key: string): Ban {
    const name = nameOf(rule.name, key);
    const nowMs = this.#clock.wallMs();
    const last = this.#entries.get(name);
    const isAgain = last !== undefined && nowMs - last.untilMs < DEFAULTS.banRememberedMs;
    const count = isAgain ? last.count + 1 : 1;
    const factor = rule.growing ? 2 ** Math.min(count - 1, 20) : 1;
    const untilMs = nowMs + Math.min(rule.forMs * factor, DEFAULTS.banMsMax);
    const ban = { ban: rule.name, key, sinceMs: nowMs, untilMs, count };
    // Behind the others, so that the oldest stand first.
    this.#entries.delete(name);
    if (this.#entries.size >= DEFAULTS.bansMax) this.#makeRoom(nowMs);
    this.#entries.set(name, ban);
    this.#hold();
    this.#lastEndMs = Math.max(this.#lastEndMs, untilMs);
    this.begun.set(rule.name, (this.begun.get(rule.name) ?? 0) + 1);
    return ban;
  }

  /** Looks at the oldest few only: under a flood of addresses each ban must cost little. */
  #makeRoom(nowMs: number): void {
    let first: string | null = null;
    let firstEndMs = Number.POSITIVE_INFINITY;
    let left = DEFAULTS.banCandidatesMax;
    for (const [name, ban] of this.#entries) {
      if (ban.untilMs < firstEndMs) {
        first = name;
        firstEndMs = ban.untilMs;
      }
      if (firstEndMs <= nowMs || --left === 0) break;
    }
    if (first !== null) this.#entries.delete(first);
  }

  #hold(): void {
    const tables = this.#failures.buffer.byteLength + this.#good.buffer.byteLength;
    this.#charge.holdUnasked(tables + this.#entries.size * DEFAULTS.memoryBanBytes);
  }
}

function feed({ hash }: RateTable, prefix: KeyHash, first: string, second: string): void {
  hash.copy(prefix);
  hash.text(first);
  hash.text(second);
}

function nameOf(rule: string, key: string): string {
  return `${rule} ${key}`;
}
