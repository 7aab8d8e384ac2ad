import type { Reason } from "../decision/reason.ts";
import type { Exchange } from "../message/exchange.ts";
import { keptTarget } from "../message/kept-target.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import type { JsonObject } from "../support/json.ts";
import { PROOF_ALGORITHMS } from "./algorithms.ts";
import { askedOf, withoutUsualPort } from "./asked.ts";
import { isSignedBy, type ProofAlgorithm, readJws } from "./jws.ts";
import type { ProofState } from "./proof-state.ts";
import { readPublicJwk } from "./public-jwk.ts";
import { judgedAtMs, spend } from "./spend.ts";
import { tokenHash } from "./thumbprint.ts";

export interface DpopRules {
  readonly algorithms: ReadonlySet<string>;
  /** How old a proof may be. */
  readonly ageMsMax: number;
  readonly skewMs: number;
  /** Whether a proof has to hold a nonce of this process. */
  readonly nonce: boolean;
  readonly state: ProofState;
}

/** Why a proof proves nothing; `seen` holds nothing secret. */
export interface ProofFault {
  readonly reason: Reason;
  readonly seen: string;
  readonly wanted: string;
}

const fault = (reason: Reason, seen: string, wanted: string): ProofFault => ({ reason, seen, wanted });

/**
 * Whether the request's DPoP header proves possession of the key whose thumbprint a token names, for this request and this
 * token (RFC 9449 section 4.3); null where it does. What costs no signature is looked at first, and last whether it was
 * shown before, so that only proofs which are good otherwise are remembered.
 */
export function judgeDpop(
  exchange: Exchange,
  token: string,
  print: string,
  rules: DpopRules,
  nowMs: number,
): ProofFault | null {
  const { headers } = exchange;
  const text = headers.get("dpop");
  if (text === undefined) return fault("proof_missing", "no DPoP header", "a DPoP proof");
  if (headers.count("dpop") > 1) return fault("proof_malformed", "more than one DPoP header", "one DPoP proof");
  const jws = readJws(text);
  if (!jws.ok) return fault("proof_malformed", jws.error, "one signed proof of three parts");
  const { header, payload } = jws.value;
  const algorithm = PROOF_ALGORITHMS.find((name) => name === header["alg"]);
  const form = judgeHeader(header, algorithm, rules) ?? judgeForm(payload);
  if (form !== null) return form;
  const jwk = readPublicJwk(header["jwk"]);
  if (!jwk.ok) return fault("proof_malformed", jwk.error, "the public key as jwk");
  if (jwk.value.thumbprint !== print)
    return fault("proof_mismatch", "another key", "the key that the token is bound to");
  const atMs = judgedAtMs(exchange, nowMs);
  const claims = judgeRequest(payload, exchange) ?? judgeTime(payload, rules, atMs);
  if (claims !== null) return claims;
  if (payload["ath"] !== tokenHash(token)) return fault("proof_mismatch", "ath of another token", "ath of this token");
  if (algorithm === undefined || !isSignedBy(jws.value, algorithm, jwk.value.key)) {
    return fault("proof_signature_invalid", `alg ${algorithm}`, "a signature by its jwk");
  }
  return judgeNonce(payload, rules, atMs) ?? judgeReplay(payload, print, exchange, rules, nowMs);
}

function judgeHeader(header: JsonObject, algorithm: ProofAlgorithm | undefined, rules: DpopRules): ProofFault | null {
  const { typ, crit } = header;
  if (typeof typ !== "string" || typ.toLowerCase().replace(/^application\//, "") !== "dpop+jwt") {
    return fault("proof_malformed", `typ ${shown(typ)}`, "typ dpop+jwt");
  }
  if (crit !== undefined) return fault("proof_malformed", "critical extensions", "none");
  if (algorithm !== undefined && rules.algorithms.has(algorithm)) return null;
  const wanted = `alg ${[...rules.algorithms].join(", ")}`;
  return fault("proof_algorithm_forbidden", `alg ${shown(header["alg"])}`, wanted);
}

/** What every proof has, whatever it is for. */
function judgeForm({ jti, iat, htm, htu, ath }: JsonObject): ProofFault | null {
  if (typeof jti !== "string" || jti === "" || jti.length > DEFAULTS.proofIdBytesMax) {
    return fault(
      "proof_malformed",
      "no jti of a usual length",
      `jti of at most ${DEFAULTS.proofIdBytesMax} characters`,
    );
  }
  if (typeof iat !== "number" || !(iat >= 0 && iat <= 8.64e12)) {
    return fault("proof_malformed", `iat ${shown(iat)}`, "iat as seconds since 1970");
  }
  const missing = Object.entries({ htm, htu, ath }).find(([, value]) => typeof value !== "string");
  return missing === undefined ? null : fault("proof_malformed", `no ${missing[0]}`, `a proof with ${missing[0]}`);
}

function judgeRequest({ htm, htu }: JsonObject, exchange: Exchange): ProofFault | null {
  if (htm !== exchange.method) return fault("proof_mismatch", `htm ${shown(htm)}`, `htm ${exchange.method}`);
  const { scheme, authority } = askedOf(exchange);
  const wanted = `${scheme}://${authority}${exchange.target.path}`;
  return canonicalUrl(String(htu), exchange) === wanted
    ? null
    : fault("proof_mismatch", `htu ${shown(htu)}`, `htu ${excerpt(wanted, SHOWN_MAX)}`);
}

/** RFC 9449 section 4.3 check 9: normalised as the target was, without query and fragment; null where it is no such URL. */
function canonicalUrl(text: string, { oddity }: Exchange): string | null {
  const [, scheme = "", authority = "", path = ""] =
    /^(https?):\/\/([^/?#@]+)(\/[^?#]*)?(?:[?#].*)?$/i.exec(text) ?? [];
  const lower = scheme.toLowerCase();
  if (lower !== "http" && lower !== "https") return null;
  const target = keptTarget(path === "" ? "/" : path, oddity?.kinds ?? 0);
  return target.ok ? `${lower}://${withoutUsualPort(authority.toLowerCase(), lower)}${target.value.target.path}` : null;
}

function judgeTime({ iat }: JsonObject, { ageMsMax, skewMs }: DpopRules, atMs: number): ProofFault | null {
  const ageMs = atMs - Number(iat) * 1000;
  if (ageMs >= -skewMs && ageMs < ageMsMax + skewMs) return null;
  const seconds = Math.round(Math.abs(ageMs) / 1000);
  return fault("proof_expired", `iat ${ageMs < 0 ? `in ${seconds} s` : `${seconds} s ago`}`, "iat of now");
}

function judgeNonce({ nonce }: JsonObject, rules: DpopRules, atMs: number): ProofFault | null {
  if (!rules.nonce || (typeof nonce === "string" && rules.state.nonces.isGood(nonce, atMs))) return null;
  const seen = nonce === undefined ? "no nonce" : "a nonce that is not, or no longer, ours";
  return fault("proof_nonce_invalid", seen, "the nonce of the DPoP-Nonce header");
}

function judgeReplay(
  { jti, iat }: JsonObject,
  print: string,
  exchange: Exchange,
  { ageMsMax, skewMs, state }: DpopRules,
  nowMs: number,
): ProofFault | null {
  const untilMs = Number(iat) * 1000 + ageMsMax + skewMs;
  const spent = spend(exchange, state.window, `dpop\n${print}\n${String(jti)}`, untilMs, nowMs);
  return spent === "new" ? null : REPLAY_FAULTS[spent];
}

export const REPLAY_FAULTS: Readonly<Record<"replayed" | "late" | "full", ProofFault>> = {
  replayed: fault("proof_replayed", "a proof that was shown before", "a proof made for this request"),
  late: fault("proof_expired", "a proof whose time is over", "a proof of now"),
  full: fault("proof_window_full", "no room to remember the proof", "room in 'proofs' of the memory budget"),
};

const SHOWN_MAX = 160;

function shown(value: unknown): string {
  return excerpt(JSON.stringify(value) ?? "none", SHOWN_MAX);
}
