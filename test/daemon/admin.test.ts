import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isOwnHost } from "../../src/daemon/admin.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createWorkspace, type Running, type Workspace } from "./fixtures.ts";

let workspace: Workspace;
let running: Running;

beforeEach(async () => {
  workspace = createWorkspace();
  workspace.write({ answer: "orders" });
  running = await workspace.start();
});

afterEach(() => workspace.dispose());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

function send(path: string, method = "GET", headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(running.admin);
    // Not as a URL, which would tidy up the path.
    const outgoing = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("the admin port", () => {
  test("answers health, readiness, metrics and policy", async () => {
    expect(await send("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
    expect(await send("/readyz")).toMatchObject({ status: 200, body: "ready\n" });
    expect(await send("/readyz?verbose")).toMatchObject({ status: 200, body: "ready\n" });
    const metrics = await send("/metrics");
    expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(metrics.body).toContain(`postern_policy_info{hash="${running.daemon.status.hash}",service_name="orders"} 1`);
    expect(JSON.parse((await send("/policy")).body)).toMatchObject({
      service: "orders",
      file: workspace.file,
      generation: 1,
      stale: false,
      lastAttempt: { result: "ok", problems: [] },
      listeners: [{ name: "inbound", address: `127.0.0.1:${running.port}`, tls: false }],
    });
  });

  test("answers under the names that the policy gives it, from the moment that it gives them", async () => {
    const ask = async (host: string) => (await send("/metrics", "GET", { Host: host })).status;
    expect(await ask("metrics.orders.svc:9901")).toBe(421);
    workspace.write({ answer: "orders", adminHosts: ["metrics.orders.svc"] });
    running.daemon.reload();
    await running.daemon.reloadSettled();
    for (const host of ["metrics.orders.svc", "METRICS.orders.svc:9901"]) expect(await ask(host)).toBe(200);
    for (const host of ["x.metrics.orders.svc", "metrics.orders.svc.evil.example"]) expect(await ask(host)).toBe(421);
  });

  test("refuses a foreign Host, so that no web page reaches it under its own name", async () => {
    for (const host of ["evil.example", "evil.example:9901", "127.0.0.1.evil.example", "localhost.evil.example"]) {
      expect((await send("/metrics", "GET", { Host: host })).status).toBe(421);
    }
    expect(isOwnHost("", ["127.0.0.1"])).toBe(false);
    for (const host of ["localhost:9901", "127.0.0.1", "[::1]:9901", "10.1.2.3:9901"]) {
      expect((await send("/metrics", "GET", { Host: host })).status).toBe(200);
    }
  });

  test("knows its own name and numbers, and nothing else", () => {
    expect(isOwnHost("sidecar.internal:9901", ["sidecar.internal"])).toBe(true);
    expect(isOwnHost("LOCALHOST", ["127.0.0.1"])).toBe(true);
    for (const host of [
      "::1",
      "[evil]",
      "[::1",
      "1.2.3",
      "0x7f.1",
      "localhost:9901:9901",
      "127.0.0.1:evil",
      "@127.0.0.1",
    ]) {
      expect([host, isOwnHost(host, ["127.0.0.1"])]).toEqual([host, false]);
    }
  });

  test("takes only GET and HEAD, and only its four paths", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
      expect(await send("/policy", method)).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    }
    expect(await send("/healthz", "HEAD")).toMatchObject({ status: 200, body: "" });
    for (const path of ["/debug", "/policy/../metrics", "//metrics"]) expect((await send(path)).status).toBe(404);
    for (const path of ["/policy/relaod", "/debug"]) {
      expect(await send(path, "POST")).toMatchObject({ status: 404, body: expect.stringContaining("/metrics") });
    }
  });

  test("tells browsers to keep, run and frame nothing", async () => {
    expect((await send("/policy")).headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
    });
  });

  test("refuses a head that is too large, and does not read bodies", async () => {
    expect((await send("/healthz", "GET", { "X-Long": "x".repeat(DEFAULTS.adminHeadBytesMax) })).status).toBe(431);
    const answer = await send("/healthz", "GET", { "Content-Length": "0" });
    expect(answer).toMatchObject({ status: 200, headers: { connection: "close" } });
  });

  test("holds a small number of connections, whatever comes", async () => {
    const port = Number(new URL(running.admin).port);
    const clients = Array.from({ length: DEFAULTS.adminConnectionsMax + 20 }, () => connect(port, "127.0.0.1"));
    for (const client of clients) client.on("error", () => {});
    await Promise.all(
      clients
        .slice(DEFAULTS.adminConnectionsMax)
        .map((client) => new Promise((resolve) => client.resume().once("close", resolve))),
    );
    for (const client of clients) client.destroy();
    await eventually(async () => (await send("/healthz").catch(() => null))?.status === 200);
  });
});

describe("the admin port over reloads", () => {
  test("moves when the policy says so, and can be turned off", async () => {
    const before = running.admin;
    workspace.write({ answer: "orders", adminPort: null });
    await eventually(() => running.daemon.adminAddress === null);
    await expect(fetch(`${before}/healthz`)).rejects.toThrow();
    workspace.write({ answer: "orders", adminPort: 0 });
    const after = await eventually(() => running.daemon.adminAddress);
    expect((await fetch(`http://${after}/healthz`)).status).toBe(200);
  });
});
