import * as z from "zod";
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
  readonly mode?: number | undefined;
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
      "Addresses and prefixes that no 'deny' meets, as partners that a feed has on its list. 'allow' holds for them.",
    ),
  exceptFile: listFiles.optional().describe("File or files with more of them."),
  mode: mode.optional(),
}).describe("Which client addresses may send requests.");
