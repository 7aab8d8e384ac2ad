import * as z from "zod";
import { callUrl } from "../calls/call-url.ts";
import { CERTIFICATE_FORMAT_NAMES } from "../message/certificate-formats.ts";
import { isTrustDomain, parseSpiffeId } from "../message/spiffe-id.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import { headerName, object } from "../support/schema.ts";
import { parseSocketAddress } from "../support/socket-path.ts";

export const fileName = z
  .string()
  .regex(/^[^\0]{1,4096}$/, { error: "expected the name of a file, relative to the policy" });

/** Text that a parser turns into something better, with the parser's own words where it cannot. */
export function parsed<T>(parse: (text: string) => Result<T, string>): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({ code: "custom", message: result.error });
    return z.NEVER;
  });
}

const agentSocket = parsed(parseSocketAddress);

/** Where a trust domain publishes its bundle itself, or an agent that has it. */
const bundleEndpoint = object({
  url: parsed(callUrl).optional().describe("Its bundle endpoint (SPIFFE Federation): https://partner.net/bundle."),
  ca: fileName.optional().describe("PEM file: authorities of the endpoint's certificate. The system's if absent."),
  spiffeId: z
    .string()
    .refine((text) => (parseSpiffeId(text)?.path ?? "") !== "", {
      error: "expected a SPIFFE ID, as in spiffe://partner.net/spire/server",
    })
    .optional()
    .describe(
      "The endpoint's own SPIFFE ID, of this trust domain (profile https_spiffe): its certificate has to have it and to lead to the domain's own bundle. Without it the host's name counts (https_web).",
    ),
  bootstrap: fileName
    .optional()
    .describe(
      "With 'spiffeId': PEM file with the domain's authorities to begin with. What the endpoint gave last counts then.",
    ),
  socket: agentSocket
    .optional()
    .describe(
      "In place of 'url': the Unix socket of a SPIFFE agent that has the domain's bundle (FetchX509Bundles), as in unix:/run/spire/agent.sock.",
    ),
});

export type BundleEntry = string | z.output<typeof bundleEndpoint>;

const trustBundles = z
  .record(
    z.string().refine(isTrustDomain, { error: "expected a SPIFFE trust domain in lower case, as in example.org" }),
    z.union([fileName, bundleEndpoint], {
      error: "expected the name of a file, relative to the policy, { url: https://… } or { socket: unix:/… }",
    }),
  )
  .refine((bundles) => Object.keys(bundles).length > 0, { error: "expected at least one trust domain" })
  .refine((bundles) => Object.keys(bundles).length <= DEFAULTS.trustBundlesMax, {
    error: `expected at most ${DEFAULTS.trustBundlesMax} trust domains`,
  });

/** Where a SPIFFE agent listens, and as whom it is asked. */
export const workloadSchema = object({
  socket: agentSocket.describe("The agent's Unix socket, as in unix:/run/spire/agent.sock."),
  id: z
    .string()
    .refine((text) => (parseSpiffeId(text)?.path ?? "") !== "", {
      error: "expected a SPIFFE ID, as in spiffe://example.org/ns/shop/sa/orders",
    })
    .optional()
    .describe("Which of several identities of this process. The first that the agent gives if absent."),
}).describe("Certificate, key and trust bundles from a SPIFFE agent (Workload API), renewed by it.");

export type WorkloadEntry = z.output<typeof workloadSchema>;

const revocationFiles = z.union([fileName, z.array(fileName).min(1).max(DEFAULTS.revocationFilesMax)], {
  error: "expected the name of a file, relative to the policy, or a list of them",
});

export const clientCertificateShape = {
  mode: z
    .enum(["off", "optional", "required"])
    .describe("Whether clients are asked for a certificate, and whether the handshake fails without one."),
  ca: fileName.optional().describe("PEM file: the authorities whose certificates are trusted."),
  crl: revocationFiles.optional().describe("PEM or DER: certificates that are revoked, one file or several."),
  trustBundles: trustBundles
    .optional()
    .describe(
      "Authorities of each SPIFFE trust domain: a PEM file, { url } of its bundle endpoint, or { socket } of an agent. An ID is only good when its chain ends in its own domain's; 'ca' is for certificates without one.",
    ),
};

export const forwardedCertificateShape = {
  format: z
    .enum(CERTIFICATE_FORMAT_NAMES)
    .describe(
      "How the proxy tells it: client-cert (RFC 9440), xfcc (Envoy, Istio), nginx, haproxy, traefik, aws-alb (passthrough), aws-alb-verify, azure, cloudflare or wso2.",
    ),
  header: headerName.optional().describe("The header, where the proxy is told to write another than is usual."),
  ca: fileName.optional().describe("PEM file: the authorities whose certificates are trusted."),
  trustBundles: trustBundles.optional().describe("Authorities of each SPIFFE trust domain, as under 'tls'."),
  crl: revocationFiles
    .optional()
    .describe(
      "PEM or DER: certificates that are revoked, one file or several, as under 'tls'. Beside 'ca' or 'trustBundles'.",
    ),
  verifiedBy: z
    .literal("proxy")
    .optional()
    .describe("In place of 'ca': the proxy's word is taken that it verified the chain. Its time is looked at anyway."),
  namesAlone: z
    .boolean()
    .optional()
    .describe(
      "With xfcc and 'verifiedBy: proxy': an element without Cert is taken as what it says, by Hash, Subject, URI and DNS. Nothing of it can be verified. false if absent.",
    ),
};
