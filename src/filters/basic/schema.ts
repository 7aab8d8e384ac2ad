import * as z from "zod";
import { object } from "../../support/schema.ts";

export const basicSchema = object({
  type: z.literal("basic").describe("A user's name and password in Authorization (RFC 7617)."),
  users: z
    .string()
    .min(1, { error: "expected the name of a file with users and the hashes of their passwords" })
    .describe("File of users and the hashes of their passwords, as 'postern hash-password' prints them."),
});

export type BasicSettings = z.infer<typeof basicSchema>;
