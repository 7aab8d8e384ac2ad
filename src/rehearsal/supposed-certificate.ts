import { onlySpiffeId } from "../message/certificate.ts";
import type { ClientCertificate } from "../message/connection.ts";
import { err, ok, type Result } from "../support/result.ts";

/** A client's certificate that nobody has made: what it says, and that its chain is trusted. */
export interface SupposedCertificate {
  readonly subject?: string;
  readonly issuer?: string;
  readonly serialNumber?: string;
  readonly fingerprint?: string;
  readonly spiffeId?: string;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  readonly addresses?: readonly string[];
}

const TEXTS = ["subject", "issuer", "serialNumber", "fingerprint", "spiffeId"] as const;
const LISTS = ["dnsNames", "uris", "emails", "addresses"] as const;

export const SUPPOSED_FORM = `expected a file, or what it says: { ${TEXTS.join(", ")}, ${LISTS.join(", ")} }`;

/** A mapping as people write it. */
export function supposedCertificate(value: object): Result<SupposedCertificate, string> {
  const made: Record<string, string | readonly string[]> = {};
  for (const [key, member] of Object.entries(value)) {
    const isText = typeof member === "string" && TEXTS.some((name) => name === key);
    const isList =
      Array.isArray(member) && member.every((one) => typeof one === "string") && LISTS.some((name) => name === key);
    if (!isText && !isList) return err(SUPPOSED_FORM);
    made[key] = member;
  }
  return ok(made);
}

/** It is good at all times. What only bytes of a certificate show, as its key, it has not. */
export function certificateSupposed(supposed: SupposedCertificate): ClientCertificate {
  const { subject = "CN=supposed", issuer = "CN=supposed", serialNumber = "01", spiffeId } = supposed;
  const uris = spiffeId === undefined ? (supposed.uris ?? []) : [spiffeId];
  return {
    subject,
    issuer,
    serialNumber,
    fingerprint: supposed.fingerprint ?? "0".repeat(64),
    dnsNames: supposed.dnsNames ?? [],
    uris,
    emails: supposed.emails ?? [],
    addresses: supposed.addresses ?? [],
    spiffeId: onlySpiffeId(uris),
    notBeforeMs: Number.NEGATIVE_INFINITY,
    notAfterMs: Number.POSITIVE_INFINITY,
    untrusted: null,
    x509: null,
  };
}
