// Goal: a caller gets what is its own and nothing of its neighbour's, however it spells what it asks for.
// Method: a real process before a real service; tokens of two tenants, paths and bodies that name the other's things.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

const policy = (ports: PolicyPorts): string => `${policyHead(ports)}
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
identity:
  headers: { X-User: principal.id, X-Tenant: jwt.tenant, X-Roles: jwt.roles }
roles:
  clerk: { any: [{ scopes: ['orders:read', 'orders:write'] }, { groups: [order-desk] }] }
defaults:
  authenticate: [okta]
  authorize: { not: { claims: { suspended: true } } }
routes:
  - path: /t/{tenant}/orders
    methods: [GET]
    authorize: { match: { path.tenant: jwt.tenant } }
  - path: /of/{name}
    methods: [GET]
    authorize: { match: { path.name: jwt.__proto__ } }
  - path: /docs
    methods: [POST]
    authorize: { match: { body.owner: principal.id } }
    validate: { body: { schema: any.json } }
  - path: /big/{tenant}
    methods: [POST]
    authorize: { when: 'path.tenant in jwt.tenants && (body.total < 10000 || "orders:large" in principal.scopes)' }
    validate: { body: { schema: any.json } }
  - path: /desk
    methods: [GET]
    authorize: { roles: [clerk] }
  - path: /item
    methods: [POST, DELETE]
    authorize: { any: [{ methods: [POST], groups: [order-desk] }, { methods: [DELETE], groups: [admins] }] }
  - path: /plain
    methods: [POST, DELETE]
    authorize: { groups: [order-desk] }
  - path: /open
    methods: [GET]
    public: true
`;

let service: Service;
let postern: Postern;

beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy, { "any.json": "true" });
});
afterAll(closeAll);

interface Outcome {
  readonly status: number;
  readonly reason: string | undefined;
  readonly reached: boolean;
}

async function ask(
  path: string,
  claims: Record<string, unknown>,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const { mint } = await theWorld();
  const before = service.arrived.length;
  const authorization = { Authorization: `Bearer ${await mint.token(claims)}` };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await postern.call({
    path,
    method: body === undefined ? "GET" : "POST",
    headers: { ...authorization, ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: text }),
  });
  return { status: answer.status, reason: answer.reason, reached: service.arrived.length > before };
}

const passes = { status: 200, reached: true };
const denied = (reason: string) => ({ status: 403, reason, reached: false });

describe("a path of one's own", () => {
  test.each([
    ["/t/acme/orders", { tenant: "acme" }],
    ["/t/%61cme/orders", { tenant: "acme" }],
    ["/t/acme%20corp/orders", { tenant: "acme corp" }],
    ["/t/caf%C3%A9/orders", { tenant: "café" }],
    ["/t/42/orders", { tenant: 42 }],
    ["/t/acme/orders", { tenant: ["globex", "acme"] }],
  ])("%s passes for %j", async (path, claims) => expect(await ask(path, claims)).toMatchObject(passes));

  test.each([
    ["/t/globex/orders", { tenant: "acme" }, "attribute_mismatch"],
    ["/t/%67lobex/orders", { tenant: "acme" }, "attribute_mismatch"],
    ["/t/x/../globex/orders", { tenant: "x" }, "attribute_mismatch"],
    ["/t/ACME/orders", { tenant: "acme" }, "attribute_mismatch"],
    ["/t/acme%20/orders", { tenant: "acme" }, "attribute_mismatch"],
    ["/t/acme%2561/orders", { tenant: "acmea" }, "attribute_mismatch"],
    ["/t/acme%2Cglobex/orders", { tenant: ["acme", "globex"] }, "attribute_mismatch"],
    ["/t/042/orders", { tenant: 42 }, "attribute_mismatch"],
    ["/t/true/orders", { tenant: true }, "attribute_mismatch"],
    ["/t/undefined/orders", {}, "attribute_missing"],
    ["/t/null/orders", { tenant: null }, "attribute_missing"],
    ["/t/acme/orders", { tenant: "" }, "attribute_missing"],
    ["/t/length/orders", { tenant: [] }, "attribute_mismatch"],
    ["/t/0/orders", { tenant: { 0: "0" } }, "attribute_mismatch"],
    ["/of/[object%20Object]", {}, "attribute_missing"],
    ["/of/constructor", { constructor: "constructor" }, "attribute_missing"],
  ])("%s is denied to %j", async (path, claims, reason) => {
    expect(await ask(path, claims)).toEqual(denied(reason));
  });

  test.each(["/t/acme%2F..%2Fglobex/orders", "/t/acme;x=1/orders", "/t//orders"])("%s has no reading", async (path) => {
    expect(await ask(path, { tenant: "acme" })).toMatchObject({ status: 400, reached: false });
  });

  test("the log says what was seen, what was wanted, and where the policy says so", async () => {
    await ask("/t/globex/orders", { tenant: "acme" });
    const line = await postern.logged((entry) => entry["reason"] === "attribute_mismatch");
    expect(JSON.stringify(line)).toContain("path.tenant equal to jwt.tenant");
    expect(JSON.stringify(line)).toContain("policy.yaml:");
  });
});

describe("a body of one's own", () => {
  const alice = { sub: "alice" };

  test("passes, and its bytes are those that were judged", async () => {
    expect(await ask("/docs", alice, '{ "owner": "alice", "n": 1.0 }')).toMatchObject(passes);
    expect(service.arrived.at(-1)?.body).toBe('{ "owner": "alice", "n": 1.0 }');
    expect(await ask("/docs", alice, { owner: ["bob", "alice"] })).toMatchObject(passes);
  });

  test.each([
    ['{"owner":"bob"}', "attribute_mismatch"],
    ['{"owner":"alice","Owner":"bob"}', "attribute_missing"],
    ['{"OWNER":"alice"}', "attribute_missing"],
    ['{"owner":null}', "attribute_missing"],
    ["{}", "attribute_missing"],
    ['["alice"]', "attribute_missing"],
    ['{"__proto__":{"owner":"alice"}}', "attribute_missing"],
    ['{"owner":{"toString":"alice"}}', "attribute_mismatch"],
  ])("%s is denied", async (body, reason) => expect(await ask("/docs", alice, body)).toEqual(denied(reason)));

  test.each(['{"owner":"bob","owner":"alice"}', "owner=alice", '{"owner":"alice"'])(
    "%s is no JSON of one reading",
    async (body) => {
      expect(await ask("/docs", alice, body)).toMatchObject({ status: 400, reason: "body_not_json", reached: false });
    },
  );
});

describe("a condition", () => {
  test.each([
    ["/big/acme", { tenants: ["acme"] }, { total: 9_999.99 }, null],
    ["/big/acme", { tenants: ["acme"], scope: "orders:large" }, { total: 1e9 }, null],
    ["/big/acme", { tenants: ["acme"] }, { total: 10_000 }, "condition_failed"],
    ["/big/acme", { tenants: ["acme"] }, { total: "1" }, "condition_error"],
    ["/big/acme", { tenants: ["acme"] }, {}, "condition_error"],
    ["/big/acme", { tenants: "acme" }, { total: 1 }, "condition_error"],
    ["/big/acme", {}, { total: 1 }, "condition_error"],
    ["/big/globex", { tenants: ["acme"] }, { total: 1 }, "condition_failed"],
    ["/big/globex", { tenants: { globex: 1 }, scope: "orders:large" }, { total: 1, Total: 9e9 }, null],
  ])("%s, %j, %j: %s", async (path, claims, body, reason) => {
    expect(await ask(path, claims, body)).toMatchObject(reason === null ? passes : denied(reason));
  });
});

test("a role of the policy is its rule, whatever roles a token claims", async () => {
  expect(await ask("/desk", { groups: ["order-desk"] })).toMatchObject(passes);
  expect(await ask("/desk", { scope: "orders:read orders:write" })).toMatchObject(passes);
  expect(await ask("/desk", { roles: ["clerk"], scope: "orders:read" })).toEqual(denied("role_missing"));
});

describe("a rule of methods is of the method that the service will take", () => {
  const desk = { groups: ["order-desk"] };
  const overridden = { status: 400, reason: "method_overridden", reached: false };

  test("one that a parameter names is refused, in the query and in the body", async () => {
    expect(await ask("/item", desk, { n: 1 })).toMatchObject(passes);
    expect(await ask("/item?_method=DELETE", desk, { n: 1 })).toEqual(overridden);
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    expect(await ask("/item", desk, "a=1&_method=DELETE", form)).toEqual(overridden);
    expect(await ask("/item?_method=POST", desk, { n: 1 })).toMatchObject(passes);
  });

  test("and passes where no rule tells them apart", async () => {
    expect(await ask("/plain?_method=DELETE", desk, { n: 1 })).toMatchObject(passes);
  });
});

test("what the defaults ask for holds on every route, beside what the route asks for", async () => {
  expect(await ask("/desk", { groups: ["order-desk"], suspended: true })).toEqual(denied("not_authorized"));
  expect(await ask("/t/acme/orders", { tenant: "acme", suspended: true })).toEqual(denied("not_authorized"));
});

describe("the service is told who asks, by postern alone", () => {
  const forged = { "X-User": "root", X_User: "root", "X.Tenant": "globex", "x-tenant": "globex", "X-Roles": "admin" };

  test("of a token its claims", async () => {
    expect(
      await ask("/t/acme/orders", { sub: "alice", tenant: "acme", roles: ["a,b", "c"] }, undefined, forged),
    ).toMatchObject(passes);
    const { headers } = service.arrived.at(-1) ?? { headers: {} };
    expect(headers).toMatchObject({ "x-user": "alice", "x-tenant": "acme", "x-roles": "a%2Cb,c" });
    expect(Object.keys(headers).filter((name) => /^x[_.]/.test(name))).toEqual([]);
  });

  test("of nobody nothing", async () => {
    await postern.call({ path: "/open", headers: forged });
    const { headers } = service.arrived.at(-1) ?? { headers: {} };
    expect(Object.keys(headers).filter((name) => /^x[-_.](?:user|tenant|roles)/.test(name))).toEqual([]);
  });
});
