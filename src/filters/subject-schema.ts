import * as z from "zod";
import { canonicalName } from "../message/distinguished-name.ts";

/** X.520 section 6.3.1: a country has two letters, so that no certificate with another one is issued. */
const OTHER_COUNTRY = /(?:^|,|\+)c="(?![A-Za-z]{2}")/;

/** A distinguished name that some certificate can have. */
export const subjectSchema: z.ZodType<string, string> = z
  .string()
  .refine((text) => canonicalName(text) !== null, {
    error: "expected a distinguished name, as in CN=billing,O=Shop or as openssl x509 -subject prints it",
  })
  .refine((text) => !OTHER_COUNTRY.test(canonicalName(text) ?? ""), {
    error: "a country (C) of two letters is all that certificates have, as in C=DE",
  });
