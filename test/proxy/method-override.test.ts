// Goal: a method that a streaming body names is judged before the service has the parameter whole, whatever the framing,
// and honest bodies stream on untouched. Method: sockets by hand, a route that takes POST and no DELETE.
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { METHOD_PARAMETERS, MethodParameters } from "../../src/bodies/method-parameters.ts";
import { eventually } from "../fixtures/eventually.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const MIB = 1024 * 1024;
const FORM = "Content-Type: application/x-www-form-urlencoded";
const route = { methods: ["POST"], methodParameters: new MethodParameters(METHOD_PARAMETERS), bodyBytesMax: 64 * MIB };

/** A service that notes what it gets; `onData` may answer. */
async function start(
  onData: (socket: Socket, received: string) => void = () => {},
  protocol: "http/1.1" | "h2" = "http/1.1",
) {
  const service = { received: "", ended: 0 };
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      service.received += chunk.toString("latin1");
      onData(socket, service.received);
    });
    socket.on("close", () => service.ended++);
    socket.on("end", () => socket.destroy());
  });
  const running = await startProxy({ upstreamPort, route, protocol });
  const connect = (): Promise<RawClient> => RawClient.connect({ port: running.port, host: "127.0.0.1" });
  return { ...running, service, connect };
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

describe("a form that names DELETE", () => {
  test("of a length that is announced never reaches the service", async () => {
    const { service, connect, records } = await start();
    const client = await connect();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${FORM}\r\nContent-Length: 18\r\n\r\na=1&_met`);
    client.write("hod=DELETE");
    await client.untilReceived("method_overridden");
    expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
    expect(service.received).toBe("");
    await eventually(() => records.length === 1);
    expect(records[0]).toMatchObject({ status: 400, reason: "method_overridden" });
    expect(records[0]?.denial?.seen).toContain("DELETE");
  });

  test("in chunks is cut before the value, and the client is told", async () => {
    const { service, connect } = await start();
    const client = await connect();
    client.write(
      `POST / HTTP/1.1\r\nHost: a\r\n${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk("a=1&_method=DEL")}`,
    );
    await eventually(() => service.received.includes("_method="));
    client.write(`${chunk("ETE")}0\r\n\r\n`);
    await client.untilReceived("method_overridden");
    await eventually(() => service.ended === 1);
    expect(service.received).toMatch(/_method=\r\n$/);
    expect(service.received).not.toContain("0\r\n\r\n");
  });

  test("behind 20 MiB of other fields is cut there", async () => {
    const { service, connect } = await start();
    const client = await connect();
    const field = `f=${"x".repeat(MIB)}&`;
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${FORM}\r\nContent-Length: ${20 * field.length + 14}\r\n\r\n`);
    for (let count = 0; count < 20; count++) client.write(field);
    client.write("_method=DELETE");
    await client.untilReceived("method_overridden");
    await eventually(() => service.ended === 1);
    expect(service.received.endsWith("&_method=")).toBe(true);
  });

  test("whose answer has begun loses its answer, so that nobody takes it for whole", async () => {
    const { service, connect, records } = await start((socket, received) => {
      if (received.includes("a=1")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    const client = await connect();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk("a=1&")}`);
    await client.untilReceived("half");
    client.write(`${chunk("_method=DELETE")}0\r\n\r\n`);
    await client.untilClosed();
    expect(client.received.endsWith("half")).toBe(true);
    expect(service.received).not.toContain("DELETE");
    await eventually(() => records.length === 1);
    expect(records[0]).toMatchObject({ reason: "method_overridden" });
  });

  test("over HTTP/2 resets nothing but is answered", async () => {
    const { service, port } = await start(() => {}, "h2");
    const headers = { ":method": "POST", ":path": "/", "content-type": "application/x-www-form-urlencoded" };
    const answer = await askH2(openH2(port), headers, "a=1&_method=DELETE");
    expect(answer.status).toBe(400);
    expect(service.received).not.toContain("DELETE");
  });
});

test("a value that names the request's own method goes on as it came", async () => {
  const { service, connect } = await start((socket, received) => {
    if (received.endsWith("0\r\n\r\n")) socket.write(OK);
  });
  const client = await connect();
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk("a=1&_method=P")}`);
  await eventually(() => service.received.includes("_method="));
  client.write(`${chunk("OST")}${chunk("&b=2")}0\r\n\r\n`);
  await client.untilReceived("ok");
  const body = service.received.slice(service.received.indexOf("\r\n\r\n") + 4);
  expect(body.replace(/(?:^|\r\n)[\da-f]+\r\n/g, "").replace(/\r\n0?\r?\n?\r?\n?$/, "")).toBe("a=1&_method=POST&b=2");
});

test("20 MiB of a multipart upload stream on as they come", async () => {
  const received = { bytes: 0 };
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (data) => {
      received.bytes += data.length;
      if (data.includes("--b0--")) socket.write(OK);
    });
  });
  const { port } = await startProxy({ upstreamPort, route });
  const client = await RawClient.connect({ port, host: "127.0.0.1" });
  const head = '--b0\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
  const size = 20 * MIB + head.length + 8;
  client.write(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b0\r\nContent-Length: ${size}\r\n\r\n${head}`,
  );
  for (let count = 0; count < 20; count++) {
    client.write("\r\n--b".repeat(MIB / 4).slice(0, MIB));
    const sent = (count + 1) * MIB;
    await eventually(() => received.bytes > sent - 256 * 1024);
  }
  client.write("\r\n--b0--");
  await client.untilReceived("ok");
});

test.each(["_method=DELETE", "a=1; _method=DELETE", "a=1; .method=delete", "a=1\r\nCookie: _method=DELETE"])(
  "the cookie %s is a method, too",
  async (cookie) => {
    const { service, connect } = await start();
    const client = await connect();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`);
    await client.untilReceived("method_overridden");
    expect(service.received).toBe("");
  },
);
