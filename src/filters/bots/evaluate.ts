import { CONTINUE, ListDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import { BROWSER_ANOMALIES, browserAnomalies } from "../../message/browser-anomalies.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { AddressList } from "../address-list.ts";
import type { Check } from "../filter.ts";

/** Somebody who publishes where its crawler comes from. */
export interface Crawler {
  readonly name: string;
  /** Parts of its user agents, in lower case. */
  readonly words: readonly string[];
  readonly ranges: readonly AddressList[];
}

export interface DeniedWord {
  /** In lower case. */
  readonly word: string;
  /** The group that it is of, or what the policy says. */
  readonly list: string;
}

export interface BotRules {
  readonly crawlers: readonly Crawler[];
  readonly denied: readonly DeniedWord[];
  readonly deniesEmpty: boolean;
  /** In lower case. */
  readonly except: readonly string[];
}

/** What is known of one user agent, wherever it comes from. */
interface Reading {
  readonly crawlers: readonly Crawler[];
  readonly denied: DeniedWord | null;
}

const EMPTY: DeniedWord = { word: "", list: "empty" };

/** Judges who a client says to be. */
export class BotCheck implements Check {
  readonly name = "bots";
  readonly phase = "admit";
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #rules: BotRules;
  readonly #known = new Map<string, Reading>();

  constructor(rules: BotRules, place: Place, enforcePercent: number) {
    this.#rules = rules;
    this.place = place;
    this.enforcePercent = enforcePercent;
  }

  evaluate({ headers, clientAddress }: Exchange): Verdict {
    const { crawlers, denied } = this.#readingOf(headers.list("user-agent") ?? "");
    for (const { name, ranges } of crawlers) {
      if (ranges.some(({ table }) => table.has(clientAddress))) continue;
      const wanted = `an address that ${name} publishes`;
      return new ListDenial("crawler_unverified", this.place, clientAddress.text, wanted, name);
    }
    // Whoever is the crawler that it says to be is welcome.
    if (denied === null || crawlers.length > 0) return CONTINUE;
    const seen = denied === EMPTY ? "no user agent" : `a user agent with '${denied.word}'`;
    return new ListDenial("user_agent_denied", this.place, seen, "another user agent", denied.list);
  }

  explain({ headers, clientAddress }: Exchange): string {
    const { crawlers, denied } = this.#readingOf(headers.list("user-agent") ?? "");
    const claims = crawlers.map(({ name, ranges }) => {
      const range = ranges.map(({ table }) => table.rangeOf(clientAddress)).find((text) => text !== null);
      return range === undefined ? `says to be ${name}, from elsewhere` : `is ${name}, by ${range}`;
    });
    if (denied !== null) claims.push(denied === EMPTY ? "no user agent" : `'${denied.word}' of ${denied.list}`);
    return claims.length === 0 ? "a user agent that no rule meets" : claims.join(", ");
  }

  #readingOf(userAgent: string): Reading {
    const known = this.#known.get(userAgent);
    if (known !== undefined) return known;
    const reading = this.#read(userAgent.toLowerCase());
    if (userAgent.length > DEFAULTS.botUserAgentKeptCharsMax) return reading;
    if (this.#known.size >= DEFAULTS.botUserAgentsKeptMax) this.#known.clear();
    this.#known.set(userAgent, reading);
    return reading;
  }

  #read(userAgent: string): Reading {
    const { crawlers, denied, deniesEmpty, except } = this.#rules;
    const says = (word: string): boolean => userAgent.includes(word);
    const claimed = crawlers.filter(({ words }) => words.some(says));
    if (userAgent.trim() === "") return { crawlers: claimed, denied: deniesEmpty ? EMPTY : null };
    const word = except.some(says) ? undefined : denied.find((one) => says(one.word));
    return { crawlers: claimed, denied: word ?? null };
  }
}

/** Judges whether who says to be a browser sends what one does. */
export class AnomalyCheck implements Check {
  readonly name = "bots";
  readonly phase = "admit";
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #threshold: number;

  constructor(threshold: number, place: Place, enforcePercent: number) {
    this.#threshold = threshold;
    this.place = place;
    this.enforcePercent = enforcePercent;
  }

  evaluate(exchange: Exchange): Verdict {
    const found = browserAnomalies(exchange);
    let score = 0;
    for (const anomaly of found) score += BROWSER_ANOMALIES[anomaly];
    if (score < this.#threshold) return CONTINUE;
    const wanted = `a score below ${this.#threshold}`;
    return new ListDenial("browser_imitated", this.place, `${score}: ${found.join(", ")}`, wanted, "anomalies");
  }

  explain(exchange: Exchange): string {
    const found = browserAnomalies(exchange);
    return found.length === 0
      ? "nothing that its browser would not send, or no browser"
      : found.map((anomaly) => `${anomaly} ${BROWSER_ANOMALIES[anomaly]}`).join(", ");
  }
}
