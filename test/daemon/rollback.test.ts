// Goal: who has the token gets the policy of before back; what stands on disk is refused until it says something else, also
// while other files change; and what brings it back is said. Method: a real daemon with the answer of its policy as its proxy.
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { createWorkspace, type Running, type TestPolicy, type Workspace } from "./fixtures.ts";

const TOKEN = "0123456789abcdef0123";
let workspace: Workspace;

const policy = (answer: string, more: Partial<TestPolicy> = {}): TestPolicy => ({
  answer,
  adminToken: TOKEN,
  files: ["certificate"],
  ...more,
});

beforeEach(() => {
  workspace = createWorkspace();
  writeFileSync(join(workspace.folder, "certificate"), "first");
  writeFileSync(join(workspace.folder, "token"), `${TOKEN}\n`);
  workspace.write(policy("one"));
});

afterEach(() => workspace.dispose());

async function follows(running: Running, next: TestPolicy): Promise<void> {
  workspace.write(next);
  await eventually(async () => (await running.ask()) === next.answer);
}

/** What the command says, with the token if no other is named. */
async function rollback({ admin }: Running, ...more: readonly string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const write = (part: string): void => {
    text += part;
  };
  const address = admin.replace("http://", "");
  const token = more.includes("--token-file") ? [] : ["--token-file", "token"];
  const io = { cwd: workspace.folder, stdout: write, stderr: write, clock: systemClock };
  const code = await main(["rollback", "--address", address, ...token, ...more], io);
  return { code, text };
}

/** False where the port is not free yet. */
function takes(taker: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    taker.once("error", () => resolve(false));
    taker.listen(port, "127.0.0.1", () => resolve(true));
  });
}

test("the policy of before serves again and says so; the next edit goes through; there is one step back", async () => {
  const running = await workspace.start();
  expect(await rollback(running)).toMatchObject({ code: 1, text: expect.stringContaining("no policy to go back to") });
  const { hash } = running.daemon.status;
  await follows(running, policy("two"));
  const undone = running.daemon.status.hash;

  expect(await rollback(running)).toEqual({
    code: 0,
    text: `policy ${hash} is in force again; ${undone}, which stands on disk, is refused until it changes\n`,
  });
  expect(await running.ask()).toBe("one");
  const rolledBack = { from: undone, to: hash, cause: "asked" };
  expect(await (await fetch(`${running.admin}/policy`)).json()).toMatchObject({ hash, stale: true, rolledBack });
  expect(running.sink.events("rollback")[0]).toMatchObject({ policyHash: hash, undoneHash: undone, cause: "asked" });
  const metrics = await running.daemon.telemetry.metricsText();
  expect(metrics).toContain("\npostern_policy_stale 1\n");
  expect(metrics).toContain('\npostern_rollbacks_total{cause="asked"} 1\n');
  expect(await (await fetch(`${running.admin}/readyz?verbose`)).text()).toContain("was taken back");
  expect((await rollback(running)).code).toBe(1);

  await follows(running, policy("three"));
  expect(running.daemon.status).toMatchObject({ stale: false, rolledBack: null });
  expect((await rollback(running)).code).toBe(0);
  expect(await running.ask()).toBe("one");
});

test("what was taken back stays so when it is loaded again, and when a certificate beside it is renewed", async () => {
  const running = await workspace.start();
  await follows(running, policy("two"));
  await rollback(running);
  running.daemon.reload();
  await running.daemon.reloadSettled();
  writeFileSync(join(workspace.folder, "certificate"), "second");
  running.daemon.reload();
  await running.daemon.reloadSettled();
  expect(await running.ask()).toBe("one");
  const { stale, rolledBack, lastAttempt } = running.daemon.status;
  expect([stale, rolledBack?.cause]).toEqual([true, "asked"]);
  expect(String(lastAttempt.problems)).toContain(`it is refused until ${workspace.file} says something else`);

  // Who goes back on disk as well is done; the certificate counts again.
  await follows(running, policy("one"));
  await eventually(() => !running.daemon.status.stale);
});

test("who has no token, or another, takes nothing back; a policy without one keeps nothing to go back to", async () => {
  const running = await workspace.start();
  await follows(running, policy("two"));
  writeFileSync(join(workspace.folder, "other"), "another-token");
  expect(await rollback(running, "--token-file", "other")).toMatchObject({
    code: 1,
    text: expect.stringContaining("401"),
  });
  expect(await running.ask()).toBe("two");
  workspace.write({ answer: "three" });
  await eventually(async () => (await running.ask()) === "three");
  expect(await rollback(running)).toMatchObject({ code: 1, text: expect.stringContaining("403") });
  // The one without a token was in force between.
  await follows(running, policy("four"));
  expect((await rollback(running)).code).toBe(0);
  expect(await running.ask()).toBe("three");
});

test("where the policy of before cannot have its port any more, nothing changes, and why is told", async () => {
  const port = await freePort();
  workspace.write(policy("one", { port }));
  const running = await workspace.start();
  workspace.write(policy("two", { port: 0 }));
  await eventually(() => running.daemon.status.generation === 2);
  const taker = createServer();
  await eventually(() => takes(taker, port));
  expect(await rollback(running)).toMatchObject({ code: 1, text: expect.stringContaining("cannot listen") });
  expect(running.daemon.status).toMatchObject({ stale: false, rolledBack: null, service: "two" });
  await new Promise((resolve) => taker.close(resolve));
  expect((await rollback(running)).code).toBe(0);
  expect(await running.ask()).toBe("one");
});
