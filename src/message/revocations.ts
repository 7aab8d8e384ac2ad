import { verify, type X509Certificate } from "node:crypto";
import { DER_INTEGER, derSequence, derValues, nameKey } from "../support/der.ts";
import { certificateUse } from "./certificate-extensions.ts";
import type { RevocationList } from "./revocation-list.ts";
import { certificateNames } from "./revocation-list.ts";

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** Authorities of one list whose signature on it is remembered. */
const SIGNERS_MAX = 16;

/**
 * Revocation lists for chains that OpenSSL does not verify, as those in a header. As in a handshake, each certificate has to
 * have a list of its issuer that is in force.
 */
export class Revocations {
  readonly #byIssuer = new Map<string, RevocationList[]>();
  /** Whether an authority signed a list, by its key: to see that costs a hash over the whole list. */
  readonly #signed = new WeakMap<RevocationList, Map<string, boolean>>();

  constructor(lists: readonly RevocationList[]) {
    for (const list of lists) {
      const key = nameKey(list.issuer);
      this.#byIssuer.set(key, [...(this.#byIssuer.get(key) ?? []), list]);
    }
  }

  /**
   * Why a certificate is not good by the lists of `issuer`, in OpenSSL's codes, or null. Only to be asked of an issuer that
   * leads to an anchor: anybody can make one of its name.
   */
  whyRevoked(certificate: X509Certificate, issuer: X509Certificate, nowMs: number): string | null {
    const names = certificateNames(certificate.raw);
    const serial = serialOf(certificate);
    if (names === null || serial === null) return "UNABLE_TO_GET_CRL";
    let fault = "UNABLE_TO_GET_CRL";
    let newest: RevocationList | null = null;
    for (const list of this.#byIssuer.get(nameKey(names.issuer)) ?? []) {
      const unfit = this.#whyUnfit(list, certificate, issuer, nowMs);
      if (unfit !== null) fault = unfit;
      else if (newest === null || newest.thisUpdateMs < list.thisUpdateMs) newest = list;
    }
    if (newest === null) return fault;
    return hasEntry(newest.revoked, serial) ? "CERT_REVOKED" : null;
  }

  #whyUnfit(list: RevocationList, { ca }: X509Certificate, issuer: X509Certificate, nowMs: number): string | null {
    if (list.scope === (ca ? "users" : "authorities")) return "DIFFERENT_CRL_SCOPE";
    if (nowMs < list.thisUpdateMs) return "CRL_NOT_YET_VALID";
    if (nowMs > list.nextUpdateMs) return "CRL_HAS_EXPIRED";
    if (certificateUse(issuer)?.keyUsage?.has("cRLSign") === false) return "KEYUSAGE_NO_CRL_SIGN";
    return this.#isSigned(list, issuer) ? null : "CRL_SIGNATURE_FAILURE";
  }

  #isSigned(list: RevocationList, issuer: X509Certificate): boolean {
    const known = this.#signed.get(list) ?? new Map<string, boolean>();
    this.#signed.set(list, known);
    const key = issuer.publicKey.export({ type: "spki", format: "der" }).toString("base64");
    let isSigned = known.get(key);
    if (isSigned === undefined) {
      isSigned = isSignedBy(list, issuer);
      if (known.size < SIGNERS_MAX) known.set(key, isSigned);
    }
    return isSigned;
  }
}

function isSignedBy({ signed, hash, signature }: RevocationList, { publicKey }: X509Certificate): boolean {
  try {
    return verify(hash, signed, publicKey, signature);
  } catch {
    return false; // a key of another kind than the list's signature
  }
}

/**
 * Whether the entries, which nobody has parsed, have this serial number. An entry begins with it, and behind it stands a time;
 * nothing else in a list looks like that, and to find it costs less than to keep all of them.
 */
function hasEntry(revoked: Buffer, serial: Buffer): boolean {
  const entry = Buffer.concat([Buffer.from([DER_INTEGER, serial.length]), serial]);
  for (let at = revoked.indexOf(entry); at >= 0; at = revoked.indexOf(entry, at + 1)) {
    const next = revoked[at + entry.length];
    if (next === UTC_TIME || next === GENERALIZED_TIME) return true;
  }
  return false;
}

/** As its bytes stand in the certificate, and in a list. */
function serialOf({ raw }: X509Certificate): Buffer | null {
  const [certificate] = derValues(raw) ?? [];
  const [signed] = derSequence(certificate) ?? [];
  const serial = derSequence(signed)?.find(({ tag }) => tag === DER_INTEGER)?.content;
  // RFC 5280 section 4.1.2.2: at most 20 bytes; longer ones would have a length of several.
  return serial !== undefined && serial.length > 0 && serial.length < 128 ? serial : null;
}
