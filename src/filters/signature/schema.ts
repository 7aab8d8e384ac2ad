import * as z from "zod";
import { SIGNATURE_ALGORITHMS } from "../../proof/algorithms.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, headerName, object, sizeBytes } from "../../support/schema.ts";
import { secretReference } from "../../support/secret.ts";
import { callUrlSchema } from "../call-settings.ts";
import { callerShape } from "../caller-schema.ts";

export const SCHEMES = ["http", "webBotAuth", "github", "stripe", "slack", "hmac"] as const;

const text = z.string().min(1);
const SECRETS = "expected { file: NAME } or { env: NAME }, or a list of at most 4 of them";

/** How somebody signs its calls with a secret: what the presets expand to. */
export const hmacSchema = object({
  header: headerName.describe("Header of the signature."),
  prefix: text.optional().describe("What stands before the signature in the header, as in sha256=."),
  element: text
    .regex(/^[A-Za-z0-9_-]+$/, { error: "expected the name of an element, as in v1" })
    .optional()
    .describe(
      "Name of the signature among the elements NAME=VALUE of a header that has several, with commas between them.",
    ),
  algorithm: z
    .enum(["sha256", "sha384", "sha512"], { error: "expected sha256, sha384 or sha512" })
    .default("sha256")
    .describe("Hash of the MAC (RFC 2104). sha256 if absent."),
  encoding: z
    .enum(["hex", "base64"], { error: "expected hex or base64" })
    .default("hex")
    .describe("How the signature is written. hex if absent."),
  timestamp: z
    .union(
      [
        object({ header: headerName.describe("Header of the time, seconds since 1970.") }),
        object({ element: text.describe("Element of the signature's header that has the time, seconds since 1970.") }),
      ],
      { error: "expected { header: NAME } or { element: NAME }" },
    )
    .optional()
    .describe("Where the time stands at which it was signed. Without one nobody can tell a replay."),
  signs: text.describe(
    "What is signed, as in '{timestamp}.{body}': text with {body}, {timestamp}, {method}, {target}, {host}, {header:NAME}.",
  ),
});

export type HmacSettings = z.infer<typeof hmacSchema>;

const keySchema = object({
  keyid: text
    .max(256)
    .optional()
    .describe("What signatures call it. The thumbprint of a public key (RFC 7638) if absent."),
  file: text.optional().describe("File of the public key: PEM or a JWK."),
  secret: secretReference.optional().describe("The secret of both sides, for hmac-sha256; at least 32 bytes."),
  algorithm: z
    .enum(SIGNATURE_ALGORITHMS, { error: `expected one of ${SIGNATURE_ALGORITHMS.join(", ")}` })
    .optional()
    .describe("What it signs with. What its type allows if absent; rsa-pss-sha512 for an RSA key."),
  caller: callerShape.name.optional().describe("Who signs with it; the keyid if absent."),
  scopes: callerShape.scopes.describe("Scopes of the caller."),
  roles: callerShape.roles.describe("Roles of the caller."),
});

export type KeySettings = z.infer<typeof keySchema>;

const agentSchema = object({
  url: callUrlSchema.describe(
    "Who it is, as its Signature-Agent header says: an origin. Its keys are at /.well-known/http-message-signatures-directory there.",
  ),
  ca: text.optional().describe("PEM of the authorities of its certificate, in place of the system's."),
  caller: callerShape.name.optional().describe("Who that is to rules; its host if absent."),
  scopes: callerShape.scopes.describe("Scopes of the caller."),
  roles: callerShape.roles.describe("Roles of the caller."),
});

export type AgentSettings = z.infer<typeof agentSchema>;

const COMPONENT =
  /^(?:@(?:method|authority|scheme|target-uri|request-target|path|query)|@query-param;name="[^"\\\\]+"|[!#$%&'*+\-.^_`|~0-9a-z]+)$/;

export const signatureSchema = object({
  type: z.literal("signature").describe("A signature over the request itself."),
  scheme: z
    .enum(SCHEMES, { error: `expected one of ${SCHEMES.join(", ")}` })
    .default("http")
    .describe(
      "How it is signed: http (RFC 9421, if absent) or webBotAuth with 'keys'; github, stripe, slack with 'secret'; hmac with 'hmac' that describes another.",
    ),
  keys: z
    .array(keySchema)
    .min(1)
    .max(DEFAULTS.signatureKeysMax)
    .optional()
    .describe("Keys of those who sign, for http and webBotAuth."),
  agents: z
    .array(agentSchema)
    .min(1)
    .max(DEFAULTS.signatureAgentsMax)
    .optional()
    .describe("For webBotAuth: agents whose keys are fetched from their own directories. Nobody else's are asked."),
  covers: z
    .array(
      z.string().regex(COMPONENT, {
        error: "expected a component of RFC 9421, as in @method, @target-uri, content-digest or a header in lower case",
      }),
    )
    .min(1)
    .optional()
    .describe("Components that a signature has to cover. @method, @target-uri and content-digest if absent."),
  tag: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, { error: "expected a tag of visible ASCII without quotes" })
    .optional()
    .describe("Tag of the signatures that are meant for here; others are not looked at."),
  nonce: z
    .enum(["required", "optional"], { error: "expected required or optional" })
    .optional()
    .describe("Whether a signature has to have a nonce. optional if absent."),
  secret: z
    .union([secretReference.transform((one) => [one]), z.array(secretReference).min(1).max(4)], { error: SECRETS })
    .optional()
    .describe("The secret that both sides have, or a list while it is being changed."),
  hmac: hmacSchema.optional().describe("How it is signed, for 'scheme: hmac'."),
  maxAge: durationMs
    .refine((ms) => ms >= 1000 && ms <= DEFAULTS.proofAgeMsMax, {
      error: `expected 1s to ${DEFAULTS.proofAgeMsMax / 60_000}m`,
    })
    .default(DEFAULTS.signatureAgeMs)
    .describe(`How old a signature with a time may be. ${DEFAULTS.signatureAgeMs / 60_000}m if absent.`),
  replay: z
    .enum(["refuse", "allow"], { error: "expected refuse or allow" })
    .optional()
    .describe("Whether a signature with a time counts once: refuse (if absent), or allow."),
  maxBody: sizeBytes
    .refine((bytes) => bytes > 0 && bytes <= DEFAULTS.provenBodyBytesCeiling, {
      error: `expected at most ${DEFAULTS.provenBodyBytesCeiling / 1024 ** 2}MiB`,
    })
    .default(DEFAULTS.provenBodyBytesMax)
    .describe(`Largest body that is held to check it. ${DEFAULTS.provenBodyBytesMax / 1024 ** 2}MiB if absent.`),
  caller: callerShape.name.optional().describe("Who signs; the authenticator's name if absent."),
  scopes: callerShape.scopes.describe("Scopes of the caller."),
  roles: callerShape.roles.describe("Roles of the caller."),
});

export type SignatureSettings = z.infer<typeof signatureSchema>;
