import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import {
  eventually,
  ORDER_ID,
  ORDER_SCHEMA,
  ordersPolicy,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";

/** Planted all over; none may be in the record. */
const SECRETS = [
  "planted-header",
  "planted-query",
  "planted-cookie",
  "planted-body",
  "planted-claim",
  "plantedInPath0123456789Abc",
];
const [header, query, cookie, body, claim, inPath] = SECRETS;

let postern: Postern;
let token = "";

const recordFile = (): string => join(postern.folder, "state/decisions.jsonl");

function lines(): string {
  try {
    return readFileSync(recordFile(), "utf8");
  } catch {
    return "";
  }
}

async function replay(policy: string) {
  postern.write("next.yaml", policy);
  let stdout = "";
  const code = await main(["replay", "--json", "--policy", "next.yaml", recordFile()], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: () => {},
    cwd: postern.folder,
    clock: systemClock,
  });
  return { code, told: JSON.parse(stdout) as Record<string, unknown> };
}

beforeAll(async () => {
  const service = await startService();
  const policy = (ports: Parameters<typeof ordersPolicy>[0]): string =>
    `${ordersPolicy(ports)}state: { directory: state }\nrecord: {}\n`;
  postern = await startPostern(service.port, policy, { "order.json": ORDER_SCHEMA });
  const { mint, apiKey, pki } = await theWorld();
  token = await mint.token({ scope: "orders:read orders:write", hidden: claim });
  const headers = { Authorization: `Bearer ${token}`, "X-Other": header ?? "", Cookie: `sid=${cookie}` };
  await postern.call({ path: `/orders/${ORDER_ID}?q=${query}`, headers });
  await postern.call({ path: `/orders/${inPath}`, headers });
  await postern.call({ path: `/orders/${ORDER_ID}`, headers: { "X-Api-Key": apiKey } });
  await postern.call({ path: "/mesh", client: pki.client });
  await postern.call({ path: "/public" });
  await postern.call({ path: "/nowhere" });
  await postern.call({ path: "/public/..%2Fsecret" });
  await postern.call({
    method: "POST",
    path: "/orders",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify({ sku: body, quantity: 1 }),
  });
  await eventually(
    () => Promise.resolve(lines().split("\n").length),
    (count) => count > 8,
  );
});

test("the record is its owner's alone and has no secret, wherever one was sent", async () => {
  expect(statSync(recordFile()).mode & 0o777).toBe(0o600);
  const { apiKey } = await theWorld();
  for (const secret of [...SECRETS, token, apiKey]) expect(lines()).not.toContain(secret);
  expect(lines()).toContain("~redacted~");
});

test("by the same policy nothing would change", async () => {
  const { code, told } = await replay(readFileSync(join(postern.folder, "policy.yaml"), "utf8"));
  expect(told).toMatchObject({ records: 8, changed: 0, skipped: 0, untold: { target: 1 } });
  expect(code).toBe(0);
});

test("by another each change has its route, reason and caller", async () => {
  const policy = readFileSync(join(postern.folder, "policy.yaml"), "utf8");
  const next = policy
    .replace("authorize: { scopes: [orders:read] }", "authorize: { scopes: [orders:admin] }")
    .replace("ns/shop/sa/billing", "ns/shop/sa/other")
    .replace("  - path: /public\n", "  - path: /nowhere\n    public: true\n  - path: /closed\n");
  const { code, told } = await replay(next);
  expect(code).toBe(1);
  const changes = told["changes"] as readonly Record<string, unknown>[];
  expect(changes.map(({ change, route, reason, caller }) => [change, route, reason, caller]).toSorted()).toEqual([
    ["ALLOW→DENY", "/mesh", "spiffe_id_mismatch", "mesh/spiffe://example.org/ns/shop/sa/billing"],
    ["ALLOW→DENY", "/orders/{orderId}", "scope_missing", "okta/alice"],
    ["ALLOW→DENY", "/orders/{orderId}", "scope_missing", "partners/acme"],
    ["ALLOW→DENY", "/public", "route_not_found", "nobody"],
    ["DENY→ALLOW", "/nowhere", "route_not_found", "nobody"],
  ]);
});

test("a client that sends half a character at the end of what is kept spoils nothing", async () => {
  const before = lines().length;
  await postern.call({ path: `/public?${"a".repeat(63)}%F0%9F%98%80=1` });
  await eventually(
    () => Promise.resolve(lines().length),
    (length) => length > before,
  );
  expect(lines()).not.toMatch(/\\ud[89a-f]/i);
  const { told } = await replay(readFileSync(join(postern.folder, "policy.yaml"), "utf8"));
  expect(told).toMatchObject({ changed: 0, skipped: 0 });
});
