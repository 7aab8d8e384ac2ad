import { createServer } from "node:tls";
import { afterEach, expect, test } from "vitest";
import type { ResponseHandler } from "../../src/message/stream.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { Deadlines } from "../../src/support/deadlines.ts";
import { Pool } from "../../src/upstream/pool.ts";
import type { Acquirer } from "../../src/upstream/upstream.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { closeAll, listen, onClose, snapshotOf } from "../fixtures/proxy.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

/** Three records of TLS, which one read brings. */
const BODY = "x".repeat(40_000);
const WHOLE = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

/** A service over TLS that answers each head with the next of `answers`, and the pool of one connection to it. */
async function poolTo(answers: string[], clock: Clock = systemClock) {
  const { ca, server } = await createTestPki();
  const service = createServer({ cert: server.certificate, key: server.key }, (socket) => {
    onClose(() => socket.destroy());
    socket.on("error", () => {});
    socket.on("data", () => socket.write(answers.shift() ?? ""));
  });
  const port = await listen(service);
  const tls = { ca: Buffer.from(ca.certificate), certificate: null, key: null, minVersion: "TLSv1.2" } as const;
  const upstream = {
    connectionsMax: 1,
    tls: { serverName: "localhost", hasPartialChains: false, fingerprint: "test", ...tls },
  };
  const settings = snapshotOf({ upstreamPort: port, upstream }).upstreams.get("app");
  if (settings === undefined) throw new Error("no upstream");
  const deadlines = new Deadlines(clock);
  const pool = new Pool(settings, clock, deadlines);
  onClose(() => pool.close());
  return { pool, deadlines, settings };
}

/** Asks over the pool for a client that takes nothing: its first reads ask for a pause, and nobody ever resumes. */
function askUnread({ pool, settings }: Awaited<ReturnType<typeof poolTo>>, pauses = Number.POSITIVE_INFINITY) {
  const seen = { bytes: 0, reads: 0, failure: "", resume: () => {} };
  const ended = new Promise<string>((resolve) => {
    const handler: ResponseHandler = {
      onInformational: () => {},
      onResponse: () => {},
      onResponseBody: (chunk) => {
        seen.bytes += chunk.length;
      },
      onResponseEnd: () => resolve("whole"),
      onReadEnd: () => {
        seen.reads++;
        return seen.reads > pauses;
      },
      onUpgrade: () => {},
      onFailure: (failure) => {
        seen.failure = failure;
        resolve(failure);
      },
      onUpstreamDrain: () => {},
    };
    const request = { method: "GET", target: "/", authority: "a", lines: "", bodyBytes: 0, upgrade: false };
    const acquirer: Acquirer = {
      client: "test",
      onConnection: (connection) => {
        connection.begin(handler, { ...request, acceptsTrailers: false }, settings);
        connection.flush();
        seen.resume = () => connection.resume();
      },
      onAcquireFailure: (failure) => resolve(failure),
    };
    pool.acquire(acquirer);
  });
  return { seen, ended };
}

test("an answer that ends behind its pause leaves a connection that reads the next client's", async () => {
  const world = await poolTo([WHOLE, WHOLE]);
  for (let turn = 0; turn < 2; turn++) {
    const { seen, ended } = askUnread(world);
    expect(await ended).toBe("whole");
    // More than one read, or it was not paused before its end.
    expect(seen.bytes).toBe(BODY.length);
    expect(seen.reads).toBeGreaterThan(1);
  }
});

test("bytes behind a pause do not make the service answer for the client's slowness", async () => {
  const clock = new TestClock();
  const unended = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n`;
  const world = await poolTo([unended], clock);
  const { seen } = askUnread(world, 1);
  await eventually(() => seen.bytes === BODY.length);
  expect(seen.reads).toBeGreaterThan(1);
  clock.monotonic += world.settings.streamIdleTimeoutMs + 1;
  world.deadlines.sweep();
  expect(seen.failure).toBe("");
});

test("a service that stands still behind a pause has the time of any other silence, from when its client takes on", async () => {
  const clock = new TestClock();
  const begun = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${(BODY.length + 1).toString(16)}\r\n${BODY}`;
  const world = await poolTo([begun], clock);
  const { seen, ended } = askUnread(world);
  await eventually(() => seen.bytes === BODY.length);
  const { streamIdleTimeoutMs } = world.settings;
  const pass = (ms: number): void => {
    clock.monotonic += ms;
    world.deadlines.sweep();
  };
  pass(10 * streamIdleTimeoutMs);
  seen.resume();
  pass(streamIdleTimeoutMs - 1);
  expect(seen.failure).toBe("");
  pass(2);
  expect(await ended).toBe("idle");
});
