import { METHOD_PARAMETERS } from "../bodies/method-parameters.ts";
import { foldName, namesRead } from "../bodies/names.ts";
import { Denial, type Place } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { queryNames } from "../message/query.ts";
import { excerpt } from "../support/excerpt.ts";
import { isOwnOrigin, withoutDefaultPort } from "./origin.ts";

/** What changes nothing (RFC 9110 section 9.2.1), so that a link from anywhere may lead there. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);
const SEEN_MAX = 200;
const METHOD_NAMES: ReadonlySet<string> = new Set(METHOD_PARAMETERS.map(foldName));

/**
 * Against requests that a page of somebody else makes with the user's cookie (CSRF, cross-site WebSocket hijacking). A browser
 * says whose page it is in Sec-Fetch-Site (Fetch Metadata) or Origin, and no page can change what it says. Who sends neither
 * may be an old browser, so that a cookie alone changes nothing.
 */
export class CrossSite {
  readonly #origins: ReadonlySet<string>;
  readonly #place: Place;
  readonly #wanted: string;

  /** `origins`: whose pages may ask beside those of the authority that is asked. */
  constructor(origins: readonly string[], place: Place) {
    this.#origins = new Set(origins.map(withoutDefaultPort));
    this.#place = place;
    const listed = origins.length === 0 ? "" : `, or one of ${origins.join(" ")}`;
    this.#wanted = `a page of the authority that is asked${listed}`;
  }

  /** Of a request whose credential is a cookie. */
  judge(exchange: Exchange): Denial | null {
    const { headers, upgrade } = exchange;
    if (!changes(exchange)) return null;
    const [sites, origins] = [headers.count("sec-fetch-site"), headers.count("origin")];
    if (sites > 1 || origins > 1) return this.#denied(`more than one ${sites > 1 ? "Sec-Fetch-Site" : "Origin"}`);
    const origin = headers.get("origin");
    if (origin !== undefined && this.#origins.has(withoutDefaultPort(origin.toLowerCase()))) return null;
    const site = headers.get("sec-fetch-site");
    // Of a WebSocket every browser tells the Origin; not every one takes wss: and https: for one site.
    if (site !== undefined && (upgrade === null || origin === undefined)) {
      return site === "same-origin" || site === "none" ? null : this.#denied(`Sec-Fetch-Site ${excerpt(site)}`);
    }
    if (origin === undefined) return this.#denied("a cookie, and neither Sec-Fetch-Site nor Origin");
    return isOwnOrigin(origin.toLowerCase(), exchange) ? null : this.#denied(`Origin ${excerpt(origin, SEEN_MAX)}`);
  }

  #denied(seen: string): Denial {
    return new Denial("origin_denied", this.#place, seen, this.#wanted);
  }
}

/** Some services take a GET for the method that its query names. */
function changes({ method, upgrade, target }: Exchange): boolean {
  if (upgrade !== null || !SAFE.has(method)) return true;
  return (
    target.query !== "" &&
    queryNames(target.query).some((name) => namesRead(name).some((read) => METHOD_NAMES.has(read)))
  );
}
