import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { HeaderBlock } from "../../message/headers.ts";
import { excerpt } from "../../support/excerpt.ts";
import { isOwnOrigin, withoutDefaultPort } from "../origin.ts";
import type { OriginRule } from "./schema.ts";

export interface CorsRules {
  readonly place: Place;
  readonly origins: readonly OriginRule[];
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

/** Cross-origin resource sharing of one route (Fetch section 3.2). Of an Origin that is not listed nothing is ever repeated. */
export class Cors {
  readonly place: Place;
  /** What the service says of it is not for clients, and answers differ by Origin unless all pages may read them. */
  readonly varies: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #patterns: readonly OriginRule[];
  readonly #any: boolean;
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
    this.#any = origins.some(({ kind }) => kind === "any");
    this.varies = !this.#any;
    this.#exact = new Set(origins.flatMap((rule) => (rule.kind === "exact" ? [withoutDefaultPort(rule.origin)] : [])));
    this.#patterns = origins.filter(({ kind }) => kind === "below" || kind === "ports");
    this.#refusesOthers = rules.refusesOthers;
    this.#privateNetwork = rules.privateNetwork;
    this.#credentials = credentials ? "access-control-allow-credentials: true\r\n" : "";
    this.#exposed = exposeHeaders.length === 0 ? "" : `access-control-expose-headers: ${exposeHeaders.join(", ")}\r\n`;
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
    const allowed = this.#allows(origin);
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
    return this.#allows(origin) === null
      ? `Origin ${seen} may not read the answer`
      : `Origin ${seen} may read the answer`;
  }

  #allowedOf({ headers }: Exchange): string | null {
    const origin = headers.get("origin");
    return origin !== undefined && headers.count("origin") === 1 ? this.#allows(origin) : null;
  }

  /** What the answer repeats, or null. */
  #allows(origin: string): string | null {
    if (this.#any) return "*";
    const text = withoutDefaultPort(origin);
    if (this.#exact.has(text)) return origin;
    return this.#patterns.some((rule) => fits(rule, text)) ? origin : null;
  }

  #isOwn(exchange: Exchange, origin: string): boolean {
    return exchange.headers.count("origin") === 1 && isOwnOrigin(origin.toLowerCase(), exchange);
  }

  #denied(seen: string): Denial {
    return new Denial("origin_denied", this.place, seen, this.#wanted);
  }
}

/** One or more labels of letters, digits and dashes: what stands for * is never a part of another host's name. */
const LABELS = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;
const DIGITS = /^\d{1,5}$/;

function fits(rule: OriginRule, text: string): boolean {
  if (rule.kind === "below") {
    if (!text.startsWith(rule.scheme) || !text.endsWith(rule.suffix)) return false;
    return LABELS.test(text.slice(rule.scheme.length, -rule.suffix.length));
  }
  return rule.kind === "ports" && text.startsWith(rule.beginning) && DIGITS.test(text.slice(rule.beginning.length));
}
