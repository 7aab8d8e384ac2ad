import { afterEach, expect, test } from "vitest";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { ERROR, type Field, frame, settings, TYPE, windowUpdate } from "../fixtures/h2-frames.ts";
import { startH2RawService } from "../fixtures/h2-upstream.ts";
import { PoolWorld } from "../fixtures/pool-exchange.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const OK: readonly Field[] = [[":status", "200"]];
const INITIAL_WINDOW = 4;
const settled = (): Promise<number> => unchanging(() => 0, 20);
/** Each turn writes a piece of 64 KiB; some megabytes fill the kernel's buffers. */
const filled = (): Promise<number> => unchanging(() => 0, 300);

/** Its first connection says nothing after its SETTINGS; the others answer. */
async function silentOnce(responseTimeoutMs = 5_000) {
  const service = await startH2RawService((one, stream, connection) => {
    if (connection > 0) one.head(stream, OK, true);
  });
  return {
    service,
    world: new PoolWorld(service.port, { responseTimeoutMs, streamIdleTimeoutMs: 60_000, writeTimeoutMs: 5_000 }),
  };
}

/** The socket of its first connection is full: it reads nothing any more. */
async function stuck() {
  const { service, world } = await silentOnce(60_000);
  const upload = world.ask({ method: "POST", bodyBytes: 2 ** 40 });
  const raw = await eventually(() => service.connections.find((one) => one.requests.length > 0));
  raw.head(1, OK);
  raw.write(settings([[INITIAL_WINDOW, 2 ** 30]]), windowUpdate(0, 2 ** 30));
  await eventually(() => upload.last === "response 200");
  await settled();
  raw.pause();
  upload.stream?.writeBody(Buffer.alloc(32 << 20));
  upload.stream?.flush();
  await filled();
  return { service, world, upload, raw };
}

test("a service that takes nothing loses its connection, and what waits there is free to go elsewhere", async () => {
  const { service, world, upload } = await stuck();
  const waiting = world.ask({ method: "POST" });
  await settled();
  expect(waiting.told).toEqual([]);
  world.later(world.settings.writeTimeoutMs + 1);
  await eventually(() => waiting.isOver && upload.isOver);
  expect([waiting.last, upload.last]).toEqual(["failure refused", "failure cut"]);
  const next = world.ask();
  await eventually(() => next.isOver);
  expect(next.told).toEqual(["response 200", "end"]);
  expect(service.connections).toHaveLength(2);
});

test("a request that lies unread with such a service is not sent again: it may yet be read", async () => {
  const { service, world, raw } = await stuck();
  raw.resume();
  await unchanging(() => raw.bytesOf(1), 50);
  raw.pause();
  const unread = world.ask({ method: "POST", bodyBytes: 2 ** 40 });
  await settled();
  unread.stream?.writeBody(Buffer.alloc(32 << 20));
  unread.stream?.endBody("");
  unread.stream?.flush();
  await filled();
  world.later(world.settings.writeTimeoutMs + 1);
  await eventually(() => unread.isOver);
  expect([unread.told, service.connections.length]).toEqual([["failure stalled"], 1]);
});

test("a service that takes what it is sent slowly, but takes it, keeps its connection", async () => {
  const { service, world, raw, upload } = await stuck();
  for (let turn = 0; turn < 3; turn++) {
    world.later(world.settings.writeTimeoutMs - 1_000);
    const before = raw.bytesOf(1);
    raw.resume();
    await eventually(() => raw.bytesOf(1) > before + (6 << 20)); // as much as kernels keep
    raw.pause();
    await filled();
    upload.stream?.writeBody(Buffer.alloc(32 << 20));
    upload.stream?.flush();
  }
  expect([raw.closed, upload.isOver, service.connections.length]).toEqual([false, false, 1]);
});

test("a connection on which nothing comes for as long as an answer may take is left for another", async () => {
  const { service, world } = await silentOnce();
  const asked = world.ask();
  await eventually(() => service.connections[0]?.requests.length === 1);
  world.later(world.settings.responseTimeoutMs + 1);
  expect(asked.told).toEqual(["failure timeout"]);
  const next = world.ask();
  await eventually(() => next.isOver);
  expect([next.told, service.connections.length]).toEqual([["response 200", "end"], 2]);
  await eventually(() => service.connections[0]?.goawayCode === ERROR.none);
});

test("one that brings anything meanwhile is not", async () => {
  const { service, world } = await silentOnce();
  const asked = world.ask();
  const raw = await eventually(() => service.connections.find((one) => one.requests.length === 1));
  world.later(world.settings.responseTimeoutMs - 1);
  raw.write(frame(TYPE.ping, 0, 0, "12345678"));
  await eventually(() => raw.frames.some((one) => one.type === TYPE.ping));
  world.later(2);
  expect(asked.told).toEqual(["failure timeout"]);
  world.ask();
  await eventually(() => raw.requests.length === 2);
  expect(service.connections).toHaveLength(1);
});
