import { X509Certificate } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";

/** A leaf, then whatever came along with it. */
export type EncodedChain = readonly X509Certificate[];

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const PEM_BEGIN = "-----BEGIN CERTIFICATE-----";
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*/y;
const DER_SEQUENCE = 0x30;

/**
 * One certificate, or a chain from the leaf on, as proxies write it into a header: PEM with its line ends escaped (%0A) or
 * turned into blanks, or base64 of the DER, several with commas between them. How a text begins says which it is, so that
 * there is one reading. Null where it is none, or holds more than `chainCertificatesMax` beside the leaf.
 */
export function decodeChain(text: string): EncodedChain | null {
  const plain = text.includes("%") ? percentDecoded(text) : text;
  if (plain === null) return null;
  if (plain.startsWith(PEM_BEGIN)) return decodePem(plain);
  const parts = plain.split(",").map((part) => part.trim());
  if (parts.length > DEFAULTS.chainCertificatesMax + 1) return null;
  const [first = ""] = parts;
  if (parts.length === 1 && BASE64.test(first)) {
    const bytes = Buffer.from(first, "base64");
    // WSO2 and others have base64 of the PEM text.
    if (bytes[0] !== DER_SEQUENCE && bytes.toString("latin1", 0, PEM_BEGIN.length) === PEM_BEGIN) {
      return decodePem(bytes.toString("latin1"));
    }
  }
  return all(parts.map(decodeBase64));
}

/** PEM blocks and nothing else but blanks between them. */
function decodePem(text: string): EncodedChain | null {
  const chain: (X509Certificate | null)[] = [];
  PEM_BLOCK.lastIndex = 0;
  while (PEM_BLOCK.lastIndex < text.length) {
    const match = PEM_BLOCK.exec(text);
    if (match === null || chain.length > DEFAULTS.chainCertificatesMax) return null;
    chain.push(decodeBase64((match[1] ?? "").replace(/\s+/g, "")));
  }
  return all(chain);
}

/** Base64 of the DER of one certificate. */
export function decodeBase64(text: string): X509Certificate | null {
  if (!BASE64.test(text) || text.length % 4 !== 0) return null;
  return parse(Buffer.from(text, "base64"));
}

/** The whole of the bytes is the certificate: what follows it would be somebody else's reading. */
function parse(der: Buffer): X509Certificate | null {
  if (der[0] !== DER_SEQUENCE) return null;
  try {
    const certificate = new X509Certificate(der);
    return certificate.raw.length === der.length ? certificate : null;
  } catch {
    return null;
  }
}

export function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function all(chain: readonly (X509Certificate | null)[]): EncodedChain | null {
  const read = chain.filter((one) => one !== null);
  return read.length === chain.length && read.length > 0 ? read : null;
}
