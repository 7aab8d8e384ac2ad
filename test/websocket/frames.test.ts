import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closeFrame, FrameReader, type FrameRules } from "../../src/websocket/frames.ts";

const CLIENT: FrameRules = { masked: true, reservedBits: 0, payloadBytesMax: 100_000 };
const SERVER: FrameRules = { ...CLIENT, masked: false };

interface FrameOptions {
  readonly first?: number;
  readonly length?: number;
  readonly masked?: boolean;
  /** Bytes of the extended length, where it is not the shortest. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** One frame, sound or not. */
function frameOf({ first = 0x82, length = 0, masked = false, lengthBytes }: FrameOptions): Buffer {
  const extended = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const head = Buffer.alloc(2 + extended + (masked ? 4 : 0));
  head[0] = first;
  head[1] = (extended === 0 ? length : extended === 2 ? 126 : 127) | (masked ? 0x80 : 0);
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(Math.min(length, 200_000))]);
}

describe("what is no frame of its side is refused at its header, and nothing of it goes on", () => {
  const faults: Record<string, [rules: FrameRules, frame: Buffer, code: number]> = {
    "an unmasked frame of a client": [CLIENT, frameOf({ length: 3 }), 1002],
    "a masked frame of a server": [SERVER, frameOf({ length: 3, masked: true }), 1002],
    "reserved bits that no extension has": [SERVER, frameOf({ first: 0xc2 }), 1002],
    "a reserved data opcode": [SERVER, frameOf({ first: 0x83 }), 1002],
    "a reserved control opcode": [SERVER, frameOf({ first: 0x8b }), 1002],
    "a ping in parts": [SERVER, frameOf({ first: 0x09 }), 1002],
    "a ping of 126 bytes": [SERVER, frameOf({ first: 0x89, length: 126 }), 1002],
    "a Close frame with half a code": [SERVER, frameOf({ first: 0x88, length: 1 }), 1002],
    "a continuation of nothing": [SERVER, frameOf({ first: 0x80 }), 1002],
    "a length in two bytes that fits into one": [SERVER, frameOf({ length: 5, lengthBytes: 2 }), 1002],
    "a length in eight bytes that fits into two": [SERVER, frameOf({ length: 500, lengthBytes: 8 }), 1002],
    "a length with the first bit set": [SERVER, Buffer.from("827fffffffffffffffff", "hex"), 1002],
    "a payload over the limit": [SERVER, frameOf({ length: 100_001 }), 1009],
    "a length that no number holds": [SERVER, Buffer.from("827f7fffffffffffffff", "hex"), 1009],
    "an HTTP request": [CLIENT, Buffer.from("GET /admin HTTP/1.1\r\n\r\n"), 1002],
  };
  for (const [name, [rules, frame, code]] of Object.entries(faults)) {
    test(name, () => {
      const reader = new FrameReader(rules);
      expect(reader.feed(frame)).toBe(0);
      expect(reader.fault).toMatchObject({ code });
    });
  }

  test("a message that begins inside another", () => {
    const reader = new FrameReader(SERVER);
    const first = frameOf({ first: 0x02, length: 4 });
    expect(reader.feed(Buffer.concat([first, frameOf({ first: 0x82 })]))).toBe(first.length);
    expect(reader.fault).toMatchObject({ code: 1002 });
  });
});

test("a ping may stand between the parts of a message", () => {
  const frames = [frameOf({ first: 0x02, length: 4 }), frameOf({ first: 0x89, length: 2 }), frameOf({ first: 0x80 })];
  const reader = new FrameReader(SERVER);
  const bytes = Buffer.concat(frames);
  expect(reader.feed(bytes)).toBe(bytes.length);
  expect(reader.fault).toBeNull();
});

test("the bit of an agreed compression passes, the others do not", () => {
  const rules = { ...SERVER, reservedBits: 0x40 };
  expect(new FrameReader(rules).feed(frameOf({ first: 0xc1, length: 2 }))).toBe(4);
  const reader = new FrameReader(rules);
  reader.feed(frameOf({ first: 0xa1, length: 2 }));
  expect(reader.fault).toMatchObject({ code: 1002 });
});

test("nothing is read behind a Close frame", () => {
  const reader = new FrameReader(SERVER);
  const close = closeFrame(1000, "bye", null);
  expect(reader.feed(Buffer.concat([close, frameOf({ length: 3 })]))).toBe(close.length);
  expect(reader.closed).toBe(true);
  expect(reader.feed(frameOf({ length: 3 }))).toBe(0);
});

test("a header that is cut goes on only when it is whole", () => {
  const reader = new FrameReader(CLIENT);
  const frame = frameOf({ length: 300, masked: true });
  expect(reader.feed(frame.subarray(0, 7))).toBe(0);
  expect(reader.feed(frame.subarray(0, 9))).toBe(9);
  expect(reader.atBoundary).toBe(false);
  expect(reader.feed(frame.subarray(9))).toBe(frame.length - 9);
  expect(reader.atBoundary).toBe(true);
});

test("however the bytes are cut, the same go on and the same fault is found", () => {
  const piece = fc.record({
    first: fc.constantFrom(0x81, 0x82, 0x89, 0x8a, 0x02, 0x80, 0x88, 0x8b, 0xc1, 0x00),
    length: fc.constantFrom(0, 1, 5, 125, 126, 300, 70_000, 100_001),
    masked: fc.constantFrom(true, true, true, true, false),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(2000), { maxLength: 30 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(frameOf));
      const whole = new FrameReader(CLIENT);
      const passed = whole.feed(bytes);
      const cut = new FrameReader(CLIENT);
      let at = 0;
      let offered = 0;
      for (const step of [...cuts, bytes.length]) {
        offered = Math.min(bytes.length, offered + step);
        if (offered > at) at += cut.feed(bytes.subarray(at, offered));
      }
      expect([at, cut.fault, cut.closed, cut.atBoundary]).toEqual([
        passed,
        whole.fault,
        whole.closed,
        whole.atBoundary,
      ]);
    }),
  );
});

test("our Close frame is one that either side takes", () => {
  const toClient = closeFrame(1008, "stream_denied", null);
  const server = new FrameReader(SERVER);
  expect(server.feed(toClient)).toBe(toClient.length);
  expect([toClient.readUInt16BE(2), toClient.toString("latin1", 4)]).toEqual([1008, "stream_denied"]);
  const toService = closeFrame(1001, "", 0xdead_beef);
  const client = new FrameReader(CLIENT);
  expect(client.feed(toService)).toBe(toService.length);
  expect(client.closed).toBe(true);
  expect((toService.readUInt16BE(6) ^ 0xdead) & 0xffff).toBe(1001);
});
