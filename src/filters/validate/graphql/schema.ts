import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { object } from "../../../support/schema.ts";

export interface GraphqlSettings {
  readonly depth?: number | undefined;
  readonly aliases?: number | undefined;
  readonly directives?: number | undefined;
  readonly complexity?: number | undefined;
  readonly lists?: readonly string[] | undefined;
  readonly introspection?: "allow" | "refuse" | undefined;
  readonly operations?: string | undefined;
  readonly persisted?: "refuse" | "remember" | undefined;
  readonly batch?: number | undefined;
  readonly methods?: readonly ("POST" | "GET")[] | undefined;
  readonly types?: readonly ("query" | "mutation" | "subscription")[] | undefined;
}

const count = (max: number) => {
  const error = `expected a whole number from 1 to ${max}`;
  return z.int({ error }).min(1, { error }).max(max, { error });
};

export const graphqlSchema: z.ZodType<GraphqlSettings> = object({
  depth: count(100).optional().describe("Fields within each other. 15 if absent."),
  aliases: count(1_000).optional().describe("Fields under another name, those of fragments each time. 30 if absent."),
  directives: count(1_000).optional().describe("Directives of a document. 50 if absent."),
  complexity: count(1_000_000_000)
    .optional()
    .describe("Sum of all fields, each times the lengths of the lists around it. 10000 if absent."),
  lists: z
    .array(z.string().regex(/^[_A-Za-z][_0-9A-Za-z]*$/, { error: "expected an argument's name" }))
    .max(50)
    .optional()
    .describe("Arguments that say how long a list is to be. first, last and limit if absent."),
  introspection: z
    .enum(["allow", "refuse"])
    .optional()
    .describe("Whether clients may ask for the service's schema. refuse if absent."),
  operations: z
    .string()
    .min(1)
    .optional()
    .describe("JSON file of the only documents that may be executed: texts, SHA-256 hashes, or texts by id."),
  persisted: z
    .enum(["refuse", "remember"])
    .optional()
    .describe(
      "Whether a hash may stand for a document that was sent before (automatic persisted queries). refuse if absent.",
    ),
  batch: count(DEFAULTS.graphqlBatchMax)
    .optional()
    .describe("Requests that one body may have as a list. Lists are refused if absent."),
  methods: z
    .array(z.enum(["POST", "GET"]))
    .min(1)
    .optional()
    .describe("HTTP methods by which requests may come. POST alone if absent."),
  types: z
    .array(z.enum(["query", "mutation", "subscription"]))
    .min(1)
    .optional()
    .describe("Types of operations that may be asked for. All if absent."),
}).describe("Bodies and queries are GraphQL requests, of at most this cost.");
