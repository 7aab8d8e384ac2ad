import * as z from "zod";
import { mode, object } from "../../support/schema.ts";

const prefixes = z.array(z.string()).min(1, { error: "expected at least one address or prefix" });
const fileName = z.string().min(1, { error: "expected the name of a file" });

export const addressSchema = object({
  allow: prefixes
    .optional()
    .describe("Addresses and prefixes that may send requests: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32."),
  allowFile: fileName.optional().describe("File with more of them, one a line; # or ; begins a comment."),
  deny: prefixes.optional().describe("Addresses and prefixes that may not; they win over 'allow'."),
  denyFile: fileName.optional().describe("File with more of them, one a line; # or ; begins a comment."),
  mode: mode.optional(),
}).describe("Which client addresses may send requests.");

export type AddressSettings = z.output<typeof addressSchema>;
