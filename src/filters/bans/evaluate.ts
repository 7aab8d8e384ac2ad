import type { Reason } from "../../decision/reason.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import { type Address, isAddressless } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Ban, BanBook, BanRule } from "./ban-book.ts";

/** One ban of the policy, compiled. */
export interface BanFacts extends BanRule {
  readonly place: Place;
  readonly on: ReadonlySet<Reason>;
  readonly key: "client.address" | "account";
}

/**
 * The bans of a policy. A ban takes nothing from who shows no credentials, and nothing from who was good before: in front of
 * `authenticate` it spares the work that a guess would cost, behind it no guess gets through, right or wrong.
 */
export class Bans {
  readonly facts: readonly BanFacts[];
  readonly book: BanBook;

  constructor(facts: readonly BanFacts[], book: BanBook) {
    this.facts = facts;
    this.book = book;
  }

  /** The ban that meets a request, before or after its authenticators were asked; null for the nearly all that none does. */
  of(exchange: Exchange): Met | null {
    if (!this.book.isAnyBanned) return null;
    for (const facts of this.facts) {
      const key = keyOf(facts, exchange);
      const ban = key === null ? null : this.book.find(facts.name, key);
      if (ban !== null) return { ban, facts };
    }
    return null;
  }

  /** Whether a ban takes nothing from this caller: nobody guesses a signature, and of the rest the good are remembered. */
  keeps({ type, key }: Principal, { clientAddress }: Exchange): boolean {
    return !GUESSABLE.has(type) || this.book.isGood(addressKey(clientAddress), key);
  }

  wasGood({ type, key }: Principal, { clientAddress }: Exchange): void {
    if (GUESSABLE.has(type)) this.book.wasGood(addressKey(clientAddress), key);
  }

  /** A request was refused for `reason`; the bans that begin with it, nearly always none. */
  failed(reason: Reason, exchange: Exchange): readonly Ban[] {
    let begun: Ban[] | null = null;
    for (const facts of this.facts) {
      if (!facts.on.has(reason)) continue;
      const key = keyOf(facts, exchange);
      const ban = key === null ? null : this.book.failed(facts, key);
      if (ban === null) continue;
      begun ??= [];
      begun.push(ban);
    }
    return begun ?? NONE;
  }
}

export interface Met {
  readonly ban: Ban;
  readonly facts: BanFacts;
}

export function bannedDenial({ ban, facts }: Met, nowMs: number): Denial {
  const seconds = Math.max(1, Math.ceil((ban.untilMs - nowMs) / 1000));
  const seen = `${ban.key} is banned until ${new Date(ban.untilMs).toISOString()}, for the ${ordinal(ban.count)} time`;
  const wanted = "credentials that were good here before";
  return new Denial("banned", facts.place, seen, wanted, [["retry-after", String(seconds)]]);
}

/** Credentials that are looked up or compared; of the others a signature is checked. */
const GUESSABLE: ReadonlySet<Principal["type"]> = new Set(["api-key", "basic", "introspection"]);

const NONE: readonly Ban[] = [];

/** Peers of a Unix socket have no address to ban; with PROXY or X-Forwarded-For they have. */
function keyOf({ key }: BanFacts, { clientAddress, account }: Exchange): string | null {
  if (key === "account") return account;
  return isAddressless(clientAddress) ? null : addressKey(clientAddress);
}

/** Of IPv6 the /64: whoever has one address of it has all (RFC 6177). */
function addressKey({ family, text, w0, w1 }: Address): string {
  if (family === 4) return text;
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff];
  return `${groups.map((group) => group.toString(16)).join(":")}::/64`;
}

function ordinal(count: number): string {
  const tens = count % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${suffix}`;
}
