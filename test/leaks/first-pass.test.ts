// Goal: the quarters of a text that are walked side by side have the anchors that are there when it is walked byte by byte.
// Method: samples of all kinds, and what nearly is one, anywhere in texts of any length.
import fc from "fast-check";
import { expect, test } from "vitest";
import { DETECTORS } from "../../src/leaks/catalogue.ts";
import { FirstPass, type Passed } from "../../src/leaks/first-pass.ts";
import { SAMPLES } from "./samples.ts";

const pass = new FirstPass(DETECTORS.flatMap(({ anchors }) => anchors));

function byteByByte(bytes: Buffer, from: number, begun: number): Passed {
  const hits: { at: number; row: number }[] = [];
  let row = begun;
  for (let at = from; at < bytes.length; at++) {
    const one = pass.pass(bytes.subarray(at, at + 1), 0, row);
    hits.push(...one.hits.map((hit) => ({ at, row: hit.row })));
    row = one.row;
  }
  return { hits, row };
}

const sample = fc.constantFrom(...SAMPLES.map(({ text }) => text));
const part = fc.oneof(
  sample,
  fc.tuple(sample, fc.nat(40)).map(([text, length]) => text.slice(0, length)),
  fc.constantFrom('{"id":100000,"name":"', '"},', " ", "4111 1111 ", "1234567890", "x".repeat(70), "ü", "\n    at "),
  fc.string({ maxLength: 30 }),
);
const text = fc.array(part, { minLength: 1, maxLength: 25 }).map((parts) => Buffer.from(parts.join("")));

test("what is walked side by side ends where it ends byte by byte, with the same anchors", () => {
  fc.assert(
    fc.property(text, fc.nat(100), (bytes, start) => {
      const from = Math.min(start, bytes.length);
      const row = from === 0 ? pass.begin : pass.rowBehind(bytes[from - 1] as number);
      expect(pass.pass(bytes, from, row)).toEqual(byteByByte(bytes, from, row));
    }),
    { numRuns: 500 },
  );
});

// Each anchor in it would have all its lines looked at one by one, at more than the price of the body.
test("in an ordinary answer's head there is no anchor", () => {
  const lines = [
    "server: nginx/1.22.1",
    "last-modified: Tue, 01 Dec 2026 07:57:00 GMT",
    "connection: keep-alive",
    "keep-alive: timeout=5, max=100",
    "accept-ranges: bytes",
    "vary: Accept-Encoding, Origin",
    "cache-control: no-store, max-age=0, must-revalidate",
    "x-request-id: 01J9Z3K7W8Q4R2T6Y1M5N0B8C4",
    "x-content-type-options: nosniff",
    "access-control-allow-origin: *",
    "x-ratelimit-remaining: 4999",
    "retry-after: 120",
    "content-language: en, de",
    "transfer-encoding: chunked",
    "via: 1.1 varnish",
    "age: 12",
    'alt-svc: h3=""; ma=86400',
  ];
  for (const line of lines) expect(pass.pass(Buffer.from(`${line}\n`), 0, pass.begin).hits, line).toEqual([]);
});
