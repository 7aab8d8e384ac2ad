/** What the parts of a description are. */
export type Kind =
  | "document"
  | "components"
  | "path"
  | "operation"
  | "parameter"
  | "header"
  | "body"
  | "answer"
  | "media"
  | "encoding"
  | "example"
  | "link"
  | "server"
  | "callback"
  | "schema";

/** `one` of them, a `map` of them by name, a `list`, or a `map or one`. */
type Shape = "one" | "map" | "list";

type Children = Readonly<Record<string, readonly [kind: Kind, shape: Shape]>>;

const SERVERS = { servers: ["server", "list"] } as const;
const VALUES = { schema: ["schema", "one"], content: ["media", "map"], examples: ["example", "map"] } as const;
const ENCODINGS = {
  encoding: ["encoding", "map"],
  prefixEncoding: ["encoding", "list"],
  itemEncoding: ["encoding", "one"],
} as const;
const OPERATIONS: Children = Object.fromEntries(
  ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"].map((method) => [
    method,
    ["operation", "one"] as const,
  ]),
);

/** Which parts stand where (OpenAPI 3.2 section 4, with what 3.0 and 3.1 have of it). */
export const CHILDREN: Readonly<Record<Kind, Children>> = {
  document: { ...SERVERS, paths: ["path", "map"], webhooks: ["path", "map"], components: ["components", "one"] },
  components: {
    schemas: ["schema", "map"],
    responses: ["answer", "map"],
    parameters: ["parameter", "map"],
    examples: ["example", "map"],
    requestBodies: ["body", "map"],
    headers: ["header", "map"],
    links: ["link", "map"],
    callbacks: ["callback", "map"],
    pathItems: ["path", "map"],
    mediaTypes: ["media", "map"],
  },
  path: {
    ...OPERATIONS,
    ...SERVERS,
    additionalOperations: ["operation", "map"],
    parameters: ["parameter", "list"],
  },
  operation: {
    ...SERVERS,
    parameters: ["parameter", "list"],
    requestBody: ["body", "one"],
    responses: ["answer", "map"],
    callbacks: ["callback", "map"],
  },
  parameter: VALUES,
  header: VALUES,
  body: { content: ["media", "map"] },
  answer: { headers: ["header", "map"], content: ["media", "map"], links: ["link", "map"] },
  media: { ...ENCODINGS, schema: ["schema", "one"], itemSchema: ["schema", "one"], examples: ["example", "map"] },
  encoding: { ...ENCODINGS, headers: ["header", "map"] },
  example: {},
  link: { server: ["server", "one"] },
  server: {},
  callback: {},
  schema: {
    properties: ["schema", "map"],
    patternProperties: ["schema", "map"],
    additionalProperties: ["schema", "one"],
    items: ["schema", "one"],
    prefixItems: ["schema", "list"],
    allOf: ["schema", "list"],
    anyOf: ["schema", "list"],
    oneOf: ["schema", "list"],
    not: ["schema", "one"],
  },
};
