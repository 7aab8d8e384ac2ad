import type { Phase } from "../../decision/phases.ts";
import { CONTINUE, type Place, type Verdict } from "../../decision/verdict.ts";
import type { BanBook } from "../../limits/bans/ban-book.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Check } from "../filter.ts";
import { type BanFacts, bannedDenial, describeBan } from "./ban-facts.ts";

/** Refuses whose key is banned. What already runs goes on: a ban meets requests that begin. */
export class BanCheck implements Check {
  readonly name = "ban";
  readonly phase: Phase;
  readonly place: Place;
  readonly enforcePercent: number;
  readonly once = true;
  readonly looksBackMs: number;
  readonly #facts: BanFacts;
  readonly #book: BanBook;
  readonly #template: string;

  constructor(facts: BanFacts, book: BanBook, phase: Phase, template: string) {
    this.phase = phase;
    this.place = facts.place;
    this.enforcePercent = facts.enforcePercent;
    this.#facts = facts;
    this.#book = book;
    this.#template = template;
    this.looksBackMs = facts.windowMs + facts.forMs;
  }

  share(exchange: Exchange): number | null {
    return this.#facts.key.compiled?.share(exchange, this.#template) ?? null;
  }

  evaluate(exchange: Exchange): Verdict {
    const { key, table } = this.#facts;
    if (!table.isAnyBanned) return key.compiled?.isWanted === true ? this.#missing(exchange) : CONTINUE;
    const template = this.#template;
    if (key.isOfMany(exchange, template, false)) return CONTINUE;
    let hasKey = true;
    const ban = table.find(
      (hash, prefix) => {
        hasKey = key.feed(hash, prefix, exchange, template);
        return hasKey;
      },
      () => key.label(exchange, template),
    );
    if (!hasKey) return this.#missing(exchange);
    return ban === null ? CONTINUE : bannedDenial(ban, this.#facts, this.#book.nowMs);
  }

  explain(exchange: Exchange): string {
    return describeBan(this.#facts, exchange, this.#template);
  }

  /** Without its key, or with two readings of it, a request goes round the ban. */
  #missing(exchange: Exchange): Verdict {
    const { compiled } = this.#facts.key;
    if (compiled === null || compiled.reader.missing(exchange, this.#template) === null) return CONTINUE;
    return compiled.verdict(exchange, this.#template);
  }
}
