// Goal: `postern test --generate` writes who may do what today, and what it writes holds at once and fails when the policy changes;
// `--from` takes its requests from a description or a collection, whose credentials stay out. Method: the command, then `postern test`.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createTestPki } from "../fixtures/pki.ts";
import { folderWith, KEY } from "./kit.ts";

const ID = "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1";
const POLICY = `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8443' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
authenticators:
  okta: { type: jwt, issuer: 'https://example.okta.com/oauth2/default', audience: [orders], algorithms: [RS256] }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
roles: { auditor: { claims: { dept: [audit] } } }
limits: { tight: { rate: 1/day, burst: 1, key: principal } }
decisionServices: { opa: { type: opa, url: 'http://127.0.0.1:8181/v1/data/a' } }
routes:
  - { path: /health, methods: [GET], public: true }
  - path: '/v1/orders/{orderId}'
    methods: [GET, DELETE]
    authenticate: [okta, partners]
    authorize: { any: [{ scopes: ['orders:read'] }, { roles: [auditor] }] }
    limit: [tight]
    validate:
      path: { orderId: { format: uuid } }
      query: { page: { type: integer, minimum: 3, required: true } }
      headers: { X-Trace: { pattern: '^t-[0-9]+$', required: true } }
  - path: /v1/orders
    methods: [POST]
    authenticate: [okta]
    authorize: { scopes: ['orders:write'] }
    validate: { body: { schema: order.json } }
  - { path: '/asked/**', methods: [GET], authenticate: [okta], decide: { by: [opa] } }
`;
const DESCRIPTION = `openapi: 3.0.3
info: { title: orders, version: '1' }
servers: [{ url: 'https://api.example.org/v1' }]
security: [{ bearer: [] }]
components: { securitySchemes: { bearer: { type: http, scheme: bearer } } }
paths:
  /orders/{id}:
    get:
      security: [{ bearer: [] }]
      parameters:
        - { in: path, name: id, required: true, schema: { type: string, format: uuid } }
        - { in: query, name: page, required: true, schema: { type: integer, minimum: 3 } }
        - { in: header, name: X-Trace, required: true, schema: { type: string, pattern: '^t-[0-9]+$' } }
      responses: { '200': { description: an order } }
  /orders:
    post:
      requestBody: { required: true, content: { application/json: { schema: { $ref: order.json } } } }
      responses: { '201': { description: made } }
`;
const COLLECTION = {
  info: { name: "Orders", schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
  variable: [
    { key: "base", value: "https://{{host}}" },
    { key: "host", value: "api.example.org" },
    { key: "id", value: ID },
  ],
  item: [
    {
      name: "Orders",
      item: [
        {
          name: "Read one",
          request: {
            method: "GET",
            header: [
              { key: "Authorization", value: "Bearer secret-token-of-somebody" },
              { key: "X-Api-Key", value: KEY },
              { key: "X-Trace", value: "t-1" },
              { key: "X-Off", value: "a", disabled: true },
            ],
            url: {
              raw: "{{base}}/v1/orders/:orderId?page=3",
              path: ["v1", "orders", ":orderId"],
              query: [{ key: "page", value: "3" }],
              variable: [{ key: "orderId", value: "{{id}}" }],
            },
          },
        },
        {
          name: "Create",
          request: {
            method: "POST",
            body: {
              mode: "raw",
              raw: '{ "sku": "abc-1", "total": {{total}} }',
              options: { raw: { language: "json" } },
            },
            url: "{{base}}/v1/orders",
          },
        },
      ],
    },
    { name: "Health", request: "{{base}}/health?a=b" },
    { name: "Health", request: "{{base}}/none" },
  ],
};
const FILES = {
  "policy.yaml": POLICY,
  "keys.yaml": `callers: [{ name: acme, scopes: ["orders:read"], keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`,
  "order.json": JSON.stringify({
    type: "object",
    required: ["sku", "total"],
    properties: { sku: { type: "string", pattern: "^[a-z]{3}-\\d+$" }, total: { type: "number", minimum: 1 } },
  }),
  "api.yaml": DESCRIPTION,
  "orders.postman_collection.json": JSON.stringify(COLLECTION),
};

async function generated(...args: readonly string[]) {
  const { folder, postern } = folderWith(FILES);
  const { code, out, err } = await postern("test", "--generate", ...args, "policy.yaml");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  writeFileSync(join(folder, "policy.first.test.yaml"), out);
  const told = await postern("test", "policy.yaml");
  expect(told.code, `${told.out}${told.err}`).toBe(0);
  return { folder, postern, out, told };
}

test("who may do what today is written, holds, and notices a change", async () => {
  const { folder, postern, out, told } = await generated();
  expect(out).toContain("    orders-read: { jwt: { sub: someone, scope: orders:read } }\n");
  expect(out).toContain("    role-auditor: { jwt: { sub: someone, dept: audit } }\n");
  expect(out).toContain("    acme: { api-key: acme }\n");
  expect(out).toContain(`      resources: { orders: /v1/orders/${ID}?page=3 }\n`);
  expect(out).toContain("        GET: { method: GET, headers: { x-trace: t-0 } }\n");
  expect(out).toContain("        acme: { orders: [GET, DELETE] }\n");
  expect(out).toContain("        POST: { method: POST, body: { sku: aaa-0, total: 1 } }\n");
  expect(out).toMatch(/name: 'token: GET \/asked\/\*\*'.*expect: \{ deny: decision_unavailable \} \}\n/);
  expect(told.out).toContain("4 of 4 routes tried");
  writeFileSync(join(folder, "policy.yaml"), POLICY.replace("scopes: ['orders:write']", "scopes: ['orders:read']"));
  const changed = await postern("test", "policy.yaml");
  expect(changed.out).toContain("FAILED: /v1/orders: orders-read may not POST orders");
  expect(changed.out).toContain("FAILED: /v1/orders: orders-write may POST orders");
});

test("a description's operations are tried, with requests that fit", async () => {
  const { out, told } = await generated("--from", "api.yaml");
  expect(out).toContain(`      resources: { orders: /v1/orders/${ID}?page=3 }\n`);
  expect(out).toContain("        GET: { method: GET, headers: { x-trace: t-0 } }\n");
  expect(out).toContain("        orders-write: { orders: [POST] }\n");
  expect(told.out).toContain("2 of 4 routes tried");
});

test("a collection's requests are tried, its variables filled in, without its credentials", async () => {
  const { out } = await generated("--from", "orders.postman_collection.json");
  expect(out).not.toMatch(/secret-token|pk_0123|X-Off|\{\{/);
  expect(out).toContain("  - name: Orders / Read one\n");
  expect(out).toContain(`      resources: { orders: /v1/orders/${ID}?page=3 }\n`);
  expect(out).toContain("        GET: { method: GET, headers: { X-Trace: t-1 } }\n");
  expect(out).toContain("        acme: { orders: [GET] }\n");
  expect(out).toContain(`body: '{ "sku": "abc-1", "total": 1 }'`);
  expect(out).toContain("        orders-write: { orders: [POST] }\n");
  expect(out).toContain("  - name: Health (2)\n");
});

test("nothing that a collection calls a secret is written, and no line that it brings is one of the file", async () => {
  const secret = "Tr0ub4dor-3-of-somebody";
  const url = `{{base}}/v1/orders/${ID}?api_key=${secret}&token={{token}}&page=3`;
  const header = [
    { key: "X-Auth-Token", value: secret },
    { key: "X-Session", value: "{{token}}" },
  ];
  const raw = JSON.stringify({ sku: "abc-1", total: 1, login: { password: secret } });
  const urlencoded = [
    { key: "sku", value: "a" },
    { key: "client_secret", value: secret },
  ];
  const evil = "GE\n  - { name: evil, request: /health, expect: allow }\n";
  const collection = {
    ...COLLECTION,
    variable: [...COLLECTION.variable, { key: "token", value: secret, type: "secret" }],
    item: [
      { name: "a", request: { method: "GET", header, url } },
      { name: "b", request: { method: "POST", url: "{{base}}/v1/orders", body: { mode: "raw", raw } } },
      { name: "c", request: { method: "POST", url: "{{base}}/v1/orders", body: { mode: "urlencoded", urlencoded } } },
      { name: "d", request: { method: evil, url: "{{base}}/v1/orders" } },
    ],
  };
  const { postern } = folderWith({ ...FILES, "c.json": JSON.stringify(collection) });
  const { out, code } = await postern("test", "--generate", "--from", "c.json", "policy.yaml");
  expect(code).toBe(0);
  expect(out).not.toContain(secret);
  expect(out).toContain("page=3");
  const { tests } = parse(out);
  expect(tests.map(({ name }: { name: string }) => name)).not.toContain("evil");
  expect(tests).toHaveLength(3);
});

test("what cannot be tried is told", async () => {
  const { postern } = folderWith({ ...FILES, "other.json": "{}", "broken.yaml": "openapi: 3.0.3\ninfo: 5\n" });
  const said = async (...args: readonly string[]) => {
    const { code, out, err } = await postern("test", ...args, "policy.yaml");
    expect(out).toBe("");
    return `${code} ${err}`;
  };
  expect(await said("--from", "api.yaml")).toMatch(
    /^2 postern test: --from and --certificate say what --generate is to try/,
  );
  expect(await said("--generate", "--from", "none.json")).toBe("1 none.json: does not exist\n");
  expect(await said("--generate", "--from", "other.json")).toMatch(
    /^1 other\.json: expected a description \(OpenAPI 3\) or/,
  );
  expect(await said("--generate", "--from", "broken.yaml")).toMatch(/^1 broken\.yaml:\d+:\d+: /);
});

test("callers who show a certificate are those of the files that are named, at a listener that asks for one", async () => {
  const pki = await createTestPki();
  const policy = `version: 1
service: orders
listeners:
  - { name: plain, address: '127.0.0.1:8080' }
  - { name: mutual, address: '127.0.0.1:8443', tls: { certificate: s.pem, key: s.key, clientCertificate: { mode: optional, ca: ca.pem } } }
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
authenticators: { mesh: { type: client-certificate, trustDomain: example.org } }
routes:
  - { path: /orders, methods: [GET], authenticate: [mesh] }
  - { path: /bills, methods: [GET], authenticate: [mesh], authorize: { spiffeId: spiffe://example.org/ns/shop/sa/other } }
`;
  const files = {
    "policy.yaml": policy,
    "s.pem": pki.server.certificate,
    "s.key": pki.server.key,
    "ca.pem": pki.ca.certificate,
    "billing.pem": pki.client.certificate,
  };
  const { folder, postern } = folderWith(files);
  const told = await postern("test", "--generate", "--certificate", "billing.pem", "policy.yaml");
  expect({ code: told.code, err: told.err }).toEqual({ code: 0, err: "" });
  expect(told.out).toContain("billing: { certificate: billing.pem }");
  expect(told.out).toContain("listener: mutual");
  expect(told.out).toContain("        billing: { orders: [GET] }\n");
  expect(told.out).not.toContain("billing: { bills");
  writeFileSync(join(folder, "policy.first.test.yaml"), told.out);
  expect(await postern("test", "policy.yaml")).toMatchObject({ code: 0, err: "" });
  expect(await postern("fmt", "--check", "policy.first.test.yaml")).toEqual({ code: 0, out: "", err: "" });
  const none = await postern("test", "--generate", "--certificate", "none.pem", "policy.yaml");
  expect(none).toEqual({ code: 1, out: "", err: "none.pem: does not exist\n" });
  expect((await postern("test", "--certificate", "billing.pem", "policy.yaml")).code).toBe(2);
});

test("a collection of the older format has headers as lines and a path as a text", async () => {
  const collection = {
    info: { name: "Orders", schema: "https://schema.getpostman.com/json/collection/v2.0.0/collection.json" },
    variable: [{ id: "base", value: "https://api.example.org" }],
    item: [
      {
        name: "Read one",
        request: {
          method: "GET",
          header: `X-Trace: t-1\r\nAuthorization: Bearer secret-token-of-somebody\nX-Api-Key: ${KEY}\n`,
          url: {
            raw: "{{base}}/v1/orders/:orderId",
            path: "/v1/orders/:orderId",
            variable: [{ id: "orderId", value: ID }],
          },
        },
      },
    ],
  };
  const { folder, postern } = folderWith({ ...FILES, "old.json": JSON.stringify(collection) });
  const { code, out } = await postern("test", "--generate", "--from", join(folder, "old.json"), "policy.yaml");
  expect(code).toBe(0);
  expect(out).toContain(`/v1/orders/${ID}`);
  expect(out).toContain("headers: { X-Trace: t-1 }");
  for (const secret of [KEY, "secret-token"]) expect(out).not.toContain(secret);
});
