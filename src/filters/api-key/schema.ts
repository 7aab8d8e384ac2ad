import * as z from "zod";
import { headerName, object } from "../../support/schema.ts";

/** Headers with a meaning of their own: as a key's header they would be read or removed for the wrong reason. */
const TAKEN = new Set(["authorization", "cookie", "host", "connection", "content-length", "transfer-encoding"]);

export const apiKeySchema = object({
  type: z.literal("api-key"),
  header: headerName.refine((name) => !TAKEN.has(name), {
    error: "expected a header of its own for the key, as in X-Api-Key",
  }),
  keys: z.string().min(1, { error: "expected the name of a file with callers and the SHA-256 of their keys" }),
});

export type ApiKeySettings = z.infer<typeof apiKeySchema>;
