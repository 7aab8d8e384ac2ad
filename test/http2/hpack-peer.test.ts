// Goal: our field blocks and those of nghttp2 mean the same. Method: node:http2 as the client at one end of a pair of
// streams, our codec and no more at the other; any fields that may stand in a message.
import { type ClientHttp2Session, type ClientSessionOptions, connect, constants } from "node:http2";
import { type Duplex, duplexPair } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CONNECTION_SPECIFIC } from "../../src/http2/fields.ts";
import { FrameReader } from "../../src/http2/frame-reader.ts";
import { HeaderAssembly, type HeaderBlockFrames } from "../../src/http2/header-assembly.ts";
import { HpackDecoder } from "../../src/http2/hpack-decoder.ts";
import { encodeResponse, encodeTrailers } from "../../src/http2/hpack-encoder.ts";
import { STATIC_TABLE } from "../../src/http2/hpack-static.ts";
import { FLAG, frame, PREFACE, settings, TYPE } from "../fixtures/h2-frames.ts";

const TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
const known = STATIC_TABLE.map(([name]) => name).filter((name) => !name.startsWith(":"));
/** Names with rules of their own, which node or nghttp2 would hold us to. */
const SPECIAL = new Set([...CONNECTION_SPECIFIC, "te", "host", "content-length", "priority"]);

const name = fc
  .oneof(
    fc.constantFrom("a", "b", "x-a", "cookie", "authorization", ...known),
    fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 40 }),
  )
  .filter((text) => !SPECIAL.has(text));
const byte = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 2, arbitrary: fc.integer({ min: 0x80, max: 0xff }) },
  fc.constant(0x09),
);
const value = fc
  .oneof(
    fc.constantFrom("", "1", "gzip, deflate"),
    fc.string({ unit: byte.map((code) => String.fromCharCode(code)), maxLength: 60 }),
    // Around the sizes where a length needs another byte, and an entry has no room in the table.
    fc.integer({ min: 100, max: 300 }).map((length) => "a".repeat(length)),
    fc.constantFrom(4_000, 4_095, 4_096, 9_000, 20_000).map((length) => "\xe4".repeat(length)),
  )
  .map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ""));
type Fields = readonly (readonly [name: string, value: string])[];
const fields = fc.array(fc.tuple(name, value), { maxLength: 12 });

/** Our end: gives each whole field block of the client to `onBlock`. */
function listen(socket: Duplex, onBlock: (head: HeaderBlockFrames) => void): void {
  const assembly = new HeaderAssembly(1 << 20, 1_000);
  const reader = new FrameReader({
    onFrame: (type, flags, streamId, payload) => {
      if (type === TYPE.settings && flags === 0) socket.write(frame(TYPE.settings, FLAG.ack, 0));
      if (type !== TYPE.headers && type !== TYPE.continuation) return null;
      const head =
        type === TYPE.headers
          ? assembly.onHeaders(flags, streamId, payload)
          : assembly.onContinuation(flags, streamId, payload);
      if (head !== null && "block" in head) onBlock(head);
      return null;
    },
    onData: () => null,
  });
  let left = PREFACE.length;
  socket.on("data", (chunk: Buffer) => {
    const size = Math.min(left, chunk.length);
    left -= size;
    expect(reader.feed(chunk.subarray(size))).toBeNull();
  });
}

/** As much as there may be; the types do not know `strictSingleValueFields` yet. */
const OPTIONS: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
  settings: { maxHeaderListSize: 1 << 24 },
  maxSendHeaderBlockLength: 1 << 24,
  maxHeaderListPairs: 1_000,
  strictSingleValueFields: false,
};

/** node's end and ours of one connection. */
function open(entries: Parameters<typeof settings>[0]): {
  readonly session: ClientHttp2Session;
  readonly socket: Duplex;
} {
  const [client, socket] = duplexPair();
  socket.on("error", () => {});
  const session = connect("http://a.example", { ...OPTIONS, createConnection: () => client });
  session.on("error", () => {});
  socket.write(settings(entries));
  return { session, socket };
}

const flat = (list: Fields): string[] => list.flat();

const withPseudo = (one: Fields): string[] => [
  ...[":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"],
  ...flat(one),
];

/** What our decoder makes of these heads, one request each. */
async function heads(list: readonly Fields[], tableBytes: number): Promise<(readonly string[])[]> {
  const decoder = new HpackDecoder(1 << 24, 1_000);
  const { session, socket } = open([[1, tableBytes]]);
  const seen: (readonly string[])[] = [];
  try {
    await new Promise<void>((resolve) => {
      listen(socket, ({ block }) => {
        seen.push(decoder.decode(block)?.raw ?? ["no block"]);
        if (seen.length === list.length) resolve();
      });
      session.once("remoteSettings", () => {
        for (const one of list) session.request(withPseudo(one), { endStream: true }).on("error", () => {});
      });
    });
  } finally {
    session.destroy();
    socket.destroy();
  }
  return seen;
}

test("whatever node's client encodes, our decoder reads as it was", async () => {
  const run = fc.tuple(fc.array(fields, { minLength: 1, maxLength: 8 }), fc.constantFrom(4_096, 4_096, 0, 100, 1_000));
  await fc.assert(
    fc.asyncProperty(run, async ([list, tableBytes]) => {
      expect(await heads(list, tableBytes)).toEqual(list.map(withPseudo));
    }),
    { numRuns: 150 },
  );
});

test("every byte that a value may have, in Huffman's code and without", async () => {
  const codes = [9, ...Array.from({ length: 224 }, (_, at) => at + 32)].filter((code) => code !== 127);
  const list = codes.map((code): Fields => {
    const char = String.fromCharCode(code);
    return [
      ["x-huffman", `${"a".repeat(40)}${char}a`],
      ["x-plain", `x${char.repeat(3)}x`],
    ];
  });
  for (let at = 0; at < list.length; at += 50) {
    const part = list.slice(at, at + 50);
    expect(await heads(part, 4_096)).toEqual(part.map(withPseudo));
  }
});

/** What our encoder makes of a head and trailers, as node's client reads them. */
async function answer(status: number, head: Fields, length: number, trailers: Fields): Promise<readonly string[][]> {
  const { session, socket } = open([]);
  const asLines = (list: Fields): string => list.map(([one, other]) => `${one}: ${other}\r\n`).join("");
  const write = (type: number, flags: number, block: Buffer): void => {
    let rest = block;
    for (let kind = type; ; kind = TYPE.continuation) {
      const isLast = rest.length <= 16_384;
      socket.write(
        frame(kind, (kind === type ? flags : 0) | (isLast ? FLAG.endHeaders : 0), 1, rest.subarray(0, 16_384)),
      );
      if (isLast) return;
      rest = rest.subarray(16_384);
    }
  };
  const seen: string[][] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      listen(socket, () => {
        write(TYPE.headers, 0, encodeResponse(status, asLines(head), length));
        socket.write(frame(TYPE.data, 0, 1, "a".repeat(Math.max(0, length))));
        write(TYPE.headers, FLAG.endStream, encodeTrailers(asLines(trailers)));
      });
      const stream = session.request({ ":path": "/" }, { endStream: true });
      stream.on("response", (_headers, _flags, raw) => seen.push([...raw]));
      stream.on("trailers", (_headers, _flags, raw) => seen.push([...raw]));
      stream.on("error", reject);
      stream.on("close", () => (stream.rstCode === constants.NGHTTP2_NO_ERROR ? resolve() : reject(stream.rstCode)));
      stream.resume();
    });
  } finally {
    session.destroy();
    socket.destroy();
  }
  return seen;
}

test("whatever our encoder writes, node's client reads as it was, without what belongs to a connection", async () => {
  const status = fc.oneof(fc.constantFrom(200, 206, 400, 404, 500), fc.integer({ min: 206, max: 303 }));
  const specific: fc.Arbitrary<readonly [string, string]> = fc.constantFrom(
    ["connection", "close"],
    ["keep-alive", "1"],
    ["transfer-encoding", "chunked"],
  );
  const lines = fc.array(fc.oneof({ weight: 12, arbitrary: fc.tuple(name, value) }, specific), { maxLength: 12 });
  const trailing = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(status, lines, fc.constantFrom(-1, 0, 1, 300), trailing, async (code, head, length, trailers) => {
      const [seen, seenTrailers] = await answer(code, head, length, trailers);
      const wanted = head.filter(([one]) => !CONNECTION_SPECIFIC.has(one));
      const announced = length < 0 ? [] : ["content-length", String(length)];
      expect(seen).toEqual([":status", String(code), ...flat(wanted), ...announced]);
      expect(seenTrailers).toEqual(flat(trailers));
    }),
    { numRuns: 150 },
  );
});
