// Goal: an edit that denies what it should not gives way to the policy before it; nobody brings that about by being denied.
// Method: a real daemon and proxy, callers by API keys. The attack comes first: what it counted for shows in the figures.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assembleDaemon } from "../../src/cli/assemble.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-guard-"));
const sink = new MemorySink();
const key = (caller: number): string => `pk_0123456789abcdef012345678${caller}`;
let daemon: Daemon;
let policy: (scope: string, guard?: string) => string;

function writeKeys(callers: readonly number[]): void {
  const lines = callers.map((caller) => {
    const sha256 = createHash("sha256").update(key(caller)).digest("hex");
    return `  - { name: caller${caller}, scopes: ["orders:read"], keys: [{ sha256: "${sha256}" }] }`;
  });
  writeFileSync(join(folder, "keys.yaml"), `callers:\n${lines.join("\n")}\n`);
}

beforeAll(async () => {
  const service = await startService();
  policy = (scope, guard = "guard: { callers: 5 }") => `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:0 }]
upstreams: { app: { address: "http://127.0.0.1:${service.port}" } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
${guard}
routes:
  - { path: /orders, methods: [GET], authenticate: [partners], authorize: { scopes: ["${scope}"] } }
  - { path: /me, methods: [GET], authenticate: [partners] }
`;
  writeKeys([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const policyFile = join(folder, "policy.yaml");
  writeFileSync(policyFile, policy("orders:read"));
  const started = await startDaemon({ policyFile }, assembleDaemon(systemClock, sink, undefined));
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  daemon = started.value;
});

afterAll(async () => {
  await daemon?.close();
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(path: string, shown: string | null): Promise<number> {
  const headers: Record<string, string> = shown === null ? {} : { "x-api-key": shown };
  const response = await fetch(`http://${daemon.status.listeners[0]?.address}${path}`, { headers });
  await response.arrayBuffer();
  return response.status;
}

async function reload(text: string): Promise<void> {
  writeFileSync(join(folder, "policy.yaml"), text);
  daemon.reload();
  await daemon.reloadSettled();
}

test("who is denied by both, who shows nothing, and one who asks again and again bring nothing back; a renamed scope does", async () => {
  // One caller is revoked by the same edit that renames the scope, and wants back in.
  writeKeys([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await reload(policy("order:read"));
  expect(daemon.status.generation).toBe(2);
  for (let at = 0; at < 40; at++) {
    expect(await ask("/orders", key(9))).toBe(401);
    expect(await ask("/orders", `pk_of_nobody_000000000000${at}`)).toBe(401);
    expect(await ask("/orders", null)).toBe(401);
    expect(await ask("/nowhere", key(0))).toBe(404);
    expect(await ask("/orders", key(1))).toBe(403);
  }
  for (const caller of [6, 7, 8]) expect(await ask("/me", key(caller))).toBe(200);
  expect(daemon.status).toMatchObject({ generation: 2, stale: false });

  for (const caller of [2, 3, 4]) expect(await ask("/orders", key(caller))).toBe(403);
  await eventually(() => daemon.status.rolledBack !== null);
  const why = "5 of 8 callers were denied what the policy before allows them; the first: ";
  expect(daemon.status).toMatchObject({
    stale: true,
    rolledBack: { cause: "guard", why: expect.stringContaining(why) },
  });
  expect(sink.events("rollback")[0]).toMatchObject({ cause: "guard", why: expect.stringContaining(why) });
  expect(await daemon.telemetry.metricsText()).toContain('\npostern_rollbacks_total{cause="guard"} 1\n');
  expect(await ask("/orders", key(2))).toBe(200);
});

test("what was taken back is refused until it changes; an edit that means it says so and stays", async () => {
  await reload(policy("order:read"));
  expect(daemon.status).toMatchObject({ stale: true, lastAttempt: { result: "refused" } });
  expect(await ask("/orders", key(2))).toBe(200);

  await reload(policy("order:read", ""));
  expect(daemon.status).toMatchObject({ stale: false, rolledBack: null });
  for (let caller = 0; caller < 9; caller++) expect(await ask("/orders", key(caller))).toBe(403);
  expect(daemon.status.stale).toBe(false);
});

test("three requests decide nothing, nor do few callers among many; what stood its time stays", async () => {
  await reload(policy("orders:read", ""));
  await reload(policy("order:read", "guard: { within: 400ms }"));
  for (let caller = 0; caller < 9; caller++) expect(await ask("/orders", key(caller))).toBe(403);
  await eventually(() => daemon.status.guardedUntil === null);
  expect(daemon.status).toMatchObject({ stale: false, rolledBack: null });
  expect(await ask("/orders", key(2))).toBe(403);
});
