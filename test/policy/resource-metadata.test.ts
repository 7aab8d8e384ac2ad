import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { JWKS } from "../filters/jwt-kit.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`;
const FILES = { "jwks.json": JWKS, "keys.yaml": KEYS, "secrets/idp": "a-secret-of-sixteen" };

const jwt = (issuer: string, more = ""): string =>
  `{ type: jwt, issuer: "${issuer}", audience: orders, algorithms: [RS256], keys: jwks.json${more} }`;

function policy(resource: string, authenticators: string, routes: string): string {
  return policyWith(`
resourceMetadata: ${resource}
authenticators:
${authenticators}
routes:
${routes}`);
}

const metadataOf = ({ ownPages }: Snapshot): unknown =>
  JSON.parse([...ownPages.values()][0]?.body.toString() ?? "null");

const ALL = `  okta: ${jwt("https://idp.example.org/")}
  opaque: { type: introspection, endpoint: "https://id.example.org/introspect", issuer: "https://id.example.org", audience: orders, clientId: a, clientSecret: { file: secrets/idp } }
  partner: ${jwt("partner-one")}
  unused: ${jwt("https://unused.example.org/")}
  keys: { type: api-key, header: X-Key, keys: keys.yaml }`;

const ROUTES = `  - { path: /orders, authenticate: [okta, keys], authorize: { scopes: ["orders:read"], any: [{ scopes: ["orders:admin"] }, { callers: [acme] }] } }
  - { path: /refunds, authenticate: [opaque, partner], authorize: { scopes: ["orders:read"], not: { scopes: [guest] } } }`;

test("The page says who gives tokens and what for, of what routes ask for and of nothing else", async () => {
  const resource = `{ resource: "https://api.example.org", name: Orders, documentation: "https://docs.example.org/" }`;
  const snapshot = await snapshotOf(policy(resource, ALL, ROUTES), FILES);
  expect([...snapshot.ownPages.keys()]).toEqual(["/.well-known/oauth-protected-resource"]);
  expect(metadataOf(snapshot)).toEqual({
    resource: "https://api.example.org",
    authorization_servers: ["https://id.example.org", "https://idp.example.org/"],
    scopes_supported: ["orders:admin", "orders:read"],
    bearer_methods_supported: ["header"],
    dpop_signing_alg_values_supported: ["ES256", "Ed25519", "EdDSA"],
    resource_name: "Orders",
    resource_documentation: "https://docs.example.org/",
  });
});

test("It says to what tokens have to be bound", async () => {
  const bound = `  okta: ${jwt("https://idp.example.org/", ", bound: dpop, dpop: { algorithms: [ES256] }")}`;
  const route = "  - { path: /orders, authenticate: [okta] }";
  expect(metadataOf(await snapshotOf(policy(`{ resource: "https://a.example" }`, bound, route), FILES))).toEqual({
    resource: "https://a.example",
    authorization_servers: ["https://idp.example.org/"],
    bearer_methods_supported: ["header"],
    dpop_signing_alg_values_supported: ["ES256"],
    dpop_bound_access_tokens_required: true,
  });
  const certificate = `  okta: ${jwt("https://idp.example.org/", ", bound: certificate, header: X-Token")}`;
  expect(metadataOf(await snapshotOf(policy(`{ resource: "https://a.example" }`, certificate, route), FILES))).toEqual({
    resource: "https://a.example",
    authorization_servers: ["https://idp.example.org/"],
  });
});

test("It says where tokens may stand, as far as RFC 6750 has words for it", async () => {
  const several = `  okta: ${jwt("https://idp.example.org/", ", query: access_token")}
  cookies: ${jwt("https://a.example.org/", ", cookie: session")}
  queries: ${jwt("https://b.example.org/", ", query: token")}`;
  const methodsOf = async (names: string) => {
    const route = `  - { path: /orders, authenticate: [${names}] }`;
    const snapshot = await snapshotOf(policy(`{ resource: "https://a.example" }`, several, route), FILES);
    return (metadataOf(snapshot) as Record<string, unknown>)["bearer_methods_supported"];
  };
  expect(await methodsOf("okta")).toEqual(["query"]);
  expect(await methodsOf("cookies, queries")).toBeUndefined();
});

async function challengesOf(snapshot: Snapshot, path: string): Promise<readonly string[]> {
  const route = snapshot.routeList.find(({ template }) => template === path);
  const check = route?.checks.find(({ name }) => name === "authenticate");
  const verdict = await check?.evaluate(createExchange({}));
  return verdict instanceof Denial ? verdict.headers.map(([, value]) => value) : [];
}

test("Challenges for tokens lead to it, where its resource has a path as well, and others do not", async () => {
  const resource = `{ resource: "https://api.example.org:8443/v1/orders" }`;
  const snapshot = await snapshotOf(policy(resource, ALL, ROUTES), FILES);
  const url = "https://api.example.org:8443/.well-known/oauth-protected-resource/v1/orders";
  expect(await challengesOf(snapshot, "/orders")).toEqual([
    `Bearer realm="orders", resource_metadata="${url}", scope="orders:read"`,
    'ApiKey realm="orders"',
  ]);
  const without = await snapshotOf(policy(resource, ALL, ROUTES).replace(/^resourceMetadata.*$/m, ""), FILES);
  expect(without.ownPages.size).toBe(0);
  expect(await challengesOf(without, "/orders")).toContain('Bearer realm="orders", scope="orders:read"');
});

test("A route that names the path is a problem, one that only covers it is none", async () => {
  const other = (path: string) =>
    policy(`{ resource: "https://a.example/v1" }`, ALL, `${ROUTES}\n  - { path: "${path}", public: true }`);
  expect(await problemsOf(other("/.well-known/oauth-protected-resource/v1"), FILES)).toEqual([
    "16:5 postern answers this path itself, by 'resourceMetadata' of line 6; expected another path",
  ]);
  for (const path of ["/.well-known/oauth-protected-resource", "/.well-known/{name}/v1", "/**"]) {
    expect(await problemsOf(other(path), FILES), path).toEqual([]);
  }
});

test.each([
  "http://api.example.org",
  "api.example.org",
  "https://api.example.org/?a",
  "https://api.example.org/#a",
  "https://user@api.example.org",
  'https://api.example.org/a"b',
  "https://api.example.org/a\nb",
  "https://api.example.org/a;b",
  "https://api.example.org/a%2Fb",
  "https://api.example.org//a",
  "urn:orders",
])("%j is no resource that clients could look up, or no path that is read in one way", async (resource) => {
  const problems = await problemsOf(policy(`{ resource: ${JSON.stringify(resource)} }`, ALL, ROUTES), FILES);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^6:\d+ .*expected/);
});

test("A page that could say nothing of tokens is a likely mistake", async () => {
  const keys = "  keys: { type: api-key, header: X-Key, keys: keys.yaml }";
  const route = "  - { path: /orders, authenticate: [keys] }";
  expect(await warningsOf(policy(`{ resource: "http://localhost:8080" }`, keys, route), FILES)).toContain(
    "6:19 no route takes tokens of an authorization server, so there is nothing to tell of them",
  );
});

const TWO = `[{ resource: "https://api.example.org/orders", name: Orders }, { resource: "https://api.example.org/refunds/" }]`;
const TWO_ROUTES = `  - { path: "/orders/{id}", authenticate: [okta, keys], authorize: { scopes: ["orders:read"] } }
  - { path: /refunds, authenticate: [opaque], authorize: { scopes: ["refunds:read"] } }
  - { path: /refunds-of-others, authenticate: [partner] }`;
const WELL_KNOWN = "https://api.example.org/.well-known/oauth-protected-resource";

test("Of several resources each has a page of its own, of its own routes alone", async () => {
  const { ownPages } = await snapshotOf(policy(TWO, ALL, TWO_ROUTES), FILES);
  const pages = [...ownPages].map(([path, { body }]) => [path, JSON.parse(body.toString()) as Record<string, unknown>]);
  expect(pages).toMatchObject([
    [
      "/.well-known/oauth-protected-resource/orders",
      {
        resource: "https://api.example.org/orders",
        authorization_servers: ["https://idp.example.org/"],
        scopes_supported: ["orders:read"],
        resource_name: "Orders",
      },
    ],
    [
      "/.well-known/oauth-protected-resource/refunds/",
      {
        resource: "https://api.example.org/refunds/",
        authorization_servers: ["https://id.example.org"],
        scopes_supported: ["refunds:read"],
      },
    ],
  ]);
  expect(JSON.stringify(pages[1])).not.toContain("Orders");
});

test("A route's challenges lead to the page of its own resource, and where it has none to no page", async () => {
  const snapshot = await snapshotOf(policy(TWO, ALL, TWO_ROUTES), FILES);
  expect(await challengesOf(snapshot, "/orders/{id}")).toContain(
    `Bearer realm="orders", resource_metadata="${WELL_KNOWN}/orders", scope="orders:read"`,
  );
  expect(await challengesOf(snapshot, "/refunds")).toEqual([
    `Bearer realm="orders", resource_metadata="${WELL_KNOWN}/refunds/", scope="refunds:read"`,
  ]);
  expect(await challengesOf(snapshot, "/refunds-of-others")).toEqual(['Bearer realm="orders"']);
});

test("Of resources of which one stands below the other the longer path counts", async () => {
  const nested = `[{ resource: "https://api.example.org" }, { resource: "https://api.example.org/refunds" }]`;
  const snapshot = await snapshotOf(policy(nested, ALL, TWO_ROUTES), FILES);
  expect((await challengesOf(snapshot, "/refunds")).join()).toContain(`"${WELL_KNOWN}/refunds"`);
  expect((await challengesOf(snapshot, "/refunds-of-others")).join()).toContain(`"${WELL_KNOWN}"`);
});

test.each<[string, RegExp]>([
  ["[]", /expected 1 to 16 resources/],
  [
    `[${Array.from({ length: 17 }, (_, at) => `{ resource: "https://a.example/${at}" }`).join(", ")}]`,
    /expected 1 to 16/,
  ],
  [`[{ resource: "https://a.example/x" }, { resource: "https://b.example/x" }]`, /its metadata is where that of/],
  [`[{ resource: "https://a.example/x" }, { resource: "nonsense" }]`, /expected the https: URL/],
  [`[{ resource: "https://a.example/x" }, { name: y }]`, /resource/],
])("%s is a problem", async (resources, text) => {
  expect((await problemsOf(policy(resources, ALL, TWO_ROUTES), FILES)).join("\n")).toMatch(text);
});

test("A route that names the page of any of them is a problem", async () => {
  const routes = `${TWO_ROUTES}\n  - { path: "/.well-known/oauth-protected-resource/refunds/", public: true }`;
  expect((await problemsOf(policy(TWO, ALL, routes), FILES)).join()).toMatch(/postern answers this path itself/);
});

test("A resource of whose routes none takes tokens is a likely mistake", async () => {
  const more = TWO.replace("]", `, { resource: "https://api.example.org/nothing" }]`);
  expect((await warningsOf(policy(more, ALL, TWO_ROUTES), FILES)).join()).toMatch(
    /no route of this resource takes tokens/,
  );
});

test("docs/identity.md shows the page that its policy makes", async () => {
  const docs = readFileSync(resolve(import.meta.dirname, "../../docs/identity.md"), "utf8");
  const [, text = "", page = ""] =
    /```yaml\n(resourceMetadata:[\s\S]*?)```[\s\S]*?```json\n([\s\S]*?)```/.exec(docs) ?? [];
  expect(metadataOf(await snapshotOf(policyWith(text)))).toEqual(JSON.parse(page));
});
