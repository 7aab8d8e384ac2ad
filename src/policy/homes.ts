/** Where keys belong that people write on a route, or in `defaults`, itself: they are the filters' own, or the policy's. */
export const ROUTE_HOMES: ReadonlyMap<string, string> = new Map([
  ...under("response", ["fields", "mask", "maxItems", "maxDepth", "securityHeaders", "allowHeaders"]),
  ...under("validate", ["form", "graphql", "jsonrpc", "xml", "body", "contentType", "query", "headers", "cookies"]),
  ...under("authorize", ["scopes", "roles", "groups", "claims", "spiffeId"]),
  ...under("cors", ["origins", "credentials", "exposeHeaders"]),
  ...under("deprecated", ["sunset", "brownouts", "successor"]),
  ...under("response.validate", ["stripUndeclared", "writeOnly", "undeclaredStatus"]),
  ["leaks", "under 'response', or under 'validate' for requests"],
  ["maxBytes", "under 'response', or under 'validate.body' for requests"],
  ...besideRoutes([
    "requestId",
    "limitHeaders",
    "bans",
    "plans",
    "stores",
    "overload",
    "ladder",
    "candidate",
    "guard",
    "openapi",
    "grpc",
    "tracing",
  ]),
]);

function under(home: string, keys: readonly string[]): [string, string][] {
  return keys.map((key) => [key, `under '${home}'`]);
}

function besideRoutes(keys: readonly string[]): [string, string][] {
  return keys.map((key) => [key, "beside 'routes', for all of them"]);
}
