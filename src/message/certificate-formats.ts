import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { ClientCertificate } from "./connection.ts";
import { decodeBase64, decodeChain, type EncodedChain } from "./encoded-certificate.ts";
import type { HeaderBlock } from "./headers.ts";
import { readXfccChain, readXfccNames } from "./xfcc.ts";

/** How a proxy that ended the client's TLS tells its certificate. */
export interface CertificateFormat {
  /** Its header, lower case. */
  readonly header: string;
  /** Null where the header is absent or empty: the client showed none. The error is what was seen. */
  read(headers: HeaderBlock, header: string): Result<EncodedChain | null, string>;
  /** Of formats that may tell names without the certificate: null where that is there, or nothing is. */
  readNames?(headers: HeaderBlock, header: string): Result<ClientCertificate | null, string>;
}

/** Words of the policy → the header that such proxies are usually told to write. */
export const CERTIFICATE_FORMATS = {
  "client-cert": { header: "client-cert", read: readClientCert },
  xfcc: { header: "x-forwarded-client-cert", read: readXfcc, readNames },
  nginx: { header: "x-ssl-client-cert", read: readEncoded },
  haproxy: { header: "x-ssl-client-cert", read: readEncoded },
  traefik: { header: "x-forwarded-tls-client-cert", read: readEncoded },
  "aws-alb": { header: "x-amzn-mtls-clientcert", read: readEncoded },
  "aws-alb-verify": { header: "x-amzn-mtls-clientcert-leaf", read: readEncoded },
  azure: { header: "x-arr-clientcert", read: readEncoded },
  cloudflare: { header: "cf-client-cert-der-base64", read: readEncoded },
  wso2: { header: "x-wso2-client-certificate", read: readEncoded },
} as const satisfies Record<string, CertificateFormat>;

export type CertificateFormatName = keyof typeof CERTIFICATE_FORMATS;

export const CERTIFICATE_FORMAT_NAMES = Object.keys(CERTIFICATE_FORMATS) as CertificateFormatName[];

/** The one value of a header; of several lines nobody can say which one the proxy wrote. */
function onlyValue(headers: HeaderBlock, name: string): Result<string | null, string> {
  const at = headers.names.indexOf(name);
  if (at < 0) return ok(null);
  if (headers.names.indexOf(name, at + 1) >= 0) return err("two header lines");
  const value = headers.values[at] ?? "";
  if (value.length > DEFAULTS.forwardedCertificateBytesMax) return err(`${value.length} characters`);
  // nginx's `-` and HAProxy's empty value stand for no certificate.
  return ok(value === "" || value === "-" ? null : value);
}

function readEncoded(headers: HeaderBlock, header: string): Result<EncodedChain | null, string> {
  const value = onlyValue(headers, header);
  if (!value.ok) return value;
  if (value.value === null) return ok(null);
  const chain = decodeChain(value.value);
  return chain === null ? err("no certificate in it") : ok(chain);
}

/** RFC 9440: a byte sequence (RFC 8941) of the DER; the chain in a list beside it, without the leaf. */
function readClientCert(headers: HeaderBlock, header: string): Result<EncodedChain | null, string> {
  const value = onlyValue(headers, header);
  if (!value.ok) return value;
  if (value.value === null) return ok(null);
  const list = headers.list(`${header}-chain`);
  if (list !== undefined && list.length > DEFAULTS.forwardedCertificateBytesMax) return err("a chain too long");
  const parts = [value.value, ...(list === undefined ? [] : list.split(","))].map(byteSequence);
  const chain = parts.map((text) => (text === null ? null : decodeBase64(text))).filter((one) => one !== null);
  if (chain.length < parts.length) return err("no byte sequence of a certificate");
  return chain.length > DEFAULTS.chainCertificatesMax + 1 ? err(`${chain.length} certificates`) : ok(chain);
}

function byteSequence(text: string): string | null {
  return /^[ \t]*:([A-Za-z0-9+/=]+):[ \t]*$/.exec(text)?.[1] ?? null;
}

function readXfcc(headers: HeaderBlock, header: string): Result<EncodedChain | null, string> {
  const value = onlyValue(headers, header);
  if (!value.ok) return value;
  return value.value === null ? ok(null) : readXfccChain(value.value);
}

function readNames(headers: HeaderBlock, header: string): Result<ClientCertificate | null, string> {
  const value = onlyValue(headers, header);
  if (!value.ok) return value;
  return value.value === null ? ok(null) : readXfccNames(value.value);
}
