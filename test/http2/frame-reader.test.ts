// Goal: frames are the same however their bytes are split into reads, and nothing of one passes for another. Method: any
// frames, cut anywhere, put together again from the parts that the reader tells.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConnectionFault } from "../../src/http2/connection-fault.ts";
import { FrameReader } from "../../src/http2/frame-reader.ts";
import { ERROR, FLAG, frame, TYPE } from "../fixtures/h2-frames.ts";

interface Told {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Of DATA without its padding. */
  payload: string;
  padding: number;
}

class Collector {
  readonly frames: Told[] = [];
  readonly reader = new FrameReader({
    onFrame: (type, flags, stream, payload) => {
      expect(this.#open).toBe(false);
      this.frames.push({ type, flags, stream, payload: payload.toString("latin1"), padding: 0 });
      return null;
    },
    onData: (stream, { data, padding, isFirst, isLast, endStream }) => {
      expect(isFirst).toBe(!this.#open);
      if (endStream) expect(isLast).toBe(true);
      if (isFirst) this.frames.push({ type: TYPE.data, flags: 0, stream, payload: "", padding: 0 });
      const last = this.frames.at(-1);
      if (last === undefined) throw new Error("a part of nothing");
      expect(stream).toBe(last.stream);
      // What follows padding is padding: data that came behind would be of another frame.
      if (data.length > 0 && last.padding > 1) expect.fail("data behind padding");
      last.payload += data.toString("latin1");
      last.padding += padding;
      if (endStream) this.frames[this.frames.length - 1] = { ...last, flags: FLAG.endStream };
      this.#open = !isLast;
      return null;
    },
  });
  fault: ConnectionFault | null = null;
  #open = false;

  feed(...reads: readonly Buffer[]): this {
    for (const read of reads) this.fault ??= this.reader.feed(read);
    return this;
  }

  get isOpen(): boolean {
    return this.#open;
  }
}

const data = (text: string, flags = 0, stream = 1): Buffer => frame(TYPE.data, flags, stream, text);
/** A DATA frame with padding. */
const padded = (text: string, padding: number, flags = 0): Buffer =>
  data(String.fromCharCode(padding) + text + "\0".repeat(padding), FLAG.padded | flags);
const everyByte = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));

describe("however the bytes are split", () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "b", "\0", "\x09"), maxLength: 40 }),
    fc.constantFrom("", "x".repeat(300), "y".repeat(16_384)),
  );
  const stream = fc.constantFrom(0, 1, 3, 0x7fff_ffff);
  const anyFrame = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 255 }), fc.nat(255), stream, text)
      .map(([type, flags, id, payload]): [Told, Buffer] => [
        { type, flags, stream: id, payload, padding: 0 },
        frame(type, flags, id, payload),
      ]),
    fc
      .tuple(stream, text, fc.boolean(), fc.option(fc.nat(255)))
      .filter(([, payload, , padding]) => payload.length + (padding ?? 0) < 16_384)
      .map(([id, payload, ends, padding]): [Told, Buffer] => {
        const flags = ends ? FLAG.endStream : 0;
        const told = { type: TYPE.data, flags, stream: id, payload };
        if (padding === null) return [{ ...told, padding: 0 }, frame(TYPE.data, flags, id, payload)];
        const whole = String.fromCharCode(padding) + payload + "\0".repeat(padding);
        return [{ ...told, padding: padding + 1 }, frame(TYPE.data, flags | FLAG.padded, id, whole)];
      }),
  );

  test("the frames are those that were sent, with the same data and padding", () => {
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 8 }), cuts, (frames, at) => {
        const bytes = Buffer.concat(frames.map(([, one]) => one));
        const ends = [...at.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
        const reads = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        const collector = new Collector().feed(...reads);
        expect(collector.fault).toBeNull();
        expect(collector.frames).toEqual(frames.map(([told]) => told));
        expect(collector.isOpen || collector.reader.isWaiting).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("byte by byte as well", () => {
    const frames = [padded("hello", 3), frame(TYPE.ping, 0, 0, "12345678"), data(""), data("x", FLAG.endStream)];
    const collector = new Collector().feed(...everyByte(Buffer.concat(frames)));
    expect(collector.frames.map(({ payload }) => payload)).toEqual(["hello", "12345678", "", "x"]);
  });

  test("a read's end behind the head of a DATA frame makes no empty frame of it", () => {
    const parts: boolean[] = [];
    const reader = new FrameReader({
      onFrame: () => null,
      onData: (_stream, { isFirst, isLast }) => {
        parts.push(isFirst && isLast);
        return null;
      },
    });
    const bytes = data("hello");
    reader.feed(bytes.subarray(0, 9));
    reader.feed(bytes.subarray(9));
    expect(parts).toEqual([false, false]);
    reader.feed(data(""));
    expect(parts).toEqual([false, false, true]);
  });
});

describe("padding", () => {
  test("may be all there is, and may be none", () => {
    const collector = new Collector().feed(padded("", 0), padded("", 255), padded("a", 0));
    expect(collector.frames.map(({ payload, padding }) => [payload, padding])).toEqual([
      ["", 1],
      ["", 256],
      ["a", 1],
    ]);
  });

  test("as long as its frame or longer is a fault, however it comes", () => {
    for (const bytes of [
      data("\x05abcd", FLAG.padded),
      data("\xff", FLAG.padded),
      data("\x01", FLAG.padded),
      data("", FLAG.padded),
      Buffer.concat([data("", FLAG.padded), data("")]),
    ]) {
      for (const reads of [[bytes], everyByte(bytes)]) {
        const collector = new Collector().feed(...reads);
        expect(collector.fault).toMatchObject({ code: ERROR.protocol });
        expect(collector.frames).toEqual([]);
      }
    }
  });

  test("the flag says nothing on other frames here", () => {
    const collector = new Collector().feed(frame(TYPE.ping, FLAG.padded, 0, "\xff2345678"));
    expect(collector.frames[0]?.payload).toBe("\xff2345678");
  });
});

describe("sizes", () => {
  test("up to 16384 bytes are taken, one more is a fault before they have come, whatever the type", () => {
    for (const type of [TYPE.data, TYPE.headers, TYPE.settings, TYPE.ping, 0xff]) {
      const largest = new Collector().feed(frame(type, 0, 1, "x".repeat(16_384)));
      expect([largest.fault, largest.frames[0]?.payload.length]).toEqual([null, 16_384]);
      const larger = new Collector().feed(frame(type, 0, 1, "x".repeat(16_385)).subarray(0, 9));
      expect(larger.fault).toMatchObject({ code: ERROR.frameSize });
    }
  });

  test("what has not come is not told, but for data", () => {
    const collector = new Collector().feed(frame(TYPE.headers, 0, 1, "abc").subarray(0, 11));
    expect([collector.frames, collector.reader.isWaiting]).toEqual([[], true]);
    const streaming = new Collector().feed(data("abc", FLAG.endStream).subarray(0, 11));
    expect(streaming.frames).toMatchObject([{ payload: "ab", flags: 0 }]);
    expect(streaming.feed(Buffer.from("c")).frames).toMatchObject([{ payload: "abc", flags: FLAG.endStream }]);
  });
});

test("the reserved bit before a stream's id says nothing", () => {
  for (const type of [TYPE.data, TYPE.headers]) {
    const bytes = frame(type, 0, 5, "x");
    bytes[5] = 0x80;
    expect(new Collector().feed(bytes).frames[0]?.stream).toBe(5);
  }
});
