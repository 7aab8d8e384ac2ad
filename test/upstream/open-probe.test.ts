// Goal: a service is asked as requests reach it, and any answer, or none, is judged in time. Method: services of several makes.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { ProbeSettings } from "../../src/health/probe.ts";
import type { UpstreamSettings } from "../../src/policy/snapshot.ts";
import { systemClock } from "../../src/support/clock.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { openProbe } from "../../src/upstream/open-probe.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { startGrpcServer, startGrpcService } from "../fixtures/grpc.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { isThere, startProgram } from "../fixtures/program.ts";
import { closeAll, listen, onClose, snapshotOf, startRawService, startScriptedService } from "../fixtures/proxy.ts";

afterEach(closeAll);

const HTTP: ProbeSettings = {
  type: "http",
  method: "GET",
  target: "/healthz",
  authority: null,
  lines: "user-agent: postern-health\r\n",
  service: "",
  statuses: [[200, 299]],
  timeoutMs: PATIENCE_MS,
};

function ask(upstreamPort: number, probe: Partial<ProbeSettings> = {}, upstream: Partial<UpstreamSettings> = {}) {
  const settings = snapshotOf({ upstreamPort, upstream }).upstreams.get("app");
  if (settings === undefined) throw new Error("no upstream");
  return openProbe(settings, { ...HTTP, ...probe }, { clock: systemClock, timers: systemTimers })();
}

const answering = (head: string, body = ""): Promise<number> =>
  startScriptedService(() => `HTTP/1.1 ${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

describe("over HTTP/1.1", () => {
  test("the service gets one plain request, and its connection back", async () => {
    const heads: string[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((request, response) => {
      heads.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      response.end("well");
    });
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    const port = await listen(server);
    expect(await ask(port)).toEqual({ isGood: true, status: 200, text: "status 200" });
    expect(heads).toEqual([`GET /healthz {"host":"127.0.0.1:${port}","user-agent":"postern-health"}`]);
    await eventually(() => sockets.size === 0);
    expect((await ask(port, { method: "HEAD", authority: "orders.example.org", target: "/h?full=1" })).isGood).toBe(
      true,
    );
    expect(heads[1]).toContain('HEAD /h?full=1 {"host":"orders.example.org"');
  });

  test.each([
    ["204 No Content", true, 204],
    ["302 Found", false, 302],
    ["404 Not Found", false, 404],
    ["503 Service Unavailable", false, 503],
  ] as const)("%s", async (head, isGood, status) => {
    expect(await ask(await answering(head))).toEqual({ isGood, status, text: `status ${status}` });
  });

  test("what is good is the policy's to say", async () => {
    const port = await answering("404 Not Found");
    const statuses = [
      [200, 399],
      [404, 404],
    ] as const;
    expect(await ask(port, { statuses })).toMatchObject({ isGood: true, status: 404 });
  });

  test("answers of its body are none of anybody's business, and no endless one is waited for", async () => {
    const secret = await answering("503 No", "password=hunter2");
    expect(JSON.stringify(await ask(secret))).not.toContain("hunter2");
    const endless = await startRawService((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const more = (): void => {
          if (!socket.destroyed) socket.write(`400\r\n${"x".repeat(1024)}\r\n`, () => setImmediate(more));
        };
        more();
      });
    });
    expect(await ask(endless)).toEqual({ isGood: true, status: 200, text: "status 200" });
  });

  test("nothing, half of something and nonsense are no health", async () => {
    expect(await ask(await freePort())).toMatchObject({
      isGood: false,
      status: 503,
      text: expect.stringContaining("ECONNREFUSED"),
    });
    const silent = await startRawService(() => {});
    expect(await ask(silent, { timeoutMs: 100 })).toMatchObject({ isGood: false, text: "no answer in 100 ms" });
    const half = await startRawService((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"));
    });
    expect(await ask(half, { timeoutMs: 300 })).toMatchObject({ isGood: false, text: "no whole answer in 300 ms" });
    for (const answer of ["", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab"]) {
      const port = await startRawService((socket) => socket.once("data", () => socket.end(answer)));
      expect(await ask(port), answer).toMatchObject({ isGood: false, status: 503 });
    }
    const upgrading = await answering("101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade");
    expect((await ask(upgrading, { timeoutMs: 1000 })).isGood).toBe(false);
  });

  test("a socket of Unix is asked as localhost", async () => {
    const folder = mkdtempSync(join(tmpdir(), "postern-probe-"));
    onClose(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "app.sock");
    const server = createServer((request, response) =>
      response.writeHead(request.headers.host === "localhost" ? 200 : 400).end(),
    );
    await listen(server, path);
    expect(await ask(0, {}, { address: { type: "unix", path } })).toMatchObject({ isGood: true });
    expect(await ask(0, {}, { address: { type: "unix", path: `${path}.gone` } })).toMatchObject({
      isGood: false,
      text: expect.stringContaining("ENOENT"),
    });
  });
});

test("nginx on a socket of Unix is asked as any", async ({ skip }) => {
  if (!isThere("nginx")) skip("nginx is not installed");
  const folder = mkdtempSync(join(tmpdir(), "postern-nginx-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "app.sock");
  const file = writeNginxConf(
    folder,
    `listen unix:${path};
server_name localhost;
location = /healthz { return 204; }
location = /head { if ($request_method != HEAD) { return 405; } return 200 well; }
location / { return 301 /healthz; }`,
  );
  const at = { address: { type: "unix", path } } as const;
  await startProgram(["nginx", "-p", folder, "-c", file], async () => (await ask(0, {}, at)).isGood === true);
  expect(await ask(0, {}, at)).toMatchObject({ isGood: true, status: 204 });
  expect(await ask(0, { target: "/head", method: "HEAD" }, at)).toMatchObject({ isGood: true });
  expect(await ask(0, { target: "/head" }, at)).toMatchObject({ isGood: false, status: 405 });
  expect(await ask(0, { target: "/other" }, at)).toMatchObject({ isGood: false, status: 301 });
  expect(await ask(0, { type: "tcp" }, at)).toMatchObject({ isGood: true });
});

test("over TLS the service is verified as for requests", async () => {
  const pki = await createTestPki();
  const server = createHttpsServer({ cert: pki.server.certificate, key: pki.server.key }, (_request, response) =>
    response.end(),
  );
  onClose(() => server.closeAllConnections());
  const port = await listen(server);
  const tls = {
    serverName: "localhost",
    ca: Buffer.from(pki.ca.certificate),
    hasPartialChains: false,
    certificate: null,
    key: null,
    minVersion: "TLSv1.2",
    fingerprint: "test",
  } as const;
  expect(await ask(port, {}, { tls })).toMatchObject({ isGood: true });
  const other = await ask(port, {}, { tls: { ...tls, serverName: "orders.internal" } });
  expect(other).toMatchObject({ isGood: false, text: expect.stringContaining("upstream_tls_failed") });
  expect(await ask(port, { type: "tcp" }, { tls })).toMatchObject({ isGood: true });
  expect(await ask(port, { type: "tcp" }, { tls: { ...tls, serverName: "orders.internal" } })).toMatchObject({
    isGood: false,
  });
  const h2 = createSecureServer({ cert: pki.server.certificate, key: pki.server.key }, (_request, response) => {
    response.writeHead(204).end();
  });
  const h2Port = await listen(h2);
  expect(await ask(h2Port, {}, { tls, protocol: "h2" })).toMatchObject({ isGood: true, status: 204 });
});

test("a connection alone is enough where nothing is said", async () => {
  const silent = await startRawService(() => {});
  expect(await ask(silent, { type: "tcp" })).toEqual({ isGood: true, status: 200, text: "it takes connections" });
  expect(await ask(await freePort(), { type: "tcp" })).toMatchObject({ isGood: false, status: 503 });
});

describe("over HTTP/2", () => {
  test("in the clear", async () => {
    const { port } = await startH2Service((stream, headers) => {
      stream.respond({ ":status": headers[":path"] === "/healthz" ? 200 : 404 });
      stream.end("well");
    });
    expect(await ask(port, {}, { protocol: "h2" })).toMatchObject({ isGood: true });
    expect(await ask(port, { target: "/other" }, { protocol: "h2" })).toMatchObject({ isGood: false, status: 404 });
  });

  test("a gRPC server is asked by its own protocol, as a whole or for one service", async () => {
    const asked: string[] = [];
    // HealthCheckRequest { service = 1 } → HealthCheckResponse { status = 1 }
    const statuses: Readonly<Record<string, number>> = { "": 1, "orders.v1.Orders": 1, "orders.v1.Old": 2 };
    const port = await startGrpcServer(
      { check: ["/grpc.health.v1.Health/Check", false, false] },
      {
        check: (
          call: { readonly request: Buffer },
          done: (error: { code: number } | null, answer?: Buffer) => void,
        ): void => {
          const service = call.request.subarray(2).toString();
          asked.push(service);
          const status = statuses[service];
          if (status === undefined) done({ code: 5 });
          else done(null, Buffer.from([8, status]));
        },
      },
    );
    const check = (service: string) => ask(port, { type: "grpc", service }, { protocol: "h2" });
    expect(await check("")).toEqual({ isGood: true, status: 200, text: "SERVING" });
    expect(await check("orders.v1.Orders")).toMatchObject({ isGood: true });
    expect(await check("orders.v1.Old")).toEqual({ isGood: false, status: 503, text: "NOT_SERVING" });
    expect(await check("orders.v1.New")).toMatchObject({
      isGood: false,
      text: expect.stringMatching(/^grpc-status 5: /),
    });
    expect(asked).toEqual(["", "orders.v1.Orders", "orders.v1.Old", "orders.v1.New"]);
  });

  test("one without health checking, or that is no gRPC server, is not well", async () => {
    const without = await startGrpcService({
      unary: () => {},
      serverStream: () => {},
      clientStream: () => {},
      bidi: () => {},
    });
    expect(await ask(without, { type: "grpc" }, { protocol: "h2" })).toMatchObject({
      isGood: false,
      text: "grpc-status 12: it has no grpc.health.v1.Health",
    });
    const frames: readonly (readonly [Buffer, string])[] = [
      [Buffer.alloc(0), "no message"],
      [Buffer.from([1, 0, 0, 0, 2, 8, 1]), "compressed"],
      [Buffer.from([0, 0, 0, 0, 0]), "UNKNOWN"],
      [Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff]), "no HealthCheckResponse"],
    ];
    for (const [frame, text] of frames) {
      const { port } = await startH2Service((stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(frame);
      });
      const answer = await ask(port, { type: "grpc" }, { protocol: "h2" });
      expect(answer, text).toMatchObject({ isGood: false, status: 503, text: expect.stringContaining(text) });
    }
    const plain = await startH2Service((stream) => {
      stream.respond({ ":status": 200 });
      stream.end("well");
    });
    expect(await ask(plain.port, { type: "grpc" }, { protocol: "h2" })).toMatchObject({ isGood: false });
  });
});
