import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object } from "../../support/schema.ts";
import { type ListFile, listFiles } from "../address-list.ts";

const prefixes = z.array(z.string()).min(1, { error: "expected at least one address or prefix" });

export interface AddressSettings {
  readonly allow?: readonly string[] | undefined;
  readonly allowFile?: readonly ListFile[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly denyFile?: readonly ListFile[] | undefined;
  readonly except?: readonly string[] | undefined;
  readonly exceptFile?: readonly ListFile[] | undefined;
  readonly countries?: OriginSettings | undefined;
  readonly networks?: OriginSettings | undefined;
  readonly mode?: number | undefined;
}

export interface OriginSettings {
  readonly deny?: readonly string[] | undefined;
  readonly allow?: readonly string[] | undefined;
}

function origins(form: RegExp, error: string): z.ZodType<OriginSettings> {
  const list = z.array(z.string().regex(form, { error })).min(1).max(DEFAULTS.originsMax);
  return object({
    deny: list
      .optional()
      .describe("Whose addresses may not send requests; unknown for those that the database does not have."),
    allow: list
      .optional()
      .describe("Whose addresses may. With it, all others may not, nor those that are unknown unless it says so."),
  });
}

export const addressSchema: z.ZodType<AddressSettings> = object({
  allow: prefixes
    .optional()
    .describe("Addresses and prefixes that may send requests: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32."),
  allowFile: listFiles.optional().describe("File or files with more of them, in any of the formats of feeds."),
  deny: prefixes.optional().describe("Addresses and prefixes that may not; they win over 'allow'."),
  denyFile: listFiles.optional().describe("File or files with more of them, in any of the formats of feeds."),
  except: prefixes
    .optional()
    .describe(
      "Addresses and prefixes that no 'deny' and no rule of countries and networks meets, as partners on a feed's list. 'allow' holds for them.",
    ),
  exceptFile: listFiles.optional().describe("File or files with more of them."),
  countries: origins(/^(?:[A-Z]{2}|unknown)$/, "expected two capital letters, as in DE, or unknown")
    .optional()
    .describe("Rules by the country of the address, as 'geo.countries' has it."),
  networks: origins(/^(?:AS[1-9]\d{0,9}|unknown)$/, "expected the number of a network, as in AS64496, or unknown")
    .optional()
    .describe("Rules by the network (autonomous system) that the address is of, as 'geo.networks' has it."),
  mode: mode.optional(),
}).describe("Which client addresses may send requests.");
