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

/** Likewise of keys at the top of a policy. Those that are nearly a section's name are hinted at as such. */
export const TOP_HOMES: ReadonlyMap<string, string> = new Map([
  ...all("in an entry of 'listeners'", [
    "address",
    "tls",
    "trustedProxies",
    "proxyProtocol",
    "forwardedClientCertificate",
  ]),
  ...all("on a route, or in 'defaults'", [
    "authenticate",
    "authorize",
    "validate",
    "response",
    "request",
    "cors",
    "bots",
    "websocket",
    "rewrite",
    "deprecated",
    "keepInPaths",
  ]),
]);

function all(home: string, keys: readonly string[]): [string, string][] {
  return keys.map((key) => [key, home]);
}

function under(home: string, keys: readonly string[]): [string, string][] {
  return all(`under '${home}'`, keys);
}

function besideRoutes(keys: readonly string[]): [string, string][] {
  return all("beside 'routes', for all of them", keys);
}
