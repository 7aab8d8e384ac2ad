// Goal: what RFC 9113 and RFC 7541 say of each frame holds: which error, for the stream or for the connection, and which
// frames are passed over. Method: a table in the order of the RFC's sections; what is sent, and what becomes of it. A case
// that leaves the connection alive is followed by a request, which must be answered.
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import {
  ERROR,
  type Field,
  FLAG,
  fields,
  frame,
  H2RawClient,
  headerBlock,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { closeAll, onClose, startProxy, startRawService } from "../fixtures/proxy.ts";

afterEach(closeAll);

/** A service that answers /ok at once, a chunked body at its end, and nobody else. */
async function start(first?: Buffer) {
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (!text.includes(" /ok ") && !text.endsWith("0\r\n\r\n")) return;
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    });
    socket.on("end", () => socket.end());
  });
  const running = await startProxy({ upstreamPort, protocol: "h2" });
  const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" }, first);
  return { ...running, client };
}

interface Case {
  /** Sent and answered before. */
  readonly before?: Buffer;
  readonly sent: Buffer;
  /** What becomes of stream 1; `goaway` with its code where the connection ends; `alive` where nothing happens. */
  readonly becomes: number | string;
}

const both = FLAG.endHeaders | FLAG.endStream;
const ok = request(1, fields("/ok"));
const hang = request(1, fields("/hang"));
const upload = request(1, fields("/up", [], "POST"), false);
const block = headerBlock(fields("/ok"));
const sent = (...frames: readonly Buffer[]): Buffer => Buffer.concat(frames);
const data = (stream: number, payload: Buffer | string = "data", flags = 0): Buffer =>
  frame(TYPE.data, flags, stream, payload);
const goaway = (code: number): string => `goaway ${code}`;
const reset = (code: number): string => `reset ${code}`;
const setting = (id: number, value: number): Buffer => settings([[id, value]]);
/** A request whose block ends in `bytes`. */
const endingIn = (...bytes: readonly number[]): Buffer =>
  frame(TYPE.headers, both, 1, Buffer.concat([block, Buffer.from(bytes)]));
const protocol = goaway(ERROR.protocol);
const frameSize = goaway(ERROR.frameSize);
const compression = goaway(ERROR.compression);
const flowControl = goaway(ERROR.flowControl);
const streamClosed = goaway(ERROR.streamClosed);

const CASES: Record<string, Record<string, Case>> = {
  "4.1 frames": {
    "of an unknown type are passed over": { sent: frame(0x16, 0xff, 0, "12345678"), becomes: "alive" },
    "with unknown flags lose these": { sent: frame(TYPE.ping, 0x16, 0, "12345678"), becomes: "alive" },
    "with the reserved bit lose it": { sent: windowUpdate(0x8000_0000, 1), becomes: "alive" },
  },
  "4.2 frames larger than agreed": {
    DATA: { sent: sent(upload, data(1, Buffer.alloc(16_385))), becomes: frameSize },
    HEADERS: { sent: frame(TYPE.headers, both, 1, Buffer.alloc(16_385)), becomes: frameSize },
    "of the largest size pass": { sent: sent(upload, data(1, Buffer.alloc(16_384), FLAG.endStream)), becomes: 200 },
  },
  "4.3 heads": {
    "that are no HPACK": { sent: frame(TYPE.headers, both, 1, Buffer.of(0x40)), becomes: compression },
    "of requests that are refused are HPACK all the same": {
      sent: sent(frame(TYPE.headers, both, 1, Buffer.concat([headerBlock([["x a", "b"]]), Buffer.of(0xff, 0xff)]))),
      becomes: compression,
    },
    "with PRIORITY in between": {
      sent: sent(frame(TYPE.headers, 1, 1, block), frame(TYPE.priority, 0, 1, Buffer.alloc(5))),
      becomes: protocol,
    },
    "with another head in between": {
      sent: sent(frame(TYPE.headers, 1, 1, block), request(3, fields())),
      becomes: protocol,
    },
    "with DATA in between": { sent: sent(upload, frame(TYPE.headers, 1, 1, block), data(1)), becomes: protocol },
    "with an unknown frame in between (5.5)": {
      sent: sent(frame(TYPE.headers, 1, 1, block), frame(0x16, 0, 0)),
      becomes: protocol,
    },
  },
  "5.1 idle streams": {
    DATA: { sent: data(1), becomes: protocol },
    RST_STREAM: { sent: rstStream(1), becomes: protocol },
    WINDOW_UPDATE: { sent: windowUpdate(1, 1), becomes: protocol },
    CONTINUATION: { sent: frame(TYPE.continuation, FLAG.endHeaders, 1, block), becomes: protocol },
    PRIORITY: { sent: frame(TYPE.priority, 0, 7, Buffer.alloc(5)), becomes: "alive" },
  },
  "5.1 streams that their client has ended": {
    DATA: { sent: sent(hang, data(1)), becomes: reset(ERROR.streamClosed) },
    "DATA of no bytes": { sent: sent(hang, data(1, "", FLAG.endStream)), becomes: reset(ERROR.streamClosed) },
    HEADERS: { sent: sent(hang, request(1, fields())), becomes: reset(ERROR.streamClosed) },
    "WINDOW_UPDATE and PRIORITY": {
      sent: sent(hang, windowUpdate(1, 1), frame(TYPE.priority, 0, 1, Buffer.alloc(5))),
      becomes: "alive",
    },
  },
  "5.1 streams that are closed": {
    DATA: { before: ok, sent: data(1), becomes: streamClosed },
    HEADERS: { before: ok, sent: request(1, fields()), becomes: streamClosed },
    "a stream that its client has reset: DATA": {
      before: ok,
      sent: sent(request(3, fields(), false), rstStream(3), data(3)),
      becomes: streamClosed,
    },
    CONTINUATION: { before: ok, sent: frame(TYPE.continuation, FLAG.endHeaders, 1, block), becomes: protocol },
    "WINDOW_UPDATE, PRIORITY and RST_STREAM": {
      before: ok,
      sent: sent(windowUpdate(1, 1), windowUpdate(1, 0), frame(TYPE.priority, 0, 1, Buffer.alloc(5)), rstStream(1)),
      becomes: "alive",
    },
  },
  "5.1.1 identifiers": {
    "that are even": { sent: request(2, fields()), becomes: protocol },
    "that are lower than one before": {
      sent: sent(request(5, fields("/hang")), request(3, fields())),
      becomes: streamClosed,
    },
    "that leave some out": { sent: sent(request(1, fields("/ok")), request(5, fields("/hang"))), becomes: 200 },
  },
  "6.1 DATA": {
    "of the connection": { sent: data(0), becomes: protocol },
    "with more padding than frame": {
      sent: sent(upload, data(1, Buffer.of(5, 0, 0, 0, 0), FLAG.padded)),
      becomes: protocol,
    },
    "with padding of no length": { sent: sent(upload, data(1, "", FLAG.padded)), becomes: protocol },
    "that is all padding, and the end": {
      sent: sent(upload, data(1, Buffer.of(3, 0, 0, 0), FLAG.padded | FLAG.endStream)),
      becomes: 200,
    },
  },
  "6.2 HEADERS": {
    "of the connection": { sent: request(0, fields()), becomes: protocol },
    "with more padding than frame": {
      sent: frame(TYPE.headers, both | FLAG.padded, 1, Buffer.of(9, 0)),
      becomes: protocol,
    },
    "with PADDED and no byte": { sent: frame(TYPE.headers, both | FLAG.padded, 1), becomes: protocol },
    "with PRIORITY and no room for it": {
      sent: frame(TYPE.headers, both | FLAG.priority, 1, Buffer.alloc(4)),
      becomes: protocol,
    },
    "with padding and priority": {
      sent: frame(
        TYPE.headers,
        both | FLAG.padded | FLAG.priority,
        1,
        Buffer.concat([Buffer.of(2, 0, 0, 0, 1, 7), block, Buffer.alloc(2)]),
      ),
      becomes: 200,
    },
    "of no fields": { sent: frame(TYPE.headers, both, 1), becomes: 400 },
  },
  "6.3 PRIORITY": {
    "of the connection": { sent: frame(TYPE.priority, 0, 0, Buffer.alloc(5)), becomes: protocol },
    "of a wrong size": { sent: frame(TYPE.priority, 0, 1, Buffer.alloc(4)), becomes: frameSize },
  },
  "6.4 RST_STREAM": {
    "of the connection": { sent: rstStream(0), becomes: protocol },
    "of a wrong size": { sent: sent(hang, frame(TYPE.rstStream, 0, 1, "123")), becomes: frameSize },
  },
  "6.5 SETTINGS": {
    "with ACK and entries": { sent: frame(TYPE.settings, FLAG.ack, 0, Buffer.alloc(6)), becomes: frameSize },
    "of a stream": { sent: frame(TYPE.settings, 0, 1), becomes: protocol },
    "of half an entry": { sent: frame(TYPE.settings, 0, 0, "123"), becomes: frameSize },
    "ENABLE_PUSH of 2": { sent: setting(2, 2), becomes: protocol },
    "INITIAL_WINDOW_SIZE beyond all windows": { sent: setting(4, 0x8000_0000), becomes: flowControl },
    "MAX_FRAME_SIZE too small": { sent: setting(5, 16_383), becomes: protocol },
    "MAX_FRAME_SIZE too large": { sent: setting(5, 0x100_0000), becomes: protocol },
    "that nobody knows": { sent: setting(0xff, 1), becomes: "alive" },
  },
  "6.6 PUSH_PROMISE": {
    "of a client": { sent: frame(TYPE.pushPromise, FLAG.endHeaders, 1, Buffer.alloc(4)), becomes: protocol },
  },
  "6.7 PING": {
    "of a stream": { sent: frame(TYPE.ping, 0, 1, "12345678"), becomes: protocol },
    "of a wrong size": { sent: frame(TYPE.ping, 0, 0, "123456"), becomes: frameSize },
    "that answers none": { sent: frame(TYPE.ping, FLAG.ack, 0, "draining"), becomes: "alive" },
  },
  "6.8 GOAWAY": {
    "of a stream": { sent: frame(TYPE.goaway, 0, 1, Buffer.alloc(8)), becomes: protocol },
    "of a client that goes: what it still asks for is answered": {
      sent: frame(TYPE.goaway, 0, 0, Buffer.alloc(8)),
      becomes: "alive",
    },
  },
  "6.9 WINDOW_UPDATE": {
    "of nothing, for the connection": { sent: windowUpdate(0, 0), becomes: protocol },
    "of nothing, for a stream": { sent: sent(hang, windowUpdate(1, 0)), becomes: reset(ERROR.protocol) },
    "of a wrong size": { sent: frame(TYPE.windowUpdate, 0, 0, "123"), becomes: frameSize },
    "beyond all windows, for the connection": { sent: sent(windowUpdate(0, 0x7fff_ffff)), becomes: flowControl },
    "beyond all windows, for a stream": {
      sent: sent(hang, windowUpdate(1, 0x7fff_ffff)),
      becomes: reset(ERROR.flowControl),
    },
    "beyond all windows, by SETTINGS (6.9.2)": {
      sent: sent(hang, windowUpdate(1, 0x7fff_ffff - 65_535), setting(4, 65_536)),
      becomes: flowControl,
    },
  },
  "6.10 CONTINUATION": {
    "makes a head with the frames before it": {
      sent: sent(
        frame(TYPE.headers, FLAG.endStream, 1, block.subarray(0, 7)),
        frame(TYPE.continuation, 0, 1, block.subarray(7, 8)),
        frame(TYPE.continuation, FLAG.endHeaders, 1, block.subarray(8)),
      ),
      becomes: 200,
    },
    "of another stream": {
      sent: sent(frame(TYPE.headers, 1, 1, block), frame(TYPE.continuation, 4, 3, block)),
      becomes: protocol,
    },
    "of the connection": {
      sent: sent(frame(TYPE.headers, 1, 1, block), frame(TYPE.continuation, 4, 0, block)),
      becomes: protocol,
    },
    "after a whole head": { sent: sent(hang, frame(TYPE.continuation, 4, 1, block)), becomes: protocol },
  },
  "8.1 requests": {
    "with trailers that end nothing": {
      sent: sent(upload, request(1, [["x-t", "1"]], false)),
      becomes: reset(ERROR.none),
    },
    "with pseudo-header fields in trailers": { sent: sent(upload, request(1, [[":path", "/"]])), becomes: 400 },
    "with DATA after trailers": {
      sent: sent(upload, request(1, [["x-t", "1"]]), data(1)),
      becomes: reset(ERROR.streamClosed),
    },
    "longer than announced": {
      sent: sent(request(1, fields("/up", [["content-length", "1"]], "POST"), false), data(1, "ab", FLAG.endStream)),
      becomes: 400,
    },
    "shorter than announced": {
      sent: sent(request(1, fields("/up", [["content-length", "3"]], "POST"), false), data(1, "ab", FLAG.endStream)),
      becomes: 400,
    },
    "that announce nothing and bring something": {
      sent: sent(request(1, fields("/hang", [["content-length", "0"]], "POST"), false), data(1, "ab", FLAG.endStream)),
      becomes: reset(ERROR.protocol),
    },
  },
  "RFC 7541": {
    "2.3.3: an index beyond the tables": { sent: endingIn(0x80 | 62), becomes: compression },
    "2.3.3: a name beyond the tables": { sent: endingIn(0x7f, 0x20, 1, 0x61), becomes: compression },
    "4.2: a change of the table's size at the end": { sent: endingIn(0x20), becomes: compression },
    "4.2: two changes at the beginning": {
      sent: frame(TYPE.headers, both, 1, Buffer.concat([Buffer.of(0x20, 0x3f, 0xe1, 0x1f), block])),
      becomes: 200,
    },
    "5.1: an integer without end": {
      sent: endingIn(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
      becomes: compression,
    },
    "5.1: an integer that is cut off": { sent: endingIn(0xff), becomes: compression },
    "5.2: a string that is cut off": { sent: endingIn(0, 5, 0x61), becomes: compression },
    "5.2: padding of zeros": { sent: endingIn(0, 1, 0x61, 0x81, 0x18), becomes: compression },
    "5.2: padding of eight bits": { sent: endingIn(0, 1, 0x61, 0x82, 0x1f, 0xff), becomes: compression },
    "5.2: the code of the end": { sent: endingIn(0, 1, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff), becomes: compression },
    "5.2: a string of no bytes, in Huffman's code": { sent: endingIn(0, 1, 0x61, 0x80), becomes: 200 },
    "6.1: the index 0": { sent: endingIn(0x80), becomes: compression },
    "6.3: a table larger than agreed": {
      sent: frame(TYPE.headers, both, 1, Buffer.concat([Buffer.of(0x3f, 0xe2, 0x1f), block])),
      becomes: compression,
    },
  },
};

for (const [section, cases] of Object.entries(CASES)) {
  describe(section, () => {
    for (const [title, { before, sent: bytes, becomes }] of Object.entries(cases)) {
      test(`${title}: ${becomes}`, async () => {
        const { client, proxy, sessionsClosed } = await start();
        if (before !== undefined) {
          client.write(before);
          expect(await client.outcome(1)).toBe(200);
          await client.until(() => client.ended(1));
        }
        client.write(bytes);
        if (String(becomes).startsWith("goaway")) {
          await client.untilClosed();
          expect(goaway(client.goaway ?? -1)).toBe(becomes);
          await eventually(() => sessionsClosed.length === 1);
          expect(sessionsClosed).toEqual(["protocol_error"]);
          expect(proxy.requestsInFlight).toBe(0);
          return;
        }
        if (becomes !== "alive") expect(await client.outcome(1)).toBe(becomes);
        client.write(request(9, fields("/ok")));
        expect(await client.outcome(9)).toBe(200);
        expect(client.body(9)).toBe("hello");
      });
    }
  });
}

describe("3.4 a connection", () => {
  const beginnings: Record<string, readonly [first: Buffer, becomes: string]> = {
    "that begins with no SETTINGS": [sent(PREFACE, frame(TYPE.ping, 0, 0, "12345678")), protocol],
    "that begins with the acknowledgement of SETTINGS": [sent(PREFACE, frame(TYPE.settings, FLAG.ack, 0)), protocol],
    "that begins with DATA": [sent(PREFACE, data(1)), protocol],
    "whose preface is wrong in its last byte": [sent(PREFACE.subarray(0, 23), Buffer.of(0x0b)), protocol],
  };
  for (const [title, [first, becomes]] of Object.entries(beginnings)) {
    test(`${title}: ${becomes}`, async () => {
      const { client } = await start(first);
      await client.untilClosed();
      expect(goaway(client.goaway ?? -1)).toBe(becomes);
    });
  }

  test("is understood byte by byte", async () => {
    const { port } = await start();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    onClose(() => socket.destroy());
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    const padded = data(1, Buffer.of(1, 0x61, 0), FLAG.padded | FLAG.endStream);
    for (const byte of sent(PREFACE, settings(), upload, data(1, "b"), padded)) {
      await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => received.includes("hello"));
  });
});

describe("6.9 what is sent keeps to the windows", () => {
  const DATA_OF = (client: H2RawClient, stream: number) =>
    client.frames.filter((one) => one.type === TYPE.data && one.stream === stream).map((one) => one.payload.length);

  test("of a stream, which may come to be below zero", async () => {
    const { client } = await start(sent(PREFACE, setting(4, 3)));
    client.write(ok);
    await client.until(() => DATA_OF(client, 1).length === 1);
    client.write(setting(4, 0), windowUpdate(1, 2), windowUpdate(1, 1), frame(TYPE.ping, 0, 0, "12345678"));
    await client.until(() => client.frames.some((one) => one.type === TYPE.ping));
    expect(DATA_OF(client, 1)).toEqual([3]);
    client.write(windowUpdate(1, 1));
    await client.until(() => DATA_OF(client, 1).length === 2);
    client.write(setting(4, 10));
    expect(await client.outcome(1)).toBe(200);
    expect(DATA_OF(client, 1)).toEqual([3, 1, 1]);
    expect(client.body(1)).toBe("hello");
  });

  test("of the connection, which all streams share", async () => {
    const { client } = await start();
    const many = Math.floor(65_535 / 5) - 3;
    let id = 1;
    for (let at = 0; at < many; at++, id += 2) {
      client.write(request(id, fields("/ok")));
      if (at % 100 === 99) await client.until(() => client.ended(id));
    }
    await client.until(() => client.ended(id - 2));
    const last = [id, id + 2, id + 4, id + 6, id + 8];
    client.write(...last.map((one) => request(one, fields("/ok"))));
    await client.until(() => last.every((one) => client.status(one) === 200));
    const taken = () => last.map((one) => client.body(one).length).reduce((sum, one) => sum + one, 0);
    await client.until(() => taken() === 15);
    client.write(windowUpdate(0, 4));
    await client.until(() => taken() === 19);
    client.write(windowUpdate(0, 1_000));
    for (const one of last) await client.until(() => client.ended(one));
    expect(taken()).toBe(25);
  });
});

test("6.7 a PING is answered with its own bytes, before what is asked later", async () => {
  const { client } = await start();
  const asked: Field[] = fields("/ok");
  client.write(frame(TYPE.ping, 0, 0, "87654321"), request(1, asked));
  expect(await client.outcome(1)).toBe(200);
  const types = client.frames.filter((one) => one.type === TYPE.ping || one.type === TYPE.headers);
  expect(types.map((one) => [one.type, one.flags & FLAG.ack])).toEqual([
    [TYPE.ping, FLAG.ack],
    [TYPE.headers, 0],
  ]);
  expect(types[0]?.payload.toString("latin1")).toBe("87654321");
});
