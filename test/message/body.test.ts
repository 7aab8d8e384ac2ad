import { expect, test } from "vitest";
import { Account, Charge } from "../../src/memory/account.ts";
import { type BodySink, collectBody, EMPTY_BODY, type RequestBody } from "../../src/message/body.ts";

function bodyOf(announcedBytes: number): { body: RequestBody; sink: () => BodySink } {
  let started: BodySink | null = null;
  const body: RequestBody = {
    ...EMPTY_BODY,
    announcedBytes,
    start: (sink) => {
      started = sink;
    },
  };
  return {
    body,
    sink: () => {
      if (started === null) throw new Error("the body was not asked for");
      return started;
    },
  };
}

async function collect(announcedBytes: number, pieces: readonly Buffer[], bytesMax = Number.POSITIVE_INFINITY) {
  const account = new Account();
  account.bytesMax = bytesMax;
  const { body, sink } = bodyOf(announcedBytes);
  const collected = collectBody(body, 100_000, new Charge(account, { key: 1, isMany: false }));
  for (const piece of pieces) sink().onBody(piece);
  sink().onBodyEnd(null);
  return { collected: await collected, heldBytes: account.heldBytes };
}

test("a body in one piece is kept as it came, and all that stays with it counts", async () => {
  const read = Buffer.alloc(3_000, "a");
  const { collected, heldBytes } = await collect(2_000, [read.subarray(1_000)]);
  expect(collected).toHaveLength(2_000);
  expect((collected as Buffer).buffer).toBe(read.buffer);
  expect(heldBytes).toBe(3_000);
});

test("a short body does not keep the long read that brought it", async () => {
  const read = Buffer.alloc(60_000, "a");
  const { collected, heldBytes } = await collect(10, [read.subarray(100, 110)]);
  expect(collected.toString()).toBe("a".repeat(10));
  expect((collected as Buffer).buffer).not.toBe(read.buffer);
  expect(heldBytes).toBeLessThan(5_000);
});

test.each([
  ["in two pieces", 8, ["abcd", "efgh"]],
  ["in chunks of no announced length", -1, ["abcdefgh"]],
  ["in two pieces, of which the first was to be all", 4, ["abcd", "efgh"]],
  ["with a piece as long as all of it behind none", 8, ["", "abcdefgh"]],
])("a body %s comes whole", async (_, announcedBytes, texts) => {
  const pieces = texts.map((text) => new Uint8Array(Buffer.from(text))).map((bytes) => Buffer.from(bytes.buffer));
  expect((await collect(announcedBytes, pieces)).collected.toString()).toBe("abcdefgh");
});

test("where there is no room for it, it is refused and nothing stays counted", async () => {
  const { collected, heldBytes } = await collect(2_000, [Buffer.alloc(2_000)], 1_000);
  expect(collected).toBe("memory_bodies");
  expect(heldBytes).toBe(0);
});
