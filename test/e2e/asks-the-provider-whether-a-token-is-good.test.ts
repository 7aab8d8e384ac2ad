import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { type Oidc, startOidc } from "../fixtures/oidc.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

let oidc: Oidc;
let postern: Postern;
let service: Service;

function policy(ports: PolicyPorts): string {
  return `${policyHead(ports)}
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
  opaque: { ${asked("1h")} }
  brief: { ${asked("1s")} }
  pages: { ${asked("1h")}, cookie: session, query: access_token }
routes:
  - path: /orders
    authenticate: [okta, opaque]
    authorize: { scopes: [orders:read] }
  - path: /brief
    authenticate: [brief]
  - path: /page
    authenticate: [pages]
`;
}

/** An introspection whose answers are kept for so long. */
function asked(cacheFor: string): string {
  return `type: introspection, endpoint: "${oidc.issuer}/token/introspection", ca: ca.pem, timeout: 4s,
    clientId: ${oidc.clientId}, clientSecret: { file: secrets/idp }, issuer: "${oidc.issuer}",
    audience: "https://orders.example", cacheFor: ${cacheFor}, cacheInactiveFor: ${cacheFor}`;
}

beforeAll(async () => {
  const { pki } = await theWorld();
  oidc = await startOidc(pki);
  service = await startService();
  postern = await startPostern(service.port, policy, { "secrets/idp": `${oidc.clientSecret}\n` });
});

const asks = (): number => oidc.asked.filter((path) => path === "/token/introspection").length;
const call = (token: string, path = "/orders") => postern.call({ path, headers: { Authorization: `Bearer ${token}` } });

test("an opaque token is let in by the scopes that the provider tells, and a JWT beside it without being asked about", async () => {
  const token = await oidc.token("orders:read");
  expect(token).not.toContain(".");
  expect((await call(token)).status).toBe(200);
  expect(await call(await oidc.token("orders:write"))).toMatchObject({ status: 403, reason: "scope_missing" });
  const before = asks();
  const { mint } = await theWorld();
  expect((await call(await mint.token({ scope: "orders:read" }))).status).toBe(200);
  expect(asks()).toBe(before);
});

test("an opaque token in a cookie or the query is asked about where it may be used, and reaches neither the service nor the log", async () => {
  const token = await oidc.token("orders:read");
  const before = asks();
  const cookie = { Cookie: `session=${token}; a=1` };
  const foreign = { ...cookie, Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
  expect(await postern.call({ method: "POST", path: "/page", headers: foreign })).toMatchObject({
    status: 403,
    reason: "origin_denied",
  });
  expect(await postern.call({ path: `/page?access_token=${token}`, headers: cookie })).toMatchObject({
    status: 401,
    reason: "token_malformed",
  });
  expect(asks()).toBe(before);
  const own = { ...cookie, "Sec-Fetch-Site": "same-origin" };
  expect((await postern.call({ method: "POST", path: "/page", headers: own })).status).toBe(200);
  expect(service.arrived.at(-1)?.headers.cookie).toBe("a=1");
  expect((await postern.call({ path: `/page?access_token=${token}&b=2` })).status).toBe(200);
  expect(service.arrived.at(-1)?.url).toBe("/page?b=2");
  expect(asks()).toBe(before + 1);
  expect(postern.output()).not.toContain(token);
});

test("a burst with one new token asks once, and then not before the answer is old", async () => {
  const token = await oidc.token("orders:read");
  const before = asks();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(token, "/brief")));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(asks()).toBe(before + 1);
  await vi.waitFor(
    async () => {
      expect((await call(token, "/brief")).status).toBe(200);
      expect(asks()).toBe(before + 2);
    },
    { timeout: 15_000, interval: 50 },
  );
});

test("a revoked token is refused within the time that answers are kept", async () => {
  const token = await oidc.token("orders:read");
  expect((await call(token, "/brief")).status).toBe(200);
  await oidc.revoke(token);
  await vi.waitFor(
    async () => expect(await call(token, "/brief")).toMatchObject({ status: 401, reason: "token_inactive" }),
    {
      timeout: 15_000,
      interval: 50,
    },
  );
});

test("what nobody has given out is refused, and asked about once", async () => {
  const before = asks();
  expect(await call("made-up-by-somebody")).toMatchObject({ status: 401, reason: "token_inactive" });
  expect(await call("made-up-by-somebody")).toMatchObject({ status: 401, reason: "token_inactive" });
  expect(asks()).toBe(before + 1);
  expect(await call("no token%")).toMatchObject({ status: 401, reason: "token_malformed" });
  expect(asks()).toBe(before + 1);
});

const HEAD = { "Content-Type": "application/json" };
test.each<[string, Oidc["intercept"]]>([
  ["says nothing", () => true],
  ["has a fault", (_, response) => Boolean(response.writeHead(500, HEAD).end("{}"))],
  ["sends a page", (_, response) => Boolean(response.writeHead(200, { "Content-Type": "text/html" }).end("<p>"))],
  ["calls it active in words", (_, response) => Boolean(response.writeHead(200, HEAD).end('{"active":"true"}'))],
  ["says both", (_, response) => Boolean(response.writeHead(200, HEAD).end('{"active":false,"active":true}'))],
  [
    "sends too much",
    (_, response) => Boolean(response.writeHead(200, HEAD).end(`{"active":true,"x":"${"x".repeat(1e6)}"}`)),
  ],
  ["leads elsewhere", (_, response) => Boolean(response.writeHead(302, { Location: "/elsewhere" }).end())],
  ["cuts the connection", (request) => Boolean(request.socket.destroy())],
])(
  "a provider that %s refuses nobody for good: 503 and never 401, and what is known is served",
  async (_, intercept) => {
    const known = await oidc.token("orders:read");
    const fresh = await oidc.token("orders:read");
    // The circuit is closed again, and the answer is at hand.
    await vi.waitFor(async () => expect((await call(known)).status).toBe(200), { timeout: 30_000, interval: 100 });
    oidc.intercept = intercept;
    const [again, denied] = await Promise.all([call(known), call(fresh)]);
    oidc.intercept = null;
    expect(again.status).toBe(200);
    expect(denied).toMatchObject({ status: 503, reason: "introspection_unavailable" });
    await vi.waitFor(async () => expect((await call(fresh)).status).toBe(200), { timeout: 30_000, interval: 100 });
  },
);

test("its state shows in readiness, metrics and log, and no token or secret anywhere", async () => {
  const token = await oidc.token("orders:read");
  oidc.intercept = (_, response) => Boolean(response.writeHead(500, HEAD).end("{}"));
  expect((await call(token)).status).toBe(503);
  await postern.logged(({ event, state }) => event === "resource" && state === "failing");
  const ready = await postern.admins("/readyz?verbose");
  expect(ready.body).toMatch(/^introspection opaque: failing, .*status 500; expected 200$/m);
  oidc.intercept = null;
  await vi.waitFor(async () => expect((await call(token)).status).toBe(200), { timeout: 30_000, interval: 100 });
  const { body } = await postern.admins("/metrics");
  expect(body).toContain('postern_resource_state{kind="introspection",name="opaque",state="ready"} 1');
  const shown = [postern.output(), body, (await postern.admins("/policy")).body].join("\n");
  expect(shown).not.toContain(token);
  expect(shown).not.toContain(oidc.clientSecret);
});

test("an edit elsewhere in the policy asks about no token again", async () => {
  const token = await oidc.token("orders:read");
  expect((await call(token)).status).toBe(200);
  const before = asks();
  postern.write("policy.yaml", policy(postern).replace("/orders\n", "/orders/**\n"));
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  expect((await call(token, "/orders/1")).status).toBe(200);
  expect(asks()).toBe(before);
});

test("a client that invents tokens has a few of them asked about at a time, and others are let in meanwhile", async () => {
  const token = await oidc.token("orders:read");
  let open = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  oidc.intercept = (_, response) => {
    most = Math.max(most, ++open);
    response.once("close", () => open--);
    return Boolean(ends.push(() => response.writeHead(200, HEAD).end('{"active":false}')));
  };
  const flood = Array.from({ length: 64 }, (_, at) => call(`invented-${at}`, "/orders/1"));
  await vi.waitFor(() => expect(most).toBe(DEFAULTS.introspectionsPerClientMax), { timeout: 15_000 });
  oidc.intercept = null;
  for (const end of ends) end();
  const reasons = new Set((await Promise.all(flood)).map(({ reason }) => reason));
  expect(reasons).toContain("introspection_unavailable");
  expect(most).toBe(DEFAULTS.introspectionsPerClientMax);
  await vi.waitFor(async () => expect((await call(token, "/orders/1")).status).toBe(200), { timeout: 30_000 });
});
