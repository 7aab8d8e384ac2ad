import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { headerName, mode, object, rate } from "../../support/schema.ts";
import type { Rate } from "../../support/units.ts";

/** What a request is counted by. */
export type KeyPart =
  | { readonly kind: "client.address" | "principal" | "route" }
  | { readonly kind: "header"; readonly name: string };

export interface RateSettings {
  readonly rate: Rate;
  /** Requests that may come at once; undefined: the rate's count. */
  readonly burst?: number | undefined;
  readonly key: readonly KeyPart[];
  /** How many keys are counted at once. */
  readonly maxKeys?: number | undefined;
  readonly mode?: number | undefined;
}

const HEADER_KEY = /^request\.headers\["([^"]+)"\]$/;
const KEY_EXPECTED = 'expected client.address, principal, route or request.headers["x-name"]';

const keyPart: z.ZodType<KeyPart, string> = z
  .string()
  .regex(/^(?:client\.address|principal|route|request\.headers\["[!#$%&'*+\-.^_`|~0-9A-Za-z]+"\])$/, {
    error: KEY_EXPECTED,
  })
  .transform((text): KeyPart => {
    const header = HEADER_KEY.exec(text)?.[1];
    if (header !== undefined) return { kind: "header", name: headerName.parse(header) };
    return { kind: text === "principal" || text === "route" ? text : "client.address" };
  });

/** By what a limit counts. */
export const keySchema: z.ZodType<readonly KeyPart[]> = z
  .union([keyPart.transform((part) => [part]), z.array(keyPart).min(1).max(DEFAULTS.rateKeyPartsMax)], {
    error: `${KEY_EXPECTED}, or a list of at most ${DEFAULTS.rateKeyPartsMax} of them`,
  })
  .describe('Whom a request counts for: client.address, principal, route, request.headers["x-name"], or a list.');

/** A value under `limits:` that has a `rate`. */
export const rateSchema: z.ZodType<RateSettings> = object({
  rate: rate.describe("Requests that each key may send in the long run, as in 50/second."),
  burst: z
    .int()
    .min(1)
    .max(999_999_999)
    .optional()
    .describe("Requests of one key that may come at once. The count of 'rate' if absent."),
  key: keySchema,
  maxKeys: z
    .int()
    .min(DEFAULTS.rateKeysMin)
    .max(DEFAULTS.rateKeysMax)
    .optional()
    .describe(
      `How many keys are counted at once, rounded up to a power of two. Default ${DEFAULTS.rateKeys}, or an even share ` +
        `of the ${DEFAULTS.rateKeysMax} that all limits together may count.`,
    ),
  mode: mode.optional(),
});

/** `limit` of a route: names of limits, each of which must let the request pass. */
export const limitSchema: z.ZodType<readonly string[]> = z
  .array(z.string())
  .min(1, { error: "expected at least one name of 'limits'" })
  .describe("Names of limits, each of which must let the request pass.");
