import type { X509Certificate } from "node:crypto";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { isDnsIdentity, parseSubjectAltName } from "../message/certificate.ts";
import { weakKeyOf } from "../message/weak-key.ts";

/** Why a certificate whose chain is sound is none of `serverName`, or undefined. */
export function identityFault(serverName: string, certificate: PeerCertificate): Error | undefined {
  // RFC 9525 section 2: a name in the subject alone is none.
  if (certificate.subjectaltname === undefined) return new Error("the certificate carries no name");
  const names = parseSubjectAltName(certificate.subjectaltname);
  // RFC 9525 section 6.3: a wildcard is a whole label. Node would let ba*.example.com stand for bank.example.com.
  const sound = names.filter(([type, value]) => type !== "DNS" || isDnsIdentity(value));
  if (sound.length === names.length) return checkServerIdentity(serverName, certificate);
  const subjectaltname = sound.map(([type, value]) => `${type}:${value}`).join(", ");
  return checkServerIdentity(serverName, { ...certificate, subjectaltname });
}

/** Why the key of a service's certificate is worth nothing, or null. */
export function serviceKeyFault(certificate: X509Certificate | undefined): string | null {
  return certificate === undefined ? "no certificate" : weakKeyOf(certificate);
}

const NAMES_SHOWN_MAX = 8;

/** For the log: the names that the certificate of a service is for. Whoever answers there chooses them, so they are cut. */
export function shownNames(certificate: X509Certificate | undefined): string {
  if (certificate === undefined) return "";
  const names = parseSubjectAltName(certificate.subjectAltName ?? "").map(([type, value]) => `${type}:${value}`);
  const shown = names.slice(0, NAMES_SHOWN_MAX).map((name) => JSON.stringify(name.slice(0, 128)));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  const subject = JSON.stringify((certificate.subject ?? "").slice(0, 128));
  return `; its certificate is for ${shown.length === 0 ? `no name, subject ${subject}` : shown.join(", ")}${more}`;
}
