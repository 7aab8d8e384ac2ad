import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { RateTable } from "../../limits/rate/rate-table.ts";
import type { Exchange, RateLimitState } from "../../message/exchange.ts";
import type { Taken } from "../../message/taken.ts";
import type { Limit } from "../filter.ts";
import { describeKey } from "./key-text.ts";
import type { KeyPart } from "./schema.ts";

/** Everything about a limit that is known at load. */
export interface RateLimitFacts {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly key: readonly KeyPart[];
  /** How many keys are counted at once. */
  readonly keys: number;
  readonly intervalMs: number;
  readonly toleranceMs: number;
  /** As in `50/second, burst 100`. */
  readonly description: string;
  /** Ready `RateLimit-Policy` value. */
  readonly policyField: string;
  /** Whether other limits of the policy may refuse what this one counted. */
  readonly hasOthers: boolean;
}

/** One request that a table counted. */
class RateTaken implements Taken {
  readonly #table: RateTable;
  readonly #high: number;
  readonly #low: number;
  readonly #intervalMs: number;
  readonly #takenTat: number;

  /** What `table` took last. */
  constructor(table: RateTable, intervalMs: number) {
    this.#table = table;
    this.#high = table.hash.high;
    this.#low = table.hash.low;
    this.#intervalMs = intervalMs;
    this.#takenTat = table.takenTat;
  }

  giveBack(): void {
    this.#table.giveBack(this.#high, this.#low, this.#intervalMs, this.#takenTat);
  }
}

type Feeder = (hash: KeyHash, exchange: Exchange, routeTemplate: string) => void;

/** Kinds of key parts, fed before the part itself, so that an address never equals a header's text. */
const ADDRESS = 1;
const PRINCIPAL = 2;
const ANONYMOUS = 3;
const ROUTE = 4;
const HEADER = 5;
const HEADER_ABSENT = 6;

/** One address of IPv4; of IPv6 the /64, for whoever has one address has all of its /64 (RFC 6177). */
function feedAddress(hash: KeyHash, { clientAddress }: Exchange): void {
  hash.word(ADDRESS | (clientAddress.family << 8));
  hash.word(clientAddress.w0);
  if (clientAddress.family === 6) hash.word(clientAddress.w1);
}

/** Without a caller the address takes its place: leaving the credentials out must not open a fresh counter for all. */
function feedPrincipal(hash: KeyHash, exchange: Exchange): void {
  if (exchange.principal === null || exchange.principal.type === "anonymous") {
    hash.word(ANONYMOUS);
    feedAddress(hash, exchange);
    return;
  }
  hash.word(PRINCIPAL);
  hash.text(exchange.principal.key);
}

function feedRoute(hash: KeyHash, _exchange: Exchange, routeTemplate: string): void {
  hash.word(ROUTE);
  hash.text(routeTemplate);
}

/** All lines of the name count; requests without it share one counter, so leaving it out gains nothing. */
function feedHeader(name: string): Feeder {
  return (hash, { headers }) => {
    const { names, values } = headers;
    let found = false;
    for (let at = 0; at < names.length; at++) {
      if (names[at] !== name) continue;
      found = true;
      hash.word(HEADER);
      hash.text(values[at] ?? "");
    }
    if (!found) hash.word(HEADER_ABSENT);
  };
}

function feederOf(part: KeyPart): Feeder {
  if (part.kind === "header") return feedHeader(part.name);
  if (part.kind === "route") return feedRoute;
  return part.kind === "principal" ? feedPrincipal : feedAddress;
}

/** One limit: counts each request by its key in its share (GCRA, the virtual scheduling of ITU-T I.371). */
export class RateLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly keys: number;
  readonly #facts: RateLimitFacts;
  readonly #table: RateTable;
  readonly #prefix: KeyHash;
  readonly #feeders: readonly Feeder[];
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #hasOthers: boolean;

  constructor(facts: RateLimitFacts, table: RateTable) {
    this.name = facts.name;
    this.place = facts.place;
    this.phase = facts.phase;
    this.enforcePercent = facts.enforcePercent;
    this.keys = facts.keys;
    this.#facts = facts;
    this.#table = table;
    this.#prefix = table.prefix(facts.name);
    this.#feeders = facts.key.map(feederOf);
    this.#intervalMs = facts.intervalMs;
    this.#toleranceMs = facts.toleranceMs;
    this.#hasOthers = facts.hasOthers;
  }

  get evictions(): number {
    return this.#table.evictions;
  }

  evaluate(exchange: Exchange, routeTemplate: string): Verdict {
    const { hash } = this.#table;
    hash.copy(this.#prefix);
    for (const feed of this.#feeders) feed(hash, exchange, routeTemplate);
    const used = this.#table.take(this.#intervalMs, this.#toleranceMs);
    if (used < 0) return this.#deny(exchange, routeTemplate, -used);
    if (this.#hasOthers) exchange.take(new RateTaken(this.#table, this.#intervalMs));
    // Clients are told nothing of a limit that is only tried out.
    if (this.enforcePercent === 0) return CONTINUE;
    const remaining = Math.floor((this.#toleranceMs - used) / this.#intervalMs);
    const tightest = exchange.rateLimit;
    if (tightest === null || remaining < tightest.remaining) {
      exchange.rateLimit = this.#state(remaining, Math.ceil(used / 1000));
    }
    return CONTINUE;
  }

  explain(exchange: Exchange, routeTemplate: string): string {
    const state = exchange.rateLimit;
    const left = state?.policy === this.name ? `, ${state.remaining} left` : "";
    return `${this.#facts.description} for ${describeKey(this.#facts.key, exchange, routeTemplate)}${left}`;
  }

  #deny(exchange: Exchange, routeTemplate: string, waitMs: number): Denial {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    if (this.enforcePercent > 0) exchange.rateLimit = this.#state(0, seconds);
    const headers: readonly HeaderLine[] = [["retry-after", String(seconds)]];
    const seen = `the burst is used up for ${describeKey(this.#facts.key, exchange, routeTemplate)}`;
    return new Denial("rate_limited", this.place, seen, `at most ${this.#facts.description}`, headers);
  }

  #state(remaining: number, resetSeconds: number): RateLimitState {
    return { policy: this.name, policyField: this.#facts.policyField, remaining, resetSeconds };
  }
}
