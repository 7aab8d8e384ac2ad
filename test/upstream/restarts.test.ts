// Goal: a service that restarts for a moment costs nobody a request, and one that is gone is told at once. Method: the data
// path before ports and Unix sockets that open late.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { UpstreamSettings } from "../../src/policy/snapshot.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { PoolWorld } from "../fixtures/pool-exchange.ts";
import { closeAll, onClose, startProxy, startScriptedService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function service(): Server {
  const server = createServer((socket) => socket.on("data", () => socket.write(OK)).on("error", () => {}));
  onClose(() => server.close());
  return server;
}

async function asked(upstream: Partial<UpstreamSettings>) {
  const proxy = await startProxy({ upstream });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(GET);
  return { ...proxy, client };
}

describe("a service that is there again within connectTimeout answers what came meanwhile", () => {
  test("on a port", async () => {
    const port = await freePort();
    const { client } = await asked({ address: { type: "tcp", host: "127.0.0.1", port }, connectTimeoutMs: 8_000 });
    await unchanging(() => 0, 50);
    service().listen(port, "127.0.0.1");
    expect(await client.untilReceived("ok")).toMatch(/^HTTP\/1.1 200 /);
  });

  test("on a Unix socket that does not exist yet", async () => {
    const folder = mkdtempSync(join(tmpdir(), "postern-restart-"));
    onClose(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "app.sock");
    const { client } = await asked({ address: { type: "unix", path }, connectTimeoutMs: 8_000 });
    await unchanging(() => 0, 50);
    service().listen(path);
    expect(await client.untilReceived("ok")).toMatch(/^HTTP\/1.1 200 /);
  });
});

test("one that is gone for longer fails what waits, with its own words, and at once what comes then", async () => {
  const port = await freePort();
  const { client, records } = await asked({
    address: { type: "tcp", host: "127.0.0.1", port },
    connectTimeoutMs: 2_000,
  });
  await client.untilReceived("upstream_connect_failed");
  expect(records[0]).toMatchObject({
    status: 502,
    denial: { seen: expect.stringMatching(/^ECONNREFUSED; upstream app at /) },
  });
  expect(records[0]?.durationMs).toBeGreaterThan(1_000);
  client.received = "";
  client.write(GET);
  await client.untilReceived("upstream_connect_failed");
  expect(records[1]?.durationMs).toBeLessThan(1_000);
});

test("nobody tries again for a client that is gone", async () => {
  const world = new PoolWorld(await freePort(), { protocol: "http/1.1", connectTimeoutMs: 60_000 });
  const before = world.deadlines.items.size;
  const one = world.ask();
  await unchanging(() => 0, 50);
  expect([world.deadlines.items.size, one.isOver]).toEqual([before + 1, false]);
  world.pool.cancel(one);
  await eventually(() => world.deadlines.items.size === before);
});

describe("Keep-Alive of the service", () => {
  const answer = (timeout: string) => () =>
    `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: ${timeout}\r\nContent-Length: 2\r\n\r\nok`;

  /** Whether the connection is still there after so many milliseconds. */
  async function restsFor(timeout: string, ms: number): Promise<boolean> {
    const port = await startScriptedService(answer(timeout));
    const world = new PoolWorld(port, { protocol: "http/1.1", idleTimeoutMs: 4_000 });
    const first = world.ask();
    await eventually(() => first.isOver);
    const { stream } = first;
    world.later(ms);
    const second = world.ask();
    await eventually(() => second.isOver);
    return second.stream === stream;
  }

  test.each([
    ["timeout=2", 1_400, true],
    ["timeout=2", 1_600, false],
    ["max=100, Timeout=2", 1_600, false],
    ["timeout=60", 3_900, true],
    ["timeout=60", 4_100, false],
    ["timeout=0", 0, false],
    ["timeout=x", 3_900, true],
  ])("'%s' after %d ms: reused %s", async (timeout, ms, isReused) => {
    expect(await restsFor(timeout, ms)).toBe(isReused);
  });
});
