import { execFile } from "node:child_process";
import { afterAll, expect, test } from "vitest";
import { BUILT } from "../fixtures/built.ts";
import { type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const SECRETS = ["Tr0ub4dor&3-of-the-legacy", 'it"s\\quoted-1979', "0riginVerify55"] as const;
const FILES = { legacy: `${SECRETS[0]}\n`, quoted: `${SECRETS[1]}\n`, origin: `${SECRETS[2]}\n` };

function policy({ port, admin, app }: PolicyPorts, tests: string, methods = "GET"): string {
  return `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:${port}, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
routes:
  - path: /orders
    methods: [${methods}]
    authenticate: [partners]
    authorize: { when: 'request.headers["x-origin"] == "\${file:origin}"' }
    request: { setHeaders: { X-Legacy-Key: "\${file:legacy}" } }
    response: { setHeaders: { X-Echo: "a \${file:legacy}" } }
  - path: /canned
    methods: [${methods}]
    public: true
    respond: { status: 200, json: { key: "\${file:quoted}" } }
  - path: /exact
    methods: [${methods}]
    public: true
    validate: { query: { k: { required: true, const: "\${file:origin}" } } }
${tests}`;
}

const FAILING = `tests:
  - name: sent
    request: { path: /orders, headers: { X-Origin: "\${file:origin}" } }
    as: { api-key: acme }
    expect: { allow: true, upstream: { headers: { X-Legacy-Key: other } } }
  - name: answered
    request: { path: /orders, headers: { X-Origin: "\${file:origin}" } }
    as: { api-key: acme }
    answer: { body: {} }
    expect: { allow: true, answer: { headers: { X-Echo: null } } }
  - { name: whole, request: /canned, expect: { allow: true, answer: { body: none } } }
  - { name: part, request: /canned, expect: { allow: true, answer: { parts: { /key: none } } } }
  - { name: refused, request: { path: /orders, headers: { X-Origin: guess } }, as: { api-key: acme }, expect: allow }
`;

function expectNoSecret(text: string): void {
  for (const secret of SECRETS)
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
      expect(text).not.toContain(form);
  expect(text).toContain("${file:");
}

test("tests that fail, comparisons and written tests show the reference, and so do the log and the admin port", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, (ports) => policy(ports, ""), FILES);
  const key = { "X-Api-Key": "pk_0123456789abcdef0123456789", "X-Origin": "guess" };
  expect((await postern.call({ path: "/orders", headers: key })).status).toBe(403);
  const denied = await postern.logged(({ reason }) => reason === "condition_failed");
  expectNoSecret(JSON.stringify(denied));

  postern.write("policy.yaml", policy(postern, FAILING));
  const refused = await postern.logged(({ event, result }) => event === "reload" && result === "refused");
  expectNoSecret(JSON.stringify(refused));
  expectNoSecret((await postern.admins("/policy")).body);

  const told = (...args: string[]) =>
    new Promise<string>((resolve) => {
      execFile(process.execPath, [BUILT, ...args], { cwd: postern.folder }, (_, out, err) => resolve(out + err));
    });
  for (const json of [[], ["--json"]]) {
    const failing = await told("test", ...json, "policy.yaml");
    expectNoSecret(failing);
    expect(failing.split("legacy}").length).toBeGreaterThanOrEqual(3);
  }
  postern.write(
    "beside.yaml",
    policy(postern, "", "GET, POST")
      .replaceAll("file:legacy", "file:other")
      .replace(/origin(?=\}" \} \} \})/, "other"),
  );
  postern.write("other", SECRETS[1]);
  for (const question of [[], ["--json"], ["--ask", "equivalent"]]) {
    expectNoSecret(await told("diff", ...question, "policy.yaml", "beside.yaml"));
  }
  expectNoSecret(
    await told(
      "explain",
      "--policy",
      "policy.yaml",
      "--as",
      "{ api-key: acme }",
      "-H",
      "X-Origin: guess",
      "GET /orders",
    ),
  );

  // What was written with references holds.
  postern.write("whole.yaml", policy(postern, ""));
  const written = await told("test", "--generate", "whole.yaml");
  expectNoSecret(written);
  postern.write("whole.test.yaml", written);
  expect(await told("test", "whole.yaml")).toMatch(/ \d+ passed in /);
});
