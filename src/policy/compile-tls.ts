import { createHash } from "node:crypto";
import { createSecureContext } from "node:tls";
import { clientCertificateShape } from "./certificate-schema.ts";
import type { Path } from "./path.ts";
import { type Authorities, readAuthorities, readOwnCertificate } from "./read-certificates.ts";
import { readRevocationLists } from "./revocation-lists.ts";
import { tlsShape } from "./schema.ts";
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
  const { trustText, ...clientParts } = client;
  const parts = { ...certificate, minVersion, ...clientParts };
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
  const { trust: _trust, ...plainParts } = parts;
  return { ...parts, fingerprint: fingerprint([...Object.values(plainParts), trustText]) };
}

/** What is asked of clients; `trustText` says which file is whose, for the fingerprint. */
type ClientParts = Pick<TlsSettings, "clientCertificate" | "clientCa" | "hasPartialChains" | "clientCrl" | "trust"> & {
  readonly trustText: string;
};

const NOBODY_ASKED: ClientParts = {
  clientCertificate: "off",
  clientCa: null,
  hasPartialChains: false,
  clientCrl: null,
  trust: null,
  trustText: "",
};

function readClientTrust(work: Work, listener: string, path: Path): ClientParts | null {
  const isThere = work.reader.raw(path) !== undefined;
  const entry = isThere ? work.reader.fields(clientCertificateShape, path) : { mode: "off" as const };
  const { mode, ca, crl, trustBundles } = entry;
  if (mode === "off") {
    for (const key of ["ca", "crl", "trustBundles"] as const) {
      if (entry[key] !== undefined) work.warning(`mode is off, so '${key}' is of no use`, [...path, key]);
    }
    return NOBODY_ASKED;
  }
  // A mode that could not be read hides nothing that is wrong with the files.
  const use = `listener ${listener} client`;
  const others = ca === undefined ? null : readAuthorities(work, ca, `${use} CA`, [...path, "ca"]);
  const bundles = readBundles(work, trustBundles ?? {}, use, [...path, "trustBundles"]);
  const all = [...(others === null ? [] : [others]), ...bundles.values()];
  const authorities = all.length === 0 ? null : joined(all);
  const names = crl === undefined ? [] : typeof crl === "string" ? [crl] : crl;
  const clientCrl =
    crl === undefined ? null : readRevocationLists(work, names, authorities, `${use} CRL`, [...path, "crl"]);
  const hasRaw = ["ca", "trustBundles"].some((key) => work.reader.raw([...path, key]) !== undefined);
  if (mode !== undefined && !hasRaw) {
    // Without it, Node would trust every public authority to name this service's clients.
    work.problem("'ca' is missing; expected the authorities that issue clients' certificates", path);
  }
  const isWhole = (ca === undefined || others !== null) && bundles.size === Object.keys(trustBundles ?? {}).length;
  if (mode === undefined || authorities === null || !isWhole || (crl !== undefined && clientCrl === null)) return null;
  const { pem: clientCa, hasPartialChains } = authorities;
  const parts = { clientCertificate: mode, clientCa, hasPartialChains, clientCrl };
  if (trustBundles === undefined) return { ...parts, trust: null, trustText: "" };
  const trust = {
    bundles: new Map([...bundles].map(([domain, { certificates }]) => [domain, certificates])),
    others: others?.certificates ?? [],
  };
  const trustText = [...bundles].map(([domain, { pem }]) => `${domain} ${fingerprint([pem])}`).join();
  return { ...parts, trust, trustText };
}

/** PEM files by trust domain; those that cannot be read are missing, with problems reported. */
export function readBundles(
  work: Work,
  files: Readonly<Record<string, string>>,
  use: string,
  path: Path,
): ReadonlyMap<string, Authorities> {
  const bundles = new Map<string, Authorities>();
  for (const [domain, file] of Object.entries(files)) {
    const authorities = readAuthorities(work, file, `${use} bundle ${domain}`, [...path, domain]);
    if (authorities !== null) bundles.set(domain, authorities);
  }
  return bundles;
}

function joined(all: readonly Authorities[]): Authorities {
  return {
    pem: Buffer.concat(all.flatMap(({ pem }) => [pem, Buffer.from("\n")])),
    certificates: all.flatMap(({ certificates }) => certificates),
    hasPartialChains: all.some(({ hasPartialChains }) => hasPartialChains),
  };
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
