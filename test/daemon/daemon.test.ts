import { EventEmitter } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../../src/daemon/daemon.ts";
import { followSignals } from "../../src/daemon/shutdown.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { systemClock } from "../../src/support/clock.ts";
import { ok } from "../../src/support/result.ts";
import { eventually } from "../fixtures/eventually.ts";
import { testResources } from "../fixtures/outside.ts";
import { MemorySink } from "../fixtures/telemetry.ts";
import { ask, compileTest, createWorkspace, LineProxy, type Workspace } from "./fixtures.ts";

let workspace: Workspace;

beforeEach(() => {
  workspace = createWorkspace();
  workspace.write({ answer: "orders" });
});

afterEach(() => workspace.dispose());

/** A connection that the proxy has in hand. */
async function connected(port: number): Promise<Socket> {
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  client.write("?\n");
  await new Promise((resolve) => client.once("data", resolve));
  return client;
}

test("it says once that it is ready, where it listens and how long it took", async () => {
  const running = await workspace.start();
  const [ready, ...more] = running.sink.events("ready");
  expect(more).toEqual([]);
  expect(ready).toMatchObject({
    level: "info",
    policyHash: running.daemon.status.hash,
    listeners: [{ name: "inbound", address: `127.0.0.1:${running.port}` }],
    admin: running.daemon.adminAddress,
    readyMs: expect.any(Number),
  });
  expect(running.daemon.telemetry.metrics.reloads.ok).toBe(0);
});

test("a policy that does not compile does not start, and says every problem with its place", async () => {
  workspace.write({ answer: "orders", files: ["absent", "missing"] });
  const sink = new MemorySink();
  const started = await startDaemon(
    { policyFile: workspace.file },
    {
      clock: systemClock,
      sink,
      processFigures: null,
      memory: unlimitedMemory(),
      resources: testResources(),
      compile: compileTest,
      test: async () => ok([]),
      createProxy: (snapshot) => new LineProxy(snapshot),
    },
  );
  expect(started).toMatchObject({
    ok: false,
    error: [{ text: "absent does not exist" }, { text: "missing does not exist" }],
  });
  expect(sink.events("ready")).toEqual([]);
});

test("shutdown takes readiness off, accepts no more, and waits for what is under way", async () => {
  const running = await workspace.start();
  const busy = await connected(running.port);
  const ended = running.daemon.shutdown();
  expect((await fetch(`${running.admin}/readyz`)).status).toBe(503);
  expect((await fetch(`${running.admin}/healthz`)).status).toBe(200);
  await eventually(async () => (await ask(running.port)) === null);
  busy.write("?\n");
  expect(await new Promise((resolve) => busy.once("data", (data) => resolve(data.toString())))).toBe("orders\n");
  busy.end();
  await ended;
  expect(running.sink.events("stopped")[0]).toMatchObject({ msg: "every request finished" });
  await expect(fetch(`${running.admin}/healthz`)).rejects.toThrow();
});

test("shutdown has an end even where a client never goes", async () => {
  const running = await workspace.start({ drainTimeoutMs: 50 });
  const stubborn = await connected(running.port);
  const closed = new Promise((resolve) => stubborn.once("close", resolve));
  await running.daemon.shutdown();
  await closed;
  expect(running.sink.events("stopped")[0]).toMatchObject({ msg: "time is up" });
});

test("a reload that is asked for during shutdown opens nothing again", async () => {
  const running = await workspace.start();
  const busy = await connected(running.port);
  const ended = running.daemon.shutdown();
  workspace.write({ answer: "two" });
  running.daemon.reload();
  await running.daemon.reloadSettled();
  expect(running.proxy.swaps).toBe(0);
  busy.destroy();
  await ended;
  expect(await ask(running.port)).toBeNull();
});

test("the first signal ends in good order, the second at once; SIGHUP reloads until then, SIGUSR1 opens the log anew", () => {
  const signals = new EventEmitter();
  const told: string[] = [];
  followSignals(signals, {
    shutdown: () => told.push("shutdown"),
    abort: () => told.push("abort"),
    reload: () => told.push("reload"),
    reopenLog: () => told.push("reopen"),
  });
  for (const signal of ["SIGHUP", "SIGHUP", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT"]) signals.emit(signal);
  expect(told).toEqual(["reload", "reload", "shutdown", "reopen", "abort"]);
});
