import { randomBytes } from "node:crypto";
import { Denial, type HeaderLine } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import { type DpopRules, judgeDpop, type ProofFault } from "../proof/dpop.ts";
import { PROOF_STATE, ProofState } from "../proof/proof-state.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { BindingSettings, Bound } from "./binding-schema.ts";
import { type TokenResource, tokenChallenge } from "./challenge.ts";
import type { BindingFacts, CompileContext } from "./filter.ts";
import { type Rule, shown } from "./jwt/claims.ts";

export interface BindingRules {
  readonly bound: Rule<Bound>;
  readonly dpop: Rule<DpopRules>;
  readonly resource: TokenResource;
  /** Whether tokens come with a scheme, of which one is DPoP. */
  readonly hasScheme: boolean;
}

/** `hasScheme`: whether tokens come as in Authorization. */
export function compileBinding(
  { bound, dpop }: BindingSettings,
  hasScheme: boolean,
  skewMs: number,
  context: CompileContext,
): Binding {
  if (bound === "unchecked") {
    context.warning("binding_unchecked", "whoever finds a token that is bound to somebody else can use it", "bound");
  }
  return new Binding({
    bound: { value: bound ?? null, place: bound === undefined ? context.place() : context.place("bound") },
    dpop: {
      place: dpop === undefined ? context.place() : context.place("dpop"),
      value: {
        algorithms: new Set(dpop?.algorithms ?? ["ES256", "EdDSA", "Ed25519"]),
        ageMsMax: dpop?.maxAge ?? DEFAULTS.proofAgeMs,
        skewMs,
        nonce: dpop?.nonce ?? false,
        state: context.resource(PROOF_STATE, [], (world) => new ProofState(world, randomBytes(32))),
      },
    },
    resource: { service: context.service, resourceMetadataUrl: context.resourceMetadataUrl },
    hasScheme,
  });
}

/** A SHA-256 in base64url. */
const HASH = /^[A-Za-z0-9_-]{43}$/;

/**
 * Whether who shows a token is the one to whom it was given (RFC 7800): by the certificate of its connection (RFC 8705
 * section 3.1) or a proof in the DPoP header (RFC 9449 section 7). A token that says it is bound is worth nothing to whoever
 * found it, so it is never taken without proof, whatever the policy asks for.
 */
export class Binding {
  readonly #rules: BindingRules;
  readonly challenge: string;
  readonly facts: BindingFacts;
  readonly #dpopChallenge: string;

  constructor(rules: BindingRules) {
    this.#rules = rules;
    const bound = rules.bound.value;
    const algorithms = [...rules.dpop.value.algorithms];
    this.#dpopChallenge = `${tokenChallenge("DPoP", rules.resource)}, algs="${algorithms.join(" ")}"`;
    this.challenge = bound === "dpop" ? this.#dpopChallenge : tokenChallenge("Bearer", rules.resource);
    this.facts = {
      dpopAlgorithms: bound === "certificate" || bound === "unchecked" ? [] : algorithms,
      requiresDpop: bound === "dpop",
      takesCertificates: bound !== "dpop" && bound !== "unchecked",
    };
  }

  /** `value`: the token, with its scheme where there is one. */
  judge(principal: Principal, value: string, exchange: Exchange, clock: Clock): Principal | Denial {
    const { bound } = this.#rules;
    const { cnf } = principal.claims;
    const isDpop = this.#rules.hasScheme && isDpopScheme(value);
    if (cnf === undefined && bound.value === null && !isDpop) return principal;
    if (bound.value === "unchecked") return principal;
    if (cnf === undefined) return this.#notBound(isDpop);
    if (typeof cnf !== "object" || cnf === null) {
      return new Denial("token_malformed", bound.place, `cnf ${shown(cnf)}`, "cnf as an object (RFC 7800)");
    }
    const { "x5t#S256": print, jkt } = cnf as Readonly<Record<string, unknown>>;
    return this.#judge(print, jkt, value, exchange, clock.wallMs()) ?? principal;
  }

  #judge(print: unknown, jkt: unknown, value: string, exchange: Exchange, nowMs: number): Denial | null {
    const { bound, hasScheme } = this.#rules;
    for (const [name, claimed] of [["x5t#S256", print] as const, ["jkt", jkt] as const]) {
      if (claimed === undefined || (typeof claimed === "string" && HASH.test(claimed))) continue;
      return new Denial("token_malformed", bound.place, `cnf ${name} ${shown(claimed)}`, "a SHA-256 in base64url");
    }
    if (print === undefined && jkt === undefined) {
      return new Denial("proof_missing", bound.place, "cnf of another kind", "a token bound by x5t#S256 or jkt");
    }
    const isEnough = bound.value === "certificate" ? print !== undefined : bound.value !== "dpop" || jkt !== undefined;
    if (!isEnough) return this.#notBound(false);
    if (typeof print === "string") {
      const denial = judgeCertificate(print, exchange, bound);
      if (denial !== null) return denial;
    }
    if (hasScheme && isDpopScheme(value) !== (typeof jkt === "string")) {
      const seen = jkt === undefined ? "scheme DPoP" : "a token bound to a key, as Bearer";
      return this.#denied({
        reason: "proof_missing",
        seen,
        wanted: jkt === undefined ? "scheme Bearer" : "scheme DPoP",
      });
    }
    if (typeof jkt !== "string") return null;
    const token = hasScheme ? value.slice(value.indexOf(" ") + 1) : value;
    const fault = judgeDpop(exchange, token, jkt, this.#rules.dpop.value, nowMs);
    return fault === null ? null : this.#denied(fault, nowMs);
  }

  #notBound(isDpop: boolean): Denial {
    const { bound } = this.#rules;
    const wanted = bound.value === "certificate" ? "cnf x5t#S256" : bound.value === "either" ? "cnf" : "cnf jkt";
    const fault: ProofFault = { reason: "token_not_bound", seen: "a token that is bound to nothing", wanted };
    return isDpop || bound.value === "dpop"
      ? this.#denied(fault)
      : new Denial(fault.reason, bound.place, fault.seen, wanted);
  }

  /** RFC 9449 sections 7.1 and 9: the client learns which of the two was not good, and which nonce to take. */
  #denied({ reason, seen, wanted }: ProofFault, nowMs?: number): Denial {
    const { dpop, bound } = this.#rules;
    const isToken = reason === "token_not_bound" || reason === "proof_missing";
    const needsNonce = reason === "proof_nonce_invalid" && nowMs !== undefined;
    const error = isToken ? "invalid_token" : needsNonce ? "use_dpop_nonce" : "invalid_dpop_proof";
    const headers: HeaderLine[] = [["www-authenticate", `${this.#dpopChallenge}, error="${error}"`]];
    if (dpop.value.nonce && nowMs !== undefined) headers.push(["dpop-nonce", dpop.value.state.nonces.issue(nowMs)]);
    return new Denial(reason, reason === "token_not_bound" ? bound.place : dpop.place, seen, wanted, headers);
  }
}

function isDpopScheme(value: string): boolean {
  return (value.charCodeAt(0) | 0x20) === 0x64 && value.slice(0, 5).toLowerCase() === "dpop ";
}

/** The client has shown that it has the certificate's key; whether anybody trusts it is not asked (RFC 8705 section 2.2). */
function judgeCertificate(print: string, { certificate }: Exchange, { place }: Rule<Bound>): Denial | null {
  const wanted = "the certificate that the token is bound to";
  if (certificate === null) return new Denial("proof_missing", place, "no client certificate", wanted);
  const fingerprint = Buffer.from(certificate.fingerprint, "hex").toString("base64url");
  return fingerprint === print ? null : new Denial("proof_mismatch", place, "another client certificate", wanted);
}
