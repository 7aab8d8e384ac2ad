// Goal: a start that finds a broken policy takes the last good one, loudly, where it was told to keep one; nothing secret is
// copied, and what is damaged or incomplete is never half a policy. Method: real daemons in this process, one after another.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { assembleDaemon } from "../../src/cli/assemble.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { stateFiles } from "../../src/daemon/state-files.ts";
import type { Problem } from "../../src/policy/snapshot.ts";
import { StateFolder } from "../../src/resources/state-folder.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

const TOKEN = "planted-admin-token-0123456789";
const VALUE = "planted-value-of-a-header";

let folder: string;
let kept: string;
let running: Daemon | null = null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-kept-"));
  kept = join(folder, "kept");
  const { server } = await createTestPki();
  mkdirSync(join(folder, "routes"));
  writeFileSync(join(folder, "server.pem"), server.certificate);
  writeFileSync(join(folder, "server.key"), server.key);
  writeFileSync(join(folder, "token"), TOKEN);
  writeFileSync(join(folder, "value"), VALUE);
  writeFileSync(join(folder, "bad.txt"), "192.0.2.1\n");
  writeFileSync(join(folder, "routes/a.yaml"), routes("a"));
  writeFileSync(
    join(folder, "policy.yaml"),
    `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:${await freePort()}, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: "http://127.0.0.1:1" } }
admin: { address: 127.0.0.1:${await freePort()}, token: { file: token } }
include: [routes/*.yaml]
`,
  );
});

afterEach(async () => {
  await running?.close();
  running = null;
  rmSync(folder, { recursive: true });
});

function routes(name: string): string {
  return `routes:
  - path: /${name}
    public: true
    address: { denyFile: bad.txt }
    request: { setHeaders: { X-Key: "\${file:value}" } }
`;
}

async function start(keeps = true): Promise<{ sink: MemorySink; problems: readonly Problem[] }> {
  const sink = new MemorySink();
  const openKept = (warn: (file: string, text: string) => void) =>
    new StateFolder(kept, stateFiles(kept, process.geteuid?.() ?? null), warn);
  const started = await startDaemon(
    { policyFile: join(folder, "policy.yaml"), timings: { debounceMs: 5, pollMs: 50, settleMs: 20 } },
    { ...assembleDaemon(systemClock, sink, undefined), ...(keeps ? { keptFolder: openKept } : {}) },
  );
  running = started.ok ? started.value : null;
  return { sink, problems: started.ok ? [] : started.error };
}

async function stop(): Promise<void> {
  await running?.close();
  running = null;
}

const keptFile = (): string => join(kept, readdirSync(kept)[0] ?? "");
const breakIt = (): void => writeFileSync(join(folder, "routes/a.yaml"), "routes:\n  - pth: /a\n");

test("a broken policy at the start: the last good one serves, and says so, until the one on disk is mended", async () => {
  await start();
  const { hash } = running?.status ?? {};
  await stop();
  breakIt();
  const { sink } = await start();
  expect(running?.status).toMatchObject({ hash, stale: true, lastAttempt: { result: "refused" } });
  expect(Date.parse(running?.status.keptAt ?? "")).toBeGreaterThan(0);
  const [told] = sink.events("policy_kept");
  expect(told).toMatchObject({ level: "error", policyHash: hash });
  expect(String(told?.["problems"])).toContain("routes/a.yaml:2:5: unknown key 'pth'");
  expect(sink.events("ready")).toHaveLength(1);
  const ready = await fetch(`http://${running?.adminAddress}/readyz?verbose`);
  expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining("policy: stale")]);
  expect(await (await fetch(`http://${running?.adminAddress}/metrics`)).text()).toContain("postern_policy_stale 1\n");

  writeFileSync(join(folder, "routes/a.yaml"), routes("b"));
  await eventually(() => running?.status.stale === false);
  expect(running?.status).toMatchObject({ keptAt: null, generation: 2 });
});

test("it is for its owner alone, and neither keys nor secrets are in it", async () => {
  await start();
  await stop();
  expect(statSync(kept).mode & 0o777).toBe(0o700);
  expect(statSync(keptFile()).mode & 0o777).toBe(0o600);
  const text = readFileSync(keptFile(), "latin1");
  const { files } = JSON.parse(text.slice(text.indexOf("\n") + 1)) as { files: Record<string, string> };
  const names = ["bad.txt", "policy.yaml", "routes/", "routes/a.yaml", "server.pem"].map((name) => `${folder}/${name}`);
  expect(Object.keys(files).sort()).toEqual(names);
  const all = Object.values(files).map((content) => Buffer.from(content, "base64").toString());
  expect(all.join()).not.toMatch(new RegExp(`${TOKEN}|${VALUE}|PRIVATE KEY`));
});

test("a secret that is gone meanwhile, a damaged file, one that others may write, none: no start, and why", async () => {
  await start();
  await stop();
  breakIt();
  rmSync(join(folder, "token"));
  const without = await start();
  expect(without.problems.map(({ text }) => text)).toContainEqual(expect.stringContaining("unknown key 'pth'"));
  expect(String(without.sink.events("policy_kept")[0]?.["problems"])).toContain("'token' does not exist");
  writeFileSync(join(folder, "token"), TOKEN);

  expect((await start(false)).problems).not.toEqual([]);

  chmodSync(keptFile(), 0o622);
  const open = await start();
  expect(open.problems).not.toEqual([]);
  expect(JSON.stringify(open.sink.events("state"))).toContain("others may write it");
  chmodSync(keptFile(), 0o600);

  const whole = readFileSync(keptFile());
  writeFileSync(keptFile(), whole.subarray(0, whole.length - 10));
  const damaged = await start();
  expect(damaged.problems).not.toEqual([]);
  expect(JSON.stringify(damaged.sink.events("state"))).toContain("damaged");
});
