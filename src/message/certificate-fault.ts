/** What can be wrong with a client's certificate, whoever it is: reasons of denials, and of handshakes that fail. */
export const CERTIFICATE_FAULTS = [
  "certificate_expired",
  "certificate_not_yet_valid",
  "certificate_revoked",
  "certificate_revocation_unknown",
  "certificate_usage_mismatch",
  "certificate_issuer_unknown",
  "certificate_trust_domain_mismatch",
  "certificate_untrusted",
] as const;

export type CertificateFault = (typeof CERTIFICATE_FAULTS)[number];

interface FaultSpec {
  readonly fault: CertificateFault;
  /** What would have been right. */
  readonly wanted: string;
}

const EXPIRED: FaultSpec = { fault: "certificate_expired", wanted: "a certificate that is still valid" };
const EARLY: FaultSpec = { fault: "certificate_not_yet_valid", wanted: "a certificate that is valid already" };
const USAGE: FaultSpec = { fault: "certificate_usage_mismatch", wanted: "a certificate for clients (clientAuth)" };
const UNTRUSTED: FaultSpec = {
  fault: "certificate_untrusted",
  wanted: "a certificate that the listener's CA vouches for",
};
/** Nobody can tell the two apart by the leaf alone, so both are named. */
const ISSUER: FaultSpec = {
  fault: "certificate_issuer_unknown",
  wanted: "an issuer that is in 'ca', or the intermediate certificates sent along",
};
const NO_LIST: FaultSpec = {
  fault: "certificate_revocation_unknown",
  wanted: "a revocation list in 'crl' of each authority of its chain, in force now",
};

/** A leaf whose chain ends in another trust domain's authority. */
export const TRUST_DOMAIN_MISMATCH = "TRUST_DOMAIN_MISMATCH";

/** By OpenSSL's code, as Node gives it. */
const BY_CODE: Readonly<Record<string, FaultSpec>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: EARLY,
  CERT_REVOKED: { fault: "certificate_revoked", wanted: "a certificate that is not revoked" },
  UNABLE_TO_GET_CRL: NO_LIST,
  CRL_HAS_EXPIRED: NO_LIST,
  CRL_NOT_YET_VALID: NO_LIST,
  CRL_SIGNATURE_FAILURE: NO_LIST,
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: NO_LIST,
  KEYUSAGE_NO_CRL_SIGN: NO_LIST,
  DIFFERENT_CRL_SCOPE: NO_LIST,
  ERROR_IN_CRL_LAST_UPDATE_FIELD: NO_LIST,
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: NO_LIST,
  INVALID_PURPOSE: USAGE,
  UNABLE_TO_GET_ISSUER_CERT: ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ISSUER,
  [TRUST_DOMAIN_MISMATCH]: {
    fault: "certificate_trust_domain_mismatch",
    wanted: "a chain that ends in the bundle of the trust domain that the SPIFFE ID is of",
  },
};

/** OpenSSL's code for why a chain is not trusted, or one of ours → the reason, and what was wanted. */
export function certificateFault(code: string): FaultSpec {
  return (Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : null) ?? UNTRUSTED;
}

const BY_FAULT: ReadonlyMap<string, FaultSpec> = new Map(
  [...Object.values(BY_CODE), UNTRUSTED].map((spec) => [spec.fault, spec]),
);

/** What would have been right, by the reason; undefined for a reason of another kind. */
export function wantedCertificate(reason: string): string | undefined {
  return BY_FAULT.get(reason)?.wanted;
}
