// Goal: a frame out of place costs its stream or its connection, as RFC 9113 says, and the same however it is cut into
// reads. Method: a session on a socket without a network, where each read is what the test says; nothing is answered.
import { describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import {
  ERROR,
  FLAG,
  fields,
  frame,
  headerBlock,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { type H2Case, readH2All } from "../fuzz/h2-ours.ts";
import type { H2Reading } from "../fuzz/h2-reading.ts";

const read = (...reads: readonly Buffer[]) => readIn("never answers", reads);

async function readIn(manner: H2Case["manner"], reads: readonly Buffer[]): Promise<H2Reading> {
  const first = Buffer.concat([PREFACE, settings([])]);
  const bytes = [first, ...reads].map((one) => one.toString("latin1"));
  const [reading] = await readH2All([{ reads: bytes, manner }]);
  if (reading === undefined) throw new Error("no reading");
  return reading;
}

const everyByte = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));
const post = (stream: number): Buffer => request(stream, fields("/", [], "POST"), false);
const states = ({ streams }: H2Reading): unknown =>
  Object.fromEntries([...streams].map(([id, { state }]) => [id, state]));
const resets = ({ said }: H2Reading): readonly string[] => said.filter((line) => line.startsWith("reset"));

describe("a DATA frame", () => {
  test("behind its stream's end costs the stream alone, also where its parts come in reads of their own", async () => {
    const late = frame(TYPE.data, 0, 1, "hello");
    for (const reads of [[late], everyByte(late)]) {
      const reading = await read(request(1, fields("/1")), ...reads, late, request(3, fields("/3")));
      expect(resets(reading)).toEqual([`reset 1 with ${ERROR.streamClosed}`]);
      expect(reading.end).toBeNull();
      expect(states(reading)).toEqual({ 1: "whole", 3: "whole" });
    }
  });

  test("whose head ends a read is not an empty one: any number of them is no flood", async () => {
    const body = frame(TYPE.data, 0, 1, "x");
    const reads = Array.from({ length: 300 }, () => [body.subarray(0, 9), body.subarray(9)]).flat();
    const reading = await read(post(1), ...reads, frame(TYPE.data, FLAG.endStream, 1));
    expect([reading.end, states(reading)]).toEqual([null, { 1: "whole" }]);
    expect(reading.streams.get(1)?.body).toBe("x".repeat(300));
  });

  test("that is empty is one in however many reads it comes: so many of them are a flood", async () => {
    const empty = everyByte(frame(TYPE.data, 0, 1));
    const reading = await read(post(1), ...Array.from({ length: 300 }, () => empty).flat());
    expect(reading.end).toContain(`goaway ${ERROR.enhanceYourCalm}`);
  });
});

test("streams that nobody reads may together have no more under way than the connection's window, each within its own", async () => {
  const full = (stream: number): Buffer[] => {
    const frames = DEFAULTS.h2WindowBytes / 16_384;
    const [first, ...more] = Array.from({ length: frames }, () => frame(TYPE.data, 0, stream, Buffer.alloc(16_384)));
    // Their first bytes are read, and then no more.
    return [post(stream), first ?? PREFACE, Buffer.concat(more)];
  };
  const fit = Math.floor(DEFAULTS.h2ConnectionWindowBytes / DEFAULTS.h2WindowBytes);
  const tooMany = Math.ceil(DEFAULTS.h2ConnectionWindowBytes / (DEFAULTS.h2WindowBytes - 16_384));
  const streams = Array.from({ length: tooMany }, (_, at) => full(2 * at + 1));
  expect((await readIn("pauses", streams.slice(0, fit).flat())).end).toBeNull();
  expect((await readIn("pauses", streams.flat())).end).toContain(`goaway ${ERROR.flowControl}`);
});

describe("a stream with an even id, which only we could open, is idle", () => {
  const frames: Record<string, Buffer> = {
    WINDOW_UPDATE: windowUpdate(2, 1),
    RST_STREAM: rstStream(2),
    DATA: frame(TYPE.data, 0, 2, "x"),
    HEADERS: request(2, fields()),
  };
  for (const [title, one] of Object.entries(frames)) {
    test(`${title} of it ends the connection`, async () => {
      const reading = await read(request(5, fields()), one);
      expect(reading.end).toContain(`goaway ${ERROR.protocol} after 5`);
    });
  }
});

test("a GOAWAY too short for what it must say ends the connection; one with text behind that does not", async () => {
  const payload = Buffer.alloc(8);
  const short = await read(frame(TYPE.goaway, 0, 0, payload.subarray(0, 7)));
  expect(short.end).toContain(`goaway ${ERROR.frameSize}`);
  const whole = await read(
    frame(TYPE.goaway, 0, 0, payload),
    frame(TYPE.goaway, 0, 0, Buffer.concat([payload, payload])),
  );
  expect(whole.end).toBeNull();
});

describe("trailers", () => {
  const trailers = (value: string): Buffer =>
    frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, headerBlock([["x-trailer", value]]));
  for (const value of [" b", "b ", "\tb", "b\t", "b\r\nc", "b\0"]) {
    test(`with the value ${JSON.stringify(value)} are malformed, as a head with it is`, async () => {
      const reading = await read(post(1), frame(TYPE.data, 0, 1, "x"), trailers(value));
      expect([reading.end, states(reading)]).toEqual([null, { 1: "request_malformed" }]);
    });
  }

  test("with blanks within a value come as they are", async () => {
    const reading = await read(post(1), trailers("b \t c"));
    expect(reading.streams.get(1)?.trailers).toEqual(["x-trailer: b \t c"]);
  });
});
