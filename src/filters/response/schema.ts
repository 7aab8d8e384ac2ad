import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { object, wholeHeaderName } from "../../support/schema.ts";
import { headerLines } from "../request/schema.ts";
import type { CacheSettings } from "./cache.ts";
import { PART_NAMES, PARTS, type PartSettings } from "./parts.ts";
import type { ReadingSettings } from "./reading.ts";
import { type SecurityHeadersSettings, securityHeadersSchema } from "./security-headers.ts";

export interface ResponseSettings extends PartSettings, ReadingSettings {
  readonly removeHeaders?: readonly string[] | undefined;
  /** Names as the policy has them → values. */
  readonly setHeaders?: Readonly<Record<string, string>> | undefined;
  readonly allowHeaders?: readonly string[] | undefined;
  readonly securityHeaders?: SecurityHeadersSettings | undefined;
  readonly cache?: CacheSettings | undefined;
}

const headShape = {
  removeHeaders: z.array(wholeHeaderName).optional().describe("Headers of the service that do not reach the client."),
  setHeaders: headerLines.optional().describe("Headers that are put on, in place of what the service sent."),
  allowHeaders: z
    .array(wholeHeaderName)
    .max(DEFAULTS.allowedHeadersMax, { error: `expected at most ${DEFAULTS.allowedHeadersMax} names` })
    .optional()
    .describe(
      "The only headers of the service that reach the client, besides those that say what the body is and how it may be kept. All if absent.",
    ),
  securityHeaders: securityHeadersSchema.optional(),
  cache: z
    .enum(["no-store", "private", "shared"])
    .optional()
    .describe(
      "Who may keep an answer: nobody, its caller alone, or a cache of many, as the service says. private if absent where callers are asked for, and for answers that set cookies.",
    ),
  contentEncoding: z
    .enum(["identity", "inflate", "refuse", "pass"])
    .optional()
    .describe(
      "What becomes of compressed answers that a rule looks into. identity (if absent): the service is asked for none, and one that comes is inflated. inflate: it may send them. refuse or pass: they are not looked into.",
    ),
  unreadable: z
    .enum(["refuse", "pass"])
    .optional()
    .describe("What becomes of an answer that a rule has to look into and cannot. refuse if absent."),
};

const made = new Map<string, z.ZodType<ResponseSettings>>();

/** With the keys of the parts that are loaded; of another one nobody has settings. */
export function responseSchema(): z.ZodType<ResponseSettings> {
  const loaded = PART_NAMES.filter((name) => PARTS[name].isLoaded).join();
  const schema = made.get(loaded) ?? makeSchema();
  made.set(loaded, schema);
  return schema;
}

function makeSchema(): z.ZodType<ResponseSettings> {
  const parts = PART_NAMES.map((name) => [
    name,
    PARTS[name].isLoaded ? PARTS[name].get().schema.optional() : z.unknown().optional(),
  ]);
  const shape: typeof headShape = { ...headShape, ...Object.fromEntries(parts) };
  return object(shape, "{ removeHeaders: [X-Debug] }").describe(
    "What of the answer reaches the client.",
  ) as z.ZodType<ResponseSettings>;
}
