// Goal: what the service vouches not to have begun reaches it all the same, whole and once. Method: the data path before
// services scripted in frames, before nginx that ends its connections, and before raw HTTP/1.1 services.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metadata, type sendUnaryData } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import type { HttpProtocol } from "../../src/message/connection.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { callUnary, createGrpcClient, startGrpcService } from "../fixtures/grpc.ts";
import { openH2 } from "../fixtures/h2-client.ts";
import { ERROR, type Field, TYPE } from "../fixtures/h2-frames.ts";
import { type H2RawService, startH2RawService } from "../fixtures/h2-upstream.ts";
import { closeAll, listen, onClose, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const OK: readonly Field[] = [[":status", "200"]];
const post = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

const REFUSE = (raw: H2RawService, stream: number): void => raw.reset(stream, ERROR.refusedStream);
const GO_AWAY = (raw: H2RawService): void => raw.goaway(0, ERROR.none);

/** An HTTP/2 service that refuses its first `times` requests as soon as it has their heads, and answers nothing else by itself. */
async function refusing(times: number, refuse = REFUSE, protocol: HttpProtocol = "http/1.1") {
  const begun: (readonly [raw: H2RawService, stream: number])[] = [];
  let requests = 0;
  const service = await startH2RawService((raw, stream) => {
    if (++requests <= times) refuse(raw, stream);
    else begun.push([raw, stream]);
  });
  const proxy = await startProxy({ upstreamPort: service.port, upstream: { protocol: "h2" }, protocol });
  return {
    ...proxy,
    connect: () => RawClient.connect({ port: proxy.port, host: "127.0.0.1" }),
    requests: () => requests,
    /** What it has of the body of the one request that it did not refuse. */
    body: () => {
      const [raw, stream] = begun[0] ?? [null, 0];
      const data = raw?.frames.filter((one) => one.type === TYPE.data && one.stream === stream) ?? [];
      return Buffer.concat(data.map((one) => one.payload)).toString("latin1");
    },
    answer: async () => {
      const [raw, stream] = await eventually(() => begun[0]);
      raw.head(stream, OK);
      raw.data(stream, "done", true);
    },
  };
}

describe("a request with a body that the service has not begun with", () => {
  test.each([
    ["REFUSED_STREAM", REFUSE],
    ["GOAWAY", GO_AWAY],
  ])("is sent again with it, more than once (%s)", async (_name, refuse) => {
    const { connect, requests, body, answer, records } = await refusing(3, refuse);
    const client = await connect();
    client.write(`${post(5)}hello`);
    await eventually(() => body() === "hello");
    await answer();
    expect(await client.untilReceived("done")).toMatch(/^HTTP\/1.1 200 /);
    expect(requests()).toBe(4);
    expect(records).toMatchObject([{ status: 200, reason: null }]);
  });

  test("goes on where it was when it was refused in its middle", async () => {
    const { connect, body, answer } = await refusing(1);
    const client = await connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    await eventually(() => body() === "first");
    client.write("7\r\n second\r\n0\r\n\r\n");
    await eventually(() => body() === "first second");
    await answer();
    await client.untilReceived("done");
  });

  test("and whose length nobody knows, as that of every gRPC call, comes whole from a client of HTTP/2", async () => {
    const { port, requests, body, answer } = await refusing(2, REFUSE, "h2");
    const call = openH2(port).request({
      ":method": "POST",
      ":path": "/test.Echo/ClientStream",
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status = 0;
    call.on("response", (head) => {
      status = head[":status"] ?? 0;
    });
    call.write("one ");
    await eventually(() => body() === "one ");
    call.write("two ");
    await eventually(() => body() === "one two ");
    call.end("three");
    await eventually(() => body() === "one two three");
    await answer();
    await eventually(() => status === 200);
    expect(requests()).toBe(3);
  });

  test("is refused when it always is, after a bounded number of attempts", async () => {
    const { connect, requests, records } = await refusing(Number.POSITIVE_INFINITY);
    const client = await connect();
    client.write(`${post(5)}hello`);
    await client.untilReceived("upstream_refused");
    expect(requests()).toBe(1 + DEFAULTS.upstreamRepeatsMax);
    expect(records).toMatchObject([{ status: 503 }]);
  });

  test("is not sent again where more of it went out than is kept", async () => {
    const { connect, requests } = await refusing(1);
    const client = await connect();
    client.write(`${post(DEFAULTS.bodyPreludeBytes + 1)}${"x".repeat(DEFAULTS.bodyPreludeBytes + 1)}`);
    await client.untilReceived("upstream_refused");
    expect(requests()).toBe(1);
  });

  test("is not sent again once its answer has begun", async () => {
    const { connect, requests, records } = await refusing(1, (raw, stream) => {
      raw.head(stream, OK);
      raw.reset(stream, ERROR.refusedStream);
    });
    const client = await connect();
    client.write(`${post(5)}hello`);
    await client.untilClosed();
    expect(requests()).toBe(1);
    expect(records).toMatchObject([{ status: 200, reason: "upstream_response_cut" }]);
  });
});

describe("an idempotent request with a body", () => {
  test("is sent again with it where an idle connection of HTTP/1.1 ended under it", async () => {
    let requests = 0;
    const upstreamPort = await startRawService((socket) => {
      let served = 0;
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        if (!text.endsWith("hello")) return;
        text = "";
        requests++;
        if (served++ > 0) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    const { port } = await startProxy({ upstreamPort });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    client.write(`${post(5).replace("POST", "PUT")}hello`);
    await client.untilReceived("ok");
    for (const method of ["PUT", "POST"]) {
      client.received = "";
      client.write(`${post(5).replace("POST", method)}hello`);
      await client.untilReceived(method === "PUT" ? "ok" : "upstream_closed");
    }
    expect(requests).toBe(4);
  });
});

test("nginx that ends each connection of HTTP/2 after 100 requests costs no POST its answer", async () => {
  const counting = createServer((request, response) => {
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on("end", () => response.end(`${bytes}`));
  });
  const nginxPort = await startNginx(await listen(counting));
  const { port } = await startProxy({
    upstreamPort: nginxPort,
    upstream: { protocol: "h2", connectTimeoutMs: 10_000 },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  onClose(() => agent.destroy());
  const answers = new Map<string, number>();
  const total = 3_000;
  let left = total;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await ask(agent, port, "x".repeat(1_000));
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
  expect(Object.fromEntries(answers)).toEqual({ "200 1000": total });
});

test("nor any gRPC call of @grpc/grpc-js", async () => {
  const grpcPort = await startGrpcService({
    unary: (call: { request: Buffer }, reply: sendUnaryData<Buffer>) => reply(null, Buffer.from(`re: ${call.request}`)),
  });
  const nginxPort = await startNginx(grpcPort, "grpc_pass grpc");
  const { port } = await startProxy({
    upstreamPort: nginxPort,
    upstream: { protocol: "h2", connectTimeoutMs: 10_000 },
    protocol: "h2",
  });
  const client = createGrpcClient(port);
  const results = new Map<string, number>();
  let left = 1_500;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const { code, value } = await callUnary(client, "hello", new Metadata());
      results.set(`${code} ${value}`, (results.get(`${code} ${value}`) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
  expect(Object.fromEntries(results)).toEqual({ "0 re: hello": 1_500 });
}, 60_000);

function ask(agent: Agent, port: number, body: string): Promise<string> {
  return new Promise((resolve) => {
    const request = httpRequest(
      { agent, port, method: "POST", headers: { "content-length": body.length } },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on("end", () => resolve(`${response.statusCode} ${text}`));
        response.on("error", (error) => resolve(error.message));
      },
    );
    request.on("error", (error) => resolve(error.message));
    request.end(body);
  });
}

/** nginx that speaks HTTP/2 in the clear, before a service; its defaults but for the requests of a connection. */
async function startNginx(servicePort: number, pass = "proxy_pass http"): Promise<number> {
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };
  if (spawnSync("nginx", ["-v"], { env }).error !== undefined) throw new Error("needs nginx; .ci/run installs it");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "postern-nginx-"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder};`);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 1; error_log stderr; pid ${folder}/pid;
events { worker_connections 512; }
http {
  access_log off; ${temporary.join(" ")}
  server {
    listen 127.0.0.1:${port} http2;
    keepalive_requests 100;
    location / { ${pass}://127.0.0.1:${servicePort}; }
  }
}
`,
  );
  const child = spawn("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], {
    env,
    stdio: "ignore",
  });
  onClose(() => {
    child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(() => isListening(port));
  return port;
}

async function isListening(port: number): Promise<boolean> {
  const client = await RawClient.connect({ port, host: "127.0.0.1" }).catch(() => null);
  client?.destroy();
  return client !== null;
}
