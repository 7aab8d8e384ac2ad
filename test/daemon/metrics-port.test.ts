// Goal: who scrapes from elsewhere gets the metrics and reaches nothing else. Method: the port over sockets.
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { createWorkspace, type Running, type Workspace } from "./fixtures.ts";

let workspace: Workspace;
let running: Running;
let port: number;

beforeEach(async () => {
  port = await freePort();
  workspace = createWorkspace();
  workspace.write({ answer: "orders", metricsPort: port });
  running = await workspace.start();
});

afterEach(() => workspace.dispose());

const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, init);

test("has metrics, in the format that is asked for, and nothing else", async () => {
  const plain = await get("/metrics");
  expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await plain.text()).toContain("# TYPE postern_requests_total counter\n");
  const open = await get("/metrics?collect[]=x", {
    headers: { Accept: "application/openmetrics-text; version=1.0.0" },
  });
  expect(open.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(await open.text()).toContain("# TYPE postern_requests counter\n");
  for (const path of ["/policy", "/healthz", "/readyz", "/", "/metrics/", "/identity/jwks", "/bans/lift"]) {
    expect((await get(path)).status).toBe(404);
  }
  expect((await get("/metrics", { method: "POST" })).status).toBe(405);
});

test("moves with the policy, whole or not at all", async () => {
  const taken = running.port;
  workspace.write({ answer: "other", metricsPort: taken });
  running.daemon.reload();
  await running.daemon.reloadSettled();
  expect(running.daemon.status.lastAttempt.problems.join()).toContain("metrics on 127.0.0.1");
  expect((await get("/metrics")).status).toBe(200);
  workspace.write({ answer: "orders" });
  running.daemon.reload();
  await running.daemon.reloadSettled();
  await expect(get("/metrics")).rejects.toThrow();
});
