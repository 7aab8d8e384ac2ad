import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

afterAll(closeAll);

interface Asked {
  readonly path: string;
  readonly document: Record<string, never> & { readonly [name: string]: unknown };
  readonly authorization: string | undefined;
}

/** Answers as services of both kinds do; `answer` may take an answer over. */
const asked: Asked[] = [];
let answer: ((request: IncomingMessage, response: ServerResponse, document: Record<string, unknown>) => void) | null;
let verdict = true;
let port = 0;
let postern: Postern;

function policy({ port: inbound, admin, app }: PolicyPorts, mode = "100%"): string {
  const by = (name: string): string =>
    `{ by: [${name}], mode: ${mode === "audit" ? "audit" : `{ enforce: ${mode} }`} }`;
  return `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${inbound}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
decisionServices:
  opa: { type: opa, url: "http://127.0.0.1:${port}/v1/data/orders/allow", timeout: 4s }
  own: { type: opa, url: "http://127.0.0.1:${port}/own", input: { who: principal.id, tenant: jwt.tenant, why: { text: reads } } }
  pdp:
    type: authzen
    url: "http://127.0.0.1:${port}/access/v1/evaluation"
    token: { file: secrets/pdp }
    resource: { type: order, id: path.orderId, properties: { tenant: jwt.tenant } }
    context: { address: client.address }
    cache: { by: [principal.id, request.method, path.orderId], for: 1h }
  many: { type: authzen, url: "http://127.0.0.1:${port}/access/v1/evaluation", resource: { type: order, id: body.ids } }
  open: { type: opa, url: "http://127.0.0.1:${port}/open", onFailure: allow, timeout: 4s }
routes:
  - path: /opa/{orderId}
    authenticate: [okta]
    authorize: { scopes: [orders:read] }
    decide: ${by("opa")}
  - { path: /own, authenticate: [okta], decide: ${by("own")} }
  - { path: /open, authenticate: [okta], decide: ${by("open")} }
  - { path: "/orders/{orderId}", authenticate: [okta], decide: ${by("pdp")} }
  - path: /many
    methods: [POST]
    authenticate: [okta]
    decide: ${by("many")}
    validate: { body: { schema: ids.json } }
`;
}

beforeAll(async () => {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk;
    });
    request.on("end", () => {
      const document = JSON.parse(body) as Asked["document"];
      asked.push({ path: request.url ?? "", document, authorization: request.headers.authorization });
      if (answer !== null) return answer(request, response, document);
      const isOpa = !request.url?.startsWith("/access/");
      const evaluations = document["evaluations"] as unknown[] | undefined;
      const said = isOpa
        ? { result: verdict }
        : evaluations
          ? { evaluations: evaluations.map(() => ({ decision: verdict })) }
          : { decision: verdict };
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(said));
    });
  });
  port = await listen(server);
  const service = await startService();
  const ids = JSON.stringify({ type: "object", properties: { ids: { type: "array" } } });
  postern = await startPostern(service.port, policy, { "ids.json": ids, "secrets/pdp": "pdp-token-of-tests\n" });
});

beforeEach(() => {
  asked.length = 0;
  answer = null;
  verdict = true;
});

async function call(path: string, claims: Record<string, unknown> = {}, body?: object) {
  const { mint } = await theWorld();
  const token = await mint.token({ sub: "ann", scope: "orders:read", ...claims });
  const headers = { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) };
  return postern.call({ path, headers, ...(body ? { method: "POST", body: JSON.stringify(body) } : {}) });
}

describe("what is asked", () => {
  test("OPA gets request, route, client and caller, and its word counts", async () => {
    expect((await call("/opa/a%2Db")).status).toBe(200);
    expect(asked[0]?.document).toEqual({
      input: {
        request: { method: "GET", path: "/opa/a-b", host: "localhost" },
        path: { orderId: "a-b" },
        route: "/opa/{orderId}",
        client: { address: "127.0.0.1" },
        principal: { id: "ann", type: "jwt", authenticator: "okta", scopes: ["orders:read"], roles: [], groups: [] },
      },
    });
    verdict = false;
    expect(await call("/opa/7")).toMatchObject({ status: 403, reason: "decision_denied" });
  });

  test("or what the policy says, less what the request lacks", async () => {
    expect((await call("/own", { tenant: "t1" })).status).toBe(200);
    await call("/own");
    expect(asked.map(({ document }) => document)).toEqual([
      { input: { who: "ann", tenant: "t1", why: "reads" } },
      { input: { who: "ann", why: "reads" } },
    ]);
  });

  test("AuthZEN gets subject, action, resource and context, with the token of the policy", async () => {
    expect((await call("/orders/7", { tenant: "t1" })).status).toBe(200);
    expect(asked).toEqual([
      {
        path: "/access/v1/evaluation",
        authorization: "Bearer pdp-token-of-tests",
        document: {
          subject: { type: "user", id: "ann" },
          action: { name: "GET" },
          resource: { type: "order", id: "7", properties: { tenant: "t1" } },
          context: { address: "127.0.0.1" },
        },
      },
    ]);
    expect(postern.output()).not.toContain("pdp-token-of-tests");
  });

  test("a list of ids is asked about at once, and one that is not allowed is enough", async () => {
    expect((await call("/many", {}, { ids: ["a", 7] })).status).toBe(200);
    expect(asked[0]).toMatchObject({
      path: "/access/v1/evaluations",
      document: { evaluations: [{ resource: { type: "order", id: "a" } }, { resource: { type: "order", id: "7" } }] },
    });
    answer = (_, response) => void response.end('{"evaluations":[{"decision":true},{"decision":false}]}');
    expect(await call("/many", {}, { ids: ["a", "b"] })).toMatchObject({ status: 403, reason: "decision_denied" });
  });

  test.each([
    ["no list at all", {}],
    ["an empty list", { ids: [] }],
    ["too long a list", { ids: Array.from({ length: 51 }, (_, at) => at) }],
  ])("%s is asked about by nobody, and denied", async (_, body) => {
    expect(await call("/many", {}, body)).toMatchObject({ status: 403, reason: "decision_denied" });
    expect(asked).toEqual([]);
  });

  test("our own rules come first: whom they deny, nobody is asked about", async () => {
    expect(await call("/opa/7", { scope: "other" })).toMatchObject({ status: 403, reason: "scope_missing" });
    expect(asked).toEqual([]);
  });
});

describe("answers", () => {
  test("are shared by requests that are equal in what the policy names, and by no others", async () => {
    await call("/orders/shared", { tenant: "t1" });
    await call("/orders/shared", { tenant: "t2" });
    expect(asked).toHaveLength(1);
    verdict = false;
    expect((await call("/orders/shared")).status).toBe(200);
    expect((await call("/orders/shared", { sub: "bob" })).status).toBe(403);
    expect((await call("/orders/shared2")).status).toBe(403);
    expect(asked).toHaveLength(3);
  });

  const json = (text: string) => (_: IncomingMessage, response: ServerResponse) => void response.end(text);
  test.each<[string, typeof answer]>([
    ["nothing", () => {}],
    ["a fault", (_, response) => void response.writeHead(500).end("{}")],
    ["no JSON", json("<p>yes</p>")],
    ["yes in words", json('{"result":"true"}')],
    ["a number", json('{"result":1}')],
    ["yes twice over", json('{"result":false,"result":true}')],
    ["both", json('{"result":{"allow":true,"allowed":false}}')],
    ["another page", (_, response) => void response.writeHead(302, { Location: "/" }).end()],
    ["a cut", (request) => void request.socket.destroy()],
  ])("%s is no answer: 503, and open only where the policy says so", async (_, bad) => {
    // One failure of another test must not leave the circuit open.
    await vi.waitFor(async () => expect((await call("/opa/7")).status).toBe(200), { timeout: 60_000, interval: 100 });
    answer = bad;
    expect(await call("/opa/7")).toMatchObject({ status: 503, reason: "decision_unavailable" });
    expect((await call("/open")).status).toBe(200);
  });

  test.each([
    ['{"result":{"allow":true}}', 200],
    ['{"result":{"allowed":true,"why":"x"}}', 200],
    ['{"result":{"allow":false}}', 403],
    ["{}", 403],
  ])("%s is %d", async (text, status) => {
    await vi.waitFor(async () => expect((await call("/opa/7")).status).toBe(200), { timeout: 60_000, interval: 100 });
    answer = json(text);
    expect((await call("/opa/7")).status).toBe(status);
  });
});

test("in audit both verdicts are compared, also where our own rules deny", async () => {
  postern.write("policy.yaml", policy(postern, "audit"));
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  await vi.waitFor(async () => expect((await call("/opa/7")).status).toBe(200), { timeout: 60_000, interval: 100 });
  const count = async (theirs: string, ours: string): Promise<number> => {
    const row = `postern_decision_service_verdicts_total{decision_service="opa",theirs="${theirs}",ours="${ours}"} `;
    return Number((await postern.admins("/metrics")).body.split(row)[1]?.split("\n")[0] ?? 0);
  };
  const cases = [
    [true, "orders:read", "allow", "allow", 200],
    [true, "other", "allow", "deny", 403],
    [false, "orders:read", "deny", "allow", 200],
    [false, "other", "deny", "deny", 403],
  ] as const;
  for (const [says, scope, theirs, ours, status] of cases) {
    const before = await count(theirs, ours);
    verdict = says;
    expect((await call("/opa/7", { scope })).status, `${theirs} ${ours}`).toBe(status);
    await vi.waitFor(async () => expect(await count(theirs, ours)).toBe(before + 1), { timeout: 60_000 });
  }
});

test("what was allowed on one route is not allowed on another that a reload puts in its place", async () => {
  const swapped = (path: string): string =>
    policy(postern).replace(/routes:[\s\S]*$/, `routes: [{ path: ${path}, authenticate: [okta], decide: [kept] }]\n`);
  const kept = `  kept: { type: opa, url: "http://127.0.0.1:${port}/kept", cache: { by: [principal.id], for: 1h } }\nroutes:`;
  const loaded = (count: number) =>
    vi.waitFor(() => expect(postern.log.filter((line) => line["result"] === "ok")).toHaveLength(count), {
      timeout: 60_000,
    });
  const before = postern.log.filter((line) => line["result"] === "ok").length;
  postern.write("policy.yaml", swapped("/read").replace("routes:", kept));
  await loaded(before + 1);
  expect((await call("/read")).status).toBe(200);
  verdict = false;
  expect((await call("/read")).status).toBe(200);
  postern.write("policy.yaml", swapped("/delete").replace("routes:", kept));
  await loaded(before + 2);
  expect(await call("/delete")).toMatchObject({ status: 403, reason: "decision_denied" });
});
