// Goal: a session that drains loses no request: its client is told first and has a round trip's time, what came until then is
// answered, and what comes later never began and may be repeated (RFC 9113 section 6.8). Method: raw frames; the service notes every path that reaches it.
import { afterEach, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { ERROR, FLAG, fields, frame, H2RawClient, request, TYPE } from "../fixtures/h2-frames.ts";
import { closeAll, onClose, startProxy, startRawService, type TestProxyOptions } from "../fixtures/proxy.ts";
import { TestClock } from "../fixtures/telemetry.ts";

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

const goaways = (client: H2RawClient) =>
  client.frames.filter((one) => one.type === TYPE.goaway).map(({ payload }) => payload.readUInt32BE(0));
const pings = (client: H2RawClient) => client.frames.filter((one) => one.type === TYPE.ping);
const HIGHEST = 2 ** 31 - 1;

test("a client is told before its last stream is named: what crosses the notice is served, what comes after the name is not", async () => {
  const { client, proxy, paths, answers, records, sessionsClosed } = await start();
  client.write(request(1, fields("/1")), request(3, fields("/3")));
  await eventually(() => answers.length === 2);
  const drained = proxy.drain();
  await client.until(() => pings(client).length === 1);
  expect(goaways(client)).toEqual([HIGHEST]);
  // Under way while the notice was: its client had not heard of it.
  client.write(
    request(5, fields("/5")),
    frame(TYPE.ping, FLAG.ack, 0, pings(client)[0]?.payload),
    request(7, fields("/7")),
  );
  client.write(PING);
  await client.until(() => pings(client).length === 2);
  expect([client.goaway, goaways(client)]).toEqual([ERROR.none, [HIGHEST, 5]]);
  await eventually(() => answers.length === 3);
  for (const answer of answers) answer();
  await client.untilClosed();
  await drained;
  expect([1, 3, 5, 7].map((id) => client.status(id))).toEqual([200, 200, 200, undefined]);
  expect(paths.sort()).toEqual(["/1", "/3", "/5"]);
  expect(records.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(sessionsClosed).toEqual(["drained"]);
});

test("a client that does not answer the notice is given its time and no more; a ping of its own is no answer", async () => {
  const clock = new TestClock();
  const { client, proxy, sessionsClosed, sweep } = await start({ clock });
  client.write(PING);
  await client.until(() => pings(client).length === 1);
  const drained = proxy.drain();
  client.write(frame(TYPE.ping, FLAG.ack, 0, "12345678"));
  await client.until(() => goaways(client).length === 1);
  clock.monotonic += DEFAULTS.h2GoawayNoticeMs - 1;
  sweep();
  await unchanging(() => client.frames.length);
  expect(goaways(client)).toEqual([HIGHEST]);
  clock.monotonic += 1;
  sweep();
  await client.untilClosed();
  await drained;
  expect([goaways(client), sessionsClosed]).toEqual([[HIGHEST, 0], ["drained"]]);
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
  await client.until(() => pings(client).length === 1);
  client.write(frame(TYPE.ping, FLAG.ack, 0, pings(client)[0]?.payload));
  await client.until(() => goaways(client).length === 2);
  const last = goaways(client)[1] ?? 0;
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
