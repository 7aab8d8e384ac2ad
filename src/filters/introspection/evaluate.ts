import { hash } from "node:crypto";
import { Denial } from "../../decision/verdict.ts";
import { clientOf } from "../../message/address.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Waiting } from "../../resources/waiting.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { JsonObject } from "../../support/json.ts";
import { type Authentication, NO_CREDENTIALS } from "../filter.ts";
import { textsFrom } from "../jwt/claim-texts.ts";
import { judgeSubject, type Rule, type SubjectRule, shown } from "../jwt/claims.ts";
import { GENERAL_CLAIMS, toPrincipal } from "../jwt/principal.ts";
import { OTHER_SCHEME } from "../jwt/token.ts";
import { TokenAuthenticator, type TokenOptions } from "../token-authenticator.ts";
import type { Introspector } from "./introspector.ts";
import type { Introspected } from "./protocol.ts";

export interface IntrospectionOptions extends TokenOptions {
  readonly introspector: Introspector;
  readonly waiting: Waiting;
  /** How long a request waits for the provider. */
  readonly timeoutMs: number;
  readonly issuer: Rule<string> | null;
  readonly audience: Rule<readonly string[]> | null;
  /** Null: anybody's. */
  readonly subjects: Rule<SubjectRule> | null;
  readonly requiredClaims: Rule<readonly string[]>;
  readonly idClaims: Rule<readonly string[]>;
}

/** RFC 6750 section 2.1; what is no such text no provider has given out, and it is not asked about it. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * A token of which its provider says whether it is good. The first request with it waits for the provider; others find what
 * it said by the token's hash, and are answered at once.
 */
export class IntrospectionAuthenticator extends TokenAuthenticator {
  readonly type = "introspection";
  protected readonly wanted = "one token";
  readonly #options: IntrospectionOptions;
  /** What became of an answer, so that it is judged once. */
  readonly #judged = new WeakMap<JsonObject, Principal | Denial>();

  constructor(options: IntrospectionOptions) {
    const issuers = options.issuer === null ? [] : [options.issuer.value];
    super(options, { issuers, audiencesOf: textsFrom(["aud"], false) });
    this.#options = options;
  }

  protected identify(exchange: Exchange, value: string): Authentication | Promise<Authentication> {
    const token = this.withoutScheme(value);
    if (token === OTHER_SCHEME) return NO_CREDENTIALS;
    if (!token.ok) return this.malformed(token.error);
    if (token.value.length > DEFAULTS.tokenBytesMax) return this.malformed(`a token of ${token.value.length} bytes`);
    if (!TOKEN.test(token.value)) return this.malformed("characters that no token has");
    const digest = hash("sha256", token.value, "base64url");
    const known = this.#options.introspector.known(digest);
    return known === undefined ? this.#wait(exchange, digest, token.value) : this.#judge(known);
  }

  assume(identity: AssumedIdentity): Authentication {
    if (identity.type !== "jwt") return NO_CREDENTIALS;
    const { audience, issuer, idClaims } = this.#options;
    const supposed: Record<string, unknown> = Object.assign(Object.create(null), {
      ...(issuer === null ? {} : { iss: issuer.value }),
      ...(audience === null ? {} : { aud: audience.value[0] }),
      ...identity.claims,
    });
    if (!idClaims.value.some((claim) => supposed[claim] !== undefined))
      supposed[idClaims.value[0] ?? "sub"] = "assumed";
    return this.#judge({ claims: Object.freeze(supposed) });
  }

  async #wait(exchange: Exchange, digest: string, token: string): Promise<Authentication> {
    const { introspector, waiting, timeoutMs, place } = this.#options;
    const unavailable = (seen: string) =>
      new Denial("introspection_unavailable", place, seen, "the provider's word on the token");
    const waited = await waiting.until(
      exchange,
      introspector.ask(digest, token, clientOf(exchange.clientAddress).key),
      timeoutMs,
    );
    if (!waited.ok) {
      const seen = { timeout: "no answer in time", crowded: "too many requests wait", over: "the client left" };
      return unavailable(seen[waited.error]);
    }
    return waited.value.ok ? this.#judge(waited.value.value) : unavailable(waited.value.error);
  }

  #judge(answer: Introspected): Principal | Denial {
    if ("inactive" in answer) {
      return new Denial("token_inactive", this.place, answer.inactive, "a token that its provider calls active");
    }
    const { claims } = answer;
    let judged = this.#judged.get(claims);
    if (judged === undefined) {
      judged = this.#judgeOnce(claims);
      this.#judged.set(claims, judged);
    }
    // A principal's end is judged each time, for what is known of a token may outlive it.
    const nowMs = this.#options.clock.wallMs();
    if (judged instanceof Denial || nowMs < judged.expiresAtMs) return judged;
    return new Denial("token_expired", this.place, `exp ${shown(claims["exp"])}`, "exp in the future");
  }

  #judgeOnce(answer: JsonObject): Principal | Denial {
    const { issuer, audience, subjects, requiredClaims, idClaims, clock } = this.#options;
    const { iss, aud, exp, nbf } = answer;
    if (issuer !== null && iss !== undefined && iss !== issuer.value) {
      return new Denial("token_issuer_mismatch", issuer.place, `iss ${shown(iss)}`, `iss ${shown(issuer.value)}`);
    }
    if (audience !== null) {
      const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud ?? null];
      if (!audience.value.some((wanted) => named.includes(wanted))) {
        const wanted = `aud ${audience.value.map(shown).join(" or ")}`;
        return new Denial("token_audience_mismatch", audience.place, `aud ${shown(aud ?? null)}`, wanted);
      }
    }
    const subjectDenial = judgeSubject(answer, subjects, "token_subject_mismatch");
    if (subjectDenial !== null) return subjectDenial;
    for (const [name, value] of Object.entries({ exp, nbf })) {
      if (value === undefined || (typeof value === "number" && value >= 0)) continue;
      return new Denial("token_malformed", this.place, `${name} ${shown(value)}`, `${name} as seconds since 1970`);
    }
    if (typeof nbf === "number" && nbf * 1000 > clock.wallMs() + DEFAULTS.clockSkewMs) {
      return new Denial("token_not_yet_valid", this.place, `nbf ${shown(nbf)}`, "nbf in the past");
    }
    const missing = requiredClaims.value.find((name) => answer[name] === undefined);
    if (missing !== undefined) {
      return new Denial("token_claim_missing", requiredClaims.place, `no ${missing}`, `an answer with ${missing}`);
    }
    const principal = toPrincipal(this.name, answer, { idClaims, ...GENERAL_CLAIMS }, 0);
    if (principal instanceof Denial) return principal;
    const expiresAtMs = exp === undefined ? Number.POSITIVE_INFINITY : principal.expiresAtMs;
    return Object.freeze({ ...principal, type: this.type, expiresAtMs });
  }
}
