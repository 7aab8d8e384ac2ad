import { Agent, request as httpsRequest } from "node:https";
import { connect as tlsConnect } from "node:tls";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { type Oidc, startOidc } from "../fixtures/oidc.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const PAGE = "/.well-known/oauth-protected-resource/v1";

let oidc: Oidc;
let postern: Postern;
let arrived: readonly { readonly url: string }[];

function policy({ port, admin, app }: PolicyPorts): string {
  return `${policyHead({ port, admin, app }, { asksForCertificate: true })}
resourceMetadata: { resource: "https://localhost:${port}/v1", name: Orders }
authenticators:
  opaque:
    type: introspection
    endpoint: "${oidc.issuer}/token/introspection"
    ca: ca.pem
    clientId: ${oidc.clientId}
    clientSecret: { file: secrets/idp }
    issuer: "${oidc.issuer}"
    audience: "https://orders.example"
limits:
  few: { rate: 1/hour, burst: 3, key: client.address }
defaults:
  address: { deny: [127.0.0.9] }
routes:
  - path: /v1/orders
    authenticate: { any: [opaque], audience: "https://orders.example" }
    authorize: { scopes: [orders:read] }
  - path: /v1/refunds
    authenticate: { any: [opaque], audience: "https://refunds.example" }
  - path: /**
    public: true
`;
}

beforeAll(async () => {
  const { pki } = await theWorld();
  oidc = await startOidc(pki);
  const service = await startService();
  arrived = service.arrived;
  postern = await startPostern(service.port, policy, { "secrets/idp": `${oidc.clientSecret}\n` });
});

/** As fetch, with the authority of the test's certificates. */
async function trustingFetch(url: string, { method, headers }: { method: string; headers: Record<string, string> }) {
  const { pki } = await theWorld();
  return new Promise<Response>((done, failed) => {
    const agent = new Agent({ ca: pki.ca.certificate, keepAlive: false });
    const request = httpsRequest(url, { method, headers, agent, family: 4 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", failed);
      response.on("end", () => {
        const fields = Object.entries(response.headers).map(
          ([name, value]) => [name, String(value)] as [string, string],
        );
        done(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0, headers: fields }));
      });
    });
    request.once("error", failed);
    request.end();
  });
}

const challengeOf = ({ headers }: { headers: Record<string, string | string[] | undefined> }): string =>
  String(headers["www-authenticate"]);
const parameterOf = (challenge: string, name: string): string =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";

test("a client that knows nothing but the service's URL comes by a token through the challenge", async () => {
  const refused = await postern.call({ path: "/v1/orders" });
  expect(refused.status).toBe(401);
  const challenge = challengeOf(refused);
  const resource = new URL(`https://localhost:${postern.port}/v1`);
  expect(parameterOf(challenge, "resource_metadata")).toBe(`https://localhost:${postern.port}${PAGE}`);

  const options = { [oauth.customFetch]: trustingFetch };
  const response = await oauth.resourceDiscoveryRequest(resource, options);
  expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  const metadata = await oauth.processResourceDiscoveryResponse(resource, response);
  expect(metadata).toEqual({
    resource: resource.href,
    authorization_servers: [oidc.issuer],
    scopes_supported: ["orders:read"],
    bearer_methods_supported: ["header"],
    dpop_signing_alg_values_supported: ["ES256", "Ed25519", "EdDSA"],
    tls_client_certificate_bound_access_tokens: true,
    resource_name: "Orders",
  });

  const issuer = new URL(metadata.authorization_servers?.[0] ?? "");
  const found = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  expect(found.token_endpoint).toBe(`${oidc.issuer}/token`);

  const token = await oidc.token(parameterOf(challenge, "scope"));
  const call = (path: string, text: string) => postern.call({ path, headers: { Authorization: `Bearer ${text}` } });
  expect((await call("/v1/orders", token)).status).toBe(200);

  const narrow = await call("/v1/orders", await oidc.token("orders:write"));
  expect(narrow).toMatchObject({ status: 403, reason: "scope_missing" });
  expect(challengeOf(narrow)).toBe(
    `Bearer realm="orders", resource_metadata="https://localhost:${postern.port}${PAGE}", error="insufficient_scope", scope="orders:read"`,
  );
  // The same token at another resource behind the same authenticator.
  const elsewhere = await call("/v1/refunds", token);
  expect(elsewhere).toMatchObject({ status: 401, reason: "token_audience_mismatch" });
  expect(await postern.logged(({ id }) => id === elsewhere.id)).toMatchObject({
    rule: "routes[1].authenticate.audience",
    wanted: 'aud "https://refunds.example"',
  });
});

test("the page is for whoever may come at all, in every method that reads, and never the service's", async () => {
  const before = arrived.length;
  const page = await postern.call({ path: PAGE });
  expect(page.headers).toMatchObject({
    "content-type": "application/json",
    "access-control-allow-origin": "*",
    "content-length": String(Buffer.byteLength(page.body)),
  });
  const head = await postern.call({ path: PAGE, method: "HEAD" });
  expect([head.status, head.body, head.headers["content-length"]]).toEqual([200, "", page.headers["content-length"]]);
  const preflight = await postern.call({
    path: PAGE,
    method: "OPTIONS",
    headers: { Origin: "https://app.example", "Access-Control-Request-Headers": "mcp-protocol-version" },
  });
  expect([preflight.status, preflight.body]).toEqual([200, ""]);
  expect(preflight.headers).toMatchObject({
    allow: "GET, HEAD, OPTIONS",
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "*",
  });
  for (const method of ["POST", "PUT", "DELETE"]) {
    const refused = await postern.call({ path: PAGE, method, body: "x" });
    expect(refused).toMatchObject({ status: 405, reason: "method_not_allowed" });
    expect(refused.headers["allow"]).toBe("GET, HEAD, OPTIONS");
  }
  const stray = await postern.call({ path: PAGE, body: "x", headers: { "Content-Length": "1" } });
  expect(stray).toMatchObject({ status: 400, reason: "request_malformed" });
  // A query and a credential change nothing; another spelling is another path, which the policy has a route for.
  expect((await postern.call({ path: `${PAGE}?a=b`, headers: { Authorization: "Bearer nonsense" } })).body).toBe(
    page.body,
  );
  expect(arrived.length).toBe(before);
  expect((await postern.call({ path: "/.well-known/oauth-protected-resource" })).body).toBe('{"ok":true}');
  expect((await postern.call({ path: `${PAGE}/more` })).body).toBe('{"ok":true}');
});

test("it is the same over HTTP/2", async () => {
  const { pki } = await theWorld();
  const socket = tlsConnect({
    port: postern.port,
    host: "127.0.0.1",
    ca: pki.ca.certificate,
    servername: "localhost",
    ALPNProtocols: ["h2"],
  });
  await new Promise((done, failed) => socket.once("secureConnect", done).once("error", failed));
  const session = openH2(socket, "https");
  const page = await postern.call({ path: PAGE });
  const answers = await Promise.all(
    ["GET", "HEAD", "OPTIONS", "DELETE"].map((method) => askH2(session, { ":method": method, ":path": PAGE })),
  );
  expect(answers.map(({ status, resetCode }) => [status, resetCode])).toEqual([200, 200, 200, 405].map((s) => [s, 0]));
  expect(answers.map(({ body }) => body).slice(0, 3)).toEqual([page.body, "", ""]);
  expect(answers[0]?.headers["access-control-allow-origin"]).toBe("*");
  expect(answers[1]?.headers["content-length"]).toBe(page.headers["content-length"]);
  session.close();
});

test("it is counted and logged under its own name", async () => {
  const { headers } = await postern.call({ path: PAGE, headers: { "User-Agent": "reader" } });
  expect(headers["date"]).toBeDefined();
  await postern.logged(({ route, status }) => route === "oauth-protected-resource" && status === 200);
  await postern.logged(({ route, reason }) => route === "oauth-protected-resource" && reason === "method_not_allowed");
  const { body } = await postern.admins("/metrics");
  expect(body).toMatch(/postern_requests_total\{[^}]*route="oauth-protected-resource",method="GET",status_class="2xx"/);
});

test("address rules and limits hold for it", async () => {
  const limited = (ports: PolicyPorts) =>
    policy(ports).replace("  address: { deny: [127.0.0.9] }", "  address: { deny: [127.0.0.9] }\n  limit: [few]");
  const { port } = await startService();
  const own = await startPostern(port, limited, { "secrets/idp": `${oidc.clientSecret}\n` });
  const statuses: number[] = [];
  for (let at = 0; at < 4; at++) statuses.push((await own.call({ path: PAGE })).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  const { pki } = await theWorld();
  const denied = await new Promise<number>((done, failed) => {
    const ask = httpsRequest(
      {
        host: "127.0.0.1",
        port: own.port,
        localAddress: "127.0.0.9",
        path: PAGE,
        ca: pki.ca.certificate,
        servername: "localhost",
        headers: { Host: "localhost" },
        agent: false,
      },
      (response) => done(response.resume().statusCode ?? 0),
    );
    ask.once("error", failed).end();
  });
  expect(denied).toBe(403);
});
