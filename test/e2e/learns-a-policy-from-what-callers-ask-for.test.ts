/**
 * Goal: what a real postern recorded of callers, who have keys and tokens, and of a scanner beside them becomes a policy that is
 * sound, lets the callers' requests pass and the scanner's not. Method: a policy that lets all through to whoever is known or asks
 * below /public; then `learn`, `check` and `replay` on its record, and `learn` once more on its inventory.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import {
  eventually,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";

const KEYS = ["key-of-acme-0123456789", "key-of-initech-0123456"] as const;
const SECRET = "planted-Secret-0123456789abcdef";
let postern: Postern;

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
state: { directory: state }
record: {}
inventory: {}
listeners: [{ name: inbound, address: 127.0.0.1:${port}, trustedProxies: [127.0.0.0/8] }]
upstreams: { app: { address: http://127.0.0.1:${app} } }
admin: { address: 127.0.0.1:${admin} }
decisions: { query: [sort] }
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: partners.yaml }
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
routes:
  - { path: /**, authenticate: [partners, okta] }
  - { path: /public/**, public: true }
`;

async function run(...args: readonly string[]) {
  const told = { stdout: "", stderr: "" };
  const code = await main(args, {
    stdout: (text) => {
      told.stdout += text;
    },
    stderr: (text) => {
      told.stderr += text;
    },
    cwd: postern.folder,
    clock: systemClock,
  });
  return { code, ...told };
}

/** A service that has orders and a catalogue, and a page for whatever else is asked for below /public. */
const THERE = /^\/(?:v1\/orders(?:\/\d+)?|public\/catalogue|public\/x\w*)(?:\?|$)/;
let asked = 0;

async function ask(path: string, init: RequestInit = {}): Promise<number> {
  asked++;
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, init);
  await response.arrayBuffer();
  return response.status;
}

beforeAll(async () => {
  const service = await startService((request, response) => {
    if (THERE.test(request.url ?? "")) return false;
    response.writeHead(404).end();
    return true;
  });
  const callers = KEYS.map((key, at) => {
    const sha256 = createHash("sha256").update(key).digest("hex");
    return `  - { name: ${at === 0 ? "acme" : "initech"}, scopes: [orders:read], keys: [{ sha256: ${sha256} }] }\n`;
  });
  postern = await startPostern(service.port, policy, { "partners.yaml": `callers:\n${callers.join("")}` });
  const { mint } = await theWorld();
  const tokens = await Promise.all(
    ["alice", "bob"].map((sub) => mint.token({ sub, scope: "openid orders:read orders:write" })),
  );
  const json = { "Content-Type": "application/json" };
  for (let at = 0; at < 6; at++) {
    for (const key of KEYS) await ask(`/v1/orders/${at + 1}?page=${at}&sort=price`, { headers: { "X-Api-Key": key } });
    for (const token of tokens) {
      const headers = { ...json, Authorization: `Bearer ${token}` };
      await ask("/v1/orders", { method: "POST", headers, body: JSON.stringify({ note: SECRET }) });
    }
    for (const key of KEYS) await ask("/public/catalogue", { headers: { "X-Api-Key": key } });
  }
  // A scanner, who is nobody, and what one caller alone tries.
  const words = [
    "admin",
    "backup",
    "config",
    "console",
    "debug",
    "dump",
    "env",
    "login",
    "manager",
    "old",
    "shell",
    "test",
  ];
  const scanner = { headers: { "X-Forwarded-For": "198.51.100.9" } };
  for (const word of [...words, ...words]) await ask(`/public/${word}`, scanner);
  for (const word of words) await ask(`/${word}`, scanner);
  await ask("/public/.git/config", scanner);
  await ask("/public/xyz", scanner);
  await ask(`/v1/orders/7?debug=${SECRET}`, { headers: { "X-Api-Key": KEYS[0] } });
  const record = join(postern.folder, "state/decisions.jsonl");
  // It is there with the first lines.
  await eventually(
    async () => (existsSync(record) ? readFileSync(record, "utf8").trimEnd().split("\n").length : 0),
    (lines) => lines >= asked,
  );
});

const LEARN = [
  "learn",
  "--policy",
  "policy.yaml",
  "--min-callers",
  "1",
  "--min-requests",
  "6",
  "state/decisions.jsonl",
];

test("the policy has what callers ask for, and who they are", async () => {
  const { code, stdout, stderr } = await run(...LEARN, "--json");
  expect(code, stderr).toBe(0);
  const { operations } = JSON.parse(stdout) as { operations: readonly Record<string, unknown>[] };
  expect(operations).toMatchObject([
    { method: "GET", path: "/public/catalogue" },
    { method: "POST", path: "/v1/orders", authenticate: ["okta"], contentType: ["application/json"], maxBytes: 2048 },
    { method: "GET", path: "/v1/orders/{number}", authenticate: ["partners"], query: { page: { type: "integer" } } },
  ]);
  expect(operations.map(({ authorize }) => authorize)).toEqual([
    null,
    { scopes: ["orders:read", "orders:write"] },
    { scopes: ["orders:read"] },
  ]);
});

test("it is sound, and replay denies nothing but what was left out", async () => {
  const learnt = await run(...LEARN, "--output", "learnt.yaml");
  expect(learnt).toMatchObject({ code: 0, stdout: "" });
  expect(await run("check", "learnt.yaml")).toMatchObject({ code: 0, stdout: "learnt.yaml: no problems\n" });
  const text = readFileSync(join(postern.folder, "learnt.yaml"), "utf8");
  for (const secret of [SECRET, ...KEYS, "alice", "bob"]) expect(text).not.toContain(secret);
  const { stdout } = await run("replay", "--json", "--policy", "learnt.yaml", "state/decisions.jsonl");
  const { changes, untold } = JSON.parse(stdout) as {
    changes: readonly Record<string, unknown>[];
    untold: Record<string, number>;
  };
  const denied = changes.map(({ change, caller, reason, requests }) => `${change} ${caller} ${reason} ${requests}`);
  // What the scanner found. Values of queries no record has, so that nobody can tell of those by it.
  expect(denied).toEqual(["ALLOW→DENY nobody route_not_found 26"]);
  expect(Object.keys(untold)).toEqual(["query"]);
});

test("the same record gives the same policy, also from what the learnt one lets through", async () => {
  const [once, twice] = [await run(...LEARN), await run(...LEARN)];
  expect(twice).toEqual(once);
});

test("an inventory remembers what the record has not", async () => {
  const inventory = await run("inventory", "--policy", "policy.yaml", "--json");
  postern.write("inventory.json", inventory.stdout);
  postern.write("empty.jsonl", "");
  const args = [
    "--policy",
    "policy.yaml",
    "--inventory",
    "inventory.json",
    "--min-callers",
    "1",
    "--output",
    "other.yaml",
  ];
  const learnt = await run("learn", ...args, "empty.jsonl");
  expect(learnt).toMatchObject({ code: 0 });
  expect(readFileSync(join(postern.folder, "other.yaml"), "utf8")).toContain(
    "# not in the record; by the inventory 12 requests",
  );
  expect(await run("check", "other.yaml")).toMatchObject({ code: 0 });
});

test("without a policy nothing is opened that was asked for by known callers", async () => {
  const told = await run("learn", "state/decisions.jsonl");
  expect(told).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("expected --policy CURRENT") });
  expect(
    await run("learn", "--policy", "policy.yaml", "--output", "./policy.yaml", "state/decisions.jsonl"),
  ).toMatchObject({ code: 2 });
  expect(await run("learn", "--min-callers", "0", "state/decisions.jsonl")).toMatchObject({ code: 2 });
  expect(await run("learn", "--policy", "policy.yaml", "nowhere.jsonl")).toMatchObject({ code: 2 });
});
