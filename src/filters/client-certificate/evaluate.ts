import { Denial, type Place } from "../../decision/verdict.ts";
import { type CertificateFault, certificateFault } from "../../message/certificate-fault.ts";
import type { ClientCertificate } from "../../message/connection.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import { challenge } from "../challenge.ts";
import { type Authenticator, NO_CREDENTIALS } from "../filter.ts";

export interface IdentityRule {
  readonly place: Place;
  /** For the log of a denial. */
  readonly wanted: string;
  met(certificate: ClientCertificate): boolean;
}

export interface CertificateOptions {
  readonly name: string;
  readonly service: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly rules: readonly IdentityRule[];
}

/**
 * The certificate of the connection is the credential. All of it but the time is judged once a connection; the time
 * at every request, for a connection may outlive its certificate.
 */
export function certificateAuthenticator(options: CertificateOptions): Authenticator {
  const { name, clock, place } = options;
  const judged = new WeakMap<ClientCertificate, Principal | Denial>();
  return {
    name,
    type: "client-certificate",
    place,
    challenge: challenge("ClientCertificate", options.service),
    credentialHeaders: [],
    // A certificate says who calls, and nothing of scopes.
    scopes: new Set(),
    authenticate: ({ certificate }) => {
      if (certificate === null) return NO_CREDENTIALS;
      // What the handshake said comes first: it may be expired, and revoked before that.
      if (certificate.untrusted === null && clock.wallMs() > certificate.notAfterMs) return expired(certificate, place);
      let answer = judged.get(certificate);
      if (answer === undefined) {
        answer = judge(certificate, options);
        judged.set(certificate, answer);
      }
      return answer;
    },
    absent: ({ certificate, connection: { secure } }) =>
      certificate !== null
        ? null
        : secure
          ? "no client certificate in the handshake"
          : "no TLS, so no client certificate",
    // A certificate is never supposed: explain takes a real one.
    assume: () => NO_CREDENTIALS,
  };
}

function judge(certificate: ClientCertificate, { name, place, rules }: CertificateOptions): Principal | Denial {
  if (certificate.untrusted !== null) {
    const { fault, wanted } = certificateFault(certificate.untrusted);
    return new Denial(fault, place, `${certificate.untrusted}, ${untrustedSummary(certificate, fault)}`, wanted);
  }
  const broken = rules.find((rule) => !rule.met(certificate));
  if (broken !== undefined) {
    return new Denial("certificate_identity_mismatch", broken.place, summary(certificate), broken.wanted);
  }
  return toPrincipal(name, certificate);
}

function expired(certificate: ClientCertificate, place: Place): Denial {
  const seen = `ended ${timeText(certificate.notAfterMs)}, ${summary(certificate)}`;
  return new Denial("certificate_expired", place, seen, certificateFault("CERT_HAS_EXPIRED").wanted);
}

function toPrincipal(authenticator: string, certificate: ClientCertificate): Principal {
  const { spiffeId, subject, dnsNames, uris, fingerprint, notAfterMs } = certificate;
  // A workload's certificate may have an empty subject (RFC 5280 section 4.1.2.6).
  const id = spiffeId ?? (subject || dnsNames[0] || fingerprint || (uris[0] ?? ""));
  return Object.freeze({
    authenticator,
    type: "client-certificate",
    id,
    key: `${authenticator}/${id}`,
    scopes: new Set<string>(),
    claims: claimsOf(certificate),
    expiresAtMs: notAfterMs,
  });
}

/** Which certificate it was, for rules that compare claims, and for who asks later. All of it is public. */
function claimsOf(certificate: ClientCertificate): Principal["claims"] {
  const { subject, issuer, serialNumber, fingerprint, spiffeId, dnsNames, uris, emails, addresses } = certificate;
  return Object.freeze({
    subject,
    issuer,
    serialNumber,
    fingerprint,
    ...(spiffeId === null ? {} : { spiffeId }),
    dnsNames,
    uris,
    emails,
    addresses,
  });
}

/** For those that are refused for their issuer or their time, that is what helps. */
function untrustedSummary(certificate: ClientCertificate, fault: CertificateFault): string {
  const { issuer, notBeforeMs, notAfterMs } = certificate;
  if (fault === "certificate_not_yet_valid") return `begins ${timeText(notBeforeMs)}, ${summary(certificate)}`;
  if (fault === "certificate_expired") return `ended ${timeText(notAfterMs)}, ${summary(certificate)}`;
  return `issuer ${JSON.stringify(issuer.slice(0, 256))}, ${summary(certificate)}`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** What a reader of the log needs to find the certificate; all of it is public. */
function summary(certificate: ClientCertificate): string {
  const { spiffeId, uris, dnsNames, subject, fingerprint } = certificate;
  const names = spiffeId !== null ? [spiffeId] : [...uris, ...dnsNames];
  const shown = names.slice(0, 4).map((name) => JSON.stringify(name.slice(0, 128)));
  return [`subject ${JSON.stringify(subject.slice(0, 256))}`, ...shown, `SHA-256 ${fingerprint}`].join(", ");
}
