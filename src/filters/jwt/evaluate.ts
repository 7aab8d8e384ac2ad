import { compactVerify } from "jose/jws/compact/verify";
import type { Reason } from "../../decision/reason.ts";
import { Denial, type HeaderLine, type Place } from "../../decision/verdict.ts";
import { Charge } from "../../memory/account.ts";
import { type MemoryBudget, NOBODY } from "../../memory/budget.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Waiting } from "../../resources/waiting.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type Authentication, NO_CREDENTIALS } from "../filter.ts";
import { TokenAuthenticator, type TokenOptions } from "../token-authenticator.ts";
import {
  type ClaimRules,
  judgeClaims,
  judgeDates,
  judgeIssuer,
  judgeTime,
  type Rule,
  shown,
  type Validity,
} from "./claims.ts";
import type { KeyRing } from "./key-ring.ts";
import type { KeySource } from "./key-source.ts";
import { type PrincipalRules, toPrincipal } from "./principal.ts";
import { OTHER_SCHEME, parseToken, type Token } from "./token.ts";
import { TokenCache } from "./token-cache.ts";
import type { VerificationKey } from "./verification-key.ts";

export interface JwtOptions extends TokenOptions {
  readonly memory: MemoryBudget;
  readonly waiting: Waiting;
  readonly tokenBytesMax: number;
  readonly algorithms: Rule<ReadonlySet<string>>;
  readonly typ: Rule<string> | null;
  readonly keys: Rule<KeySource>;
  readonly claims: ClaimRules;
  readonly principal: PrincipalRules;
}

/** What is kept about a token that was verified. */
interface Verified {
  readonly principal: Principal;
  readonly validity: Validity;
  readonly key: VerificationKey;
  /** The ring that was last seen to have the key. */
  ring: KeyRing;
}

/** One look at a token with the keys of a moment. */
interface Attempt {
  readonly token: Token;
  readonly ring: KeyRing | null;
  readonly answer: Authentication | Promise<Authentication>;
}

/** What newer keys may change. */
const OPEN: ReadonlySet<Reason> = new Set(["token_key_unknown", "token_signature_invalid", "keys_unavailable"]);
const RETRY_LATER: readonly HeaderLine[] = [["retry-after", "5"]];

/**
 * A signed token is the credential. The first request with a token waits for its signature to be
 * checked; later ones find it by its text and are answered at once, as long as it is in date and the key that it
 * was verified with is among those that count. The cache lives and dies with the compiled policy.
 */
export class JwtAuthenticator extends TokenAuthenticator {
  readonly type = "jwt";
  protected readonly wanted = "one signed token of three parts";
  readonly #options: JwtOptions;
  readonly #clock: Clock;
  /** Verified tokens only: nobody can fill it without tokens that the issuer signed. */
  readonly #verified: TokenCache<Verified>;
  /** Of claims that were assumed, by themselves: nobody changes them. */
  readonly #assumed = new WeakMap<Token["claims"], Pick<Verified, "principal" | "validity">>();
  /** Verifications under way, so that a burst with one new token checks its signature once. */
  readonly #underWay = new Map<string, Attempt>();

  constructor(options: JwtOptions) {
    super(options, { issuers: [...options.claims.issuer.value], audiencesOf: options.claims.readAudience });
    this.#options = options;
    this.#verified = new TokenCache(new Charge(options.memory.caches, NOBODY));
    this.#clock = options.clock;
  }

  protected identify(exchange: Exchange, value: string): Authentication | Promise<Authentication> {
    const known = this.#verified.get(value);
    return known === undefined ? this.#first(exchange, value) : this.#again(exchange, value, known);
  }

  forget(): void {
    this.#verified.close();
  }

  #again(exchange: Exchange, value: string, known: Verified): Authentication | Promise<Authentication> {
    const { ring } = this.#options.keys.value;
    if (ring !== known.ring) {
      if (ring?.has(known.key) !== true) {
        this.#verified.delete(value);
        return this.#first(exchange, value);
      }
      known.ring = ring;
    }
    const denial = judgeTime(known.validity, this.#options.claims, this.#clock.wallMs());
    if (denial === null) return known.principal;
    this.#verified.delete(value);
    return denial;
  }

  #first(exchange: Exchange, value: string): Authentication | Promise<Authentication> {
    const text = this.withoutScheme(value);
    if (text === OTHER_SCHEME) return NO_CREDENTIALS;
    if (!text.ok) return this.malformed(text.error);
    const underWay = this.#underWay.get(value);
    if (underWay !== undefined) return this.#settle(exchange, value, underWay);

    const token = parseToken(text.value, this.#options.tokenBytesMax);
    if (!token.ok) return this.malformed(token.error);
    const denial = this.#judgeHead(token.value);
    if (denial !== null) return denial;
    const attempt = this.#attempt(value, token.value);
    if (!(attempt.answer instanceof Promise)) return this.#settleAtOnce(exchange, value, attempt);
    if (this.#underWay.size < DEFAULTS.tokenVerificationsSharedMax) this.#underWay.set(value, attempt);
    return this.#settle(exchange, value, attempt);
  }

  /** Everything that can be refused without a key. */
  #judgeHead(token: Token): Denial | null {
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
    const dates = judgeDates(token.claims, claims, this.#clock.wallMs());
    return dates instanceof Denial ? dates : null;
  }

  /** With the keys that there are: at once where none fits. */
  #attempt(value: string, token: Token): Attempt {
    const { place, value: source } = this.#options.keys;
    const { ring } = source;
    if (ring === null) return { token, ring, answer: this.#unavailable(source.words) };
    const keys = ring.candidates(token.kid, token.algorithm);
    if (keys.ok) return { token, ring, answer: this.#verify(value, token, ring, keys.value) };
    const { reason, seen } = keys.error;
    if (reason === "token_key_unknown") source.noteUnknownKid();
    return { token, ring, answer: this.#denied(reason, place, seen) };
  }

  async #settle(exchange: Exchange, value: string, attempt: Attempt): Promise<Authentication> {
    return this.#settleAtOnce(exchange, value, { ...attempt, answer: await attempt.answer });
  }

  /**
   * A signature that no key here has made may be a good one: keys may be on their way, or be others by now under the same
   * id. Where newer ones can be had, the request waits for them, once.
   */
  #settleAtOnce(exchange: Exchange, value: string, attempt: Attempt): Authentication | Promise<Authentication> {
    const { answer, ring } = attempt;
    if (!(answer instanceof Denial) || !OPEN.has(answer.reason)) return answer;
    const newer = this.#options.keys.value.newer(ring);
    if (newer !== null) return this.#retry(exchange, value, attempt, answer, newer);
    const final = this.#final(answer);
    return final.reason === "token_key_unknown" ? this.#unasked(final, attempt.token) : final;
  }

  async #retry(
    exchange: Exchange,
    value: string,
    { token, ring }: Attempt,
    denial: Denial,
    newer: Promise<void>,
  ): Promise<Authentication> {
    const waited = await this.#options.waiting.until(exchange, newer, DEFAULTS.keySetWaitMs);
    if (!waited.ok) return this.#unavailable(`waiting for keys: ${waited.error}`);
    if (this.#options.keys.value.ring === ring) return this.#final(denial);
    const { answer } = this.#attempt(value, token);
    const settled = await answer;
    return settled instanceof Denial ? this.#final(settled) : settled;
  }

  /** While the provider does not answer, it cannot be known whether it has made a key that nobody here has. */
  #final(denial: Denial): Denial {
    const { value: source } = this.#options.keys;
    // Why there are none may be known by now.
    if (source.ring === null) return this.#unavailable(source.words);
    if (denial.reason !== "token_key_unknown" || !source.isInDoubt) return denial;
    return this.#unavailable(`${denial.seen}; ${source.words}`);
  }

  /**
   * Its key is not here, and the issuer may not be asked yet, because somebody else, maybe with invented tokens, has had it
   * asked a moment ago. Whether that makes the token bad is for itself to say: the answer to one that is older than the keys,
   * or that no key could make good, does not depend on what others send.
   */
  #unasked(denial: Denial, { claims, typ }: Token): Denial {
    const { place, value: source } = this.#options.keys;
    if (!mayBeNewer(claims, source.asOfMs - this.#options.claims.skewMs)) return denial;
    if (this.#judge(claims, typ) instanceof Denial) return denial;
    const seconds = Math.max(1, Math.ceil(source.askableInMs / 1000));
    const seen = `${denial.seen}, newer than the ${source.words}; the issuer may be asked again in ${seconds} s`;
    return new Denial("keys_outdated", place, seen, denial.wanted, [["retry-after", `${seconds}`]]);
  }

  async #verify(value: string, token: Token, ring: KeyRing, keys: readonly VerificationKey[]): Promise<Authentication> {
    const key = await signerOf(token, keys);
    this.#underWay.delete(value);
    if (key === null) {
      const seen = `alg ${token.algorithm}, ${token.kid === null ? "no kid" : `kid ${shown(token.kid.slice(0, 64))}`}`;
      return this.#denied("token_signature_invalid", this.#options.keys.place, seen);
    }
    const judged = this.#judge(token.claims, token.typ);
    if (judged instanceof Denial) return judged;
    this.#verified.set(value, { ...judged, key, ring });
    return judged.principal;
  }

  #judge(claims: Token["claims"], typ: Token["typ"]): Pick<Verified, "principal" | "validity"> | Denial {
    const validity = judgeClaims(claims, typ, this.#options.claims, this.#clock.wallMs());
    if (validity instanceof Denial) return validity;
    const principal = toPrincipal(this.name, claims, this.#options.principal, this.#options.claims.skewMs);
    return principal instanceof Denial ? principal : { principal, validity };
  }

  /** A candidate is asked about the same remembered tokens again and again. */
  assume(identity: AssumedIdentity): Authentication {
    if (identity.type !== "jwt") return NO_CREDENTIALS;
    const known = this.#assumed.get(identity.claims);
    if (known !== undefined && judgeTime(known.validity, this.#options.claims, this.#clock.wallMs()) === null)
      return known.principal;
    const judged = this.#judge(this.#completed(identity.claims), null);
    if (judged instanceof Denial) return judged;
    this.#assumed.set(identity.claims, judged);
    return judged.principal;
  }

  /** Without issuer, audience, end or subject they get those of a good token. */
  #completed(claims: Token["claims"]): Token["claims"] {
    const { claims: rules } = this.#options;
    const { idClaims } = this.#options.principal;
    const nowSeconds = Math.floor(this.#clock.wallMs() / 1000);
    const supposed = Object.assign(Object.create(null), {
      iss: [...rules.issuer.value][0],
      [rules.audienceFrom[0] ?? "aud"]: rules.audience.value[0],
      exp: nowSeconds + 300,
      ...claims,
    });
    const named = idClaims.value.some((claim) => supposed[claim] !== undefined);
    if (!named) supposed[idClaims.value[0] ?? "sub"] = "assumed";
    return Object.freeze(supposed);
  }

  #unavailable(seen: string): Denial {
    const { place } = this.#options.keys;
    return new Denial("keys_unavailable", place, seen, "keys of the issuer", RETRY_LATER);
  }

  #denied(reason: Reason, place: Place, seen: string): Denial {
    return new Denial(reason, place, seen, "a signature by one of the keys");
  }
}

/** The key that made the signature, or null. jose pins the algorithm once more; every failure of it is a no. */
async function signerOf(token: Token, keys: readonly VerificationKey[]): Promise<VerificationKey | null> {
  for (const candidate of keys) {
    try {
      await compactVerify(token.text, candidate.key, { algorithms: [token.algorithm] });
      return candidate;
    } catch {
      // Not by this key; another one may be meant where the token names none.
    }
  }
  return null;
}

/** Whether a token may have been made after `sinceMs`, by its own word; without one it may. */
function mayBeNewer({ iat, nbf }: Token["claims"], sinceMs: number): boolean {
  const made = iat ?? nbf;
  return typeof made !== "number" ? sinceMs !== Number.POSITIVE_INFINITY : made * 1000 >= sinceMs;
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not count. */
function mediaType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, "");
}
