import type { X509Certificate } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { certificateUse } from "./certificate-extensions.ts";
import type { Revocations } from "./revocations.ts";
import { weakKeyOf } from "./weak-key.ts";

/** Extended key usage of a TLS client (RFC 5280 section 4.2.1.12). */
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Below, somebody may have the private key; above, one signature holds up every request. */
const RSA_BITS_MIN = 2048;
const RSA_BITS_MAX = 8192;

/**
 * Why a client's certificate does not lead to one of `anchors` over those that were sent with it, in OpenSSL's codes, or
 * null. For what OpenSSL does not judge: which of several authorities a chain ends in, and a certificate that came in a
 * header. Narrower than OpenSSL where that is simpler: limits on names, which it would have to weigh, are refused.
 * `sent` is what a client chose, so the search is bounded in depth and in signatures. `revocations` are asked of each link up to
 * the anchor, which the policy itself believes.
 */
export function whyUnchained(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  nowMs: number,
  revocations: Revocations | null = null,
): string | null {
  return faultOfLeaf(leaf, nowMs) ?? new Climb(sent, anchors, nowMs, revocations).from(leaf);
}

function faultOfLeaf(leaf: X509Certificate, nowMs: number): string | null {
  const use = certificateUse(leaf);
  if (use === null || use.hasMore) return "UNHANDLED_CRITICAL_EXTENSION";
  const { keyUsage } = use;
  const signs = keyUsage === null || keyUsage.has("digitalSignature") || keyUsage.has("keyAgreement");
  // Node gives the extended usages under this name; undefined where the certificate does not limit its use.
  const isForClients = leaf.keyUsage === undefined || leaf.keyUsage.includes(CLIENT_AUTH);
  if (!signs || !isForClients) return "INVALID_PURPOSE";
  return faultOfAny(leaf, nowMs);
}

/** What makes any certificate of a chain worthless. */
function faultOfAny(certificate: X509Certificate, nowMs: number): string | null {
  if (nowMs > certificate.validToDate.getTime()) return "CERT_HAS_EXPIRED";
  if (nowMs < certificate.validFromDate.getTime()) return "CERT_NOT_YET_VALID";
  if (weakKeyOf(certificate) !== null || hasOddSize(certificate)) return "WEAK_KEY";
  // Two certificates with one such signature can be made at will, or will soon be.
  return /md[245]|sha1(?!\d)/i.test(certificate.signatureAlgorithm ?? "") ? "CA_MD_TOO_WEAK" : null;
}

function hasOddSize(certificate: X509Certificate): boolean {
  try {
    const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? RSA_BITS_MIN;
    return bits < RSA_BITS_MIN || bits > RSA_BITS_MAX;
  } catch {
    return true;
  }
}

class Climb {
  readonly #sent: readonly X509Certificate[];
  readonly #anchors: readonly X509Certificate[];
  readonly #nowMs: number;
  readonly #revocations: Revocations | null;
  #signaturesLeft: number = DEFAULTS.chainSignaturesMax;
  /** The most telling fault of those that were met. */
  #fault = "UNABLE_TO_GET_ISSUER_CERT_LOCALLY";

  constructor(
    sent: readonly X509Certificate[],
    anchors: readonly X509Certificate[],
    nowMs: number,
    revocations: Revocations | null,
  ) {
    this.#sent = sent.slice(0, DEFAULTS.chainCertificatesMax);
    this.#anchors = anchors;
    this.#nowMs = nowMs;
    this.#revocations = revocations;
  }

  from(leaf: X509Certificate): string | null {
    return this.#reaches(leaf, 0) ? null : this.#fault;
  }

  /** `below`: how many authorities stand between the leaf and what issued `certificate`. */
  #reaches(certificate: X509Certificate, below: number): boolean {
    for (const anchor of this.#anchors) {
      if (this.#isIssuedBy(certificate, anchor, below) && this.#isInForce(certificate, anchor)) return true;
    }
    if (below === DEFAULTS.chainCertificatesMax) return false;
    for (const one of this.#sent) {
      if (one === certificate || !this.#isIssuedBy(certificate, one, below)) continue;
      // Lists are asked last, of an issuer that leads to an anchor: anybody can send one of its name.
      if (this.#reaches(one, below + 1) && this.#isInForce(certificate, one)) return true;
    }
    return false;
  }

  #isInForce(certificate: X509Certificate, issuer: X509Certificate): boolean {
    const fault = this.#revocations?.whyRevoked(certificate, issuer, this.#nowMs) ?? null;
    if (fault !== null) this.#note(fault);
    return fault === null;
  }

  /** That it is revoked says more than what is wrong with another way up. */
  #note(fault: string): void {
    if (this.#fault !== "CERT_REVOKED") this.#fault = fault;
  }

  #isIssuedBy(certificate: X509Certificate, issuer: X509Certificate, below: number): boolean {
    if (!certificate.checkIssued(issuer) || this.#signaturesLeft === 0) return false;
    const fault = this.#faultOfAuthority(issuer, below);
    if (fault !== null) {
      this.#note(fault);
      return false;
    }
    this.#signaturesLeft--;
    if (certificate.verify(issuer.publicKey)) return true;
    this.#note("CERT_SIGNATURE_FAILURE");
    return false;
  }

  #faultOfAuthority(issuer: X509Certificate, below: number): string | null {
    const use = certificateUse(issuer);
    if (use === null || use.hasMore) return "UNHANDLED_CRITICAL_EXTENSION";
    if (!use.isAuthority || use.keyUsage?.has("keyCertSign") === false) return "INVALID_CA";
    if (below > use.pathLengthMax) return "PATH_LENGTH_EXCEEDED";
    return faultOfAny(issuer, this.#nowMs);
  }
}
