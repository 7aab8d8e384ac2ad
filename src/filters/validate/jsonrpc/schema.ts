import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { object, schemaFile } from "../../../support/schema.ts";

export interface JsonRpcSettings {
  readonly methods: readonly string[];
  readonly batch?: number | undefined;
  readonly notifications?: "allow" | "refuse" | undefined;
  readonly paramsSchema?: Readonly<Record<string, string>> | undefined;
}

const batchError = `expected a whole number from 1 to ${DEFAULTS.jsonRpcBatchMax}`;

export const jsonRpcSchema: z.ZodType<JsonRpcSettings> = object({
  methods: z
    .array(z.string().min(1).max(DEFAULTS.jsonRpcMethodCharsMax))
    .min(1, { error: "expected at least one method" })
    .max(DEFAULTS.jsonRpcMethodsMax)
    .describe("Methods that may be called; `*` stands for any characters, as in orders.*"),
  batch: z
    .int({ error: batchError })
    .min(1, { error: batchError })
    .max(DEFAULTS.jsonRpcBatchMax, { error: batchError })
    .optional()
    .describe("Calls that one body may have as a list. Lists are refused if absent."),
  notifications: z
    .enum(["allow", "refuse"])
    .optional()
    .describe("Whether calls without an id, which get no answer, may come. allow if absent."),
  paramsSchema: z
    .record(z.string().min(1), schemaFile)
    .optional()
    .describe(
      "Method → file with the JSON Schema that its params have to meet; a call without params is judged as {}.",
    ),
}).describe("Bodies are JSON-RPC 2.0 calls of these methods.");
