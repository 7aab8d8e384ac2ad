import type { X509Certificate } from "node:crypto";
import { weakKey, weakKeyOf } from "../message/weak-key.ts";
import { withoutMark } from "../support/text.ts";
import { certificateFacts, expiryWarning, readCertificates, readPrivateKey, validityFault } from "./certificates.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/** Content of a file in PEM, or in DER where it is no certificate: without a byte order mark. Null with a problem reported. */
export function readArmour(work: Work, name: string | undefined, path: Path): Buffer | null {
  const content = name === undefined ? null : work.readFile(name, path);
  if (content === null) return null;
  const plain = withoutMark(content);
  if (plain.ok) return plain.value;
  work.problem(`'${name}' is ${plain.error}`, path);
  return null;
}

/** A certificate that postern shows, with its key; `use` for metrics. Null with problems reported. */
export function readOwnCertificate(
  work: Work,
  names: { readonly certificate?: string | undefined; readonly key?: string | undefined },
  use: string,
  path: Path,
): { readonly certificate: Buffer; readonly key: Buffer } | null {
  const at = [...path, "certificate"];
  const keyAt = [...path, "key"];
  const certificate = readArmour(work, names.certificate, at);
  const key = readArmour(work, names.key, keyAt);
  const chain = certificate === null ? null : readCertificates(certificate);
  const privateKey = key === null ? null : readPrivateKey(key);
  if (chain?.ok === false) work.problem(`'${names.certificate}': ${chain.error}`, at);
  if (privateKey?.ok === false) work.problem(`'${names.key}': ${privateKey.error}`, keyAt);
  if (!chain?.ok || certificate === null || names.certificate === undefined) return null;
  checkChain(work, chain.value, names.certificate, at);
  const file = work.files.absoluteName(names.certificate);
  for (const one of chain.value) work.certificates.push(certificateFacts(one, file, use, true));
  if (!privateKey?.ok || key === null) return null;
  const weak = weakKey(privateKey.value);
  if (weak !== null) work.problem(`'${names.key}' is ${weak}; expected 3 or more`, keyAt);
  if (chain.value[0]?.checkPrivateKey(privateKey.value) !== true) {
    work.problem(`the key does not fit the first certificate of '${names.certificate}'`, keyAt);
    return null;
  }
  return { certificate, key };
}

/** Reports what the other side would stumble over. */
function checkChain(work: Work, chain: readonly X509Certificate[], name: string, path: Path): void {
  const nowMs = work.inputs.clock.wallMs();
  for (const [at, certificate] of chain.entries()) {
    const fault = validityFault(certificate, nowMs);
    if (fault !== null) work.aged(fault, name, path);
    const weak = weakKeyOf(certificate);
    if (weak !== null) work.problem(`certificate ${at + 1} of the file has ${weak}; expected 3 or more`, path);
    const warning = expiryWarning(certificate, nowMs);
    if (warning !== null) work.warning("certificate_ends_soon", warning, path);
    const issuer = chain[at + 1];
    if (issuer !== undefined && !certificate.checkIssued(issuer)) {
      work.warning(
        "certificate_chain",
        `certificate ${at + 2} of the file is not the issuer of certificate ${at + 1}`,
        path,
      );
    }
  }
}

export interface Authorities {
  readonly pem: Buffer;
  readonly certificates: readonly X509Certificate[];
  /** Those above one of them are not in the file, so it is trusted by itself. */
  readonly hasPartialChains: boolean;
}

/** Authorities that the other side's certificate is verified against; null with problems reported. */
export function readAuthorities(work: Work, name: string, use: string, path: Path): Authorities | null {
  const pem = readArmour(work, name, path);
  if (pem === null) return null;
  const read = readCertificates(pem);
  if (!read.ok) {
    work.problem(`'${name}': ${read.error}`, path);
    return null;
  }
  const certificates = read.value;
  const nowMs = work.inputs.clock.wallMs();
  const faults = certificates.map((certificate) => validityFault(certificate, nowMs));
  for (const fault of faults) {
    if (fault === null) continue;
    // A bundle may carry an old authority along; one without any that is valid would trust nobody.
    if (faults.includes(null)) work.warning("certificate_chain", fault, path);
    else work.aged(fault, name, path);
  }
  for (const [at, certificate] of certificates.entries()) {
    const weak = weakKeyOf(certificate);
    if (weak !== null) work.problem(`certificate ${at + 1} of the file has ${weak}; expected 3 or more`, path);
    const warning = expiryWarning(certificate, nowMs);
    if (warning !== null) work.warning("certificate_ends_soon", warning, path);
    if (!certificate.ca) work.warning("certificate_chain", "a certificate of the file is no authority (CA)", path);
    work.certificates.push(certificateFacts(certificate, work.files.absoluteName(name), use, false));
  }
  return { pem, certificates, hasPartialChains: lacksRoots(certificates) };
}

/** Whether an authority stands there without the one that issued it: the anchor itself, as companies hand them out. */
export function lacksRoots(certificates: readonly X509Certificate[]): boolean {
  const subjects = new Set(certificates.map(({ subject }) => subject));
  return certificates.some(({ ca, issuer }) => ca && !subjects.has(issuer));
}

/** All of them as one file would have them. */
export function joinedAuthorities(all: readonly Pick<Authorities, "pem" | "certificates">[]): Authorities {
  return {
    pem: Buffer.concat(all.flatMap(({ pem }) => [pem, Buffer.from("\n")])),
    certificates: all.flatMap(({ certificates }) => certificates),
    hasPartialChains: all.some(({ certificates }) => lacksRoots(certificates)),
  };
}
