import { Denial, type Place } from "../decision/verdict.ts";
import type { AssumedIdentity, Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import type { Clock } from "../support/clock.ts";
import { ok, type Result } from "../support/result.ts";
import { Unreadable } from "./credential-source.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS, type TokenFacts } from "./filter.ts";
import { bearerToken, type OTHER_SCHEME } from "./jwt/token.ts";
import type { Binding } from "./token-binding.ts";
import type { TokenPlaces } from "./token-places.ts";

/** What every authenticator of tokens is made of. */
export interface TokenOptions {
  readonly name: string;
  readonly place: Place;
  readonly places: TokenPlaces;
  readonly binding: Binding;
  readonly clock: Clock;
}

/** What tokens have in common, whoever says that they are good: where they stand, and who may show them. */
export abstract class TokenAuthenticator implements Authenticator {
  readonly name: string;
  abstract readonly type: Principal["type"];
  readonly place: Place;
  readonly challenge: string;
  readonly credentialHeaders: readonly string[];
  readonly credentialCookies: readonly string[];
  readonly credentialParameters: readonly string[];
  readonly websocketProtocol: boolean;
  readonly tokens: TokenFacts;
  /** What a token looks like here, for denials. */
  protected abstract readonly wanted: string;
  readonly #options: TokenOptions;
  readonly #places: TokenPlaces;

  constructor(options: TokenOptions, facts: Pick<TokenFacts, "issuers" | "audiencesOf">) {
    const { name, place, places, binding } = options;
    this.name = name;
    this.place = place;
    this.challenge = binding.challenge;
    this.credentialHeaders = [...places.headers, "dpop"];
    this.credentialCookies = places.cookies;
    this.credentialParameters = places.parameters;
    this.websocketProtocol = places.websocketProtocol;
    this.tokens = { ...facts, bearerMethods: places.bearerMethods, binding: binding.facts };
    this.#options = options;
    this.#places = places;
  }

  abstract assume(identity: AssumedIdentity): Authentication;

  /** Whose token `value` is, which still has its scheme where there is one. */
  protected abstract identify(exchange: Exchange, value: string): Authentication | Promise<Authentication>;

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const value = this.#places.read(exchange);
    if (value === null || value instanceof Denial) return value;
    if (value instanceof Unreadable) return this.malformed(value.seen);
    const identified = this.identify(exchange, value);
    if (identified instanceof Promise) return identified.then((settled) => this.#prove(settled, value, exchange));
    return this.#prove(identified, value, exchange);
  }

  misplaced(exchange: Exchange): readonly string[] {
    return this.#places.misplaced(exchange);
  }

  protected withoutScheme(value: string): Result<string, string> | typeof OTHER_SCHEME {
    return this.#places.hasScheme ? bearerToken(value) : ok(value);
  }

  protected malformed(seen: string): Denial {
    return new Denial("token_malformed", this.place, seen, this.wanted);
  }

  /** Whoever has the token is not yet the one it was given to (RFC 8705 section 3, RFC 9449 sections 6 and 7). */
  #prove(identified: Authentication, value: string, exchange: Exchange): Authentication {
    if (identified === NO_CREDENTIALS || identified instanceof Denial) return identified;
    return this.#options.binding.judge(identified, value, exchange, this.#options.clock);
  }
}
