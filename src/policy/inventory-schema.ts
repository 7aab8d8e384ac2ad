import * as z from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { object } from "../support/schema.ts";

export const inventoryShape = {
  callers: z
    .int()
    .min(0)
    .max(DEFAULTS.inventoryCallersMax)
    .optional()
    .describe("How many callers are remembered of each operation; 0 for none. 16 if absent."),
};

export const inventorySchema = object(inventoryShape).describe(
  "What the API is seen to be, for 'postern inventory' and 'postern top': operations, who calls them, what is nowhere declared. {} turns it on; nothing is noted if absent.",
);
