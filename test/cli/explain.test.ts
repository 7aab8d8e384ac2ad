import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import type { Explanation } from "../../src/rehearsal/explanation.ts";
import { systemClock } from "../../src/support/clock.ts";
import { ORDER_ID, ORDER_SCHEMA, ordersPolicy, theWorld } from "../fixtures/postern.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-explain-"));
  const { pki, mint } = await theWorld();
  const aged = await pki.ca.issue({ commonName: "localhost", usage: "server", notAfterMs: Date.now() - 3_600_000 });
  const files: Record<string, string> = {
    "policy.yaml": ordersPolicy({ port: 8443, admin: 9901, app: 3000 }),
    "server.pem": pki.server.certificate,
    "server.key": pki.server.key,
    "ca.pem": pki.ca.certificate,
    "client.pem": pki.client.certificate,
    "stranger.pem": pki.strangerClient.certificate,
    "expired.pem": pki.expiredClient.certificate,
    "jwks.json": mint.jwks,
    "keys.yaml": `callers:\n  - { name: acme, scopes: [orders:read], keys: [{ sha256: ${"ab".repeat(32)} }] }\n`,
    "order.json": ORDER_SCHEMA,
    "crl.pem": await pki.ca.revoke([pki.client.certificate], Date.now()),
    "good.json": '{"sku":"a","quantity":1}',
    "bad.json": '{"sku":"a","quantity":0}',
    "broken.yaml": "version: 2\n",
    "page.yaml": `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8080' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
resourceMetadata: { resource: "https://api.example.org" }
routes: [{ path: /**, public: true }]
`,
    "user.json": '{"type":"object","properties":{"name":{"type":"string"},"size":{"default":3}}}',
    "sent.json": '{"name":"a","role":"hunter2"}',
    "strip.yaml": `version: 1
service: users
listeners: [{ name: inbound, address: '127.0.0.1:8080' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
routes:
  - path: /users
    public: true
    validate:
      body: { schema: user.json, stripUnknown: true, defaults: fill }
      query: { limit: { type: integer, default: 20 } }
      unknownQuery: strip
      queryDefaults: fill
`,
    "aged.pem": aged.certificate,
    "aged.key": aged.key,
    "aged.yaml": `version: 1
service: aged
listeners: [{ name: inbound, address: '127.0.0.1:8443', tls: { certificate: aged.pem, key: aged.key } }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
routes: [{ path: /aged, public: true }]
`,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: readonly string[]) {
  let stdout = "";
  let stderr = "";
  const code = await main(["explain", ...args], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    cwd: folder,
    clock: systemClock,
  });
  return { code, stdout, stderr };
}

async function explain(...args: readonly string[]): Promise<Explanation> {
  const { stdout, stderr } = await run("--policy", "policy.yaml", "--json", ...args);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Explanation;
}

const order = `GET /orders/${ORDER_ID}`;

test("it goes on with a certificate that has expired meanwhile, as postern itself does", async () => {
  const { code, stdout, stderr } = await run("--policy", "aged.yaml", "GET /aged");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("allowed by route /aged");
});

test("a denial is told with its phase, its line, what was seen and what was wanted, and exit code 1", async () => {
  const { code, stdout } = await run("--policy", "policy.yaml", "--as", '{ jwt: { scope: "orders:write" } }', order);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /authorize +authorize +deny +policy\.yaml:\d+:\d+ +scopes orders:write; wanted scopes orders:read/,
  );
  expect(stdout).toMatch(/denied: scope_missing \(403\) at policy\.yaml:\d+:\d+\n$/);
});

test("an allowed request is told check by check, and exit code 0", async () => {
  const { code, stdout } = await run("--policy", "policy.yaml", "--as", '{ jwt: { scope: "orders:read" } }', order);
  expect(code).toBe(0);
  for (const phase of ["accept", "admit", "match", "authenticate", "authorize", "validate", "rewrite"]) {
    expect(stdout).toMatch(new RegExp(`^  ${phase} `, "m"));
  }
  expect(stdout).toContain("allowed by route /orders/{orderId}");
});

describe("each way to say who asks", () => {
  test("a real token is verified, and never shown", async () => {
    const token = await (await theWorld()).mint.token();
    const { stdout } = await run("--policy", "policy.yaml", "--token", token, order);
    expect(stdout).toContain("allowed by");
    expect(stdout).not.toContain(token.slice(0, 40));
  });

  test("a tampered token is denied", async () => {
    const token = await (await theWorld()).mint.token();
    expect((await explain("--token", `${token.slice(0, -4)}AAAA`, order)).verdict.reason).toBe(
      "token_signature_invalid",
    );
  });

  test("supposed claims go through the same judgement", async () => {
    expect((await explain("--as", "{ jwt: { aud: other } }", order)).verdict.reason).toBe("token_audience_mismatch");
    expect((await explain("--as", "{ jwt: { exp: 1 } }", order)).verdict.reason).toBe("token_expired");
  });

  test("a supposed API key's caller has the key's scopes", async () => {
    expect((await explain("--as", "{ api-key: acme }", order)).verdict.allowed).toBe(true);
    expect((await explain("--as", "{ api-key: nobody }", order)).verdict.allowed).toBe(false);
  });

  test("a certificate counts only when the listener's CA signed it and its time is not over", async () => {
    expect((await explain("--certificate", "client.pem", "GET /mesh")).verdict.allowed).toBe(true);
    for (const [file, reason] of [
      ["stranger.pem", "certificate_issuer_unknown"],
      ["expired.pem", "certificate_expired"],
      ["server.pem", "certificate_usage_mismatch"],
    ] as const) {
      expect((await explain("--certificate", file, "GET /mesh")).verdict.reason).toBe(reason);
    }
    const without = await explain("GET /mesh");
    expect(without.verdict.reason).toBe("certificate_missing");
    expect(without.steps.at(-1)?.saw).toBe("no credentials; no client certificate in the handshake");
    const known = await explain("--certificate", "client.pem", "GET /mesh");
    expect(known.steps.find(({ check }) => check === "authenticate")?.saw).toMatch(
      /^mesh knows "spiffe:\/\/.*", no scopes, certificate [0-9A-F]+ of "CN=postern test CA", SHA-256 [0-9a-f]{64}$/,
    );
  });
});

test("address, body, method and path are judged as on the wire", async () => {
  const writer = ["--as", '{ jwt: { scope: "orders:write" } }', "-H", "Content-Type: application/json"];
  expect((await explain("--client", "127.0.0.9", "GET /public")).verdict.reason).toBe("address_denied");
  expect((await explain(...writer, "--body", "good.json", "POST /orders")).verdict.allowed).toBe(true);
  expect((await explain(...writer, "--body", "bad.json", "POST /orders")).verdict.reason).toBe("body_schema_mismatch");
  expect((await explain("DELETE /public")).verdict.reason).toBe("method_not_allowed");
  expect((await explain("GET /nothing")).verdict.reason).toBe("route_not_found");
  expect((await explain("TRACE /public")).verdict.reason).toBe("method_forbidden");
  expect((await explain("/x/../public")).request).toBe("GET /public");
});

test("a header that does not reach the service is told, and why", async () => {
  const headers = ["-H", "SCRIPT_NAME: /x", "-H", "X-Real-IP: 192.0.2.1", "-H", "X-Tenant: acme", "-H", "X-Api-Key: k"];
  const told = await explain(...headers, "GET /public");
  const rewritten = told.steps.filter(({ phase }) => phase === "rewrite").map(({ saw }) => saw);
  expect(rewritten).toEqual([
    expect.stringMatching(/^headers x-tenant, x-forwarded-for, /),
    expect.stringMatching(/^script_name does not pass: gunicorn: the path or root path/),
    expect.stringMatching(/^x-real-ip does not pass: nginx.*: the client's address .*; not in 'keepHeaders'$/),
    "x-api-key does not pass: the policy takes it off: a credential, removeHeaders, setHeaders or identity",
  ]);
});

test("what postern answers itself is told as that, and goes to no service", async () => {
  const path = "/.well-known/oauth-protected-resource";
  const asked = await run("--policy", "page.yaml", "--json", `GET ${path}`);
  const told = JSON.parse(asked.stdout) as Explanation;
  expect(told.verdict).toMatchObject({ allowed: true, route: "oauth-protected-resource" });
  expect(told.steps.at(-1)).toMatchObject({
    check: "page",
    saw: "postern answers this itself: oauth-protected-resource",
  });
  const posted = await run("--policy", "page.yaml", "--json", `POST ${path}`);
  expect((JSON.parse(posted.stdout) as Explanation).verdict).toMatchObject({
    allowed: false,
    reason: "method_not_allowed",
    route: "oauth-protected-resource",
  });
});

test("a request that cannot be is refused with what is wrong", async () => {
  for (const [args, text] of [
    [["GET /a%2fb"], "target_ambiguous"],
    [["GET /public", "-H", "no header"], "not valid headers"],
    [["GET /public", "--client", "nowhere"], "not an IP address"],
    [["GET /public", "--as", "[1]"], "--as: expected"],
  ] as const) {
    const { code, stderr } = await run("--policy", "policy.yaml", ...args);
    expect(code).toBe(text === "target_ambiguous" ? 1 : 2);
    expect(stderr).toContain(text);
  }
});

test("a revoked certificate is told as such", async () => {
  const policy = ordersPolicy({ port: 8443, admin: 9901, app: 3000 }).replace("ca: ca.pem", "ca: ca.pem, crl: crl.pem");
  writeFileSync(join(folder, "revoking.yaml"), policy);
  const { stdout } = await run("--policy", "revoking.yaml", "--certificate", "client.pem", "GET /mesh");
  expect(stdout).toContain("not trusted (CERT_REVOKED)");
  expect(stdout).toContain("denied: certificate_revoked (401)");
});

test("a listener that requires certificates ends a connection without a trusted one in the handshake", async () => {
  const policy = ordersPolicy({ port: 8443, admin: 9901, app: 3000 }).replace("mode: optional", "mode: required");
  writeFileSync(join(folder, "required.yaml"), policy);
  for (const args of [["GET /public"], ["--certificate", "stranger.pem", "GET /public"]]) {
    const { code, stdout } = await run("--policy", "required.yaml", ...args);
    expect(code).toBe(1);
    expect(stdout).toMatch(/accept +handshake +deny[\s\S]*denied: handshake \(no connection\) at required\.yaml:\d+/);
  }
  expect((await run("--policy", "required.yaml", "--certificate", "client.pem", "GET /public")).code).toBe(0);
});

test("wrong use is exit code 2, a policy with problems is exit code 1 with its lines", async () => {
  expect((await run(order)).code).toBe(2);
  expect((await run("--policy", "policy.yaml")).code).toBe(2);
  expect((await run("--policy", "policy.yaml", "--listener", "none", order)).code).toBe(2);
  expect((await run("--policy", "policy.yaml", "--body", "missing.json", order)).code).toBe(2);
  const { code, stderr } = await run("--policy", "broken.yaml", order);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^broken\.yaml:1:\d+: /);
});

test("what is changed on the way is named, and no value of it", async () => {
  const sent = [
    "-p",
    "strip.yaml",
    "-H",
    "Content-Type: application/json",
    "--body",
    "sent.json",
    "POST /users?debug=hunter2",
  ];
  const { code, stdout } = await run(...sent);
  expect(code).toBe(0);
  expect(stdout).toContain("; changed: /role undeclared, /size defaults");
  expect(stdout).toContain("query: debug does not pass, limit is filled in");
  expect(stdout).not.toContain("hunter2");
});

test("the first line of a request is one, and what is none is told as that", async () => {
  const asked = ["--policy", "policy.yaml", "--as", '{ jwt: { scope: "orders:read" } }'];
  expect((await run(...asked, `${order} HTTP/1.1`)).stdout).toContain("allowed by route /orders/{orderId}");
  expect((await run(...asked, `curl https://localhost/orders/${ORDER_ID}`)).stdout).toContain("allowed by route");
  for (const text of ["GET /a b", "curl -H 'A: b' https://a.example/orders", "nonsense"]) {
    const { code, stderr } = await run(...asked, text);
    expect(code).toBe(2);
    expect(stderr).toContain(`'${text}' is no request, as in 'GET /v1/orders/1'`);
  }
});
