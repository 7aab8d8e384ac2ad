import type { z } from "zod";
import { mode } from "../../support/schema.ts";

/** The ladder alone: whether what nobody declared is refused. */
export const undeclaredSchema: z.ZodType<number, z.input<typeof mode>> = mode.describe(
  "On the route of what no operation of an API's description takes: enforce refuses it with 404, audit tells of it and lets it pass.",
);
