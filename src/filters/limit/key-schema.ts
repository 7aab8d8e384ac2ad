import * as z from "zod";
import type { KeyPartSettings } from "../../limits/key.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { object } from "../../support/schema.ts";

const KEY_EXPECTED =
  'expected an attribute (client.address, principal, route, jwt.tenant, request.headers["x-name"]), { expression: … }, or a list of at most ' +
  `${DEFAULTS.rateKeyPartsMax} of them`;

const keyPart: z.ZodType<KeyPartSettings, KeyPartSettings> = z.union(
  [
    z.string().min(1).max(DEFAULTS.attributeCharsMax),
    object({
      expression: z
        .string()
        .min(1)
        .max(DEFAULTS.expressionCharsMax)
        .describe("CEL that comes to a text, a number or a list of them; what it comes to is the key."),
    }),
  ],
  { error: KEY_EXPECTED },
);

/** One part or a list → a list. */
const keyParts = z
  .union([keyPart.transform((part) => [part]), z.array(keyPart).min(1).max(DEFAULTS.rateKeyPartsMax)], {
    error: KEY_EXPECTED,
  })
  .refine((parts) => new Set(parts.map((part) => JSON.stringify(part))).size === parts.length, {
    error: "a part stands there twice; expected it once",
  });

/** What every kind of limit that counts by a key has. */
export const keyShape = {
  key: keyParts.describe(
    "Whom a request counts for: client.address, principal, route, any attribute that is known by then, an expression, or a list of them.",
  ),
  ipv6Prefix: z
    .int({ error: "expected a number of bits from 16 to 128" })
    .min(16, { error: "expected a number of bits from 16 to 128" })
    .max(128, { error: "expected a number of bits from 16 to 128" })
    .optional()
    .describe(`Bits of an IPv6 address that are one client. ${DEFAULTS.limitIpv6Prefix} if absent.`),
  absent: z
    .union([z.enum(["deny", "unlimited"]), object({ key: keyParts.describe("What counts in its place.") })], {
      error: "expected deny, unlimited or { key: client.address }",
    })
    .optional()
    .describe(
      "What becomes of a request in which a part of the key is absent: deny, unlimited, or another key. Wanted where that can be.",
    ),
};
