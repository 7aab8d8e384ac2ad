import * as z from "zod";
import { headerName, object } from "../../support/schema.ts";

/** Headers with a meaning of their own: as a key's header they would be read or removed for the wrong reason. */
const TAKEN = new Set(["authorization", "cookie", "host", "connection", "content-length", "transfer-encoding"]);

export const apiKeySchema = object({
  type: z.literal("api-key").describe("A key that a client sends in a header."),
  header: headerName
    .refine((name) => !TAKEN.has(name), { error: "expected a header of its own for the key, as in X-Api-Key" })
    .describe("Header that holds the key and nothing else; it does not reach the service."),
  keys: z
    .string()
    .min(1, { error: "expected the name of a file with callers and the SHA-256 of their keys" })
    .describe("File of callers and the SHA-256 of their keys, as 'postern hash-key' prints them."),
});

export type ApiKeySettings = z.infer<typeof apiKeySchema>;
