// Goal: a session that drains loses no request: what its GOAWAY counts as taken is answered, what it does not never began and
// may be repeated (RFC 9113 section 6.8). Method: raw frames; the service notes every path that reaches it.
import { performServerHandshake } from "node:http2";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { ERROR, fields, frame, H2RawClient, request, TYPE } from "../fixtures/h2-frames.ts";
import { closeAll, listen, onClose, startProxy, startRawService, type TestProxyOptions } from "../fixtures/proxy.ts";

afterEach(closeAll);

const PING = frame(TYPE.ping, 0, 0, "12345678");

/** A service whose answers the test lets go. */
async function start(options: TestProxyOptions = {}) {
  const paths: string[] = [];
  const answers: (() => void)[] = [];
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      paths.push(chunk.toString("latin1").split(" ")[1] ?? "");
      answers.push(() => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    });
  });
  const upstream = { connectionsMax: 64 };
  const running = await startProxy({ upstreamPort, protocol: "h2", upstream, ...options });
  const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" });
  onClose(() => client.destroy());
  return { ...running, client, paths, answers };
}

const lastStreamOf = (client: H2RawClient): number | undefined =>
  client.frames.findLast((one) => one.type === TYPE.goaway)?.payload.readUInt32BE(0);

test("GOAWAY names the last stream that was taken; those are answered, and what crosses it never reaches the service", async () => {
  const { client, proxy, paths, answers, records, sessionsClosed } = await start();
  client.write(request(1, fields("/1")), request(3, fields("/3")));
  await eventually(() => answers.length === 2);
  const drained = proxy.drain();
  // Under way while the GOAWAY was: the client has not seen it.
  client.write(request(5, fields("/5")), PING);
  await client.until(() => client.frames.some((one) => one.type === TYPE.ping));
  expect([client.goaway, lastStreamOf(client)]).toEqual([ERROR.none, 3]);
  for (const answer of answers) answer();
  await client.untilClosed();
  await drained;
  expect([client.status(1), client.status(3), client.status(5)]).toEqual([200, 200, undefined]);
  expect([client.ended(1), client.ended(3)]).toEqual([true, true]);
  expect(paths.sort()).toEqual(["/1", "/3"]);
  expect(records.map(({ status }) => status)).toEqual([200, 200]);
  expect(sessionsClosed).toEqual(["drained"]);
});

test("of a burst that a drain interrupts each request is answered, or was refused and may be repeated; none is both or neither", async () => {
  const ids = Array.from({ length: 40 }, (_, at) => 2 * at + 1);
  let judged = 0;
  const { client, proxy, paths, answers, records } = await start({
    evaluate: () => {
      judged++;
      if (judged === 7) void proxy.drain();
      return null;
    },
  });
  for (const half of [ids.slice(0, 20), ids.slice(20)]) {
    client.write(...half.map((id) => request(id, fields(`/${id}`))));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.until(() => client.goaway !== undefined);
  const last = lastStreamOf(client) ?? 0;
  const refused = () => ids.filter((id) => client.reset(id) === ERROR.refusedStream);
  await eventually(() => {
    for (const answer of answers.splice(0)) answer();
    return client.closed;
  });
  const answered = ids.filter((id) => client.ended(id) && client.status(id) === 200);
  expect(answered.length).toBeGreaterThanOrEqual(7);
  expect(paths.sort()).toEqual(answered.map((id) => `/${id}`).sort());
  expect(ids.filter((id) => id <= last && !answered.includes(id))).toEqual(refused().filter((id) => id <= last));
  expect(answered.filter((id) => id > last || refused().includes(id))).toEqual([]);
  expect(records).toHaveLength(answered.length);
});

test("Node offers no GOAWAY that announces a shutdown: after any, it ignores new streams (when this fails, send two)", async () => {
  const shown: (number | undefined)[] = [];
  const server = createServer((socket) => {
    const session = performServerHandshake(socket);
    onClose(() => session.destroy());
    session.on("error", () => {});
    session.on("stream", (stream) => {
      shown.push(stream.id);
      stream.on("error", () => {});
      session.goaway(ERROR.none, 2 ** 31 - 1);
    });
  });
  const client = await H2RawClient.connect({ port: await listen(server), host: "127.0.0.1" });
  client.write(request(1, fields()));
  await client.until(() => client.goaway !== undefined);
  expect(lastStreamOf(client)).toBe(2 ** 31 - 1);
  client.write(request(3, fields()), PING);
  await client.until(() => client.frames.some((one) => one.type === TYPE.ping));
  expect(shown).toEqual([1]);
  client.destroy();
});
