import * as z from "zod";
import { isTrustDomain, parseSpiffeId } from "../../message/spiffe-id.ts";
import { object } from "../../support/schema.ts";
import { subjectSchema } from "../subject-schema.ts";

const trustDomain = z
  .string()
  .refine(isTrustDomain, { error: "expected a SPIFFE trust domain in lower case, as in example.org" });

/** `*` stands for one path segment, `**` at the end for one or more. */
const spiffePattern = z
  .string()
  .refine((text) => !text.startsWith("spiffe://*") && parseSpiffeId(withoutStars(text)) !== null, {
    error:
      "expected a SPIFFE ID; * may stand for a path segment, ** for the rest, as in spiffe://example.org/ns/shop/**",
  });

function withoutStars(pattern: string): string {
  return pattern.replace(/\/\*\*$/, "/x").replace(/\/\*(?=\/|$)/g, "/x");
}

/** Any URI but a SPIFFE ID, which has rules of its own; stars as in a SPIFFE ID, and never in its authority. */
const uriPattern = z
  .string()
  .regex(/^(?!spiffe:)[a-z][a-z0-9+.-]*:[^\s*]+(?:\/\*(?=\/))*[^\s*]*(?:\/\*{1,2})?$/i, {
    error: "expected a URI, as in urn:example:billing or https://example.org/teams/**; SPIFFE IDs go to 'spiffeIds'",
  })
  .refine((text) => !text.includes("*") || /^[^/*]+:\/\/[^/*]+\//.test(text), {
    error: "expected the authority before a *, as in https://example.org/teams/*",
  });

const email = z.string().regex(/^[^\s@]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, {
  error: "expected an e-mail address, as in ops@example.org, or *@example.org for every mailbox there",
});

/** Hex digits without colons and zeros before them, or null. */
export function plainSerial(text: string): string | null {
  const digits = text.replaceAll(":", "").replace(/^0x/i, "");
  return /^[0-9a-f]{1,42}$/i.test(digits) ? digits.toUpperCase().replace(/^0+(?=.)/, "") : null;
}

const serial = z
  .string()
  .refine((text) => plainSerial(text) !== null, {
    error: "expected a serial number in hexadecimal digits, as openssl x509 -serial prints it",
  })
  .transform((text) => plainSerial(text) ?? text);

const PIN = /^(?:sha256[/:]{1,2})?(?:([A-Za-z0-9+/]{43}=)|([0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31}))$/i;

/** RFC 7469 section 2.4, as curl and OpenSSL users write it, or in hexadecimal digits. */
const pin = z
  .string()
  .regex(PIN, {
    error: "expected the SHA-256 of a public key (SPKI) in base64, as in sha256/AAAA…=, or in 64 hexadecimal digits",
  })
  .transform((text) => {
    const [, base64, digits = ""] = PIN.exec(text) ?? [];
    return base64 === undefined
      ? digits.replaceAll(":", "").toLowerCase()
      : Buffer.from(base64, "base64").toString("hex");
  });

const dnsPattern = z
  .string()
  .regex(/^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i, {
    error: "expected a host name; *. at its start may stand for one label, as in *.shop.example.org",
  })
  .transform((name) => name.toLowerCase());

const fingerprint = z
  .string()
  .regex(/^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i, {
    error: "expected the SHA-256 of the certificate in 64 hexadecimal digits, with or without colons",
  })
  .transform((digits) => digits.replaceAll(":", "").toLowerCase());

const oneOrMore = { error: "expected at least one entry: an empty list would let nobody in" };

export const clientCertificateSchema = object({
  type: z
    .literal("client-certificate")
    .describe("The certificate of the TLS handshake, verified by the listener's CA."),
  trustDomain: trustDomain.optional().describe("Only SPIFFE IDs of this trust domain are let in, as in example.org."),
  spiffeIds: z
    .array(spiffePattern)
    .min(1, oneOrMore)
    .optional()
    .describe("SPIFFE IDs that are let in; * stands for a path segment, ** at the end for the rest."),
  dnsNames: z
    .array(dnsPattern)
    .min(1, oneOrMore)
    .optional()
    .describe("DNS names of certificates that are let in; *. at the start stands for one label."),
  uris: z
    .array(uriPattern)
    .min(1, oneOrMore)
    .optional()
    .describe("URIs of certificates that are let in, other than SPIFFE IDs; * and ** as there."),
  emails: z
    .array(email)
    .min(1, oneOrMore)
    .optional()
    .describe("E-mail addresses of certificates that are let in; *@example.org for every mailbox of a host."),
  addresses: z
    .array(z.string())
    .min(1, oneOrMore)
    .optional()
    .describe("Prefixes of IP addresses of certificates that are let in: 10.0.0.0/8 or 192.0.2.1."),
  subjects: z
    .array(subjectSchema)
    .min(1, oneOrMore)
    .optional()
    .describe("Subjects that are let in, as distinguished names."),
  issuers: z
    .array(subjectSchema)
    .min(1, oneOrMore)
    .optional()
    .describe("Issuers whose certificates are let in, as distinguished names; the issuer of the certificate itself."),
  serials: z
    .array(serial)
    .min(1, oneOrMore)
    .optional()
    .describe("Serial numbers that are let in, in hexadecimal digits; unique for one issuer only."),
  publicKeys: z
    .array(pin)
    .min(1, oneOrMore)
    .optional()
    .describe(
      "SHA-256 of public keys (SPKI, RFC 7469) that are let in: base64, with or without sha256/, or hexadecimal.",
    ),
  fingerprints: z
    .array(fingerprint)
    .min(1, oneOrMore)
    .optional()
    .describe("SHA-256 of certificates that are let in, in hexadecimal digits."),
});

export type ClientCertificateSettings = z.infer<typeof clientCertificateSchema>;
