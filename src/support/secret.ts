import * as z from "zod";
import { object } from "./schema.ts";

/** Where a secret is. It never stands in the policy itself, which others read, keep and send around. */
export type SecretReference = { readonly file: string } | { readonly env: string };

const EXPECTED = "expected { file: NAME } or { env: NAME }; a secret never stands in the policy itself";

/** Of the policy language: `{ file: secrets/idp }`, `{ env: IDP_SECRET }`. */
export const secretReference: z.ZodType<SecretReference> = z.union(
  [
    object({ file: z.string().min(1).describe("File that holds the secret and nothing else. It is watched.") }),
    object({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "expected the name of a variable, as in IDP_SECRET" })
        .describe("Variable of the environment that holds the secret, as it was when postern started."),
    }),
  ],
  { error: EXPECTED },
);

/** Editors end files with a line end that belongs to no secret. */
export function withoutLineEnd(secret: Buffer): Buffer {
  let end = secret.length;
  while (end > 0 && (secret[end - 1] === 0x0a || secret[end - 1] === 0x0d)) end--;
  return secret.subarray(0, end);
}
