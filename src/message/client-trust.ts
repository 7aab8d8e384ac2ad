import type { X509Certificate } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { shownChain } from "./certificate.ts";
import { whyUnchained } from "./certificate-chain.ts";
import { TRUST_DOMAIN_MISMATCH } from "./certificate-fault.ts";
import type { ClientCertificate } from "./connection.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

/** Who may issue which names: with one list for all, the authority of one SPIFFE trust domain could issue IDs of another. */
export interface ClientTrust {
  /** By trust domain: who issues its IDs. */
  readonly bundles: ReadonlyMap<string, readonly X509Certificate[]>;
  /** Who issues certificates without a SPIFFE ID. */
  readonly others: readonly X509Certificate[];
  /** Which authorities are whose: the same text for the same trust. */
  readonly text: string;
}

type Anchors = Pick<ClientTrust, "bundles" | "others">;

/** The authorities that may stand at the end of this certificate's chain; none where nobody may issue its ID. */
export function anchorsOf(spiffeId: string | null, { bundles, others }: Anchors): readonly X509Certificate[] {
  if (spiffeId === null) return others;
  return bundles.get(parseSpiffeId(spiffeId)?.trustDomain ?? "") ?? [];
}

/**
 * The handshake verified that the chain ends in some authority; here it has to be the right one, which Node does not tell.
 * Gives the certificate, untrusted where it is not.
 */
export function withTrust(certificate: ClientCertificate, trust: ClientTrust, nowMs: number): ClientCertificate {
  if (certificate.untrusted !== null || certificate.x509 === null) return certificate;
  const [, ...sent] = shownChain(certificate, DEFAULTS.chainCertificatesMax + 1);
  const fault = whyUnchained(certificate.x509, sent, anchorsOf(certificate.spiffeId, trust), nowMs);
  return fault === null ? certificate : { ...certificate, untrusted: TRUST_DOMAIN_MISMATCH };
}
