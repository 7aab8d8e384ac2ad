// Goal: bodies of any size flow through in both directions without piling up, however slow one side is.
// Method: large bodies against services and clients that stop reading; what is held is what the fast side got rid of.
import { createHash } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { FLAG, fields, frame, H2RawClient, PREFACE, request, settings, TYPE } from "../fixtures/h2-frames.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";

afterEach(closeAll);

const MIB = 1024 * 1024;
const SIZE = 32 * MIB;
const chunkOf = (at: number): Buffer => Buffer.alloc(64 * 1024, at & 0xff);
const CHUNKS = SIZE / (64 * 1024);

/** A service that sends SIZE bytes as fast as they are taken, and counts what was. */
async function startSource() {
  const source = { sent: 0, closed: 0 };
  const port = await startRawService((socket) => {
    socket.on("close", () => source.closed++);
    socket.on("end", () => socket.end());
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      let at = 0;
      const pump = (): void => {
        while (at < CHUNKS && !socket.destroyed) {
          source.sent += 64 * 1024;
          if (!socket.write(chunkOf(at++))) {
            socket.once("drain", pump);
            return;
          }
        }
      };
      pump();
    });
  });
  return { source, port };
}

const wholeHash = (): string => {
  const hash = createHash("sha256");
  for (let at = 0; at < CHUNKS; at++) hash.update(chunkOf(at));
  return hash.digest("hex");
};

test("a large download arrives whole, and a client that pauses stops the service", async () => {
  const { source, port: upstreamPort } = await startSource();
  const { port, records } = await startProxy({ upstreamPort, protocol: "h2" });
  const stream = openH2(port).request({ ":path": "/", ":authority": "localhost" });
  const hash = createHash("sha256");
  let received = 0;
  let wasPaused = false;
  stream.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    received += chunk.length;
    if (wasPaused || received < MIB) return;
    wasPaused = true;
    stream.pause();
  });
  await eventually(() => wasPaused);
  let before = -1;
  let still = 0;
  await eventually(() => {
    still = source.sent === before ? still + 1 : 0;
    before = source.sent;
    return still > 20;
  });
  // Windows and socket buffers, not the whole answer.
  expect(source.sent).toBeLessThan(SIZE / 2);
  stream.resume();
  await new Promise((resolve) => stream.on("end", resolve));
  expect(received).toBe(SIZE);
  expect(hash.digest("hex")).toBe(wholeHash());
  await eventually(() => records.length === 1);
  expect(records[0]).toMatchObject({ status: 200, reason: null, responseBodyBytes: SIZE });
});

test("a large upload arrives whole, and a service that pauses stops the client", async () => {
  const hash = createHash("sha256");
  let received = 0;
  let resume: () => void = () => {};
  const upstreamPort = await startRawService((socket) => {
    let head = "";
    socket.on("data", (chunk: Buffer) => {
      let body = chunk;
      if (!head.includes("\r\n\r\n")) {
        const text = head + chunk.toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        body = chunk.subarray(end + 4 - head.length);
        head = text.slice(0, end + 4);
        socket.pause();
        resume = () => socket.resume();
      }
      hash.update(body);
      received += body.length;
      if (received === SIZE) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  const { port, records } = await startProxy({ upstreamPort, protocol: "h2", route: { bodyBytesMax: SIZE } });
  const session = openH2(port);
  const stream = session.request({ ":path": "/", ":method": "POST", "content-length": String(SIZE) });
  let sent = 0;
  const pump = (): void => {
    while (sent < SIZE) {
      const at = sent / (64 * 1024);
      sent += 64 * 1024;
      if (!stream.write(chunkOf(at))) {
        stream.once("drain", pump);
        return;
      }
    }
    stream.end();
  };
  pump();
  let before = -1;
  let still = 0;
  await eventually(() => {
    still = sent === before && sent > 0 ? still + 1 : 0;
    before = sent;
    return still > 20;
  });
  expect(sent).toBeLessThan(SIZE / 2);
  resume();
  const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
  expect(status).toBe(200);
  expect(hash.digest("hex")).toBe(wholeHash());
  stream.resume();
  await eventually(() => records.length === 1);
  expect(records[0]).toMatchObject({ requestBodyBytes: SIZE, reason: null });
});

test("a client that never takes its answer is given up in time, and the service with it; others are served", async () => {
  const { source, port: upstreamPort } = await startSource();
  const { port, records } = await startProxy({
    upstreamPort,
    protocol: "h2",
    listener: { writeTimeoutMs: 300 },
  });
  // A window of nothing: the answer's data can never be sent.
  const client = await H2RawClient.connect(
    { port, host: "127.0.0.1" },
    Buffer.concat([
      PREFACE,
      settings([
        [1, 0],
        [4, 0],
      ]),
    ]),
  );
  for (let id = 1; id < 20; id += 2) client.write(request(id, fields()));
  await eventually(() => records.length === 10);
  expect(records.every((record) => record.reason === "client_read_timeout")).toBe(true);
  for (let id = 1; id < 20; id += 2) expect(await client.outcome(id)).toBe("reset 2");
  await eventually(() => source.closed === 10);
  // Ten times what one stream, one read and the sockets' buffers hold.
  expect(source.sent).toBeLessThan(10 * 16 * MIB);
});

test("an answer that is done but never taken does not keep its stream for ever", async () => {
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const { port, records } = await startProxy({
    upstreamPort,
    protocol: "h2",
    listener: { writeTimeoutMs: 200 },
  });
  const client = await H2RawClient.connect(
    { port, host: "127.0.0.1" },
    Buffer.concat([
      PREFACE,
      settings([
        [1, 0],
        [4, 0],
      ]),
    ]),
  );
  client.write(request(1, fields()));
  await client.until(() => client.reset(1) !== undefined);
  expect(client.status(1)).toBe(200);
  expect(records).toHaveLength(1);
});

test("events of a stream without end come one by one, as the service sends them", async () => {
  let send: (text: string) => void = () => {};
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
      send = (text) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
    });
  });
  const { port } = await startProxy({ upstreamPort, protocol: "h2" });
  const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
  client.write(request(1, fields()));
  await client.until(() => client.status(1) === 200);
  for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
    send(text);
    await client.until(() => client.body(1).endsWith(text));
  }
  expect(client.body(1)).toBe("data: 1\n\ndata: 2\n\n");
  expect(client.frames.filter((one) => one.type === TYPE.data)).toHaveLength(2);
});

test("thousands of tiny frames cost the service's side a few writes, not thousands", async () => {
  let seen = "";
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      seen += chunk.toString("latin1");
      if (seen.endsWith("\r\n0\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  const { port } = await startProxy({ upstreamPort, protocol: "h2" });
  const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
  const tiny = Array.from({ length: 10_000 }, () => frame(TYPE.data, 0, 1, "x"));
  client.write(request(1, fields("/", [], "POST"), false), ...tiny, frame(TYPE.data, FLAG.endStream, 1));
  expect(await client.outcome(1)).toBe(200);
  const sizes = [...seen.matchAll(/^([0-9a-f]+)\r$/gm)].map(([, size = ""]) => Number.parseInt(size, 16));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_000);
  expect(sizes.length).toBeLessThan(100);
});

test("a hundred streams at once on one connection are each answered with their own body", async () => {
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk: Buffer) => {
      const path = /^GET (\S+)/.exec(chunk.toString())?.[1] ?? "";
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
    });
  });
  const { port, records } = await startProxy({ upstreamPort, protocol: "h2", upstream: { connectionsMax: 8 } });
  const session = openH2(port);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => askH2(session, { ":path": `/${at}` })));
  expect(answers.map((answer) => answer.body)).toEqual(answers.map((_, at) => `/${at}`));
  expect(records).toHaveLength(100);
});
