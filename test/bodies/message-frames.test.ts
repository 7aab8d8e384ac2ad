import { expect, test } from "vitest";
import { type FrameHandler, FrameReader, frameOf } from "../../src/bodies/message-frames.ts";

interface End {
  readonly why: string;
}

class Frames implements FrameHandler<End> {
  readonly seen: string[] = [];

  onFrame(flags: number, bytes: number): End | boolean {
    if (bytes > 1_000) return { why: `${bytes} bytes` };
    return flags !== 7;
  }

  onMessage(flags: number, message: Buffer): null {
    this.seen.push(`${flags} ${message.toString("latin1")}`);
    return null;
  }
}

const messages = ["", "a", "some text", "x".repeat(300), "", "end"].map((text, at) =>
  frameOf(at % 3, Buffer.from(text)),
);
const all = Buffer.concat(messages);
const expected = ["0 ", "1 a", "2 some text", `0 ${"x".repeat(300)}`, "1 ", "2 end"];

test("messages are the same wherever their bytes are cut", () => {
  for (let size = 1; size <= all.length; size++) {
    const frames = new Frames();
    const reader = new FrameReader(frames);
    for (let at = 0; at < all.length; at += size) {
      // The piece is somebody else's once it was taken.
      const piece = Buffer.from(all.subarray(at, at + size));
      expect(reader.take(piece)).toBeNull();
      piece.fill(0);
    }
    expect(frames.seen).toEqual(expected);
    expect(reader.openBytes).toBe(0);
  }
});

test("how much of a message has come is known at every byte", () => {
  const reader = new FrameReader(new Frames());
  const frame = frameOf(0, Buffer.from("abc"));
  const open = [...frame].map((byte) => {
    reader.take(Buffer.from([byte]));
    return reader.openBytes;
  });
  expect(open).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
});

test("what is not wanted is passed over and not held", () => {
  const frames = new Frames();
  const reader = new FrameReader(frames);
  const frame = frameOf(7, Buffer.alloc(900));
  reader.take(frame.subarray(0, 500));
  expect([reader.heldBytes, reader.openBytes]).toEqual([0, 500]);
  reader.take(Buffer.concat([frame.subarray(500), frameOf(1, Buffer.from("b"))]));
  expect(frames.seen).toEqual(["1 b"]);
});

test("what ends the reading does so at the prefix, and what had come is there", () => {
  const reader = new FrameReader(new Frames());
  reader.take(Buffer.from([0, 0]));
  expect(reader.take(Buffer.from([1, 0, 0, 9, 9]))).toEqual({ why: "65536 bytes" });
  expect([reader.stoppedAt, reader.takeOpen().toString("hex")]).toEqual([3, "0000010000"]);
});
