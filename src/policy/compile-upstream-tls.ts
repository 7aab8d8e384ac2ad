import { createSecureContext } from "node:tls";
import type { UpstreamAddress, UpstreamScheme } from "./addresses.ts";
import { fingerprint, opensslReason } from "./compile-tls.ts";
import { sections } from "./later-sections.ts";
import type { Path } from "./path.ts";
import { readAuthorities, readOwnCertificate } from "./read-certificates.ts";
import type { UpstreamTlsEntry } from "./schema.ts";
import type { UpstreamSettings, UpstreamTlsSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** One protocol an upstream, said in one way: h2c: says it itself, http: is HTTP/1.1. */
export function upstreamProtocol(
  work: Work,
  scheme: UpstreamScheme,
  protocol: UpstreamSettings["protocol"] | undefined,
  path: Path,
): UpstreamSettings["protocol"] {
  if (scheme === "http" && protocol === "h2") {
    work.problem("http: is HTTP/1.1; expected an address with h2c: for HTTP/2 in the clear", [...path, "protocol"]);
  }
  if (scheme === "h2c" && protocol === "http/1.1") {
    work.problem("h2c: is HTTP/2; expected an address with http: for HTTP/1.1", [...path, "protocol"]);
  }
  return scheme === "h2c" ? "h2" : (protocol ?? "http/1.1");
}

/**
 * `tls` of an upstream with all files read and looked at; null for an address in the clear; undefined with problems
 * reported. There is no way to leave out the verification of the service.
 */
export function compileUpstreamTls(
  work: Work,
  upstream: string,
  { scheme, address }: UpstreamAddress,
  entry: UpstreamTlsEntry | undefined,
  path: Path,
): UpstreamTlsSettings | null | undefined {
  const hasEntry = work.reader.raw(path) !== undefined;
  if (scheme !== "https" || address.type !== "tcp") {
    if (!hasEntry) return null;
    work.problem(`TLS to an address of '${scheme}:'; expected https://host:port`, path);
    return undefined;
  }
  if (hasEntry && entry === undefined) return undefined;
  const { ca, serverName = address.host, minVersion = "TLSv1.2" } = entry ?? {};
  const authorities = ca === undefined ? null : readAuthorities(work, ca, `upstream ${upstream} CA`, [...path, "ca"]);
  const own = readClientPair(work, upstream, entry ?? {}, path);
  if (own === undefined || (ca !== undefined && authorities === null)) return undefined;
  const hasPartialChains = authorities?.hasPartialChains ?? false;
  const parts = {
    serverName,
    ca: authorities?.pem ?? null,
    hasPartialChains,
    certificate: own.certificate,
    key: own.key,
    minVersion,
  };
  try {
    createSecureContext({
      minVersion,
      ...(authorities === null ? {} : { ca: authorities.pem }),
      ...(own.certificate === null || own.key === null ? {} : { cert: own.certificate, key: own.key }),
    });
  } catch (error) {
    work.problem(`TLS refuses these files: ${opensslReason(error)}`, path);
    return undefined;
  }
  return { ...parts, fingerprint: fingerprint(Object.values(parts)) };
}

interface ClientPair {
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
}

const NO_PAIR: ClientPair = { certificate: null, key: null };

/** Postern's own certificate for the service: both halves or none. */
function readClientPair(work: Work, upstream: string, entry: UpstreamTlsEntry, path: Path): ClientPair | undefined {
  const { certificate, key, spiffe } = entry;
  if (spiffe !== undefined) {
    if (certificate !== undefined || key !== undefined) {
      work.problem("'spiffe' gives certificate and key already; expected one of the two", [...path, "spiffe"]);
      return undefined;
    }
    const identity = sections.get().workloadIdentity(work, spiffe, `upstream ${upstream}`, [...path, "spiffe"]);
    return identity === null ? NO_PAIR : { certificate: identity.certificate, key: identity.key };
  }
  if (certificate === undefined && key === undefined) return NO_PAIR;
  if (certificate === undefined || key === undefined) {
    const missing = certificate === undefined ? "certificate" : "key";
    work.problem(`'${missing}' is missing; expected a certificate and its key, or neither`, path);
    return undefined;
  }
  return readOwnCertificate(work, { certificate, key }, `upstream ${upstream}`, path) ?? undefined;
}
