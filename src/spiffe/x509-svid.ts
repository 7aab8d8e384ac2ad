import { createPrivateKey, X509Certificate } from "node:crypto";
import { readClientCertificate } from "../message/certificate.ts";
import { parseSpiffeId } from "../message/spiffe-id.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { derElements } from "../support/der.ts";
import { pemBlock } from "../support/pem.ts";
import { err, ok, type Result } from "../support/result.ts";
import { bytesOf, readBundleMap } from "./bundle-map.ts";
import { type Field, fieldsOf } from "./protobuf.ts";

/** Authorities of a trust domain. */
export interface TrustBundle {
  /** PEM, one after another. */
  readonly pem: Buffer;
  readonly certificates: readonly X509Certificate[];
}

/** Who this process is, and whom it may believe, as the agent says it. */
export interface WorkloadIdentity {
  readonly spiffeId: string;
  /** Leaf first. */
  readonly chain: readonly X509Certificate[];
  /** PEM. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** By trust domain, its own among them. */
  readonly bundles: ReadonlyMap<string, TrustBundle>;
}

/** Numbers of fields in workload.proto of the SPIFFE Workload API. */
const RESPONSE = { svids: 1, federatedBundles: 3 } as const;
const SVID = { spiffeId: 1, certificates: 2, key: 3, bundle: 4 } as const;
/** Field of `map<string, bytes> bundles` in an X509BundlesResponse. */
const X509_BUNDLES = 2;

/**
 * An X509SVIDResponse → the identity that the policy names, or the first where it names none (Workload API section 5.2.1).
 * The error is in words and has nothing secret.
 */
export function readIdentity(message: Buffer, wantedId: string | null): Result<WorkloadIdentity, string> {
  const fields = fieldsOf(message);
  if (fields === null) return err("an answer that is no protocol buffer message");
  const svids = fields.filter(({ number }) => number === RESPONSE.svids).map(({ bytes }) => fieldsOf(bytes));
  const ids = svids.map((svid) => (svid === null ? "" : textOf(svid, SVID.spiffeId)));
  const at = wantedId === null ? 0 : ids.indexOf(wantedId);
  const svid = svids[at];
  if (svid === undefined || svid === null) {
    return err(wantedId === null ? "an answer without an identity" : `no identity ${wantedId} among ${ids.length}`);
  }
  const own = readSvid(svid);
  if (!own.ok) return own;
  const federated = readBundles(fields, RESPONSE.federatedBundles);
  if (!federated.ok) return federated;
  const { trustDomain, bundle, ...identity } = own.value;
  return ok({ ...identity, bundles: new Map([...federated.value, [trustDomain, bundle]]) });
}

type OwnSvid = Omit<WorkloadIdentity, "bundles"> & { readonly trustDomain: string; readonly bundle: TrustBundle };

function readSvid(svid: readonly Field[]): Result<OwnSvid, string> {
  const spiffeId = textOf(svid, SVID.spiffeId);
  const id = parseSpiffeId(spiffeId);
  if (id === null) return err("an identity without a SPIFFE ID");
  const chain = certificatesOf(bytesOf(svid, SVID.certificates));
  const bundle = readBundle(bytesOf(svid, SVID.bundle));
  const [leaf] = chain ?? [];
  if (chain === null || leaf === undefined) return err(`the certificate of ${spiffeId} cannot be read`);
  if (bundle === null) return err(`the bundle of ${id.trustDomain} cannot be read`);
  if (readClientCertificate(leaf, null).spiffeId !== spiffeId) return err(`the certificate is not that of ${spiffeId}`);
  const der = bytesOf(svid, SVID.key);
  try {
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    if (!leaf.checkPrivateKey(key)) return err(`the key does not fit the certificate of ${spiffeId}`);
  } catch {
    return err(`the key of ${spiffeId} cannot be read`);
  }
  return ok({
    spiffeId,
    chain,
    certificate: pemOf(chain),
    key: Buffer.from(pemBlock(der, "PRIVATE KEY")),
    trustDomain: id.trustDomain,
    bundle,
  });
}

/** An X509BundlesResponse → authorities by trust domain (Workload API section 5.2.2). */
export function readX509Bundles(message: Buffer): Result<ReadonlyMap<string, TrustBundle>, string> {
  const fields = fieldsOf(message);
  if (fields === null) return err("an answer that is no protocol buffer message");
  return readBundles(fields, X509_BUNDLES);
}

function readBundles(fields: readonly Field[], number: number): Result<ReadonlyMap<string, TrustBundle>, string> {
  const entries = readBundleMap(fields, number);
  if (!entries.ok) return entries;
  const bundles = new Map<string, TrustBundle>();
  for (const [domain, der] of entries.value) {
    const bundle = readBundle(der);
    if (bundle === null) return err(`the bundle of ${domain} cannot be read`);
    bundles.set(domain, bundle);
  }
  return ok(bundles);
}

function readBundle(der: Buffer): TrustBundle | null {
  const certificates = certificatesOf(der);
  return certificates === null ? null : { pem: pemOf(certificates), certificates };
}

/** Certificates in DER, one after another. */
function certificatesOf(der: Buffer): readonly X509Certificate[] | null {
  const elements = derElements(der);
  if (elements === null || elements.length === 0 || elements.length > DEFAULTS.bundleCertificatesMax) return null;
  try {
    return elements.map((element) => new X509Certificate(element));
  } catch {
    return null;
  }
}

function pemOf(certificates: readonly X509Certificate[]): Buffer {
  return Buffer.from(certificates.map(({ raw }) => pemBlock(raw, "CERTIFICATE")).join(""));
}

function textOf(fields: readonly Field[], number: number): string {
  return bytesOf(fields, number).toString("utf8");
}
