import type { Phase } from "../../decision/phases.ts";
import type { Reason } from "../../decision/reason.ts";
import type { Ban } from "../../limits/bans/ban.ts";
import type { BanBook } from "../../limits/bans/ban-book.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Check } from "../filter.ts";
import { BanCheck } from "./ban-check.ts";
import { type BanFacts, bannedDenial } from "./ban-facts.ts";
import type { BanKey } from "./ban-key.ts";
import type { GuessBans, Met } from "./guess-bans.ts";

/**
 * The bans of a policy. One of guesses takes nothing from who shows no credentials, and nothing from who was good before: in
 * front of `authenticate` it spares the work that a guess would cost, behind it no guess gets through, right or wrong. The others
 * are checks of their own, as soon as their key is known.
 */
export class Bans implements GuessBans {
  readonly facts: readonly BanFacts[];
  readonly book: BanBook;
  readonly #ofGuesses: readonly BanFacts[];
  readonly #ofKeys: readonly BanFacts[];

  constructor(facts: readonly BanFacts[], book: BanBook) {
    this.facts = facts;
    this.book = book;
    this.#ofGuesses = facts.filter(({ isOfGuesses }) => isOfGuesses);
    this.#ofKeys = facts.filter(({ isOfGuesses }) => !isOfGuesses);
  }

  get isAnyGuesserBanned(): boolean {
    return this.#ofGuesses.some(({ table }) => table.isAnyBanned);
  }

  of(exchange: Exchange): Met | null {
    let tried: Met | null = null;
    for (const facts of this.#ofGuesses) {
      const ban = meets(facts, exchange);
      if (ban === null) continue;
      const denial = bannedDenial(ban, facts, this.book.nowMs);
      if (isEnforced(facts, exchange)) return { denial, isEnforced: true };
      tried ??= { denial, isEnforced: false };
    }
    return tried;
  }

  keeps({ type, key }: Principal, { clientAddress }: Exchange): boolean {
    return !GUESSABLE.has(type) || this.book.good.has(clientAddress, key, this.book.nowMs);
  }

  wasGood({ type, key }: Principal, { clientAddress }: Exchange): void {
    if (this.#ofGuesses.length > 0 && GUESSABLE.has(type)) this.book.good.add(clientAddress, key, this.book.nowMs);
  }

  /**
   * A request was refused for `reason`; the bans that begin with it, nearly always none. `template`: of its route, null where none
   * is known. `isProxy`: the address is of a trusted proxy, which did not tell whose the request is.
   */
  failed(reason: Reason, exchange: Exchange, template: string | null, isProxy: boolean): readonly Ban[] {
    let begun: Ban[] | null = null;
    for (const facts of this.facts) {
      if (!facts.on.has(reason)) continue;
      const ban = fail(facts, exchange, template, isProxy);
      if (ban === null) continue;
      begun ??= [];
      begun.push(ban);
    }
    return begun ?? NONE;
  }

  /** Detectors found `score` in a request that is over; the bans that begin with it. */
  suspected(score: number, exchange: Exchange, template: string | null, isProxy: boolean): readonly Ban[] {
    return this.facts
      .filter(({ isSuspicion }) => isSuspicion)
      .map((facts) => fail(facts, exchange, template, isProxy, score))
      .filter((ban) => ban !== null);
  }

  /** One is by method: a parameter that names another must not lead round it. */
  get hasMethod(): boolean {
    return this.facts.some(({ key }) => key.compiled?.reader.hasMethod === true);
  }

  /** Checks for every request, before any route is known. */
  admitChecks(): readonly Check[] {
    return this.#ofKeys
      .filter(({ key }) => key.from === "admit")
      .map((facts) => new BanCheck(facts, this.book, "admit", ""));
  }

  /** Checks of the requests of a route: of the bans whose keys it has and that are known then. */
  checksOf(template: string): readonly Check[] {
    return this.#ofKeys
      .filter(({ key }) => key.from !== "admit" && key.compiled?.reader.bindRoute(template) === null)
      .map((facts) => new BanCheck(facts, this.book, phaseOf(facts.key), template));
  }
}

/** Credentials that are looked up or compared; of the others a signature is checked. */
const GUESSABLE: ReadonlySet<Principal["type"]> = new Set(["api-key", "basic", "introspection"]);

const NONE: readonly Ban[] = [];

function meets({ key, table }: BanFacts, exchange: Exchange): Ban | null {
  if (!table.isAnyBanned || key.isOfMany(exchange, "", false)) return null;
  return table.find(
    (hash, prefix) => key.feed(hash, prefix, exchange, ""),
    () => key.label(exchange, ""),
  );
}

/** `weight`: what it counts, 1 for a denial. */
function fail(facts: BanFacts, exchange: Exchange, template: string | null, isProxy: boolean, weight = 1): Ban | null {
  const { key, table } = facts;
  // Where the route is not known, what stands for it would be one key for all such requests.
  if (template === null && key.from !== "admit" && key.compiled !== null) return null;
  if (key.isOfMany(exchange, template ?? "", isProxy)) return null;
  return table.failed(
    facts,
    (hash, prefix) => key.feed(hash, prefix, exchange, template ?? ""),
    () => key.label(exchange, template ?? ""),
    weight,
  );
}

/** The share of the ladder goes by the key, so that who is banned is so at each request. */
function isEnforced({ enforcePercent, key }: BanFacts, exchange: Exchange): boolean {
  if (enforcePercent >= 100 || enforcePercent === 0) return enforcePercent > 0;
  return (key.compiled?.share(exchange, "") ?? 0) * 100 < enforcePercent;
}

/** Where the key is known: before the caller is asked, or behind. */
function phaseOf({ from }: BanKey): Phase {
  return from === "match" || from === "authenticate" ? "match" : from;
}
