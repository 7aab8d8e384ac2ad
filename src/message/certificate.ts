import { hash, type X509Certificate } from "node:crypto";
import { parseAddress } from "./address.ts";
import type { ClientCertificate } from "./connection.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

/** A subject alternative name (RFC 5280 section 4.2.1.6), its type as Node spells it: `DNS`, `URI`, `email`. */
type AltName = readonly [type: string, value: string];

/**
 * One name in Node's `subjectAltName` text. Node writes a value with a comma, quote, backslash or control character
 * as a JSON string; a bare value holds neither comma nor quote, so what follows a comma is always a name of its own.
 */
const ALT_NAME = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, (?=.)|$)/y;

/**
 * What postern uses of a client's certificate. `untrusted` is why the handshake could not verify it, null where it
 * did. Called once a connection.
 */
export function readClientCertificate(x509: X509Certificate, untrusted: string | null): ClientCertificate {
  const names = parseSubjectAltName(x509.subjectAltName ?? "");
  const ofType = (type: string): string[] => names.filter((name) => name[0] === type).map((name) => name[1]);
  const uris = ofType("URI");
  return {
    subject: distinguishedName(x509.subject ?? ""),
    issuer: distinguishedName(x509.issuer ?? ""),
    serialNumber: x509.serialNumber.toUpperCase(),
    fingerprint: x509.fingerprint256.replaceAll(":", "").toLowerCase(),
    dnsNames: ofType("DNS")
      .filter(isDnsIdentity)
      .map((name) => name.toLowerCase()),
    uris,
    emails: ofType("email"),
    addresses: ofType("IP Address").flatMap((text) => parseAddress(text)?.text ?? []),
    spiffeId: x509.ca ? null : onlySpiffeId(uris),
    notBeforeMs: x509.validFromDate.getTime(),
    notAfterMs: x509.validToDate.getTime(),
    untrusted,
    x509,
  };
}

/**
 * SHA-256 over the SubjectPublicKeyInfo (RFC 7469 section 2.4), as 64 lower-case hex digits; null where the key cannot be
 * read. It stays the same when a certificate is renewed for the same key.
 */
export function publicKeyHash({ x509 }: ClientCertificate): string | null {
  if (x509 === null) return null;
  try {
    return hash("sha256", x509.publicKey.export({ type: "spki", format: "der" }));
  } catch {
    return null;
  }
}

/** The certificate and those that its client sent along, leaf first, at most `most`. */
export function shownChain({ x509 }: ClientCertificate, most: number): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let at = x509 ?? undefined; at !== undefined && chain.length < most; at = at.issuerCertificate) {
    chain.push(at);
  }
  return chain;
}

/**
 * X509-SVID sections 2, 3.1 and 5.2: a leaf with exactly one URI, which is a SPIFFE ID with a path. With two URIs it
 * would be the reader's choice which of them the caller is.
 */
export function onlySpiffeId(uris: readonly string[]): string | null {
  const [uri] = uris;
  if (uri === undefined || uris.length > 1) return null;
  const id = parseSpiffeId(uri);
  return id === null || id.path === "" ? null : id.text;
}

/** Whether a DNS name of a certificate is one: a wildcard stands for its first label whole (RFC 9525 section 6.3). */
export function isDnsIdentity(name: string): boolean {
  return !(name.startsWith("*.") ? name.slice(2) : name).includes("*");
}

/** Node's text → names; none at all where any part of the text is not understood, for the rest could mislead. */
export function parseSubjectAltName(text: string): readonly AltName[] {
  const names: AltName[] = [];
  ALT_NAME.lastIndex = 0;
  while (ALT_NAME.lastIndex < text.length) {
    const match = ALT_NAME.exec(text);
    if (match === null) return [];
    const [, type = "", value = ""] = match;
    const plain = value.startsWith('"') ? unquoted(value) : value;
    if (plain === null) return [];
    names.push([type, plain]);
  }
  return names;
}

function unquoted(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

/**
 * Node gives a line per relative name in the certificate's order, values escaped; RFC 2253 wants them in reverse,
 * with commas. A plus inside a value is escaped, so ` + ` only joins the parts of a multi-valued name.
 */
function distinguishedName(lines: string): string {
  return lines
    .split("\n")
    .map((line) => line.replaceAll(" + ", "+"))
    .reverse()
    .join(",");
}
