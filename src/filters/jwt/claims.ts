import type { Reason } from "../../decision/reason.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { JsonObject } from "../../support/json.ts";

/** A setting and its place in the policy. */
export interface Rule<T> {
  readonly value: T;
  readonly place: Place;
}

export interface ClaimRules {
  readonly place: Place;
  readonly issuer: Rule<string>;
  readonly audience: Rule<readonly string[]>;
  readonly requiredClaims: Rule<readonly string[]>;
  readonly skewMs: number;
}

/** When a token is good: `now` from the first on and before the second, Unix milliseconds, skew included. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The last second that a Date can show: beyond it is no date but an attempt to have a token without an end. */
const NUMERIC_DATE_MAX = 8.64e12;

/** Whether these claims are of the right issuer; refusing on it before the signature is checked gives nothing away. */
export function judgeIssuer(claims: JsonObject, { issuer }: ClaimRules): Denial | null {
  const { iss } = claims;
  if (iss === issuer.value) return null;
  if (iss === undefined) return missing("iss", issuer.place);
  return new Denial("token_issuer_mismatch", issuer.place, `iss ${shown(iss)}`, `iss ${shown(issuer.value)}`);
}

/** Claims of a verified token → until when they hold, or why they do not (RFC 7519 section 4.1, RFC 8725 section 3). */
export function judgeClaims(claims: JsonObject, rules: ClaimRules, nowMs: number): Validity | Denial {
  const { audience, requiredClaims } = rules;
  const issuerDenial = judgeIssuer(claims, rules);
  if (issuerDenial !== null) return issuerDenial;

  const { aud } = claims;
  if (aud === undefined) return missing("aud", audience.place);
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.value.some((wanted) => named.includes(wanted))) {
    const wanted = `aud ${audience.value.map((name) => shown(name)).join(" or ")}`;
    return new Denial("token_audience_mismatch", audience.place, `aud ${shown(aud)}`, wanted);
  }
  for (const name of requiredClaims.value) if (claims[name] === undefined) return missing(name, requiredClaims.place);

  const validity = readValidity(claims, rules);
  return validity instanceof Denial ? validity : (judgeTime(validity, rules, nowMs) ?? validity);
}

function readValidity(claims: JsonObject, { place, skewMs }: ClaimRules): Validity | Denial {
  const { exp, nbf, iat } = claims;
  if (exp === undefined) return missing("exp", place);
  for (const [name, value] of Object.entries({ exp, nbf, iat })) {
    // Some issuers write null for a date that they do not set; the end of a token is not among those.
    if (value === undefined || (value === null && name !== "exp") || isNumericDate(value)) continue;
    return new Denial("token_malformed", place, `${name} ${shown(value)}`, `${name} as seconds since 1970`);
  }
  // A token from the future was not issued yet, whatever nbf says.
  const fromSeconds = Math.max(Number(nbf ?? 0), Number(iat ?? 0));
  return { fromMs: fromSeconds * 1000 - skewMs, untilMs: Number(exp) * 1000 + skewMs };
}

/** Null while the token is good; this much is judged anew for every request. */
export function judgeTime(validity: Validity, { place, skewMs }: ClaimRules, nowMs: number): Denial | null {
  if (nowMs >= validity.untilMs) return offTime("token_expired", "exp", validity.untilMs - skewMs, nowMs, place);
  if (nowMs < validity.fromMs)
    return offTime("token_not_yet_valid", "nbf or iat", validity.fromMs + skewMs, nowMs, place);
  return null;
}

function offTime(reason: Reason, claim: string, atMs: number, nowMs: number, place: Place): Denial {
  const seconds = Math.round(Math.abs(nowMs - atMs) / 1000);
  const distance = nowMs >= atMs ? `${seconds} s ago` : `in ${seconds} s`;
  const wanted = reason === "token_expired" ? "exp in the future" : "nbf and iat in the past";
  return new Denial(reason, place, `${claim} ${new Date(atMs).toISOString()} (${distance})`, wanted);
}

function isNumericDate(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= NUMERIC_DATE_MAX;
}

function missing(claim: string, place: Place): Denial {
  return new Denial("token_claim_missing", place, `no ${claim}`, `a token with ${claim}`);
}

/** A claim as the log shows it: escaped, and bounded, for its text came from outside. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
