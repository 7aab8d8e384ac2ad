// Goal: what is written is what the format says. Method: texts and times at the edges, read back by other means.
import fc from "fast-check";
import { expect, test } from "vitest";
import { WireWriter } from "../../src/bodies/protobuf/writer.ts";
import { nanoDigits } from "../../src/tracing/span.ts";

test("times are the nanoseconds that their digits are", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 4_102_444_800_000, noNaN: true }), (ms) => {
      const writer = new WireWriter();
      writer.unixNano(1, ms);
      const written = writer.take();
      expect(written[0]).toBe(1 * 8 + 1);
      expect(written.readBigUInt64LE(1)).toBe(BigInt(nanoDigits(ms)));
    }),
    { examples: [[0], [0.999_999], [1.7e12], [2 ** 26], [2 ** 26 - 0.5], [2 ** 32], [4_102_444_799_999.999]] },
  );
});

test.each(["", "a", "é", "x".repeat(31), "x".repeat(32), "x".repeat(33), `${"x".repeat(31)}é`, "世界".repeat(100)])(
  "the text %j stands with its length",
  (text) => {
    const writer = new WireWriter();
    writer.text(2, text);
    const bytes = Buffer.from(text);
    const length =
      bytes.length < 0x80 ? [bytes.length] : [(bytes.length % 0x80) | 0x80, Math.floor(bytes.length / 0x80)];
    expect(writer.take()).toEqual(Buffer.concat([Buffer.from([2 * 8 + 2, ...length]), bytes]));
  },
);

test("numbers are in as few bytes as they need", () => {
  for (const [value, bytes] of [
    [0, [0]],
    [127, [127]],
    [128, [0x80, 1]],
    [300, [0xac, 2]],
    [2 ** 35, [0x80, 0x80, 0x80, 0x80, 0x80, 1]],
  ] as const) {
    const writer = new WireWriter();
    writer.varint(3, value);
    expect([...writer.take()]).toEqual([3 * 8, ...bytes]);
  }
});
