import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BodyDecoder } from "../../src/http1/framing.ts";
import { CHUNKED } from "../../src/message/body.ts";
import { UNTIL_CLOSE } from "../../src/message/stream.ts";

interface Decoded {
  body: string;
  done: boolean;
  fault: string | null;
  rest: string;
}

/** Feeds the parts as separate reads. */
function decode(bodyBytes: number, parts: readonly string[]): Decoded {
  const decoder = new BodyDecoder(bodyBytes);
  const chunks: Buffer[] = [];
  const sink = { onBody: (chunk: Buffer) => chunks.push(chunk) > 0 };
  let rest = "";
  for (const part of parts) {
    const buffer = Buffer.from(part, "latin1");
    const end = decoder.feed(buffer, 0, sink);
    rest += buffer.toString("latin1", end);
  }
  return { body: Buffer.concat(chunks).toString("latin1"), done: decoder.done, fault: decoder.fault, rest };
}

test("a body of a known length ends at its last byte and leaves the next request alone", () => {
  expect(decode(5, ["hel", "loGET /"])).toEqual({ body: "hello", done: true, fault: null, rest: "GET /" });
});

test("a chunked body ends at its last chunk; extensions and trailers are dropped", () => {
  const wire = "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: y\r\n\r\nGET /";
  expect(decode(CHUNKED, [wire])).toEqual({ body: "hello world", done: true, fault: null, rest: "GET /" });
});

test("extensions of every right form are read over", () => {
  for (const extension of [";a", ";a=b", ';a="b"', ';a="b;c"', ';a="\\""', ';a;b=c;d="e\tf"']) {
    const decoded = decode(CHUNKED, [`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`]);
    expect(decoded, extension).toEqual({ body: "hello", done: true, fault: null, rest: "" });
  }
});

test("an extension is refused in linear time, however it is made", () => {
  for (const extension of [';a="'.repeat(61), ';a="\\"'.repeat(40), ";a=".repeat(80), ";a;".repeat(80)]) {
    expect(decode(CHUNKED, [`5${extension}\r\nhello\r\n0\r\n\r\n`]).fault, extension).toBe("malformed chunk size");
  }
});

test("a body until the end of the connection is never done by itself", () => {
  expect(decode(UNTIL_CLOSE, ["a", "b"])).toEqual({ body: "ab", done: false, fault: null, rest: "" });
});

describe("chunked framing that has been read in two ways is refused", () => {
  const refused: Record<string, string> = {
    "sign before the size": "+5\r\nhello\r\n0\r\n\r\n",
    "negative size": "-5\r\nhello\r\n",
    "prefix of a hexadecimal": "0x5\r\nhello\r\n0\r\n\r\n",
    "blank before the size": " 5\r\nhello\r\n0\r\n\r\n",
    "blank after the size": "5 \r\nhello\r\n0\r\n\r\n",
    "size of no digits": "\r\nhello\r\n",
    "size beyond every integer": "fffffffffffffffff\r\nx",
    "bare LF after the size": "5\nhello\r\n0\r\n\r\n",
    "bare LF after the data": "5\r\nhello\n0\r\n\r\n",
    "bare LF in an extension": "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "chunk longer than its size": "5\r\nhello!\r\n0\r\n\r\n",
    "chunk shorter than its size": "5\r\nhell\r\n0\r\n\r\n",
    "bare LF at the end": "0\r\n\n",
    "folded trailer": "0\r\nx: y\r\n z\r\n\r\n",
    "trailer without a colon": "0\r\nx\r\n\r\n",
    "endless extension": `5;${"a".repeat(5000)}`,
    "endless trailers": `0\r\n${"x: y\r\n".repeat(2000)}`,
  };
  for (const [name, wire] of Object.entries(refused)) {
    test(name, () => {
      const decoded = decode(CHUNKED, [wire]);
      expect(decoded.fault).not.toBeNull();
      expect(decoded.done).toBe(false);
    });
  }
});

test("how the bytes are split into reads changes nothing", () => {
  const wire = fc
    .array(fc.string({ minLength: 1, maxLength: 20, unit: "binary-ascii" }))
    .map((chunks) => `${chunks.map((c) => `${c.length.toString(16)}\r\n${c}\r\n`).join("")}0\r\n\r\nNEXT`);
  fc.assert(
    fc.property(wire, fc.array(fc.nat(200)), (bytes, cuts) => {
      const at = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
      const parts = [...at, bytes.length].map((end, i) => bytes.slice(at[i - 1] ?? 0, end));
      const whole = decode(CHUNKED, [bytes]);
      expect(decode(CHUNKED, parts)).toEqual(whole);
      expect(whole).toMatchObject({ done: true, fault: null, rest: "NEXT" });
    }),
    { seed: 20261121, numRuns: 500 },
  );
});
