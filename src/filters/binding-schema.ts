import * as z from "zod";
import { PROOF_ALGORITHMS } from "../proof/algorithms.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { durationMs, object } from "../support/schema.ts";

/** To what tokens have to be bound: `either` of the two, or nothing (null), where still each that says it is bound has to prove it. */
export type Bound = "certificate" | "dpop" | "either" | "unchecked" | null;

/** Keys of an authenticator whose tokens may be bound. */
export const bindingShape = {
  bound: z
    .enum(["certificate", "dpop", "either", "unchecked"], {
      error: "expected certificate, dpop, either, or unchecked",
    })
    .optional()
    .describe(
      "To what tokens have to be bound: a client certificate (RFC 8705), a key that signs a DPoP header (RFC 9449), or either. " +
        "If absent, a token that says it is bound has to prove it, and others pass; unchecked takes bound tokens without proof.",
    ),
  dpop: object({
    algorithms: z
      .array(z.enum(PROOF_ALGORITHMS, { error: `expected one of ${PROOF_ALGORITHMS.join(", ")}` }))
      .min(1, { error: "expected at least one algorithm, as in [ES256]" })
      .optional()
      .describe("What a proof may be signed with. ES256, EdDSA and Ed25519 if absent."),
    maxAge: durationMs
      .refine((ms) => ms >= 1000 && ms <= DEFAULTS.proofAgeMsMax, {
        error: `expected 1s to ${DEFAULTS.proofAgeMsMax / 60_000}m`,
      })
      .optional()
      .describe(`How old a proof may be, beside the skew. ${DEFAULTS.proofAgeMs / 1000}s if absent.`),
    nonce: z
      .boolean()
      .optional()
      .describe("Whether a proof has to hold a nonce that postern handed out. false if absent."),
  })
    .optional()
    .describe("What proofs in the DPoP header have to be."),
};

/** What `bindingShape` reads. */
export interface BindingSettings {
  readonly bound?: Exclude<Bound, null> | undefined;
  readonly dpop?:
    | {
        readonly algorithms?: readonly string[] | undefined;
        readonly maxAge?: number | undefined;
        readonly nonce?: boolean | undefined;
      }
    | undefined;
}
