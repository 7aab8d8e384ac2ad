// Goal: events are read however they are cut, and a service that sends them a byte at a time costs no more than its bytes.
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { EventTexts } from "../../src/filters/response/event-texts.ts";

afterEach(() => vi.restoreAllMocks());

/** Each text in upper case, so that it shows what was taken for one. */
const upper = () => ({
  fault: null,
  rest: Buffer.alloc(0),
  take: (piece: Buffer) => Buffer.from(piece.toString("latin1").toUpperCase(), "latin1"),
  end: () => Buffer.alloc(0),
});

function edited(pieces: readonly Buffer[]): string {
  const events = new EventTexts(upper, false);
  return Buffer.concat([...pieces.map((piece) => events.take(piece)), events.end()]).toString("latin1");
}

const byteByByte = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));

test("an event is the same however its lines end and wherever it is cut", () => {
  const part = fc.constantFrom(
    "data: a\n",
    "data: b\r\n",
    "data:c\r",
    "id: x\n",
    ": hello\r",
    "\n",
    "\r\n",
    "\r",
    "data\n",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.nat(), (parts, cut) => {
      const bytes = Buffer.from(parts.join(""));
      const at = cut % (bytes.length + 1);
      const whole = edited([bytes]);
      expect(edited([bytes.subarray(0, at), bytes.subarray(at)])).toBe(whole);
      expect(edited(byteByByte(bytes))).toBe(whole);
    }),
    { numRuns: 500 },
  );
});

test("an event leaves with the byte that ends it, and not before", () => {
  const events = new EventTexts(upper, false);
  const out = byteByByte(Buffer.from("data: a\r\nid: 1\n\ndata: b\n\n")).map((byte) => events.take(byte).toString());
  expect(out.filter((text) => text !== "")).toEqual(["data: A\r\nid: 1\n\n", "data: B\n\n"]);
  expect(out.indexOf("data: A\r\nid: 1\n\n")).toBe(15);
});

test("an event that comes byte by byte has its bytes copied a few times, not once for each byte behind them", () => {
  let copied = 0;
  const { copy } = Buffer.prototype;
  const { concat } = Buffer;
  vi.spyOn(Buffer.prototype, "copy").mockImplementation(function (this: Buffer, ...rest: unknown[]) {
    const bytes: number = Reflect.apply(copy, this, rest);
    copied += bytes;
    return bytes;
  });
  vi.spyOn(Buffer, "concat").mockImplementation((list, length) => {
    const whole = concat(list, length);
    copied += whole.length;
    return whole;
  });
  const bytes = Buffer.from(`data: "${"x".repeat(64 * 1024)}"\n\n`);
  expect(edited(byteByByte(bytes))).toContain("XXX");
  expect(copied).toBeLessThan(8 * bytes.length);
});

test("what an event with a fault holds is in the rest, and so is what came behind it", () => {
  const faulty = () => ({ ...upper(), fault: "no JSON" });
  const events = new EventTexts(faulty, true);
  expect(events.take(Buffer.from("data: {}\n\ndata: 2\n\n")).toString()).toBe("");
  expect(events.fault).toBe("no JSON");
  expect(events.rest.toString()).toBe("data: {}\n\ndata: 2\n\n");
});

test("where only what is listed leaves, comments keep nothing but their sign, and fields that no reader knows go", () => {
  const events = new EventTexts(upper, true);
  const came = "\ufeff: a=1\r\nid: 7\nuser: jane\n:\ndatax: b\nevent\ndata: c\nretry: 5\n\n: ping\n\n";
  const out = byteByByte(Buffer.from(came)).map((byte) => events.take(byte));
  const left = "\ufeff:\r\nid: 7\n:\nevent\ndata: C\nretry: 5\n\n:\n\n";
  expect(Buffer.concat([...out, events.end()]).toString()).toBe(left);
  expect(edited([Buffer.from(": a=1\nuser: jane\n\n")])).toBe(": a=1\nuser: jane\n\n");
});
