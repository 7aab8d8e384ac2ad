// Goal: explain says of each check of answers what this caller gets, answers browsers' questions as postern does, and sends gRPC
// over HTTP/2. Method: the command itself, beside a policy with callers of different roles.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import type { Explanation } from "../../src/rehearsal/explanation.ts";
import { systemClock } from "../../src/support/clock.ts";

const POLICY = `version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:8080', protocols: [h2c, http/1.1] }
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
requestId: { header: X-Request-Id, from: anybody, traceContext: true }
grpc: [{ file: stock.binpb, public: true }]
routes:
  - path: /orders
    authenticate: [partners]
    cors: { origins: [https://app.example.org] }
    response:
      fields:
        - { remove: [$.internal, '$.items[*].cost'], unless: { roles: [auditor] } }
        - { remove: [$..notes], mode: audit }
      mask: { $.card: last4, $.iban: { with: fixed, unless: { roles: [auditor] } } }
      leaks: { email: observe }
  - path: /v1/{id}
    public: true
    rewrite: { path: '/inner/{id}', host: orders.internal, query: { set: { tenant: a }, remove: [debug] } }
  - path: /old
    authenticate: [partners]
    deprecated: { sunset: 2100-01-01 }
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-explain-answers-"));
  writeFileSync(join(folder, "policy.yaml"), POLICY);
  writeFileSync(join(folder, "count.bin"), Buffer.alloc(5));
  copyFileSync(new URL("../../policies/grpc/stock.binpb", import.meta.url), join(folder, "stock.binpb"));
  writeFileSync(
    join(folder, "keys.yaml"),
    `callers:
  - { name: acme, keys: [{ sha256: ${"ab".repeat(32)} }] }
  - { name: audit, roles: [auditor], keys: [{ sha256: ${"cd".repeat(32)} }] }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function explain(...args: readonly string[]): Promise<Explanation> {
  let stdout = "";
  let stderr = "";
  const io = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
    cwd: folder,
    clock: systemClock,
  };
  await main(["explain", "--policy", "policy.yaml", "--json", ...args], io);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Explanation;
}

const told = ({ steps }: Explanation, phase: string) =>
  steps.filter((step) => step.phase === phase).map(({ check, saw }) => `${check}: ${saw}`);

test("fields, masks and leaks are told as this caller meets them", async () => {
  expect(told(await explain("--as", "{ api-key: acme }", "GET /orders"), "respond")).toEqual([
    "fields: the caller gets all but $.internal, $.items[*].cost",
    "fields: the caller gets all but $..notes, were it enforced",
    "mask: the caller gets $.iban as fixed; $.card as last4",
    "leaks: looks for leaks: 1 kind to observe",
  ]);
  expect(told(await explain("--as", "{ api-key: audit }", "GET /orders"), "respond")).toEqual([
    "fields: the caller gets all fields: it is none of those for whom the rules are",
    "fields: the caller gets all but $..notes, were it enforced",
    "mask: the caller gets $.card as last4",
    "leaks: looks for leaks: 1 kind to observe",
  ]);
});

test("of what is deprecated, how the request counts and when it ends are told once each", async () => {
  const steps = told(await explain("--as", "{ api-key: acme }", "GET /old"), "authorize");
  expect(steps).toEqual([
    "deprecated: the request counts as served",
    "deprecated: deprecated; ends 2100-01-01T00:00:00Z",
  ]);
});

test("where a rewritten request goes, and the id by which it is followed", async () => {
  const own = told(await explain("GET /v1/7?debug=1"), "rewrite");
  expect(own).toEqual([
    "request: path /v1/7 goes on as /inner/7",
    "request: host orders.internal",
    expect.stringMatching(/^request: headers .*x-request-id, traceparent/),
    "request: the request is followed as the id of the decision",
    "request: query: debug does not pass, tenant is filled in",
  ]);
  const brought = ["-H", "X-Request-Id: req-7", "-H", `traceparent: 00-${"a".repeat(32)}-${"b".repeat(16)}-01`];
  expect(told(await explain(...brought, "GET /v1/7"), "rewrite")).toContain(
    "request: the request is followed as req-7",
  );
  const odd = await explain("-H", "X-Request-Id: a b", "GET /v1/7");
  expect(told(odd, "rewrite")).toContain("request: the request is followed as the id of the decision");
});

test("a preflight is answered here, and nothing of it goes to the service", async () => {
  const asked = ["-H", "Access-Control-Request-Method: GET", "OPTIONS /orders"];
  const good = await explain("-H", "Origin: https://app.example.org", ...asked);
  expect(good.verdict.allowed).toBe(true);
  expect(told(good, "match").at(-1)).toBe("cors: postern answers this preflight itself: the page may send the request");
  expect(told(good, "rewrite")).toEqual([]);
  const bad = await explain("-H", "Origin: https://evil.example", ...asked);
  expect(bad.verdict).toMatchObject({ allowed: false, reason: "origin_denied" });
});

test("gRPC is asked over HTTP/2, with its message judged", async () => {
  const call = ["-H", "Content-Type: application/grpc", "-H", "TE: trailers", "--body", "count.bin"];
  expect((await explain(...call, "POST /stock.v1.Stock/Count")).verdict).toMatchObject({ allowed: true });
  writeFileSync(join(folder, "wrong.bin"), Buffer.from([0, 0, 0, 0, 1, 7]));
  const wrong = await explain(...call.slice(0, -1), "wrong.bin", "POST /stock.v1.Stock/Count");
  expect(wrong.verdict).toMatchObject({ allowed: false, reason: "grpc_invalid" });
});
