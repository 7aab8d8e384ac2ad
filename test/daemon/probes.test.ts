// Goal: who cannot reach loopback learns whether the process lives and serves, and nothing else. Method: the port over sockets.
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { createWorkspace, type Running, type Workspace } from "./fixtures.ts";

let workspace: Workspace;
let running: Running;
let port: number;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  port = await freePort();
  workspace = createWorkspace();
  workspace.write({ answer: "orders", probesPort: port });
  running = await workspace.start();
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await workspace.dispose();
});

function open(localAddress = "127.0.0.1"): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress }).on("error", () => {});
  sockets.push(socket);
  return socket;
}

/** Status line and body of the answer; empty where the connection ends without one. */
function send(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = open();
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("close", () => resolve(`${answer.split("\r\n", 1)[0]} ${answer.split("\r\n\r\n")[1] ?? ""}`.trim()));
    socket.write(text);
  });
}

const get = (path: string, host = `127.0.0.1:${port}`): Promise<string> =>
  send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);

describe("the port for probes", () => {
  test("tells whether the process lives and serves, under any name, and closes", async () => {
    expect(running.daemon.probesAddress).toBe(`127.0.0.1:${port}`);
    for (const host of [`127.0.0.1:${port}`, "10.1.2.3", "orders.internal"]) {
      expect(await get("/healthz", host)).toBe("HTTP/1.1 200 OK ok");
      expect(await get("/readyz", host)).toBe("HTTP/1.1 200 OK ready");
    }
    expect(await send("GET /readyz HTTP/1.0\r\n\r\n")).toBe("HTTP/1.1 200 OK ready");
  });

  test("has nothing else: no metrics, no policy, no other method", async () => {
    for (const path of ["/metrics", "/policy", "/", "/healthz/../metrics", "http://127.0.0.1/policy"]) {
      expect(await get(path), path).toMatch(/^HTTP\/1\.1 404 /);
    }
    expect(await send(`POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 405 /);
  });

  test("says 503 while the process drains", async () => {
    const held = connect(running.port, "127.0.0.1");
    sockets.push(held);
    held.write("a request\n");
    await new Promise((resolve) => held.once("data", resolve));
    const ended = running.daemon.shutdown();
    expect(await get("/readyz")).toBe("HTTP/1.1 503 Service Unavailable not ready");
    expect(await get("/healthz")).toBe("HTTP/1.1 200 OK ok");
    expect(await (await fetch(`${running.admin}/readyz?verbose`)).text()).toBe(
      "not ready\ndraining: told to end, requests under way finish; nothing is to be done\n",
    );
    held.destroy();
    await ended;
  });

  test("connections that say nothing never keep a probe out", async () => {
    const silent = Array.from({ length: DEFAULTS.probeConnectionsMax + 8 }, () => open());
    await eventually(() => silent.filter(({ destroyed }) => destroyed).length >= 8);
    expect(await get("/healthz")).toBe("HTTP/1.1 200 OK ok");
  });

  test("connections of one address push out none of another's, that may wait for a slow answer", async () => {
    const waiting = open();
    await new Promise((resolve) => waiting.once("connect", resolve));
    waiting.write("GET /healthz HTTP/1.1\r\nHost: a\r\n");
    const crowd = Array.from({ length: 2 * DEFAULTS.probeConnectionsMax }, () => open("127.0.0.2"));
    await eventually(() => crowd.filter(({ destroyed }) => destroyed).length > DEFAULTS.probeConnectionsMax);
    expect(waiting.destroyed).toBe(false);
    const answer = new Promise<string>((resolve) => waiting.once("data", (data) => resolve(String(data))));
    waiting.write("\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("moves with the policy, and a port that is taken refuses the whole reload", async () => {
    const next = await freePort();
    workspace.write({ answer: "orders", probesPort: next });
    running.daemon.reload();
    await running.daemon.reloadSettled();
    expect(running.daemon.probesAddress).toBe(`127.0.0.1:${next}`);
    workspace.write({ answer: "other", probesPort: running.port });
    running.daemon.reload();
    await running.daemon.reloadSettled();
    expect(running.daemon.status.lastAttempt.problems.join()).toContain("probes on 127.0.0.1");
    expect(running.daemon.status.service).toBe("orders");
    workspace.write({ answer: "other" });
    running.daemon.reload();
    await running.daemon.reloadSettled();
    expect(running.daemon.probesAddress).toBeNull();
  });
});
