import type { Exchange } from "../../message/exchange.ts";
import { OriginList } from "./origin-list.ts";

/** What postern itself tells clients, so that a page can read why it was refused and what it has left. */
export const OWN_HEADERS = [
  "deprecation",
  "link",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "sunset",
  "www-authenticate",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
] as const;
const OWN_EXPOSED = exposedLine(OWN_HEADERS);

/** Header line with CR LF, or nothing. */
export function exposedLine(names: readonly string[]): string {
  return names.length === 0 ? "" : `access-control-expose-headers: ${names.join(", ")}\r\n`;
}

/**
 * What refusals say to pages where no route is known, as that of a limit on addresses: whoever is listed by any route may
 * read them. By the route that the request would have got, an address that is refused could still find out what there is.
 */
export class UnroutedCors {
  readonly #withCredentials = new OriginList();
  readonly #others = new OriginList();

  add({ origins, hasCredentials }: { readonly origins: OriginList; readonly hasCredentials: boolean }): void {
    (hasCredentials ? this.#withCredentials : this.#others).addAll(origins);
  }

  /** Where the path was not looked at. */
  tell(exchange: Exchange): void {
    this.#tell(exchange, true);
  }

  /** Where no route has the path: pages of anybody would find out which paths a service within their reader's network has. */
  tellNamed(exchange: Exchange): void {
    this.#tell(exchange, false);
  }

  #tell(exchange: Exchange, isForAny: boolean): void {
    const { headers } = exchange;
    const origin = headers.get("origin");
    if (origin === undefined || headers.count("origin") !== 1) return;
    const hasCredentials = this.#withCredentials.names(origin);
    const isNamed = hasCredentials || this.#others.names(origin);
    if (!isNamed && !(isForAny && this.#others.hasAny)) return;
    const credentials = hasCredentials ? "access-control-allow-credentials: true\r\n" : "";
    exchange.answerLines += `access-control-allow-origin: ${isNamed ? origin : "*"}\r\n${credentials}${OWN_EXPOSED}vary: Origin\r\n`;
  }
}
