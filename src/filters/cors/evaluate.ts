import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { HeaderBlock } from "../../message/headers.ts";
import { excerpt } from "../../support/excerpt.ts";
import { isOwnOrigin } from "../origin.ts";
import type { OriginList } from "./origin-list.ts";
import { exposedLine, UnroutedCors } from "./unrouted.ts";

export interface CorsRules {
  readonly place: Place;
  readonly origins: OriginList;
  readonly credentials: boolean;
  readonly privateNetwork: boolean;
  /** Other pages' requests are refused. */
  readonly refusesOthers: boolean;
  readonly maxAgeSeconds: number;
  /** Upper case. */
  readonly methods: readonly string[];
  /** Lower case. */
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
}

const SEEN_MAX = 200;

/** Caches keep answers to preflights apart by what they depend on. */
const VARY_PREFLIGHT =
  "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network";

/** Cross-origin resource sharing of one route (Fetch section 3.2). */
export class Cors {
  readonly place: Place;
  /** What the service says of it is not for clients, and answers differ by Origin unless all pages may read them. */
  readonly varies: boolean;
  readonly hasCredentials: boolean;
  readonly origins: OriginList;
  readonly #refusesOthers: boolean;
  readonly #privateNetwork: boolean;
  readonly #credentials: string;
  readonly #exposed: string;
  readonly #preflight: readonly HeaderLine[];
  readonly #methods: ReadonlySet<string>;
  readonly #wanted: string;

  constructor(rules: CorsRules) {
    const { origins, credentials, methods, headers, exposeHeaders } = rules;
    this.place = rules.place;
    this.origins = origins;
    this.hasCredentials = credentials;
    this.varies = !origins.hasAny;
    this.#refusesOthers = rules.refusesOthers;
    this.#privateNetwork = rules.privateNetwork;
    this.#credentials = credentials ? "access-control-allow-credentials: true\r\n" : "";
    this.#exposed = exposedLine(exposeHeaders);
    this.#methods = new Set(methods);
    this.#preflight = [
      ["access-control-allow-methods", methods.join(", ")],
      ["access-control-allow-headers", headers.join(", ")],
      ["access-control-max-age", String(rules.maxAgeSeconds)],
      ...(credentials ? [["access-control-allow-credentials", "true"] as const] : []),
      ["vary", VARY_PREFLIGHT],
    ];
    this.#wanted = `an origin of 'cors.origins'`;
  }

  /** Of a policy: for the rules of all its routes. */
  unrouted(): UnroutedCors {
    return new UnroutedCors();
  }

  /** What a request's answer says to its page, whoever refuses it later; to a page of another origin nothing. */
  tell(exchange: Exchange): void {
    const allowed = this.#allowedOf(exchange);
    if (allowed === null) return;
    exchange.answerLines += `access-control-allow-origin: ${allowed}\r\n${this.#credentials}${this.#exposed}`;
  }

  /** A page of another origin may be refused. */
  judge(exchange: Exchange): Verdict {
    const { headers } = exchange;
    const origin = headers.get("origin");
    if (origin === undefined || !this.#refusesOthers) return CONTINUE;
    if (this.#allowedOf(exchange) !== null || this.#isOwn(exchange, origin)) return CONTINUE;
    return this.#denied(headers.count("origin") === 1 ? `Origin ${excerpt(origin, SEEN_MAX)}` : "more than one Origin");
  }

  /** The answer to the question whether a page may ask; it carries no credentials, and needs none. */
  preflight({ headers }: Exchange, method: string): HeaderBlock | Denial {
    const origin = headers.get("origin") ?? "";
    const allowed = this.origins.allows(origin);
    if (allowed === null) return this.#denied(`a preflight of Origin ${excerpt(origin, SEEN_MAX)}`);
    if (!this.#methods.has(method)) {
      return new Denial(
        "origin_denied",
        this.place,
        `a preflight for ${excerpt(method, 32)}`,
        [...this.#methods].join(", "),
      );
    }
    const lines: HeaderLine[] = [["access-control-allow-origin", allowed], ...this.#preflight];
    if (headers.get("access-control-request-private-network") === "true" && this.#privateNetwork) {
      lines.push(["access-control-allow-private-network", "true"]);
    }
    return new HeaderBlock(
      lines.map(([name]) => name),
      lines.map(([, value]) => value),
    );
  }

  /** For `explain`. */
  describe({ headers }: Exchange): string {
    const origin = headers.get("origin");
    if (origin === undefined) return "no Origin: no page of another origin asks";
    const seen = excerpt(origin, SEEN_MAX);
    return this.origins.allows(origin) === null
      ? `Origin ${seen} may not read the answer`
      : `Origin ${seen} may read the answer`;
  }

  #allowedOf({ headers }: Exchange): string | null {
    const origin = headers.get("origin");
    return origin !== undefined && headers.count("origin") === 1 ? this.origins.allows(origin) : null;
  }

  #isOwn(exchange: Exchange, origin: string): boolean {
    return exchange.headers.count("origin") === 1 && isOwnOrigin(origin.toLowerCase(), exchange);
  }

  #denied(seen: string): Denial {
    return new Denial("origin_denied", this.place, seen, this.#wanted);
  }
}
