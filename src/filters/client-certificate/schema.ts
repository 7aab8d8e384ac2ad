import * as z from "zod";
import { canonicalName } from "../../message/distinguished-name.ts";
import { isTrustDomain, parseSpiffeId } from "../../message/spiffe-id.ts";
import { object } from "../../support/schema.ts";

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

const dnsPattern = z
  .string()
  .regex(/^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i, {
    error: "expected a host name; *. at its start may stand for one label, as in *.shop.example.org",
  })
  .transform((name) => name.toLowerCase());

const subject = z.string().refine((text) => canonicalName(text) !== null, {
  error: "expected a distinguished name, as in CN=billing,O=Shop or as openssl x509 -subject prints it",
});

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
  subjects: z.array(subject).min(1, oneOrMore).optional().describe("Subjects that are let in, as distinguished names."),
  fingerprints: z
    .array(fingerprint)
    .min(1, oneOrMore)
    .optional()
    .describe("SHA-256 of certificates that are let in, in hexadecimal digits."),
});

export type ClientCertificateSettings = z.infer<typeof clientCertificateSchema>;
