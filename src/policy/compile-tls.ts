import { createHash, type X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ClientTrust } from "../message/client-trust.ts";
import type { TrustBundle } from "../spiffe/x509-svid.ts";
import { clientCertificateShape } from "./certificate-schema.ts";
import type { Fields } from "./entries.ts";
import { sections } from "./later-sections.ts";
import type { Path } from "./path.ts";
import { joinedAuthorities, readAuthorities, readOwnCertificate } from "./read-certificates.ts";
import { tlsShape } from "./schema.ts";
import type { TlsSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Not `clientCertificate`, which is read key by key as well. */
const { clientCertificate: _, ...tlsKeys } = tlsShape;

/** `tls` of a listener → its settings with all files read and looked at, or null with problems reported. */
export function compileTls(work: Work, listener: string, path: Path): TlsSettings | null {
  const entry = work.reader.fields(tlsKeys, path, ["clientCertificate"]);
  const own = readOwn(work, listener, entry, path);
  const client = readClientTrust(work, listener, own?.bundles ?? null, [...path, "clientCertificate"]);
  if (own === null || client === null) return null;
  const { minVersion = "TLSv1.2" } = entry;
  const parts = { certificate: own.certificate, key: own.key, minVersion, ...client };
  try {
    createSecureContext({
      ...(parts.certificate === null || parts.key === null ? {} : { cert: parts.certificate, key: parts.key }),
      minVersion,
      ...(parts.clientCa === null ? {} : { ca: parts.clientCa }),
      ...(parts.clientCrl === null ? {} : { crl: parts.clientCrl }),
    });
  } catch (error) {
    work.problem(`TLS refuses these files: ${opensslReason(error)}`, path);
    return null;
  }
  const { trust, ...plainParts } = parts;
  return {
    ...parts,
    hasJa4: entry.ja4 === true,
    fingerprint: fingerprint([...Object.values(plainParts), trust?.text ?? null]),
  };
}

interface Own {
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
  /** Of a SPIFFE agent; null where files give the certificate. */
  readonly bundles: ReadonlyMap<string, TrustBundle> | null;
}

const NO_BUNDLES: ReadonlyMap<string, TrustBundle> = new Map();

function readOwn(work: Work, listener: string, entry: Fields<typeof tlsKeys>, path: Path): Own | null {
  const { spiffe, certificate, key } = entry;
  const hasSpiffe = work.reader.raw([...path, "spiffe"]) !== undefined;
  if (!hasSpiffe) {
    const isMapping = work.reader.keys(path) !== null;
    const names = isMapping ? (["certificate", "key"] as const) : [];
    const missing = names.filter((name) => work.reader.raw([...path, name]) === undefined);
    for (const name of missing) work.problem(`'${name}' is missing; expected the name of a file, or 'spiffe'`, path);
    const pair = readOwnCertificate(work, entry, `listener ${listener}`, path);
    return pair === null ? null : { ...pair, bundles: null };
  }
  for (const [name, file] of Object.entries({ certificate, key })) {
    if (file !== undefined) work.problem("'spiffe' gives it already; expected one of the two", [...path, name]);
  }
  if (spiffe === undefined) return null;
  const identity = sections.get().workloadIdentity(work, spiffe, `listener ${listener}`, [...path, "spiffe"]);
  if (identity === null) return { certificate: null, key: null, bundles: NO_BUNDLES };
  return { certificate: identity.certificate, key: identity.key, bundles: identity.bundles };
}

/** What is asked of clients. */
type ClientParts = Pick<TlsSettings, "clientCertificate" | "clientCa" | "hasPartialChains" | "clientCrl" | "trust">;

const NOBODY_ASKED: ClientParts = {
  clientCertificate: "off",
  clientCa: null,
  hasPartialChains: false,
  clientCrl: null,
  trust: null,
};

/** `given`: bundles of the agent that gives the certificate; null where there is none. */
function readClientTrust(
  work: Work,
  listener: string,
  given: ReadonlyMap<string, TrustBundle> | null,
  path: Path,
): ClientParts | null {
  const isThere = work.reader.raw(path) !== undefined;
  const entry = isThere ? work.reader.fields(clientCertificateShape, path) : { mode: "off" as const };
  const { mode, ca, crl, trustBundles } = entry;
  if (mode === "off") {
    for (const key of ["ca", "crl", "trustBundles"] as const) {
      if (entry[key] !== undefined) work.warning("no_effect", `mode is off, so '${key}' is of no use`, [...path, key]);
    }
    return NOBODY_ASKED;
  }
  // A mode that could not be read hides nothing that is wrong with the files.
  const use = `listener ${listener} client`;
  const others = ca === undefined ? null : readAuthorities(work, ca, `${use} CA`, [...path, "ca"]);
  const bundles: ReadonlyMap<string, TrustBundle> =
    trustBundles === undefined
      ? new Map()
      : sections.get().readBundles(work, trustBundles, use, [...path, "trustBundles"]);
  // A file has the last word on its trust domain.
  const byDomain = new Map([...(given ?? []), ...bundles]);
  const authorities = joinedAuthorities([...(others === null ? [] : [others]), ...byDomain.values()]);
  const names = crl === undefined ? [] : typeof crl === "string" ? [crl] : crl;
  const clientCrl =
    crl === undefined
      ? null
      : sections
          .get()
          .readRevocationLists(work, names, authorities.certificates.length === 0 ? null : authorities, `${use} CRL`, [
            ...path,
            "crl",
          ]);
  const hasRaw = ["ca", "trustBundles"].some((key) => work.reader.raw([...path, key]) !== undefined);
  if (mode !== undefined && !hasRaw && given === null) {
    // Without it, Node would trust every public authority to name this service's clients.
    work.problem("'ca' is missing; expected the authorities that issue clients' certificates", path);
  }
  const isWhole = (ca === undefined || others !== null) && bundles.size === Object.keys(trustBundles ?? {}).length;
  const hasAny = given !== null || others !== null || byDomain.size > 0;
  if (mode === undefined || !hasAny || !isWhole || (crl !== undefined && clientCrl === null)) return null;
  const { pem: clientCa, hasPartialChains } = authorities;
  const parts = { clientCertificate: mode, clientCa, hasPartialChains, clientCrl };
  if (byDomain.size === 0 && given === null) return { ...parts, trust: null };
  return { ...parts, trust: trustOf(byDomain, others?.certificates ?? []) };
}

function trustOf(byDomain: ReadonlyMap<string, TrustBundle>, others: readonly X509Certificate[]): ClientTrust {
  const domains = [...byDomain].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    bundles: new Map(domains.map(([domain, { certificates }]) => [domain, certificates])),
    others,
    text: domains.map(([domain, { pem }]) => `${domain} ${fingerprint([pem])}`).join(),
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
