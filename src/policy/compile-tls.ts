import { createHash, type X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { certificateFacts, expiryWarning, readCertificates, readPrivateKey, validityFault } from "./certificates.ts";
import type { Path } from "./path.ts";
import type { TlsEntry } from "./schema.ts";
import type { TlsSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** `tls` of a listener → its settings with all files read and looked at, or null with problems reported. */
export function compileTls(work: Work, listener: string, entry: TlsEntry, path: Path): TlsSettings | null {
  const certificate = readOwnCertificate(work, entry, `listener ${listener}`, path);
  const client = readClientTrust(work, listener, entry, [...path, "clientCertificate"]);
  if (certificate === null || client === null) return null;
  const { minVersion = "TLSv1.2" } = entry;
  const parts = { ...certificate, minVersion, ...client };
  try {
    createSecureContext({
      cert: parts.certificate,
      key: parts.key,
      minVersion,
      ...(parts.clientCa === null ? {} : { ca: parts.clientCa }),
      ...(parts.clientCrl === null ? {} : { crl: parts.clientCrl }),
    });
  } catch (error) {
    work.problem(`TLS refuses these files: ${opensslReason(error)}`, path);
    return null;
  }
  return { ...parts, fingerprint: fingerprint(Object.values(parts)) };
}

/** A certificate that postern shows, with its key; `use` for metrics. Null with problems reported. */
export function readOwnCertificate(
  work: Work,
  entry: Pick<TlsEntry, "certificate" | "key">,
  use: string,
  path: Path,
): { readonly certificate: Buffer; readonly key: Buffer } | null {
  const at = [...path, "certificate"];
  const certificate = work.readFile(entry.certificate, at);
  const key = work.readFile(entry.key, [...path, "key"]);
  const chain = certificate === null ? null : readCertificates(certificate);
  const privateKey = key === null ? null : readPrivateKey(key);
  if (chain?.ok === false) work.problem(`'${entry.certificate}': ${chain.error}`, at);
  if (privateKey?.ok === false) work.problem(`'${entry.key}': ${privateKey.error}`, [...path, "key"]);
  if (!chain?.ok || certificate === null) return null;
  const isValid = checkChain(work, chain.value, at);
  for (const one of chain.value) {
    work.certificates.push(certificateFacts(one, work.files.absoluteName(entry.certificate), use));
  }
  if (!privateKey?.ok || key === null) return null;
  if (chain.value[0]?.checkPrivateKey(privateKey.value) !== true) {
    work.problem(`the key does not fit the first certificate of '${entry.certificate}'`, [...path, "key"]);
    return null;
  }
  return isValid ? { certificate, key } : null;
}

/** Reports what the other side would stumble over; true where the chain can be shown. */
function checkChain(work: Work, chain: readonly X509Certificate[], path: Path): boolean {
  const nowMs = work.inputs.clock.wallMs();
  let isValid = true;
  for (const [at, certificate] of chain.entries()) {
    const fault = validityFault(certificate, nowMs);
    if (fault !== null) {
      work.problem(fault, path);
      isValid = false;
    }
    const warning = expiryWarning(certificate, nowMs);
    if (warning !== null) work.warning(warning, path);
    const issuer = chain[at + 1];
    if (issuer !== undefined && !certificate.checkIssued(issuer)) {
      work.warning(`certificate ${at + 2} of the file is not the issuer of certificate ${at + 1}`, path);
    }
  }
  return isValid;
}

type ClientTrust = Pick<TlsSettings, "clientCertificate" | "clientCa" | "clientCrl">;

function readClientTrust(work: Work, listener: string, entry: TlsEntry, path: Path): ClientTrust | null {
  const { mode = "off", ca, crl } = entry.clientCertificate ?? {};
  if (mode === "off") {
    if (ca !== undefined) work.warning("mode is off, so 'ca' is of no use", [...path, "ca"]);
    return { clientCertificate: mode, clientCa: null, clientCrl: null };
  }
  const clientCrl = crl === undefined ? null : readCrl(work, crl, [...path, "crl"]);
  if (ca === undefined) {
    // Without it, Node would trust every public authority to name this service's clients.
    work.problem("'ca' is missing; expected the authorities that issue clients' certificates", path);
    return null;
  }
  const clientCa = readAuthorities(work, ca, `listener ${listener} client CA`, [...path, "ca"]);
  if (clientCa === null || (crl !== undefined && clientCrl === null)) return null;
  return { clientCertificate: mode, clientCa, clientCrl };
}

/** Authorities that the other side's certificate is verified against; null with problems reported. */
export function readAuthorities(work: Work, name: string, use: string, path: Path): Buffer | null {
  const pem = work.readFile(name, path);
  if (pem === null) return null;
  const authorities = readCertificates(pem);
  if (!authorities.ok) {
    work.problem(`'${name}': ${authorities.error}`, path);
    return null;
  }
  const nowMs = work.inputs.clock.wallMs();
  const faults = authorities.value.map((certificate) => validityFault(certificate, nowMs));
  // A bundle may carry an old authority along; one without any that is valid would trust nobody.
  const report = faults.includes(null) ? work.warning.bind(work) : work.problem.bind(work);
  for (const fault of faults) if (fault !== null) report(fault, path);
  for (const certificate of authorities.value) {
    const warning = expiryWarning(certificate, nowMs);
    if (warning !== null) work.warning(warning, path);
    if (!certificate.ca) work.warning("a certificate of the file is no authority (CA)", path);
    work.certificates.push(certificateFacts(certificate, work.files.absoluteName(name), use));
  }
  return faults.includes(null) ? pem : null;
}

function readCrl(work: Work, name: string, path: Path): Buffer | null {
  const pem = work.readFile(name, path);
  if (pem === null || pem.includes("-----BEGIN X509 CRL-----")) return pem;
  work.problem(`'${name}': the file holds no revocation list; expected PEM`, path);
  return null;
}

/** OpenSSL's own words, which name the fault and never quote the file. */
export function opensslReason(error: unknown): string {
  if (error instanceof Error && "reason" in error && typeof error.reason === "string") return error.reason;
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}

export function fingerprint(parts: readonly (Buffer | string | null)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part === null ? "-" : `${part.length}:`).update(part ?? "");
  return hash.digest("hex");
}
