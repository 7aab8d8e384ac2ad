import type { KeyObject } from "node:crypto";
import { compactVerify } from "jose/jws/compact/verify";
import type { Reason } from "../../decision/reason.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import { Charge } from "../../memory/account.ts";
import { type MemoryBudget, NOBODY } from "../../memory/budget.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok } from "../../support/result.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import type { Binding } from "../token-binding.ts";
import { type ClaimRules, judgeClaims, judgeIssuer, judgeTime, type Rule, shown, type Validity } from "./claims.ts";
import type { KeyRing } from "./key-ring.ts";
import { toPrincipal } from "./principal.ts";
import { bearerToken, OTHER_SCHEME, parseToken, type Token } from "./token.ts";
import { TokenCache } from "./token-cache.ts";

export interface JwtOptions {
  readonly name: string;
  readonly binding: Binding;
  readonly clock: Clock;
  readonly memory: MemoryBudget;
  readonly place: Place;
  /** Lower case. */
  readonly header: string;
  readonly tokenBytesMax: number;
  readonly algorithms: Rule<ReadonlySet<string>>;
  readonly typ: Rule<string> | null;
  readonly keys: Rule<KeyRing>;
  readonly claims: ClaimRules;
  readonly idClaims: Rule<readonly string[]>;
}

/** What is kept about a token that was verified. */
interface Verified {
  readonly principal: Principal;
  readonly validity: Validity;
}

/**
 * A signed token in a header is the credential. The first request with a token waits for its signature to be
 * checked; later ones find it by the header's text and are answered at once, as long as it is in date. The cache
 * lives and dies with the compiled policy, so no token outlives the keys that it was verified with.
 */
export class JwtAuthenticator implements Authenticator {
  readonly name: string;
  readonly type = "jwt";
  readonly place: Place;
  readonly challenge: string;
  readonly credentialHeaders: readonly string[];
  readonly #options: JwtOptions;
  readonly #header: string;
  readonly #bearer: boolean;
  readonly #clock: Clock;
  /** Verified tokens only: nobody can fill it without tokens that the issuer signed. */
  readonly #verified: TokenCache<Verified>;
  /** Verifications under way, so that a burst with one new token checks its signature once. */
  readonly #underWay = new Map<string, Promise<Authentication>>();

  constructor(options: JwtOptions) {
    this.name = options.name;
    this.place = options.place;
    this.challenge = options.binding.challenge;
    this.credentialHeaders = [options.header, "dpop"];
    this.#options = options;
    this.#verified = new TokenCache(new Charge(options.memory.caches, NOBODY));
    this.#header = options.header;
    this.#bearer = options.header === "authorization";
    this.#clock = options.clock;
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const { names, values } = exchange.headers;
    const at = names.indexOf(this.#header);
    if (at < 0) return NO_CREDENTIALS;
    // Of two headers the service might read the other one.
    if (names.indexOf(this.#header, at + 1) >= 0) return this.#malformed(`more than one ${this.#header} header`);
    const value = values[at] ?? "";
    const known = this.#verified.get(value);
    const identified = known === undefined ? this.#first(value) : this.#again(value, known);
    if (identified instanceof Promise) return identified.then((settled) => this.#prove(settled, value, exchange));
    return this.#prove(identified, value, exchange);
  }

  /** Whoever has the token is not yet the one it was given to. */
  #prove(identified: Authentication, value: string, exchange: Exchange): Authentication {
    if (identified === NO_CREDENTIALS || identified instanceof Denial) return identified;
    return this.#options.binding.judge(identified, value, exchange, this.#clock);
  }

  forget(): void {
    this.#verified.close();
  }

  #again(value: string, { principal, validity }: Verified): Authentication {
    const denial = judgeTime(validity, this.#options.claims, this.#clock.wallMs());
    if (denial === null) return principal;
    this.#verified.delete(value);
    return denial;
  }

  #first(value: string): Authentication | Promise<Authentication> {
    const text = this.#bearer ? bearerToken(value) : ok(value);
    if (text === OTHER_SCHEME) return NO_CREDENTIALS;
    if (!text.ok) return this.#malformed(text.error);
    const underWay = this.#underWay.get(value);
    if (underWay !== undefined) return underWay;

    const token = parseToken(text.value, this.#options.tokenBytesMax);
    if (!token.ok) return this.#malformed(token.error);
    const keys = this.#keysFor(token.value);
    if (keys instanceof Denial) return keys;
    const verification = this.#verify(value, token.value, keys);
    if (this.#underWay.size < DEFAULTS.tokenVerificationsSharedMax) this.#underWay.set(value, verification);
    return verification;
  }

  /** Everything that can be refused without a signature check, which is what costs. */
  #keysFor(token: Token): readonly KeyObject[] | Denial {
    const { algorithms, typ, keys, claims } = this.#options;
    // First whose token it is: what else is wrong with it is only for its own issuer's authenticator to say.
    const issuerDenial = judgeIssuer(token.claims, claims);
    if (issuerDenial !== null) return issuerDenial;
    if (!algorithms.value.has(token.algorithm)) {
      const wanted = `alg ${[...algorithms.value].join(", ")}`;
      return new Denial("token_algorithm_forbidden", algorithms.place, `alg ${shown(token.algorithm)}`, wanted);
    }
    if (typ !== null && mediaType(token.typ ?? "") !== mediaType(typ.value)) {
      return new Denial("token_malformed", typ.place, `typ ${shown(token.typ)}`, `typ ${typ.value}`);
    }
    if (!token.signed) return this.#denied("token_signature_invalid", keys.place, "no signature");
    const candidates = keys.value.candidates(token.kid, token.algorithm);
    return candidates.ok ? candidates.value : this.#denied(candidates.error.reason, keys.place, candidates.error.seen);
  }

  async #verify(value: string, token: Token, keys: readonly KeyObject[]): Promise<Authentication> {
    const genuine = await isSigned(token, keys);
    this.#underWay.delete(value);
    if (!genuine) {
      const seen = `alg ${token.algorithm}, ${token.kid === null ? "no kid" : `kid ${shown(token.kid.slice(0, 64))}`}`;
      return this.#denied("token_signature_invalid", this.#options.keys.place, seen);
    }
    const verified = this.#judge(token.claims);
    if (verified instanceof Denial) return verified;
    this.#verified.set(value, verified);
    return verified.principal;
  }

  #judge(claims: Token["claims"]): Verified | Denial {
    const validity = judgeClaims(claims, this.#options.claims, this.#clock.wallMs());
    if (validity instanceof Denial) return validity;
    const principal = toPrincipal(this.name, claims, this.#options.idClaims, this.#options.claims.skewMs);
    return principal instanceof Denial ? principal : { principal, validity };
  }

  /** Claims without issuer, audience, end or subject are completed to those of a good token; the rest is judged. */
  assume(identity: AssumedIdentity): Authentication {
    if (identity.type !== "jwt") return NO_CREDENTIALS;
    const { claims: rules, idClaims } = this.#options;
    const nowSeconds = Math.floor(this.#clock.wallMs() / 1000);
    const supposed = Object.assign(Object.create(null), {
      iss: rules.issuer.value,
      aud: rules.audience.value[0],
      exp: nowSeconds + 300,
      ...identity.claims,
    });
    const named = idClaims.value.some((claim) => supposed[claim] !== undefined);
    if (!named) supposed[idClaims.value[0] ?? "sub"] = "assumed";
    const judged = this.#judge(Object.freeze(supposed));
    return judged instanceof Denial ? judged : judged.principal;
  }

  #malformed(seen: string): Denial {
    return new Denial("token_malformed", this.place, seen, "one signed token of three parts");
  }

  #denied(reason: Reason, place: Place, seen: string): Denial {
    return new Denial(reason, place, seen, "a signature by one of the keys");
  }
}

/** jose pins the algorithm once more and checks the signature; every failure of it is a no. */
async function isSigned(token: Token, keys: readonly KeyObject[]): Promise<boolean> {
  for (const key of keys) {
    try {
      await compactVerify(token.text, key, { algorithms: [token.algorithm] });
      return true;
    } catch {
      // Not by this key; another one may be meant where the token names none.
    }
  }
  return false;
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not count. */
function mediaType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, "");
}
