import * as z from "zod";
import { mode, object } from "../../support/schema.ts";

const error = "expected names of authenticators, as in [mesh, okta], or { any: [mesh, okta], mode: audit }";

const names = z.array(z.string().min(1, { error })).min(1, { error: "expected at least one authenticator" });

/** Any one of the named authenticators will do. */
export const authenticateSchema = z
  .union(
    [
      names,
      object({
        any: names.describe("Names of authenticators; a caller that one of them knows is let in."),
        mode: mode.optional(),
      }),
    ],
    { error },
  )
  .describe("Authenticators of which any one has to know the caller.");

export type AuthenticateSettings = z.infer<typeof authenticateSchema>;
