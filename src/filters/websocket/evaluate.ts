import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { excerpt } from "../../support/excerpt.ts";
import type { Check } from "../filter.ts";
import { isOwnOrigin, withoutDefaultPort } from "../origin.ts";

const SEEN_MAX = 200;

/**
 * Against cross-site WebSocket hijacking: a browser lets any page open a WebSocket anywhere, with the user's cookies
 * and client certificate, but says in Origin whose page it is. Who sends no Origin is no browser, and has nobody's
 * credentials but its own.
 */
export class OriginCheck implements Check {
  readonly name = "websocket";
  readonly phase = "authorize";
  readonly place: Place;
  readonly enforcePercent: number;
  /** Null: only pages of the host that is asked. */
  readonly #origins: ReadonlySet<string> | null;
  readonly #wanted: string;

  constructor(origins: readonly string[] | null, place: Place, enforcePercent: number) {
    this.place = place;
    this.enforcePercent = enforcePercent;
    this.#origins = origins === null ? null : new Set(origins.map(withoutDefaultPort));
    this.#wanted = origins === null ? "an origin of the host that is asked" : `one of ${origins.join(" ")}`;
  }

  evaluate(exchange: Exchange): Verdict {
    const { upgrade, headers } = exchange;
    if (upgrade === null) return CONTINUE;
    const count = headers.count("origin");
    if (count === 0) return CONTINUE;
    const origin = headers.get("origin") ?? "";
    if (count === 1 && this.#isAllowed(origin.toLowerCase(), exchange)) return CONTINUE;
    const seen = count > 1 ? "more than one Origin" : `Origin ${excerpt(origin, SEEN_MAX)}`;
    return new Denial("origin_denied", this.place, seen, this.#wanted);
  }

  explain({ upgrade, headers }: Exchange): string {
    if (upgrade === null) return "no WebSocket handshake";
    return `Origin ${excerpt(headers.list("origin") ?? "(absent)", SEEN_MAX)}, wanted ${this.#wanted}`;
  }

  #isAllowed(origin: string, exchange: Exchange): boolean {
    if (this.#origins !== null) return this.#origins.has("*") || this.#origins.has(withoutDefaultPort(origin));
    return isOwnOrigin(origin, exchange);
  }
}
