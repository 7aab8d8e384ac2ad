// Goal: frames that cost a client little and a server much end in GOAWAY, are counted by their kind, and harm no other client.
// Method: each flood as raw frames; another client on the same port asks all the time.
import { afterEach, describe, expect, test } from "vitest";
import type { Http2CloseReason } from "../../src/http2/close-reason.ts";
import { FloodGate, TokenBucket } from "../../src/http2/flood-gate.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import {
  ERROR,
  FLAG,
  fields,
  frame,
  H2RawClient,
  headerBlock,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";

afterEach(closeAll);

const times = (part: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => part));

/** A service that answers /ok and keeps everybody else waiting. */
async function start() {
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      if (chunk.toString("latin1").includes(" /ok ")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    socket.on("end", () => socket.end());
  });
  const running = await startProxy({ upstreamPort, protocol: "h2", upstream: { connectionsMax: 512 } });
  const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" });
  await client.until(() => client.frames.some((one) => one.type === TYPE.settings));
  return { ...running, client };
}

const post = request(1, fields("/hang", [], "POST"), false);
const nothing = Buffer.alloc(0);

interface Flood {
  readonly first: Buffer;
  /** The part that is sent again and again; `at` counts the parts. */
  readonly part: (at: number) => Buffer;
  readonly goaway: number;
  readonly reason: Http2CloseReason;
}

/** Ids of the streams that part `at` opens, `count` of them. */
const ids = (at: number, count: number): number[] => Array.from({ length: count }, (_, n) => 2 * (at * count + n) + 3);

const calm = ERROR.enhanceYourCalm;
const floods: Record<string, Flood> = {
  "rapid reset (CVE-2023-44487)": {
    first: nothing,
    part: (at) => Buffer.concat(ids(at, 50).flatMap((id) => [request(id, fields("/hang")), rstStream(id)])),
    goaway: calm,
    reason: "reset_flood",
  },
  "resets that the server is made to send (CVE-2025-8671)": {
    first: nothing,
    part: (at) => Buffer.concat(ids(at, 50).flatMap((id) => [request(id, fields("/hang")), windowUpdate(id, 0)])),
    goaway: calm,
    reason: "invalid_frame_flood",
  },
  "answers that bodies force where requests have none, or another": {
    first: nothing,
    part: (at) =>
      Buffer.concat(ids(at, 50).flatMap((id) => [request(id, fields("/hang"), false), frame(TYPE.data, 0, id, "x")])),
    goaway: calm,
    reason: "reset_flood",
  },
  "more streams than are allowed": {
    first: nothing,
    part: (at) => Buffer.concat(ids(at, 200).map((id) => request(id, fields("/hang")))),
    goaway: calm,
    reason: "stream_flood",
  },
  "malformed requests": {
    first: nothing,
    part: (at) => Buffer.concat(ids(at, 50).map((id) => request(id, fields("/", [["connection", "x"]])))),
    goaway: calm,
    reason: "invalid_frame_flood",
  },
  "PING (CVE-2019-9512)": {
    first: nothing,
    part: () => times(frame(TYPE.ping, 0, 0, "12345678"), 200),
    goaway: calm,
    reason: "ping_flood",
  },
  "SETTINGS (CVE-2019-9515)": {
    first: nothing,
    part: () => times(settings([[4, 65_535]]), 50),
    goaway: calm,
    reason: "settings_flood",
  },
  "empty DATA (CVE-2019-9518)": {
    first: post,
    part: () => times(frame(TYPE.data, 0, 1), 50),
    goaway: calm,
    reason: "invalid_frame_flood",
  },
  "windows that grow and shrink (CVE-2019-9511)": {
    first: Buffer.concat([settings([[4, 0]]), ...ids(0, 100).map((id) => request(id, fields("/ok")))]),
    part: (at) => times(Buffer.concat([settings([[4, at % 2]]), windowUpdate(0, 1)]), 40),
    goaway: calm,
    reason: "settings_flood",
  },
  "PRIORITY (CVE-2019-9513)": {
    first: nothing,
    part: () => times(frame(TYPE.priority, 0, 3, Buffer.of(0, 0, 0, 0, 16)), 1_000),
    goaway: calm,
    reason: "overhead_flood",
  },
  "frames of no known type": {
    first: nothing,
    part: () => times(frame(0xfa, 0, 0, Buffer.alloc(16_384)), 4),
    goaway: calm,
    reason: "overhead_flood",
  },
  WINDOW_UPDATE: {
    first: nothing,
    part: () => times(windowUpdate(0, 1), 2_000),
    goaway: calm,
    reason: "overhead_flood",
  },
  "padding around nothing": {
    first: post,
    part: () => times(frame(TYPE.data, FLAG.padded, 1, Buffer.alloc(256, 255)), 100),
    goaway: calm,
    reason: "overhead_flood",
  },
  "DATA of a stream that was given up": {
    first: request(1, fields("/refused", [["connection", "x"]], "POST"), false),
    part: () => times(frame(TYPE.data, 0, 1, Buffer.alloc(1_000)), 50),
    goaway: calm,
    reason: "overhead_flood",
  },
  "DATA of a stream that its client ended": {
    first: request(1, fields("/ok")),
    part: () => frame(TYPE.data, 0, 1, "more"),
    goaway: ERROR.streamClosed,
    reason: "protocol_error",
  },
  "heads that are too large (CVE-2019-9516)": {
    first: nothing,
    part: (at) =>
      Buffer.concat(
        ids(at, 2).flatMap((id) => [
          frame(TYPE.headers, FLAG.endStream, id, headerBlock(fields())),
          ...Array.from({ length: 6 }, () =>
            frame(TYPE.continuation, 0, id, headerBlock([["x-a", "b".repeat(16_000)]])),
          ),
          frame(TYPE.continuation, FLAG.endHeaders, id),
        ]),
      ),
    goaway: calm,
    reason: "overhead_flood",
  },
};

describe("floods", () => {
  for (const [title, flood] of Object.entries(floods)) {
    test(`${title}: ${flood.reason}`, async () => {
      const { client, port, sessionsClosed, proxy } = await start();
      const other = openH2(port);
      const answers: number[] = [];
      let asking = true;
      const asked = (async () => {
        while (asking) answers.push((await askH2(other, { ":path": "/ok" })).status);
      })();
      client.write(flood.first);
      if (title.startsWith("DATA of")) await client.outcome(1);
      for (let at = 0; at < 20_000 && client.goaway === undefined && !client.closed; at++) {
        await client.flood(flood.part(at), 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.untilClosed();
      asking = false;
      await asked;
      expect(client.goaway).toBe(flood.goaway);
      await eventually(() => sessionsClosed.length === 1);
      expect(sessionsClosed).toEqual([flood.reason]);
      expect(answers.length).toBeGreaterThan(0);
      expect(answers.every((status) => status === 200)).toBe(true);
      expect((await askH2(other, { ":path": "/ok" })).status).toBe(200);
      await eventually(() => proxy.requestsInFlight === 0);
    });
  }

  test("CONTINUATION without end (CVE-2024-27316): the session ends after a handful of frames", async () => {
    const { client, sessionsClosed } = await start();
    const part = frame(TYPE.continuation, 0, 1, headerBlock([["x-a", "b"]]));
    client.write(frame(TYPE.headers, FLAG.endStream, 1, headerBlock(fields())), times(part, 20));
    await client.untilClosed();
    expect(client.goaway).toBe(calm);
    expect(client.status(1)).toBeUndefined();
    await eventually(() => sessionsClosed.length === 1);
    expect(sessionsClosed).toEqual(["continuation_flood"]);
  });

  test("a head of references to one large entry (CVE-2016-1544) is refused for what it means, and holds next to nothing", async () => {
    const { client, sessionsClosed } = await start();
    const large = "b".repeat(4_000);
    // A literal with incremental indexing, then 15,000 references to it: 60 MB of header fields in 19 KB.
    const entry = Buffer.concat([Buffer.of(0x40), headerBlock([["x-a", large]]).subarray(1)]);
    const bomb = Buffer.concat([headerBlock(fields()), entry, Buffer.alloc(12_000, 0x80 | 62)]);
    const before = process.memoryUsage().heapUsed;
    client.write(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, bomb.subarray(0, 16_384)));
    expect(await client.outcome(1)).toBe(431);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(16e6);
    client.write(request(3, fields("/ok")));
    expect(await client.outcome(3)).toBe(200);
    expect(sessionsClosed).toEqual([]);
  });

  test("bytes that are no HTTP/2 end the session", async () => {
    const { port, sessionsClosed } = await startProxy({ protocol: "h2" });
    const client = await H2RawClient.connect(
      { port, host: "127.0.0.1" },
      Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    );
    await client.untilClosed();
    await eventually(() => sessionsClosed.length === 1);
    expect(sessionsClosed).toEqual(["protocol_error"]);
  });
});

describe("a client that works is no flood", () => {
  test("many requests, cancelled ones among them, pings and settings now and then", async () => {
    const { client, sessionsClosed } = await start();
    for (let at = 0; at < 20; at++) {
      const [cancelled = 0, ...served] = ids(at, 20);
      client.write(request(cancelled, fields("/hang")), rstStream(cancelled));
      client.write(...served.map((id) => request(id, fields("/ok"))), frame(TYPE.ping, 0, 0, "12345678"), settings());
      for (const id of served) expect(await client.outcome(id)).toBe(200);
    }
    expect(sessionsClosed).toEqual([]);
    expect(client.goaway).toBeUndefined();
  });
});

describe("the gate of floods", () => {
  const BURST = DEFAULTS.h2OverheadBytesBurst;

  test("lets a burst of overhead pass, forgets it at a steady pace, and an hour of silence buys no second one", () => {
    let nowMs = 0;
    const gate = new FloodGate(() => nowMs);
    expect(gate.overhead(BURST)).toBeNull();
    nowMs = 1_000;
    expect(gate.overhead(DEFAULTS.h2OverheadBytesPerSecond)).toBeNull();
    expect(gate.overhead(1)).toMatchObject({ code: ERROR.enhanceYourCalm, reason: "overhead_flood" });
    nowMs = 3_600_000;
    expect(gate.overhead(BURST)).toBeNull();
    expect(gate.overhead(1)).not.toBeNull();
  });

  test("a ping for each DATA frame is no flood, however many that are; what is saved of them is no more than a burst", () => {
    const gate = new FloodGate(() => 0);
    for (let at = 0; at < 10_000; at++) {
      gate.expectPing();
      expect(gate.ping()).toBeNull();
    }
    for (let at = 0; at < 10_000; at++) gate.expectPing();
    for (let at = 0; at < 2 * DEFAULTS.h2PingsBurst; at++) expect(gate.ping()).toBeNull();
    expect(gate.ping()).toMatchObject({ code: ERROR.enhanceYourCalm, reason: "ping_flood" });
  });

  test("holds nothing against a client that is expected, but saves no more than a burst of it", () => {
    const gate = new FloodGate(() => 0);
    for (let at = 0; at < 1_000; at++) {
      gate.expect(26);
      expect(gate.overhead(26)).toBeNull();
    }
    gate.expect(1e9);
    expect(gate.overhead(2 * BURST)).toBeNull();
    expect(gate.overhead(1)).not.toBeNull();
  });
});

test("a token bucket lets a burst through, then its rate, and never saves more than a burst", () => {
  const bucket = new TokenBucket(3, 2);
  const take = (nowMs: number, count: number) => Array.from({ length: count }, () => bucket.take(nowMs));
  expect(take(0, 4)).toEqual([true, true, true, false]);
  expect(take(499, 1)).toEqual([false]);
  expect(take(1_000, 3)).toEqual([true, true, false]);
  expect(take(1e9, 4)).toEqual([true, true, true, false]);
});
