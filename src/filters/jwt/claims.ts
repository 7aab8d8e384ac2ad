import type { Reason } from "../../decision/reason.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { JsonObject } from "../../support/json.ts";
import type { ReadTexts } from "./claim-texts.ts";
import { idTokenMark } from "./id-token.ts";

/** A setting and its place in the policy. */
export interface Rule<T> {
  readonly value: T;
  readonly place: Place;
}

export interface ClaimRules {
  readonly place: Place;
  /** None where `sub` says whose the token is. */
  readonly issuer: Rule<ReadonlySet<string>>;
  readonly audienceFrom: readonly string[];
  readonly readAudience: ReadTexts;
  /** Null: anybody's. */
  readonly subjects: Rule<SubjectRule> | null;
  /** Where what is told of it stands; null where ID tokens are let in. */
  readonly idTokens: Place | null;
  readonly audience: Rule<readonly string[]>;
  readonly requiredClaims: Rule<readonly string[]>;
  readonly skewMs: number;
}

export interface SubjectRule {
  readonly fits: (subject: string) => boolean;
  readonly words: string;
}

/** When a token is good: `now` from the first on and before the second, Unix milliseconds, skew included. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The last second that a Date can show: beyond it is no date but an attempt to have a token without an end. */
const NUMERIC_DATE_MAX = 8.64e12;

/** Whether these claims are of the right issuer; refusing on it before the signature is checked gives nothing away. */
export function judgeIssuer(claims: JsonObject, { issuer, subjects }: ClaimRules): Denial | null {
  const { iss } = claims;
  if (issuer.value.size === 0) return judgeSubject(claims, subjects, "token_issuer_mismatch");
  if (typeof iss === "string" && issuer.value.has(iss)) return null;
  if (iss === undefined) return missing("iss", issuer.place);
  const wanted = [...issuer.value]
    .slice(0, 4)
    .map((one) => shown(one))
    .join(" or ");
  return new Denial("token_issuer_mismatch", issuer.place, `iss ${shown(iss)}`, `iss ${wanted}`);
}

/** Whether `sub` is one that may come in. */
export function judgeSubject({ sub }: JsonObject, subjects: ClaimRules["subjects"], reason: Reason): Denial | null {
  if (subjects === null || (typeof sub === "string" && subjects.value.fits(sub))) return null;
  return new Denial(reason, subjects.place, `sub ${shown(sub ?? null)}`, `sub ${subjects.value.words}`);
}

/** Claims of a verified token → until when they hold, or why they do not (RFC 7519 section 4.1, RFC 8725 section 3). */
export function judgeClaims(
  claims: JsonObject,
  typ: string | null,
  rules: ClaimRules,
  nowMs: number,
): Validity | Denial {
  const { audience, requiredClaims } = rules;
  const issuerDenial = judgeIssuer(claims, rules);
  if (issuerDenial !== null) return issuerDenial;

  const mark = rules.idTokens === null ? null : idTokenMark(claims, typ);
  if (mark !== null) {
    return new Denial("token_type_mismatch", rules.idTokens, `an ID token (${mark})`, "an access token");
  }
  const audiences = rules.readAudience(claims);
  if (!audience.value.some((wanted) => audiences.has(wanted))) {
    const claimed = rules.audienceFrom.join(" or ");
    const first = claims[rules.audienceFrom[0] ?? "aud"];
    if (first === undefined && audiences.size === 0) return missing(claimed, audience.place);
    const seen = first === undefined ? [...audiences] : first;
    const wanted = `${claimed} ${audience.value.map((name) => shown(name)).join(" or ")}`;
    return new Denial("token_audience_mismatch", audience.place, `${claimed} ${shown(seen)}`, wanted);
  }
  const subjectDenial = judgeSubject(claims, rules.subjects, "token_subject_mismatch");
  if (subjectDenial !== null) return subjectDenial;
  for (const name of requiredClaims.value) if (claims[name] === undefined) return missing(name, requiredClaims.place);

  return judgeDates(claims, rules, nowMs);
}

/**
 * Until when these claims hold, or why they do not. Nobody makes an old token good by signing it, and a client that goes on
 * with one that has expired is the most usual bad client: it is refused before a key is looked for.
 */
export function judgeDates(claims: JsonObject, rules: ClaimRules, nowMs: number): Validity | Denial {
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
