import { OBSERVED_EXTENSION } from "../openapi/extensions.ts";
import type { JsonObject } from "../support/json.ts";
import type { JudgedEntry } from "./entries.ts";
import type { Entry } from "./entry.ts";
import { observedOf } from "./entry-row.ts";

/** Methods that a path of OpenAPI 3.1 can have. */
const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]);

/** What a kind of value is in JSON Schema; of others a text, as of parameters that the policy names. */
const SCHEMAS: Readonly<Record<string, JsonObject>> = {
  number: { type: "number" },
  uuid: { type: "string", format: "uuid" },
  email: { type: "string", format: "email" },
  date: { type: "string", format: "date" },
  hash: { type: "string", pattern: "^[0-9a-fA-F]+$" },
};

/** What the service was seen to answer, as an OpenAPI document. */
export function openapiDocument(service: string, entries: readonly JudgedEntry[]): JsonObject {
  const answered = entries.filter(isAnswered);
  const paths: Record<string, JsonObject> = {};
  // Of templates that differ by the names of parameters alone a document may have one.
  for (const same of Map.groupBy(answered, ({ shape }) => shape).values()) {
    const [first] = same;
    if (first !== undefined) paths[first.path] = pathItem(first.path, same);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: service,
      version: "observed",
      description: "What was seen to be answered: paths by requests, parameters by their kind. It declares nothing.",
    },
    paths,
  };
}

function isAnswered({ status, path, use }: Entry): boolean {
  return use !== null && (status === "used" || status === "undeclared") && !path.endsWith("/**");
}

/** Operations of one path. A method that a document cannot have is told beside them. */
export function pathItem(path: string, entries: readonly JudgedEntry[]): JsonObject {
  const own = entries.filter(({ method }) => METHODS.has(method));
  const others = entries.filter(({ method }) => !METHODS.has(method)).map(({ method }) => method);
  const parameters = parametersOf(path);
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...Object.fromEntries(own.map((entry) => [entry.method.toLowerCase(), operationOf(entry)])),
    ...(others.length === 0 ? {} : { "x-other-methods": [...new Set(others)] }),
  };
}

function parametersOf(path: string): readonly JsonObject[] {
  return Array.from(path.matchAll(/\{([^}]*)\}/g), ([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: SCHEMAS[name.replace(/\d+$/, "")] ?? { type: "string" },
  }));
}

function operationOf(entry: JudgedEntry): JsonObject {
  return {
    ...(entry.isDeprecated ? { deprecated: true } : {}),
    responses: { "2XX": { description: "The service answered so." } },
    [OBSERVED_EXTENSION]: observed(entry),
  };
}

/** What was seen, as a member of an operation. */
export function observed({ status, findings, use }: JudgedEntry): JsonObject {
  return { status, findings, ...observedOf(use) };
}
