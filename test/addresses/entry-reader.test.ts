// Goal: what is read off bytes is what is read off the text, and whatever it does not know is left to that.
import fc from "fast-check";
import { expect, test } from "vitest";
import { entryOf } from "../../src/addresses/entry.ts";
import { EntryReader } from "../../src/addresses/entry-reader.ts";

const reader = new EntryReader();

function agree(text: string): boolean {
  const bytes = Buffer.from(`x${text}y`, "latin1");
  const isRead = reader.read(bytes, 1, bytes.length - 1);
  const entry = entryOf(text, true);
  if (!isRead) return false;
  const words = reader.family === 4 ? 1 : 4;
  const read = { family: reader.family, first: reader.first.slice(0, words), last: reader.last.slice(0, words) };
  expect({ ...read, isCut: reader.isCut }, text).toEqual(entry);
  return true;
}

test("the usual spellings are read", () => {
  for (const text of [
    "0.0.0.0",
    "255.255.255.255/0",
    "192.0.2.7/24",
    "::",
    "::1",
    "1::",
    "2001:db8::/32",
    "1:2:3:4:5:6:7:8/64",
  ])
    expect(agree(text), text).toBe(true);
});

test("what is none is not read", () => {
  for (const text of [
    "",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4/",
    "1.2.3.4/33",
    "1.2.3.256",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1::2::3",
  ]) {
    expect(agree(text), text).toBe(false);
  }
  for (const text of [
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "::1/129",
    "::1/",
    "1:",
    "::1%eth0",
    "1.2.3.4.5",
  ]) {
    expect(agree(text), text).toBe(false);
  }
});

test("random texts and addresses are read as the text is, or left to it", () => {
  const soup = fc.string({
    unit: fc.constantFrom("0", "1", "9", "f", "::", ":", ".", "/", "25", "ffff"),
    maxLength: 20,
  });
  const any = fc.oneof(soup, fc.ipV4(), fc.ipV6(), fc.ipV4Extended());
  const prefix = fc.tuple(any, fc.integer({ min: 0, max: 140 })).map(([address, length]) => `${address}/${length}`);
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(any, prefix), (text) => {
      if (agree(text)) read++;
    }),
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(500);
});
