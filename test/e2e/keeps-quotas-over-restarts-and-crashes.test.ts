// Goal: what callers have used of a quota outlives the process, in good order and by kill -9, and a damaged file; who has
// the admin token sees it and gives it back. Method: the real process with a state folder, one after the other, a caller with
// an API key, and the command that people use.
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
import { onClose } from "../fixtures/proxy.ts";

const TOKEN = "b7e23ec29af22b0b4e41da31e868d57226121c84";
const KILLS = 5;

let app: number;
let apiKey: string;
beforeAll(async () => {
  app = (await startService()).port;
  ({ apiKey } = await theWorld());
});

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "postern-quota-e2e-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function policyOf(state: string, quota: string) {
  return ({ port, admin }: PolicyPorts): string => `version: 1
service: orders
state: { directory: "${state}" }
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}", token: { file: admin-token } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits: { monthly: { quota: ${quota}/month, key: principal, timeZone: Asia/Kathmandu, resetDay: 31 } }
routes: [{ path: /orders, authenticate: [partners], limit: [monthly] }]
`;
}

const start = (state: string, quota = "10"): Promise<Postern> =>
  startPostern(app, policyOf(state, quota), { "admin-token": `${TOKEN}\n` });

const ask = (postern: Postern) => postern.call({ path: "/orders", headers: { "X-Api-Key": apiKey } });

/** How many of so many requests pass. */
async function passes(postern: Postern, times: number): Promise<number> {
  const answers = [];
  for (let n = 0; n < times; n++) answers.push(await ask(postern));
  return answers.filter(({ status }) => status === 200).length;
}

async function stop(postern: Postern): Promise<void> {
  postern.process.kill("SIGTERM");
  expect(await postern.exited).toBe(0);
}

interface Listed {
  readonly quotas: readonly { readonly counts: readonly { readonly key: string; readonly used: number }[] }[];
}

async function used(postern: Postern): Promise<number> {
  const { body } = await postern.admins("/quotas?limit=monthly");
  return (JSON.parse(body) as Listed).quotas[0]?.counts[0]?.used ?? 0;
}

/** When counts were last written, as the admin port tells. */
async function writtenAtMs(postern: Postern): Promise<number> {
  const { body } = await postern.admins("/policy");
  const { resources } = JSON.parse(body) as {
    resources: readonly { readonly kind: string; readonly freshAtMs: number | null }[];
  };
  return resources.find(({ kind }) => kind === "quota book")?.freshAtMs ?? 0;
}

async function command(postern: Postern, ...args: readonly string[]) {
  let stdout = "";
  let stderr = "";
  const code = await main(["quota", ...args], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    cwd: postern.folder,
    clock: systemClock,
  });
  return { code, stdout, stderr };
}

test("a restart in good order, and the answer that tells when the window ends", async () => {
  const state = stateFolder();
  const first = await start(state);
  expect(await passes(first, 7)).toBe(7);
  await stop(first);
  const second = await start(state);
  expect(await passes(second, 9)).toBe(3);
  const denied = await ask(second);
  expect([denied.status, denied.reason]).toEqual([429, "quota_exceeded"]);
  const waitMs = Number(denied.headers["retry-after"]) * 1000;
  const at = new Date(Date.now() + waitMs + 5.75 * 3_600_000);
  const isLast = new Date(at.getTime() + 86_400_000).getUTCDate() === 1 || at.getUTCDate() === 31;
  expect([isLast, at.getUTCHours()]).toEqual([true, 0]);
  expect(denied.headers["ratelimit"]).toMatch(/^"monthly";r=0;t=\d+/);
  await stop(second);
});

test("kill -9 while requests come: nothing is lost that was written, and the file is readable", async () => {
  const state = stateFolder();
  let least = 0;
  let most = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const postern = await start(state, "100000");
    expect(postern.log.filter(({ event }) => event === "state")).toEqual([]);
    const found = await used(postern);
    expect(found).toBeGreaterThanOrEqual(least);
    expect(found).toBeLessThanOrEqual(most);
    let asked = found;
    let isKilled = false;
    const load = (async () => {
      while (!isKilled) {
        asked++;
        await ask(postern).catch(() => {});
      }
    })();
    const before = await eventually(
      () => used(postern),
      (count) => count > found,
    );
    const sinceMs = Date.now();
    // One writing follows the other: what the second one hands over has at least that.
    let writtenMs = sinceMs;
    for (let writing = 0; writing < 2; writing++) {
      writtenMs = await eventually(
        () => writtenAtMs(postern),
        (atMs) => atMs > writtenMs,
      );
    }
    postern.process.kill("SIGKILL");
    isKilled = true;
    await Promise.all([postern.exited, load]);
    least = before;
    most = asked;
  }
});

test("a damaged file is set aside, loudly, and requests are counted", async () => {
  const state = stateFolder();
  const file = join(state, "quotas.sqlite");
  const first = await start(state);
  expect(await passes(first, 2)).toBe(2);
  await stop(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, "no database at all");
  const second = await start(state);
  expect(await passes(second, 12)).toBe(10);
  const line = await second.logged(({ event }) => event === "state");
  expect(line).toMatchObject({ level: "warn", file: "quotas.sqlite", msg: expect.stringContaining("set aside") });
  expect(existsSync(`${file}.damaged`)).toBe(true);
  expect((await second.admins("/readyz?verbose")).body).toContain("a damaged file was set aside");
  await stop(second);
});

test("who has the token lists quotas and gives them back; a reload keeps what is used", async () => {
  const state = stateFolder();
  const postern = await start(state, "3");
  expect(await passes(postern, 5)).toBe(3);
  const own = ["--policy", "policy.yaml"];
  const listed = await command(postern, "list", ...own);
  expect(listed.code).toBe(0);
  expect(listed.stdout).toMatch(
    /^monthly: 3\/month by principal or client\.address\/64, until \d{4}-\d\d-\d\dT18:15:00\.000Z\n/,
  );
  expect(listed.stdout).toMatch(/\n +3 +0 {2}'principal partners\/acme' {2}[0-9a-f]{14}\n$/);

  postern.write("policy.yaml", policyOf(state, "4")(postern));
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  expect(await passes(postern, 5)).toBe(1);

  const key = ["--limit", "monthly", "--key", "partners/acme"];
  expect(await command(postern, "reset", ...own, ...key)).toMatchObject({ code: 0, stdout: "1 key begins anew\n" });
  const line = await postern.logged(({ event }) => event === "admin_act");
  expect(line).toMatchObject({
    act: "/quotas/reset",
    result: "done",
    reset: 1,
    limit: "monthly",
    key: "partners/acme",
  });
  expect(await passes(postern, 5)).toBe(4);
  expect((await command(postern, "reset", ...own, "--all", "--json")).stdout).toContain('"reset": 1');

  const address = ["--address", `127.0.0.1:${postern.admin}`];
  expect(await command(postern, "reset", ...address, "--all")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      "expected Authorization: Bearer with the policy's admin token, as --token-file FILE has it (401)",
    ),
  });
  writeFileSync(join(postern.folder, "token"), `${TOKEN}\n`);
  expect((await command(postern, "reset", ...address, "--token-file", "token", "--all")).code).toBe(0);
  expect(await command(postern, "list", ...address, "--limit", "monthy")).toMatchObject({
    code: 1,
    stderr: "postern quota: no quota 'monthy' is counted; did you mean 'monthly'? (404)\n",
  });
  const metrics = (await postern.admins("/metrics")).body;
  expect(metrics).toContain('postern_admin_acts_total{act="/quotas/reset",result="done"} 3');
  expect(metrics).toContain('postern_admin_acts_total{act="/quotas/reset",result="unauthorized"} 1');
  expect(postern.output()).not.toContain(TOKEN);
  await stop(postern);
});
