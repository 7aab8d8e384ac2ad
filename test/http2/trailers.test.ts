import { afterEach, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { type Field, FLAG, fields, frame, H2RawClient, headerBlock, request, TYPE } from "../fixtures/h2-frames.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { closeAll, startProxy, startScriptedService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const h2 = (path = "/", more: readonly Field[] = [], method = "GET") =>
  fields(path, more, method).map(([name, value]): Field => [name, name === ":scheme" ? "http" : value]);
const shown = (client: H2RawClient, stream: number) =>
  client.frames
    .filter((one) => one.stream === stream)
    .map((one) => `${one.type}${one.flags & FLAG.endStream ? "!" : ""}`);

/** A service over h2c whose answer ends with `trailers`. */
const withTrailers = (trailers: Record<string, string>, body = "hi") =>
  startH2Service((stream) => {
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.end(body);
  });

async function throughH2(port: number, first: Buffer) {
  const proxy = await startProxy({ protocol: "h2", upstream: { protocol: "h2" }, upstreamPort: port });
  const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(first);
  return { client, ...proxy };
}

test("trailers pass from an HTTP/2 service to an HTTP/2 client", async () => {
  const { port } = await withTrailers({ "grpc-status": "0", "server-timing": "db" });
  const { client } = await throughH2(port, request(1, h2()));
  await client.until(() => client.ended(1));
  expect(client.body(1)).toBe("hi");
  const last = client.frames.findLast((one) => one.stream === 1);
  expect([last?.type, last?.flags]).toEqual([TYPE.headers, FLAG.endHeaders | FLAG.endStream]);
});

test("trailers reach a client that is still sending, and only then it is told to stop", async () => {
  const { port } = await withTrailers({ "grpc-status": "0" });
  const { client } = await throughH2(port, request(1, h2("/", [], "POST"), false));
  await client.until(() => client.reset(1) !== undefined);
  expect(shown(client, 1)).toEqual(["1", "0", "1!", "3"]);
  expect(client.reset(1)).toBe(0);
});

test("a refusal reaches a client that is still sending before it is told to stop", async () => {
  const proxy = await startProxy({
    protocol: "h2",
    evaluate: () => new Denial("credentials_missing", null, "nothing", "something"),
  });
  const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(request(1, h2("/", [["content-type", "application/grpc"]], "POST"), false));
  await client.until(() => client.reset(1) !== undefined);
  expect(shown(client, 1)).toEqual(["1!", "3"]);
});

test("trailers of a request without data that come before there is a connection to the service reach it", async () => {
  const seen: unknown[] = [];
  const { port: upstreamPort } = await startH2Service((stream) => {
    stream.on("trailers", (fields) => seen.push(fields["x-sum"]));
    stream.on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
    stream.resume();
  });
  const { port } = await startProxy({ protocol: "h2", upstreamPort, upstream: { protocol: "h2" } });
  const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
  const trailers = frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, headerBlock([["x-sum", "1"]]));
  client.write(request(1, fields("/", [], "POST"), false), trailers);
  await client.until(() => client.ended(1));
  expect([client.status(1), seen]).toEqual([200, ["1"]]);
});

test("over HTTP/1.1 trailers reach the client only where it asked for them and the answer is chunked", async () => {
  const { port } = await withTrailers({ "x-sum": "1" });
  const proxy = await startProxy({ upstream: { protocol: "h2" }, upstreamPort: port });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  expect(await client.untilReceived("x-sum")).toMatch(/2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n$/);
  const plain = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  plain.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await plain.untilReceived("0\r\n\r\n")).not.toContain("x-sum");
});

test("trailers of an HTTP/1.1 service pass on, less what never may come after a body", async () => {
  const trailers = "X-Sum: 1\r\nSet-Cookie: a=b\r\nContent_Type: x\r\n";
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const upstreamPort = await startScriptedService(() => `${head}2\r\nhi\r\n0\r\n${trailers}\r\n`);
  const proxy = await startProxy({ upstreamPort });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
  await client.untilReceived("x-sum");
  // The fixture's rewrite lets all but framing through; the filters' own tests hold the rest.
  expect(client.received).toContain("\r\n0\r\nx-sum: 1\r\n");
});

test("trailers of an HTTP/1.1 service that frame a message make its answer invalid", async () => {
  for (const trailer of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const upstreamPort = await startScriptedService(() => `${head}2\r\nhi\r\n0\r\n${trailer}\r\n\r\n`);
    const proxy = await startProxy({ upstreamPort });
    const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    client.write("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
    await client.untilReceived("upstream_response_invalid");
  }
});

test("trailers of a client never reach an HTTP/1.1 service, which might take them for its header", async () => {
  const heads: string[] = [];
  const upstreamPort = await startScriptedService((head) => {
    heads.push(head);
    if (head.startsWith("POST")) return ""; // until the body's end is there
    return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  });
  const proxy = await startProxy({ protocol: "h2", upstreamPort });
  const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  const smuggled: Field[] = [
    ["x-postern-principal", "root"],
    ["x-next", "0\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n"],
  ];
  client.write(
    request(1, h2("/", [], "POST"), false),
    frame(TYPE.data, 0, 1, "hello"),
    frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, headerBlock(smuggled.slice(0, 1))),
    request(3, h2("/", [], "POST"), false),
    frame(TYPE.data, 0, 3, "hello"),
    frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 3, headerBlock(smuggled)),
  );
  await client.until(() => client.ended(1) && (client.ended(3) || client.reset(3) !== undefined));
  expect(client.status(1)).toBe(200);
  expect(heads.join("")).not.toMatch(/root|admin/);
  const rest = heads.filter((head) => !head.startsWith("POST / HTTP/1.1\r\n"));
  expect(new Set(rest)).toEqual(new Set(["5\r\nhello\r\n0\r\n\r\n"]));
});
