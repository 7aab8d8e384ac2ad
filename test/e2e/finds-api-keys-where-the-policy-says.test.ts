// Goal: an API key is taken from the place that the policy names, reaches neither the service nor a log, and is replaced
// without a request refused.
// Method: a real postern process over TLS before a real service that notes what arrives; keys in header, Authorization,
// cookie and query, twice, in other spellings and in the wrong place; the keys file is edited while a client calls.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyHead } from "../fixtures/policy-head.ts";
import {
  eventually,
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const KEY = "pk_alpha_0123456789abcdef0123456789abcdef";
const NEXT = "pk_beta_0123456789abcdef0123456789abcdef0";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const keysOf = (...keys: string[]): string =>
  `callers:\n  - name: acme\n    roles: [partner]\n    limit: small\n    keys:\n${keys.map((key) => `      - { sha256: "${sha256(key)}" }\n`).join("")}`;

const policy = (ports: PolicyPorts): string => `${policyHead(ports)}
authenticators:
  header: { type: api-key, header: X-Api-Key, keys: k.yaml }
  scheme: { type: api-key, scheme: ApiKey, keys: k.yaml }
  cookie: { type: api-key, cookie: api_key, keys: k.yaml }
  query: { type: api-key, query: key, keys: k.yaml }
limits:
  small: { rate: 100000/second, key: principal }
routes:
  - { path: /header, authenticate: [header], authorize: { roles: [partner] } }
  - { path: /scheme, authenticate: [scheme] }
  - { path: /cookie, authenticate: [cookie] }
  - { path: /query, authenticate: [query], validate: { query: { page: { type: integer } }, unknownQuery: refuse } }
  - { path: /public, public: true }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy, { "k.yaml": keysOf(KEY) });
}, 60_000);
afterAll(closeAll);

test("A key opens its route from its own place, and the service gets all but the key", async () => {
  for (const [path, headers] of [
    ["/header", { "X-Api-Key": KEY }],
    ["/scheme", { Authorization: `apikey ${KEY}` }],
    ["/cookie", { Cookie: `theme=dark; api_key=${KEY}` }],
    [`/query?%6Bey=${KEY}&page=2`, {}],
  ] as const) {
    expect(await postern.call({ path, headers }), path).toMatchObject({ status: 200 });
    const arrived = service.arrived.at(-1);
    expect(arrived?.headers["x-postern-principal"]).toBe("acme");
    expect(JSON.stringify(arrived)).not.toContain(KEY);
  }
  expect(service.arrived.at(-1)?.url).toBe("/query?page=2");
  expect(service.arrived.at(-2)?.headers.cookie).toBe("theme=dark");
  expect(await postern.call({ path: "/header", headers: { "X-Api-Key": KEY } })).toMatchObject({
    headers: { "ratelimit-policy": '"small";q=100000;w=1;postern-scope=process' },
  });
});

test("Two keys, twins and other spellings are refused, and nothing arrives", async () => {
  const before = service.arrived.length;
  for (const [path, headers, reason] of [
    [`/query?key=${KEY}&key=${KEY}`, {}, "api_key_unknown"],
    [`/query?key=${KEY}&k%65y=other`, {}, "api_key_unknown"],
    [`/query?KEY=${KEY}`, {}, "credentials_missing"],
    [`/query?key[]=${KEY}`, {}, "credentials_missing"],
    ["/cookie", { Cookie: `api_key=${KEY}; api_key=${KEY}` }, "api_key_unknown"],
    ["/cookie", { Cookie: `API_KEY=${KEY}` }, "credentials_missing"],
    ["/header", { X_Api_Key: KEY }, "credentials_missing"],
    ["/scheme", { Authorization: `Bearer ${KEY}` }, "credentials_missing"],
    [`/header?x-api-key=${KEY}`, {}, "credentials_missing"],
  ] as const) {
    expect(await postern.call({ path, headers }), path).toMatchObject({ status: 401, reason });
  }
  const raw = await postern.raw();
  raw.write(
    `GET /header HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${KEY}\r\nX-Api-Key: ${KEY}\r\nConnection: close\r\n\r\n`,
  );
  expect(await raw.untilClosed()).toContain("401 Unauthorized");
  expect(service.arrived.length).toBe(before);
});

test("A key in the wrong place is told in the log as that, and no key is in it anywhere", async () => {
  const answer = await postern.call({ path: `/header?api_key=${KEY}` });
  const line = await postern.logged((one) => one["id"] === answer.id);
  expect(line["seen"]).toBe("no credentials; a key in the query parameter 'api_key', not in the header x-api-key");
  expect(postern.output()).not.toContain(KEY);
  expect(postern.output()).toContain("keys in the query stay in the logs of proxies");
});

test("A route that does not ask for a key in the query leaves the parameter alone; a key's cookie comes off anywhere", async () => {
  await postern.call({ path: "/public?key=sorting", headers: { Cookie: `api_key=${KEY}; a=1` } });
  expect(service.arrived.at(-1)).toMatchObject({ url: "/public?key=sorting", headers: { cookie: "a=1" } });
});

test("A key is replaced while its client calls, and the admin port tells which one was used last", async () => {
  const ask = (key: string) => postern.call({ path: "/header", headers: { "X-Api-Key": key } });
  postern.write("k.yaml", keysOf(KEY, NEXT));
  await eventually(
    async () => {
      expect((await ask(KEY)).status).toBe(200);
      return ask(NEXT);
    },
    ({ status }) => status === 200,
  );
  const { body } = await postern.admins("/policy");
  const { credentials } = JSON.parse(body) as { credentials: { authenticator: string; credential: string }[] };
  const used = credentials
    .filter(({ authenticator }) => authenticator === "header")
    .map(({ credential }) => credential);
  expect(used).toEqual([sha256(KEY).slice(0, 8), sha256(NEXT).slice(0, 8)]);
  postern.write("k.yaml", keysOf(NEXT));
  await eventually(
    async () => {
      expect((await ask(NEXT)).status).toBe(200);
      return ask(KEY);
    },
    ({ status }) => status === 401,
  );
  const metrics = (await postern.admins("/metrics")).body;
  expect(metrics).toContain(`credential="${sha256(NEXT).slice(0, 8)}"`);
  expect(metrics).not.toContain(`authenticator="header",caller="acme",credential="${sha256(KEY).slice(0, 8)}"`);
});

test("A limit that a keys file names and the policy does not have is a problem at its line", async () => {
  postern.write("k.yaml", keysOf(NEXT).replace("limit: small", "limit: smal"));
  const line = await postern.logged((one) => one["event"] === "reload" && one["result"] === "refused");
  expect(String(line["problems"])).toMatch(/k\.yaml:4:12: the policy has no limit of this name/);
  expect(await postern.call({ path: "/header", headers: { "X-Api-Key": NEXT } })).toMatchObject({ status: 200 });
});
