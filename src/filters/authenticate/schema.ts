import * as z from "zod";
import { mode, object } from "../../support/schema.ts";

const error = "expected names of authenticators, as in [mesh, okta], or { any: [mesh, okta], mode: audit }";

const names = z.array(z.string().min(1, { error })).min(1, { error: "expected at least one authenticator" });

/** Any one of the named authenticators will do. */
export const authenticateSchema = z.union([names, object({ any: names, mode: mode.optional() })], { error });

export type AuthenticateSettings = z.infer<typeof authenticateSchema>;
