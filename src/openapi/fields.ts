import { nearest, nearestHint } from "../support/schema.ts";
import type { Findings } from "./findings.ts";
import type { Spot } from "./spot.ts";

/** Members that OpenAPI 3.0 to 3.2 know of what postern reads. */
const FIELDS = {
  "the document": [
    "openapi",
    "$self",
    "info",
    "jsonSchemaDialect",
    "servers",
    "paths",
    "webhooks",
    "components",
    "security",
    "tags",
    "externalDocs",
  ],
  "a path": [
    "$ref",
    "summary",
    "description",
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "trace",
    "query",
    "additionalOperations",
    "servers",
    "parameters",
  ],
  "an operation": [
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "deprecated",
    "security",
    "servers",
  ],
  "a parameter": [
    "name",
    "in",
    "description",
    "required",
    "deprecated",
    "allowEmptyValue",
    "style",
    "explode",
    "allowReserved",
    "schema",
    "example",
    "examples",
    "content",
  ],
  "a body": ["description", "content", "required"],
  "an answer": ["summary", "description", "headers", "content", "links"],
  "a link": ["operationRef", "operationId", "parameters", "requestBody", "description", "server"],
  "a header": [
    "description",
    "required",
    "deprecated",
    "allowEmptyValue",
    "style",
    "explode",
    "allowReserved",
    "schema",
    "example",
    "examples",
    "content",
  ],
  "a media type": [
    "description",
    "schema",
    "itemSchema",
    "example",
    "examples",
    "encoding",
    "prefixEncoding",
    "itemEncoding",
  ],
} as const;

/** `securty:` closes nothing, which is a problem, and `requestbody:` enforces nothing, and nobody would see it. */
export function noteFields(spot: Spot, kind: keyof typeof FIELDS, findings: Findings): void {
  const known: readonly string[] = FIELDS[kind];
  for (const name of Object.keys(spot.members)) {
    // AWS says it of the path `/$default`, which shows it as well.
    if (known.includes(name) || name.startsWith("x-") || name === "isDefaultRoute") continue;
    const shown = /^[\w$.-]{1,64}$/.test(name) ? name : "";
    // Where the policy opens what asks for nobody, this would be open.
    const isAccess = nearest(name, known) === "security";
    findings[isAccess ? "problem" : "warning"](
      spot.at(name)?.place ?? spot.place,
      `'${shown}' means nothing in ${kind} of OpenAPI and is not enforced; ${nearestHint(name, known)}`,
    );
  }
}
