/**
 * Goal: gRPC of every kind passes through postern as if it were not there, and what postern refuses or what fails behind
 * it reaches the caller as a status of gRPC. Method: @grpc/grpc-js on both ends, `postern run` between them: TLS and
 * HTTP/2 by ALPN in front, h2c behind.
 */
import { Metadata, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import {
  callUnary,
  createGrpcClient,
  openBidi,
  openClientStream,
  openServerStream,
  startGrpcService,
} from "../fixtures/grpc.ts";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

function policy({ port, admin, app }: PolicyPorts, responseTimeout = "60s"): string {
  return `version: 1
service: echo
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "h2c://127.0.0.1:${app}", responseTimeout: ${responseTimeout} }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
limits:
  tight: { rate: 1/hour, burst: 1, key: principal }
routes:
  - { path: /test.Echo/Unary, methods: [POST], authenticate: [okta], authorize: { scopes: [echo] } }
  - { path: /test.Echo/Limited, methods: [POST], authenticate: [okta], limit: [tight] }
  - { path: /test.Echo/Small, methods: [POST], public: true, validate: { body: { maxBytes: 16B } } }
  - { path: /test.Echo/ServerStream, methods: [POST], public: true }
  - { path: /test.Echo/ClientStream, methods: [POST], public: true }
  - { path: /test.Echo/Bidi, methods: [POST], public: true }
`;
}

const seen: Metadata[] = [];

const implementation = {
  unary: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
    seen.push(call.metadata);
    const trailers = new Metadata();
    trailers.set("x-cost", "42");
    const head = new Metadata();
    head.set("x-head", "first");
    call.sendMetadata(head);
    if (call.request.toString() === "fail") {
      reply({ code: status.FAILED_PRECONDITION, details: "naïve 100%", metadata: trailers });
    } else reply(null, call.request, trailers);
  },
  serverStream: (call: { request: Buffer; write(value: Buffer): void; end(): void }) => {
    for (let at = 0; at < 1_000; at++) call.write(Buffer.from(`${call.request}${at}`));
    call.end();
  },
  clientStream: (call: AsyncIterable<Buffer>, reply: sendUnaryData<Buffer>) => {
    void (async () => {
      let bytes = 0;
      for await (const message of call) bytes += message.length;
      reply(null, Buffer.from(String(bytes)));
    })();
  },
  bidi: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on("data", (message: Buffer) => call.write(Buffer.from(`re: ${message}`)));
    call.on("end", () => call.end());
  },
};

async function start(app?: number, responseTimeout?: string) {
  const { pki, mint } = await theWorld();
  const postern: Postern = await startPostern(app ?? (await startGrpcService(implementation)), (ports) =>
    policy(ports, responseTimeout),
  );
  const token = await mint.token({ scope: "echo", sub: "alice" });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return { postern, mint, metadata, client: createGrpcClient(postern.port, pki.ca.certificate) };
}

describe("calls of every kind", () => {
  test("unary, with metadata before and after the answer, and the caller's identity", async () => {
    const { client, metadata } = await start();
    metadata.set("x-postern-principal", "root");
    const result = await callUnary(client, "hello", metadata);
    expect(result).toMatchObject({ code: status.OK, value: "hello" });
    expect(result.trailers.get("x-cost")).toEqual(["42"]);
    expect(seen.at(-1)?.get("x-postern-principal")).toEqual(["alice"]);
    expect(seen.at(-1)?.get("authorization")).toEqual([]);
  });

  test("a status that the service itself gives, with its message", async () => {
    const { client, metadata } = await start();
    const result = await callUnary(client, "fail", metadata);
    expect(result).toMatchObject({ code: status.FAILED_PRECONDITION, details: "naïve 100%" });
    expect(result.trailers.get("x-cost")).toEqual(["42"]);
  });

  test("a stream of answers", async () => {
    const { client } = await start();
    const call = openServerStream(client, "n", new Metadata());
    const answers: string[] = [];
    for await (const answer of call) answers.push(String(answer));
    expect(answers).toHaveLength(1_000);
    expect(answers.at(-1)).toBe("n999");
  });

  test("a stream of requests", async () => {
    const { client } = await start();
    const reply = await new Promise((resolve, reject) => {
      const call = openClientStream(client, new Metadata(), (error, value) =>
        error === null ? resolve(String(value)) : reject(error),
      );
      for (let at = 0; at < 100; at++) call.write(Buffer.alloc(1_000));
      call.end();
    });
    expect(reply).toBe("100000");
  });

  test("both at once: each question is answered before the next is asked", async () => {
    const { client } = await start();
    const call = openBidi(client, new Metadata());
    for (let at = 0; at < 20; at++) {
      const answer = new Promise((resolve) => call.once("data", resolve));
      call.write(Buffer.from(`q${at}`));
      expect(String(await answer)).toBe(`re: q${at}`);
    }
    const ended = new Promise<{ code: number }>((resolve) => call.once("status", resolve));
    call.end();
    call.resume();
    expect((await ended).code).toBe(status.OK);
  });
});

describe("a refusal is a status of gRPC with the reason and the decision's id", () => {
  const reasonOf = (result: { trailers: Metadata }) => result.trailers.get("x-postern-reason");

  test("16 without credentials", async () => {
    const { client, postern } = await start();
    const result = await callUnary(client, "hello", new Metadata());
    expect(result).toMatchObject({ code: status.UNAUTHENTICATED, details: "Authentication is required." });
    expect(reasonOf(result)).toEqual(["credentials_missing"]);
    const line = await postern.logged((one) => one["event"] === "request" && one["reason"] === "credentials_missing");
    expect(result.trailers.get("x-postern-id")).toEqual([line["id"]]);
  });

  test("7 without the scope", async () => {
    const { client, mint } = await start();
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${await mint.token({ scope: "other", sub: "alice" })}`);
    const result = await callUnary(client, "hello", metadata);
    expect(result.code).toBe(status.PERMISSION_DENIED);
    expect(reasonOf(result)).toEqual(["scope_missing"]);
  });

  test("8 beyond the rate, 8 beyond the size, 12 where no route is", async () => {
    const { client, metadata } = await start();
    await callUnary(client, "a", metadata, "/test.Echo/Limited");
    const limited = await callUnary(client, "a", metadata, "/test.Echo/Limited");
    expect([limited.code, ...reasonOf(limited)]).toEqual([status.RESOURCE_EXHAUSTED, "rate_limited"]);
    const large = await callUnary(client, "a".repeat(100), new Metadata(), "/test.Echo/Small");
    expect([large.code, ...reasonOf(large)]).toEqual([status.RESOURCE_EXHAUSTED, "body_too_large"]);
    const unknown = await callUnary(client, "a", metadata, "/test.Echo/Nothing");
    expect([unknown.code, ...reasonOf(unknown)]).toEqual([status.UNIMPLEMENTED, "route_not_found"]);
  });

  test("8 for too much metadata, 3 for metadata that postern keeps for itself: never a bare HTTP status", async () => {
    const { client, mint, metadata } = await start();
    const many = metadata.clone();
    for (let at = 0; at < 120; at++) many.set(`x-h${at}`, "1");
    const large = await callUnary(client, "hello", many);
    expect([large.code, ...reasonOf(large)]).toEqual([status.RESOURCE_EXHAUSTED, "headers_too_many"]);
    const forged = new Metadata();
    forged.set("authorization", `Bearer ${await mint.token({ scope: "echo", sub: "alice" })}`);
    forged.set("x_postern_principal", "root");
    const refused = await callUnary(client, "hello", forged);
    expect([refused.code, ...reasonOf(refused)]).toEqual([status.INVALID_ARGUMENT, "request_malformed"]);
    expect(refused.details).toBe("The request is not valid HTTP.");
  });

  test("14 where the service is down, 4 where it is slow", async () => {
    const down = await start(await freePort());
    const result = await callUnary(down.client, "hello", down.metadata);
    expect([result.code, ...reasonOf(result)]).toEqual([status.UNAVAILABLE, "upstream_connect_failed"]);
    const slow = await start(await startGrpcService({ ...implementation, unary: () => {} }), "1s");
    const late = await callUnary(slow.client, "hello", slow.metadata);
    expect([late.code, ...reasonOf(late)]).toEqual([status.DEADLINE_EXCEEDED, "upstream_response_timeout"]);
  });
});
