import * as z from "zod";

/** Places of a credential beside a header, for the authenticators that read them. */

export const cookieName = z
  .string()
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, { error: "expected the name of a cookie" });

export const parameterName = z.string().regex(/^[A-Za-z0-9._~-]+$/, {
  error: "expected the name of a query parameter: letters, digits, '.', '_', '~', '-'",
});
