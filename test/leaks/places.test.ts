import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonPlaces, type LeakPlace } from "../../src/leaks/places.ts";

/** The place of the last byte of a text that is fed in these pieces. */
function placeIn(...pieces: readonly Buffer[]): LeakPlace {
  const places = new JsonPlaces();
  for (const piece of pieces) places.feed(piece, 0, piece.length);
  return places.place();
}

const byteByByte = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));

test("what is passed over in one piece leaves the same place as what came byte by byte", () => {
  const text = fc.json({ maxDepth: 6 }).map((json) => Buffer.from(json));
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (bytes, one, other) => {
      const end = 1 + (one % bytes.length);
      const middle = other % end;
      const expected = placeIn(...byteByByte(bytes.subarray(0, end)));
      expect(placeIn(bytes.subarray(0, end))).toEqual(expected);
      expect(placeIn(bytes.subarray(0, middle), bytes.subarray(middle, end))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("containers of any length lead to the place behind them", () => {
  for (const length of [1, 200, 1000, 1010, 1020, 1030, 5000]) {
    const text = Buffer.from(`{"a":[{"b":"${"x".repeat(length)}\\"}"},[[]]],"c":{"d":[0,{"e":12`);
    expect(placeIn(text), `${length}`).toEqual({ path: ["c", "d", 1, "e"], isInNumber: true });
  }
});

test("a bracket of another kind leads to no place, wherever it is cut", () => {
  const text = Buffer.from('[{"a":[1}},{"b":2');
  for (let cut = 1; cut < text.length; cut++)
    expect(placeIn(text.subarray(0, cut), text.subarray(cut)), `${cut}`).toEqual({ path: [], isInNumber: false });
});
