import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object } from "../../support/schema.ts";
import { type ListFile, listFiles } from "../address-list.ts";

export interface CrawlerSettings {
  readonly userAgents: readonly string[];
  readonly rangesFile: readonly ListFile[];
}

export interface BotSettings {
  readonly deny?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  readonly crawlers?: Readonly<Record<string, CrawlerSettings>> | undefined;
  readonly anomalies?: { readonly threshold: number; readonly mode?: number | undefined } | undefined;
  readonly mode?: number | undefined;
}

const word = z.string().regex(/^[\x20-\x7e]{3,128}$/, { error: "expected 3 to 128 characters of ASCII" });
const words = z.array(word).min(1).max(DEFAULTS.botWordsMax);

export const botSchema: z.ZodType<BotSettings> = object({
  deny: words
    .optional()
    .describe(
      "User agents that may not ask: the groups scanners, scripts, headless, empty, or a part of the user agent, in any case.",
    ),
  except: words.optional().describe("Parts of user agents that no 'deny' meets, as of a monitor of your own."),
  crawlers: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: "expected a name of lower-case letters, as in googlebot" }),
      object({
        userAgents: words.describe("Parts of the user agent by which somebody says to be it, as in [Googlebot]."),
        rangesFile: listFiles.describe("File or files with the addresses that its owner publishes."),
      }),
    )
    .optional()
    .describe("Crawlers by name: who says to be one and comes from elsewhere is refused."),
  anomalies: object({
    threshold: z.int().min(1).max(20).describe("Sum of scores from which on a request is refused; 3 is a low one."),
    mode: mode.optional().describe("As 'mode' of every check, but audit if absent."),
  })
    .optional()
    .describe("Whoever says to be a browser and sends what no such browser does."),
  mode: mode.optional(),
}).describe("Programs that are no guests: scanners, false crawlers, imitated browsers.");
