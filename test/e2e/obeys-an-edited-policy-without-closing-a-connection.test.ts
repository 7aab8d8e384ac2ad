// Goal: saving the policy changes what is allowed at once; nothing that runs is disturbed, and a broken save changes nothing.
// Method: a real process and real files: written in place, swapped by rename, swapped as Kubernetes does with `..data`;
// one kept-alive TLS connection asks throughout.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  eventually,
  ORDER_SCHEMA,
  ordersPolicy,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const files = { "order.json": ORDER_SCHEMA };
const withPublic = (path: string) => (ports: PolicyPorts) =>
  ordersPolicy(ports).replace("path: /public", `path: ${path}`);
const statusOf = (postern: Postern, path: string) => async () => (await postern.call({ path })).status;
const metric = async (postern: Postern, name: string): Promise<string | undefined> => {
  const { body } = await postern.admins("/metrics");
  return new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (.+)$`, "m").exec(body)?.[1];
};

test("an edit takes effect without closing an open keep-alive connection", async () => {
  const { pki } = await theWorld();
  const postern = await startPostern((await startService()).port, ordersPolicy, files);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, cert: pki.client.certificate, key: pki.client.key });
  expect((await postern.call({ path: "/public", agent })).status).toBe(200);
  const socketsBefore = Object.values(agent.freeSockets)
    .flat()
    .map((socket) => socket?.localPort);
  postern.write("policy.yaml", withPublic("/moved")(postern));
  await eventually(
    async () => (await postern.call({ path: "/moved", agent })).status,
    (status) => status === 200,
  );
  expect((await postern.call({ path: "/public", agent })).status).toBe(404);
  const socketsAfter = Object.values(agent.freeSockets)
    .flat()
    .map((socket) => socket?.localPort);
  expect(socketsBefore).toHaveLength(1);
  expect(socketsAfter).toEqual(socketsBefore);
  agent.destroy();
});

test("a broken edit keeps the old policy serving and shows in the metrics, the log and /policy", async () => {
  const postern = await startPostern((await startService()).port, ordersPolicy, files);
  const before = JSON.parse((await postern.admins("/policy")).body) as { hash: string };
  postern.write("policy.yaml", ordersPolicy(postern).replace("authenticate: [okta]", "authentificate: [okta]"));
  const refused = await postern.logged((line) => line["event"] === "reload" && line["level"] !== "info");
  expect(JSON.stringify(refused)).toMatch(/policy\.yaml:\d+:\d+: .*authentificate.*did you mean 'authenticate'/);
  expect((await postern.call({ path: "/public" })).status).toBe(200);
  const status = JSON.parse((await postern.admins("/policy")).body) as {
    hash: string;
    stale: boolean;
    lastAttempt: { problems: string[] };
  };
  expect(status).toMatchObject({ hash: before.hash, stale: true });
  expect(status.lastAttempt.problems.join("\n")).toContain("authentificate");
  expect(await metric(postern, "postern_policy_stale")).toBe("1");
  expect((await postern.admins("/readyz")).status).toBe(200);
  postern.write("policy.yaml", withPublic("/mended")(postern));
  await eventually(statusOf(postern, "/mended"), (code) => code === 200);
  expect(await metric(postern, "postern_policy_stale")).toBe("0");
});

test("a save by rename, as editors do it, is seen", async () => {
  const postern = await startPostern((await startService()).port, ordersPolicy, files);
  postern.write("policy.yaml~", withPublic("/renamed")(postern));
  renameSync(join(postern.folder, "policy.yaml~"), join(postern.folder, "policy.yaml"));
  await eventually(statusOf(postern, "/renamed"), (code) => code === 200);
});

test("Kubernetes' swap of ..data is seen", async () => {
  const postern = await startPostern((await startService()).port, ordersPolicy, files);
  // What the kubelet makes of a ConfigMap: files are links into ..data, which is itself a link to a dated folder.
  const mount = join(postern.folder, "mount");
  const version = (name: string, policy: string): void => {
    mkdirSync(join(mount, name), { recursive: true });
    writeFileSync(join(mount, name, "extra.yaml"), policy);
  };
  const keys = (hash: string) =>
    `callers:\n  - name: rotated\n    scopes: [orders:read]\n    keys:\n      - sha256: ${hash}\n`;
  const { createHash } = await import("node:crypto");
  const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
  version("..2026_01", keys(sha256("pk_first_0123456789abcdefghij")));
  symlinkSync("..2026_01", join(mount, "..data"));
  symlinkSync("..data/extra.yaml", join(mount, "extra.yaml"));
  postern.write("policy.yaml", ordersPolicy(postern).replace("keys: keys.yaml", "keys: mount/extra.yaml"));
  const ask = (key: string) => async () =>
    (await postern.call({ path: "/orders/0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1", headers: { "X-Api-Key": key } }))
      .status;
  await eventually(ask("pk_first_0123456789abcdefghij"), (code) => code === 200);
  version("..2026_02", keys(sha256("pk_second_0123456789abcdefghi")));
  symlinkSync("..2026_02", join(mount, "..data_tmp"));
  renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
  rmSync(join(mount, "..2026_01"), { recursive: true });
  await eventually(ask("pk_second_0123456789abcdefghi"), (code) => code === 200);
  expect(await ask("pk_first_0123456789abcdefghij")()).toBe(401);
});

test("SIGHUP reloads, and rate counters are kept over a reload", async () => {
  const { mint } = await theWorld();
  const postern = await startPostern((await startService()).port, ordersPolicy, files);
  const headers = { Authorization: `Bearer ${await mint.token()}` };
  const ask = async () => (await postern.call({ path: "/limited", headers })).status;
  expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429]);
  postern.write("policy.yaml", withPublic("/again")(postern));
  postern.process.kill("SIGHUP");
  await eventually(statusOf(postern, "/again"), (code) => code === 200);
  expect(await ask()).toBe(429);
});
