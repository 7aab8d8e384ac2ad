import type { X509Certificate } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { shownChain } from "./certificate.ts";
import type { ClientCertificate } from "./connection.ts";

/** How the service is told the client's certificate. */
export const CERTIFICATE_LINES = {
  /** RFC 9440 */
  "client-cert": clientCert,
  /** Envoy's x-forwarded-client-cert */
  xfcc,
} as const;

export type CertificateLines = keyof typeof CERTIFICATE_LINES;

export const CERTIFICATE_LINES_NAMES = Object.keys(CERTIFICATE_LINES) as CertificateLines[];

/** Headers that they write, lower case: nobody else may. */
export const CERTIFICATE_LINES_HEADERS: Readonly<Record<CertificateLines, readonly string[]>> = {
  "client-cert": ["client-cert", "client-cert-chain"],
  xfcc: ["x-forwarded-client-cert"],
};

/** Header lines `name: value` with CR LF: the leaf, and where its client sent more, the chain without it. */
function clientCert(certificate: ClientCertificate): string {
  // Of names alone there is none to be told.
  if (certificate.x509 === null) return "";
  const [, ...chain] = chainOf(certificate);
  const leaf = `client-cert: ${byteSequence(certificate.x509)}\r\n`;
  return chain.length === 0 ? leaf : `${leaf}client-cert-chain: ${chain.map(byteSequence).join(", ")}\r\n`;
}

/** RFC 8941 section 3.3.5 */
function byteSequence({ raw }: X509Certificate): string {
  return `:${raw.toString("base64")}:`;
}

/** One element, as a proxy writes it that takes off what came from outside (SANITIZE_SET). */
function xfcc(certificate: ClientCertificate): string {
  const { fingerprint, subject, uris, dnsNames, x509 } = certificate;
  const chain = chainOf(certificate);
  const pairs = [
    ...(fingerprint === "" ? [] : [`Hash=${fingerprint}`]),
    ...(x509 === null ? [] : [`Cert="${encodedPem([x509])}"`]),
    ...(chain.length > 1 ? [`Chain="${encodedPem(chain)}"`] : []),
    `Subject="${quotable(subject)}"`,
    ...uris.map((uri) => `URI=${bare(uri)}`),
    ...dnsNames.map((name) => `DNS=${bare(name)}`),
  ];
  return `x-forwarded-client-cert: ${pairs.join(";")}\r\n`;
}

/** What the client sent beside the leaf is left out where it would burst the service's headers. */
function chainOf(certificate: ClientCertificate): readonly X509Certificate[] {
  const chain = shownChain(certificate, DEFAULTS.chainCertificatesMax + 1);
  const bytes = chain.reduce((sum, { raw }) => sum + raw.length, 0);
  return bytes > DEFAULTS.certificateLinesBytesMax ? chain.slice(0, 1) : chain;
}

function encodedPem(chain: readonly X509Certificate[]): string {
  return encodeURIComponent(chain.map((one) => one.toString()).join(""));
}

/** A name is the certificate holder's choice: nothing in it may end the quotes, the element or the line. */
function quotable(text: string): string {
  return visible(text).replace(/["\\]/g, "\\$&");
}

function bare(text: string): string {
  return /[,;=]/.test(text) || quotable(text) !== text ? `"${quotable(text)}"` : text;
}

/** Whatever is not printable ASCII is percent-encoded as UTF-8. */
function visible(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (run) => {
    let encoded = "";
    for (const byte of Buffer.from(run, "utf8")) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return encoded;
  });
}
