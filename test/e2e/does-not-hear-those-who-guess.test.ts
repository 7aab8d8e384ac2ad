// Goal: who guesses passwords or keys is not heard for a while, a good caller behind the same address is, and no password
// stands anywhere.
// Method: a real postern process over TLS before a real service, users made by 'postern hash-password', curl and node as
// clients; guesses until the ban, a reload in it.

import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUILT } from "../fixtures/built.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const PASSWORD = "correct horse: bättery";

const policy = (ports: PolicyPorts): string => `${policyHead(ports)}
authenticators:
  staff: { type: basic, users: users.yaml }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
bans:
  guessing: { on: [password_wrong, api_key_unknown], times: 5/minute, key: client.address, for: 5m, growing: true }
routes:
  - { path: /orders, authenticate: [staff, partners], authorize: { scopes: [orders:read] } }
  - { path: /public, public: true }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  const made = spawnSync(process.execPath, [BUILT, "hash-password"], { input: `${PASSWORD}\n`, encoding: "utf8" });
  const users = `users:\n  - name: alice\n    scopes: [orders:read]\n    ${made.stdout}  - name: bob\n    ${made.stdout}`;
  service = await startService();
  postern = await startPostern(service.port, policy, { "users.yaml": users });
}, 60_000);
afterAll(closeAll);

const login = (user: string, password: string) => ({
  path: "/orders",
  headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
});

test("curl logs in with a name and a password, and the service gets the name alone", async () => {
  const { stdout } = await promisify(execFile)("curl", [
    "--silent",
    "--cacert",
    join(postern.folder, "ca.pem"),
    "--user",
    `alice:${PASSWORD}`,
    `https://localhost:${postern.port}/orders`,
  ]);
  expect(stdout).toBe('{"ok":true}');
  const headers = service.arrived.at(-1)?.headers;
  expect(headers?.["x-postern-principal"]).toBe("alice");
  expect(headers?.authorization).toBeUndefined();
});

test("Without credentials the client is told what to bring", async () => {
  const { headers } = await postern.call({ path: "/orders" });
  expect(headers["www-authenticate"]).toBe('Basic realm="orders", charset="UTF-8", ApiKey realm="orders"');
});

test("Guesses are refused until they are not heard any more, and the good caller beside them is", async () => {
  const reasons: (string | undefined)[] = [];
  for (let at = 0; at < 8; at++)
    reasons.push((await postern.call(login(at % 2 === 0 ? "alice" : "root", `guess ${at}`))).reason);
  expect(reasons).toEqual([...Array(6).fill("password_wrong"), "banned", "banned"]);
  const line = await postern.logged((one) => one["event"] === "banned");
  expect(line).toMatchObject({ ban: "guessing", key: "127.0.0.1", count: 1 });

  expect(await postern.call(login("alice", PASSWORD))).toMatchObject({ status: 200 });
  const right = await postern.call(login("bob", PASSWORD));
  expect(right).toMatchObject({ status: 429, reason: "banned" });
  expect(Number(right.headers["retry-after"])).toBeGreaterThan(200);
  expect(await postern.call({ path: "/public" })).toMatchObject({ status: 200 });
  expect(await postern.call({ path: "/orders" })).toMatchObject({ status: 401, reason: "credentials_missing" });

  const metrics = (await postern.admins("/metrics")).body;
  expect(metrics).toContain('postern_bans_total{ban="guessing"} 1');
  expect(metrics).toContain('postern_bans_active{ban="guessing"} 1');
});

test("A reload lifts no ban", async () => {
  postern.write("policy.yaml", policy(postern).replace("orders:read", "orders:read, orders:list"));
  await postern.logged((one) => one["event"] === "reload" && one["result"] === "ok");
  expect(await postern.call(login("bob", PASSWORD))).toMatchObject({ status: 429, reason: "banned" });
});

test("No password, right or wrong, stands in the log or at the admin port", async () => {
  const told = postern.output() + (await postern.admins("/policy")).body + (await postern.admins("/metrics")).body;
  for (const secret of [PASSWORD, "correct horse", "guess 1", Buffer.from(`alice:${PASSWORD}`).toString("base64")]) {
    expect(told).not.toContain(secret);
  }
});
