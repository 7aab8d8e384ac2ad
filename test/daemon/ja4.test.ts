import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ja4Of } from "../../src/daemon/ja4.ts";

interface Hello {
  readonly ciphers: readonly number[];
  readonly extensions: readonly (readonly [type: number, data: Buffer])[];
  readonly version?: number;
}

const words = (values: readonly number[]): Buffer =>
  Buffer.from(values.flatMap((value) => [value >>> 8, value & 0xff]));
const block = (lengthBytes: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
};
const alpn = (...names: readonly string[]): Buffer =>
  block(2, ...names.map((name) => block(1, Buffer.from(name, "latin1"))));

function helloOf({ ciphers, extensions, version = 0x0303 }: Hello): Buffer {
  const body = Buffer.concat([
    words([version]),
    randomBytes(32),
    block(1, randomBytes(32)),
    block(2, words(ciphers)),
    block(1, Buffer.alloc(1)),
    block(2, ...extensions.map(([type, data]) => Buffer.concat([words([type]), block(2, data)]))),
  ]);
  return Buffer.concat([Buffer.from([22, 3, 1]), block(2, Buffer.from([1]), block(3, body))]);
}

const NONE = Buffer.alloc(0);
const SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
/** The published example (github.com/FoxIO-LLC/ja4), in the order of its JA4_ro and with values of RFC 8701 between. */
const EXAMPLE: Hello = {
  ciphers: [
    0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
    0x002f, 0x0035,
  ],
  extensions: [
    [0x1a1a, NONE],
    [0x0000, block(2, Buffer.from([0]), block(2, Buffer.from("example.org")))],
    [0x0033, NONE],
    [0x000d, block(2, words(SIGNATURES))],
    ...[0x0023, 0x000b, 0xff01, 0x000a, 0x001b, 0x4469, 0x0012, 0x002d].map((type) => [type, NONE] as const),
    [0x0010, alpn("h2", "http/1.1")],
    [0x0005, NONE],
    [0x002b, block(1, words([0x0a0a, 0x0304, 0x0303]))],
    [0x0017, NONE],
    [0x2a2a, Buffer.alloc(1)],
    [0x0015, NONE],
  ],
};

test("the published example, in whichever order", () => {
  expect(ja4Of(helloOf(EXAMPLE))).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
  const shuffled = { ciphers: EXAMPLE.ciphers.toReversed(), extensions: EXAMPLE.extensions.toReversed() };
  expect(ja4Of(helloOf(shuffled))).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
});

test("a client of an address, without extensions, of an old version", () => {
  expect(ja4Of(helloOf({ ciphers: [0x1301], extensions: [[0x0010, alpn("http/1.1")]] }))).toMatch(/^t12i0101h1_/);
  expect(ja4Of(helloOf({ ciphers: [], extensions: [], version: 0x0301 }))).toBe("t10i000000_000000000000_000000000000");
  expect(ja4Of(helloOf({ ciphers: [], extensions: [], version: 0x0905 }))).toMatch(/^t00/);
});

test.each([
  ["\xab", "ab"],
  ["\xab\xcd", "ad"],
  ["0\xab", "3b"],
  ["01\xab\xcd2", "02"],
  [" !", "21"],
  ["h", "hh"],
])("the protocol %j stands as %s", (name, ends) => {
  expect(ja4Of(helloOf({ ciphers: [], extensions: [[0x0010, alpn(name)]] }))?.slice(8, 10)).toBe(ends);
});

test("what is no whole hello has none, and nothing throws", () => {
  const whole = helloOf(EXAMPLE);
  for (let length = 0; length < whole.length; length++)
    expect(ja4Of(whole.subarray(0, length)), `${length}`).toBeNull();
  expect(ja4Of(Buffer.from("GET / HTTP/1.1\r\n\r\n"))).toBeNull();
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 });
  fc.assert(
    fc.property(changes, (list) => {
      const bytes = Buffer.from(whole);
      for (const [at, to] of list) bytes[at] = to;
      const ja4 = ja4Of(bytes);
      return ja4 === null || /^t[\ds]\d[di]\d{4}[0-9A-Za-z]{2}_[\da-f]{12}_[\da-f]{12}$/.test(ja4);
    }),
    { numRuns: 2_000 },
  );
});
