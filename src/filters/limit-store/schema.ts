import * as z from "zod";
import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import { durationMs, object } from "../../support/schema.ts";
import { secretReference } from "../../support/secret.ts";
import { parseStoreUrl, type StoreUrl } from "./url.ts";

const file = z.string().min(1);

const storeUrls = z
  .union([z.string(), z.array(z.string()).min(1).max(LIMIT_DEFAULTS.storeHostsMax)], {
    error: "expected rediss://host:6379, redis://host:6379, or a list of them",
  })
  .transform((texts, context): readonly StoreUrl[] =>
    [texts].flat().map((text) => {
      const url = parseStoreUrl(text);
      if (url.ok) return url.value;
      context.addIssue({ code: "custom", message: url.error });
      return z.NEVER;
    }),
  );

const username = z.union([z.string().min(1).max(128), secretReference], {
  error: "expected a name, or { env: NAME } or { file: NAME }",
});

const sentinel = object({
  master: z.string().min(1).max(128).describe("Name of the master that the sentinels watch."),
  username: username.optional().describe("Who postern is to the sentinels."),
  password: secretReference.optional().describe("Its password there."),
});

/** An entry of `stores`. */
export const storeSchema = object({
  type: z.literal("redis").describe("Redis, Valkey, or what speaks their protocol."),
  url: storeUrls.describe(
    "Where it is: rediss://host:6379, or redis: in the clear; /3 at the end for a database. A list of sentinels, or of some nodes of a cluster.",
  ),
  username: username.optional().describe("Name of postern in the store's access control list. default if absent."),
  password: secretReference.optional().describe("Its password."),
  ca: file
    .optional()
    .describe("PEM file: authorities that its certificate is verified against. The system's if absent."),
  certificate: file.optional().describe("PEM file: postern's own certificate, to be shown there."),
  key: file.optional().describe("PEM file: its private key."),
  serverName: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, { error: "expected a host's name" })
    .optional()
    .describe("Name that its certificate has to be for. The host's if absent."),
  sentinel: sentinel.optional().describe("The addresses are those of sentinels, who know the master."),
  cluster: z.literal(true).optional().describe("The addresses are those of nodes of a cluster."),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: "expected letters, digits, '_', '.', ':' or '-', at most 64" })
    .default("postern")
    .describe(
      "What its keys begin with: services that share a store and are not to share limits have others. postern if absent.",
    ),
  timeout: durationMs
    .refine((ms) => ms >= 1 && ms <= LIMIT_DEFAULTS.storeTimeoutMsMax, {
      error: `expected 1ms to ${LIMIT_DEFAULTS.storeTimeoutMsMax / 1000}s`,
    })
    .default(LIMIT_DEFAULTS.storeTimeoutMs)
    .describe(`How long a request waits for it. ${LIMIT_DEFAULTS.storeTimeoutMs}ms if absent.`),
  onFailure: z
    .enum(["local", "open", "closed"])
    .default("local")
    .describe(
      "What becomes of requests while it does not answer: local counts them in this process, open lets them in, closed denies them with 503. local if absent.",
    ),
  lease: z
    .int()
    .min(2)
    .max(LIMIT_DEFAULTS.storeLeaseMax)
    .optional()
    .describe(
      "Units that are taken at once for a key that is asked often, and spent in this process within a second. Each request is asked about if absent.",
    ),
});

export type StoreSettings = z.output<typeof storeSchema>;
