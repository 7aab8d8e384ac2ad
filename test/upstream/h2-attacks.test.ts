import { afterEach, describe, expect, test } from "vitest";
import type { UpstreamSettings } from "../../src/policy/snapshot.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { ERROR, type Field, frame, settings, TYPE, windowUpdate } from "../fixtures/h2-frames.ts";
import { type H2RawService, startH2RawService } from "../fixtures/h2-upstream.ts";
import { PoolWorld } from "../fixtures/pool-exchange.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const OK: readonly Field[] = [[":status", "200"]];
const INITIAL_WINDOW = 4;

async function world(
  onRequest: (service: H2RawService, stream: number, connection: number) => void = () => {},
  upstream: Partial<UpstreamSettings> = {},
) {
  const service = await startH2RawService(onRequest);
  const one = new PoolWorld(service.port, upstream);
  const raw = (at = 0): H2RawService => {
    const found = service.connections[at];
    if (found === undefined) throw new Error("no connection yet");
    return found;
  };
  const requests = (): number => service.connections.reduce((sum, each) => sum + each.requests.length, 0);
  return { service, raw, requests, world: one };
}

/** What was written by now has been read by the other end. */
const settled = (): Promise<number> => unchanging(() => 0, 20);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("an answer that is here whole", () => {
  test.each(["the connection's end", "GOAWAY that disowns it", "garbage behind it"])(
    "is not cut for a client that reads slowly by %s",
    async (what) => {
      const { raw, world: one } = await world((service, stream) => {
        service.head(stream, OK);
        service.data(stream, "first");
      });
      const asked = one.ask({}, { takes: false });
      await eventually(() => asked.bytes === 5);
      raw().data(1, "second", true);
      if (what === "the connection's end") raw().end();
      else if (what.startsWith("GOAWAY")) raw().goaway(0, ERROR.internal);
      else raw().data(99, "garbage");
      await unchanging(() => asked.told.length);
      expect(asked.told).toEqual(["response 200"]);
      asked.resume();
      expect(asked.told).toEqual(["response 200", "end"]);
      expect(asked.bytes).toBe(11);
    },
  );
});

describe("an answer before the end of its request", () => {
  test("frees an upload that stands still, and a reset behind it is not answered with one", async () => {
    const { raw, requests, world: one } = await world();
    const asked = one.ask({ method: "POST", bodyBytes: 200_000 }, { takes: false, body: Buffer.alloc(100_000) });
    await eventually(() => requests() === 1 && raw().bytesOf(1) === 65_535);
    raw().head(1, OK);
    raw().data(1, "first");
    await eventually(() => asked.bytes === 5);
    raw().data(1, "second", true);
    raw().reset(1, ERROR.none);
    await eventually(() => asked.last === "drain");
    asked.stream?.writeBody(Buffer.alloc(100_000));
    expect(asked.stream?.flush()).toBe(true); // it goes nowhere, and is no reason to wait
    asked.resume();
    await settled();
    expect([asked.told, asked.bytes]).toEqual([["response 200", "drain", "end"], 11]);
    expect([raw().bytesOf(1), raw().resetCode(1)]).toEqual([65_535, undefined]);
  });
});

describe("bytes where none may be", () => {
  test.each([
    ["HEAD", "200", "failure cut"],
    ["GET", "204", "failure cut"],
    ["GET", "304", "failure cut"],
    ["GET", "200", "end"],
  ])("%s, %s: %s", async (method, status, last) => {
    const { world: one } = await world((service, stream) => {
      service.head(stream, [
        [":status", status],
        ["content-length", status === "204" ? "0" : "6"],
      ]);
      service.data(stream, "SECRET", true);
    });
    const asked = one.ask({ method });
    await eventually(() => asked.isOver);
    expect([asked.last, asked.bytes]).toEqual([last, last === "end" ? 6 : 0]);
  });

  test("a service that sends more than a slow client's window holds loses that stream and no other", async () => {
    const { raw, world: one } = await world((service, stream) => {
      service.head(stream, OK);
      service.data(stream, "first");
    });
    const slow = one.ask({}, { takes: false });
    const other = one.ask();
    await eventually(() => slow.bytes === 5 && other.bytes === 5);
    for (let part = 0; part < 17; part++) raw().data(1, "x".repeat(16_384));
    raw().data(3, "", true);
    // What the client is told is here before the reset has crossed to the service.
    await eventually(() => slow.isOver && other.isOver && raw().resetCode(1) !== undefined);
    expect([slow.told, other.told]).toEqual([
      ["response 200", "failure cut"],
      ["response 200", "end"],
    ]);
    expect([slow.bytes, raw().resetCode(1), raw().goawayCode]).toEqual([5, ERROR.flowControl, undefined]);
  });
});

describe("repetition", () => {
  test("a request that was not written yet when its connection ended was never sent", async () => {
    const { raw, requests, world: one } = await world((service, stream) => service.head(stream, OK, true));
    const first = one.ask();
    await eventually(() => first.isOver);
    const before = requests();
    await turn();
    raw().end();
    const asked = one.ask({ method: "POST" });
    await eventually(() => asked.isOver);
    expect(asked.told).toEqual(["failure refused"]);
    expect(requests()).toBe(before);
  });

  test("a connection that has ended takes no requests, though its socket is not closed yet", async () => {
    const { raw, service, world: one } = await world((each, stream) => each.head(stream, OK, true));
    const first = one.ask();
    await eventually(() => first.isOver);
    await turn();
    raw().end();
    await turn();
    const asked = one.ask({ method: "POST" });
    await eventually(() => asked.isOver);
    expect(asked.told).toEqual(["response 200", "end"]);
    expect(service.connections).toHaveLength(2);
  });

  test("a request that kills its service on a new connection is not taken for a race", async () => {
    const { world: one } = await world((service) => service.end());
    const asked = one.ask();
    let used: boolean | undefined;
    asked.onTold = () => {
      used = asked.stream?.used;
    };
    await eventually(() => asked.isOver);
    expect([asked.told, used]).toEqual([["failure closed"], false]);
  });
});

describe("windows", () => {
  /** A service whose socket is full: a head that is begun now waits, and has no id. */
  async function congested() {
    const found = await world();
    const { raw, world: one } = found;
    const first = one.ask({ method: "POST", bodyBytes: 2 ** 40 });
    await eventually(() => found.requests() === 1);
    raw().write(settings([[INITIAL_WINDOW, 2 ** 30]]), windowUpdate(0, 2 ** 30));
    await unchanging(() => raw().frames.length);
    raw().pause();
    first.stream?.writeBody(Buffer.alloc(32 << 20));
    first.stream?.flush();
    await unchanging(() => 0);
    return { ...found, first };
  }

  test("SETTINGS that come while a head waits for its turn hold for its stream, too", async () => {
    const { raw, world: one } = await congested();
    const waiting = one.ask({ method: "POST", bodyBytes: 1000 }, { body: Buffer.alloc(1000) });
    raw().write(settings([[INITIAL_WINDOW, 10]]));
    await unchanging(() => 0);
    raw().resume();
    await eventually(() => raw().requests.includes(3));
    await eventually(() => raw().bytesOf(3) >= 10);
    await unchanging(() => raw().frames.length, 50);
    expect(raw().bytesOf(3)).toBe(10);
    raw().write(windowUpdate(3, 990));
    await eventually(() => raw().bytesOf(3) === 1000);
    expect(waiting.isOver).toBe(false);
  });

  test("a stream that begins while SETTINGS open windows gets the new window once", async () => {
    const { raw, world: one } = await world((service, stream) => {
      if (stream === 1) service.head(stream, OK, true);
    });
    const warm = one.ask();
    await eventually(() => warm.isOver);
    raw().write(settings([[INITIAL_WINDOW, 0]]));
    await settled();
    const body = { method: "POST", bodyBytes: 1_000 };
    const first = one.ask(body, { body: Buffer.alloc(100) });
    await eventually(() => raw().requests.includes(3));
    first.onTold = () => one.ask(body, { body: Buffer.alloc(1_000) });
    raw().write(settings([[INITIAL_WINDOW, 100]]));
    await eventually(() => raw().bytesOf(3) >= 100 && raw().bytesOf(5) >= 100);
    await settled();
    expect([first.told, raw().bytesOf(3), raw().bytesOf(5)]).toEqual([["drain"], 100, 100]);
  });
});

describe("streams that were given up", () => {
  test("answers that come late to more of them than are remembered harm nobody", async () => {
    const { raw, service, requests, world: one } = await world();
    for (let round = 1; round <= 12; round++) {
      const asked = Array.from({ length: 100 }, () => one.ask());
      await eventually(() => requests() === 100 * round);
      for (const each of asked) each.stream?.abort();
    }
    await settled();
    const innocent = one.ask();
    await eventually(() => requests() === 1201);
    for (let stream = 1; stream < 200; stream += 2) raw().head(stream, OK, true);
    raw().head(2401, OK, true);
    await eventually(() => innocent.isOver);
    expect(innocent.told).toEqual(["response 200", "end"]);
    expect(service.connections).toHaveLength(1);
  });

  test("what was under way on many downloads at once is no flood", async () => {
    const { raw, requests, world: one } = await world((service, stream) => service.head(stream, OK));
    const asked = Array.from({ length: 20 }, () => one.ask());
    await eventually(() => asked.every((each) => each.last === "response 200"));
    const innocent = one.ask();
    await eventually(() => innocent.last === "response 200");
    for (const each of asked) each.stream?.abort();
    // All that the windows let through, as fast as the connection's is opened again.
    for (let stream = 1; stream < 40; stream += 2) {
      for (let part = 0; part < 16; part++) raw().data(stream, "x".repeat(16_384));
      await settled();
    }
    raw().data(41, "", true);
    await eventually(() => innocent.isOver);
    expect([innocent.told, requests()]).toEqual([["response 200", "end"], 21]);
    expect(raw().goawayCode).toBeUndefined();
  });

  test("what no window lets through still is one", async () => {
    const { raw, world: one } = await world((service, stream) => service.head(stream, OK));
    const asked = one.ask();
    await eventually(() => asked.last === "response 200");
    asked.stream?.abort();
    for (let round = 0; round < 16 && raw().goawayCode === undefined; round++) {
      for (let part = 0; part < 16; part++) raw().data(1, "x".repeat(16_384));
      await settled();
    }
    await eventually(() => raw().goawayCode === ERROR.enhanceYourCalm);
  });
});

test("a service that measures the line with a PING for each DATA frame, as gRPC in Go does, is no flood", async () => {
  const { raw, requests, world: one } = await world();
  const asked = one.ask({ method: "POST", bodyBytes: 5_000 });
  await eventually(() => requests() === 1);
  for (let sent = 0; sent < 3_000; ) {
    for (let at = 0; at < 1_000; at++, sent++) {
      asked.stream?.writeBody(Buffer.from("x"));
      asked.stream?.flush();
    }
    await eventually(() => raw().bytesOf(1) === sent);
    raw().write(...Array.from({ length: 1_000 }, () => frame(TYPE.ping, 0, 0, "12345678")));
    await eventually(() => raw().frames.filter((one) => one.type === TYPE.ping).length === sent);
  }
  expect(raw().goawayCode).toBeUndefined();
});
