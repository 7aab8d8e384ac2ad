import { createHash } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Path } from "./path.ts";
import { readAuthorities, readOwnCertificate } from "./read-certificates.ts";
import { readRevocationLists } from "./revocation-lists.ts";
import { clientCertificateShape, tlsShape } from "./schema.ts";
import type { TlsSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Not `clientCertificate`, which is read key by key as well. */
const { clientCertificate: _, ...tlsKeys } = tlsShape;

/** `tls` of a listener → its settings with all files read and looked at, or null with problems reported. */
export function compileTls(work: Work, listener: string, path: Path): TlsSettings | null {
  const entry = work.reader.fields(tlsKeys, path, ["clientCertificate"]);
  const certificate = readOwnCertificate(work, entry, `listener ${listener}`, path);
  const client = readClientTrust(work, listener, [...path, "clientCertificate"]);
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

type ClientTrust = Pick<TlsSettings, "clientCertificate" | "clientCa" | "hasPartialChains" | "clientCrl">;

function readClientTrust(work: Work, listener: string, path: Path): ClientTrust | null {
  const isThere = work.reader.raw(path) !== undefined;
  const { mode, ca, crl } = isThere ? work.reader.fields(clientCertificateShape, path) : { mode: "off" as const };
  if (mode === "off") {
    if (ca !== undefined) work.warning("mode is off, so 'ca' is of no use", [...path, "ca"]);
    return { clientCertificate: mode, clientCa: null, hasPartialChains: false, clientCrl: null };
  }
  // A mode that could not be read hides nothing that is wrong with the files.
  const use = `listener ${listener} client`;
  const authorities = ca === undefined ? null : readAuthorities(work, ca, `${use} CA`, [...path, "ca"]);
  const clientCrl =
    crl === undefined ? null : readRevocationLists(work, crl, authorities, `${use} CRL`, [...path, "crl"]);
  if (mode !== undefined && work.reader.raw([...path, "ca"]) === undefined) {
    // Without it, Node would trust every public authority to name this service's clients.
    work.problem("'ca' is missing; expected the authorities that issue clients' certificates", path);
  }
  if (mode === undefined || authorities === null || (crl !== undefined && clientCrl === null)) return null;
  const { pem: clientCa, hasPartialChains } = authorities;
  return { clientCertificate: mode, clientCa, hasPartialChains, clientCrl };
}

/** OpenSSL's own words, which name the fault and never quote the file. */
export function opensslReason(error: unknown): string {
  if (error instanceof Error && "reason" in error && typeof error.reason === "string") return error.reason;
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}

export function fingerprint(parts: readonly (Buffer | string | boolean | null)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    const content = typeof part === "boolean" ? String(part) : part;
    hash.update(content === null ? "-" : `${content.length}:`).update(content ?? "");
  }
  return hash.digest("hex");
}
