// Goal: only pages of listed origins read answers, nothing of another Origin is ever repeated, and what a browser would refuse or what
// opens more than it seems to is told at load.
// Method: compiled policies, asked with origins that attackers own.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, routeOf, snapshotOf, warningsOf } from "../policy/policy-kit.ts";

const KEYS = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]` };
const policy = (cors: string, more = ""): string =>
  policyWith(`authenticators: { partners: { type: api-key, header: X-Key, keys: keys.yaml } }
routes: [{ path: /a, methods: [GET, PUT], authenticate: [partners], cors: ${cors} ${more} }]`);

async function asked(cors: string, origins: string | readonly string[], more = "") {
  const route = routeOf(await snapshotOf(policy(cors, more), KEYS), "/a");
  const list = typeof origins === "string" ? [origins] : origins;
  const exchange = createExchange({ headers: list.map((origin) => ["origin", origin] as const) });
  route.cors?.tell(exchange);
  const verdict = await route.checks.find(({ name }) => name === "cors")?.evaluate(exchange);
  return { route, verdict, lines: exchange.answerLines };
}

async function preflight(
  cors: string,
  origin: string,
  method = "PUT",
  headers: Record<string, string> = {},
  more = "",
) {
  const { cors: rules } = routeOf(await snapshotOf(policy(cors, more), KEYS), "/a");
  const exchange = createExchange({ method: "OPTIONS", headers: Object.entries({ origin, ...headers }) });
  const answer = rules?.preflight(exchange, method);
  if (answer === undefined || answer instanceof Denial) return answer?.reason;
  return Object.fromEntries(answer.names.map((name, at) => [name, answer.values[at]]));
}

const LISTED =
  "{ origins: ['https://app.example.org', 'https://*.shop.example.org', 'http://localhost:*'], credentials: true }";

describe("an origin", () => {
  test.each([
    "https://app.example.org",
    "https://app.example.org:443",
    "https://a.shop.example.org",
    "https://a.b.shop.example.org",
    "http://localhost:3000",
  ])("%s is listed", async (origin) => {
    const { lines, verdict } = await asked(LISTED, origin);
    expect(verdict).toBeNull();
    expect(lines).toMatch(
      new RegExp(
        `^access-control-allow-origin: ${origin.replaceAll(".", "\\.")}\r\naccess-control-allow-credentials: true\r\n`,
      ),
    );
  });

  test.each([
    "null",
    "http://app.example.org",
    "https://app.example.org:8443",
    "https://app.example.org.evil.example",
    "https://appXexample.org",
    "https://evilapp.example.org",
    "https://shop.example.org",
    "https://evil-shop.example.org",
    "https://evil.example/.shop.example.org",
    "https://evil.example:1@a.shop.example.org",
    "https://evil.example\\.shop.example.org",
    "https://evil.example#.shop.example.org",
    "https://.shop.example.org",
    "https://a.shop.example.org:8443",
    "https://a.shop.example.org.",
    "https://APP.example.org",
    "http://localhost:3000.evil.example",
    "http://localhost:",
    "http://localhost",
    "https://app.example.org https://evil.example",
    "",
  ])("'%s' is not, and nothing of it is repeated", async (origin) => {
    const { lines, verdict } = await asked(LISTED, origin);
    expect([lines, verdict]).toEqual(["", null]);
    expect(await preflight(LISTED, origin)).toBe("origin_denied");
  });

  test("that is there twice is nobody's", async () => {
    expect((await asked(LISTED, ["https://app.example.org", "https://app.example.org"])).lines).toBe("");
  });

  test("of anybody is told * and no credentials", async () => {
    const { lines, route } = await asked("{ origins: ['*'] }", "https://evil.example");
    expect(lines).toMatch(/^access-control-allow-origin: \*\r\naccess-control-expose-headers: /);
    expect(lines).not.toContain("credentials");
    expect(route.rewriteResponse(new HeaderBlock([], []), true)).not.toMatch(/vary/i);
  });
});

test("other pages' requests are refused where the policy says so, its own and those of no page are not", async () => {
  const cors = "{ origins: ['https://app.example.org'], others: refuse }";
  expect((await asked(cors, "https://evil.example")).verdict).toMatchObject({ reason: "origin_denied" });
  expect((await asked(cors, ["https://app.example.org", "https://evil.example"])).verdict).toMatchObject({
    reason: "origin_denied",
  });
  for (const honest of ["https://app.example.org", "https://orders.example.org"]) {
    expect((await asked(cors, honest)).verdict).toBeNull();
  }
  expect((await asked(cors, [])).verdict).toBeNull();
});

test("what the service says of other origins is replaced, and caches are told what answers depend on", async () => {
  const { route } = await asked(LISTED, "https://app.example.org");
  const names = ["access-control-allow-origin", "access-control-allow-credentials", "vary", "x-kept"];
  const lines = route.rewriteResponse(new HeaderBlock(names, ["*", "true", "Accept", "1"]), true);
  expect(lines).not.toContain("access-control");
  expect(lines.match(/^vary: .*$/gm)).toEqual(["vary: Accept", "vary: Origin"]);
  expect(lines).toContain("x-kept: 1");
});

test("a preflight lists what the route takes, and its credentials' header without being told", async () => {
  const more = ", validate: { headers: { X-Trace: { type: string } } }";
  const answer = await preflight(LISTED, "https://app.example.org", "PUT", {}, more);
  expect(answer).toEqual({
    "access-control-allow-origin": "https://app.example.org",
    "access-control-allow-methods": "GET, PUT",
    "access-control-allow-headers": "content-type, x-key, x-trace",
    "access-control-max-age": "600",
    "access-control-allow-credentials": "true",
    vary: expect.stringMatching(/^Origin, Access-Control-Request-Method, /),
  });
  const narrow = "{ origins: ['https://app.example.org'], methods: [GET], headers: [X-Extra], maxAge: 1h }";
  expect(await preflight(narrow, "https://app.example.org")).toBe("origin_denied");
  expect(await preflight(narrow, "https://app.example.org", "GET")).toMatchObject({
    "access-control-allow-headers": "content-type, x-extra, x-key",
    "access-control-max-age": "3600",
  });
});

test("a page of the public internet reaches a private network where the policy says so alone", async () => {
  const asks = { "access-control-request-private-network": "true" };
  const name = "access-control-allow-private-network";
  expect(await preflight(LISTED, "https://app.example.org", "PUT", asks)).not.toHaveProperty(name);
  const open = LISTED.replace("credentials: true", "privateNetwork: true");
  expect(await preflight(open, "https://app.example.org", "PUT", asks)).toMatchObject({ [name]: "true" });
  expect(await preflight(open, "https://app.example.org")).not.toHaveProperty(name);
});

test.each([
  ["{ origins: ['*'], credentials: true }", /any page could act as the user who looks at it/],
  ["{ origins: ['null'] }", /'null' is the origin of any sandboxed page of anybody/],
  ["{ origins: ['https://*.org'] }", /all names of a top-level domain are anybody's/],
  ["{ origins: ['https://*.github.io'] }", /anybody can have a name below github\.io; expected one label more/],
  ["{ origins: ['https://*.co.uk:8443'] }", /anybody can have a name below co\.uk/],
  ["{ origins: ['https://a.org'], credentials: true, headers: ['*'] }", /with credentials browsers take \*/],
  ["{ origins: ['https://a.org'], credentials: true, exposeHeaders: [X-A, '*'] }", /with credentials browsers take \*/],
  ["{ origins: ['https://app.*.org'] }", /\* stands for all names below a domain, at the beginning/],
  ["{ origins: ['https://*example.org'] }", /at the beginning/],
  ["{ origins: ['https://app.example.org/'] }", /an origin ends behind the host and port/],
  ["{ origins: ['https://App.example.org'] }", /browsers send origins in lower case/],
  ["{ origins: ['app.example.org'] }", /expected an origin as browsers send it/],
  ["{ origins: [] }", /expected at least one origin/],
  ["{ origins: ['http://*:3000'] }", /\*/],
  ["{ origin: ['https://app.example.org'] }", /did you mean 'origins'\?/],
])("%s is a problem", async (cors, text) => {
  expect((await problemsOf(policy(cors), KEYS)).join("\n")).toMatch(text);
});

test.each([
  "{ origins: ['https://*.acme.github.io', 'https://*.shop.co.uk', 'https://acme.github.io', 'https://*.co.example'] }",
  "{ origins: ['https://a.org'], headers: ['*'], exposeHeaders: ['*'] }",
])("%s is none", async (cors) => {
  expect(await problemsOf(policy(cors), KEYS)).toEqual([]);
});

test.each([
  ["{ origins: ['*', 'https://app.example.org'] }", /beside \* the others say nothing/],
  ["{ origins: ['http://app.example.org'], credentials: true }", /whoever sits on the way can change a page of http:/],
  ["{ origins: ['https://app.example.org'], methods: [DELETE] }", /the route does not take DELETE/],
])("%s is a warning", async (cors, text) => {
  expect((await warningsOf(policy(cors), KEYS)).join("\n")).toMatch(text);
});

test("a page of this machine may be served without TLS", async () => {
  expect(
    await warningsOf(
      policy("{ origins: ['http://localhost:3000', 'http://app.localhost:3000'], credentials: true }"),
      KEYS,
    ),
  ).toEqual([]);
});
