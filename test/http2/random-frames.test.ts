// Goal: whatever frames come in whatever order and pieces, and however the client reads and leaves, the proxy sends valid
// frames only, throws nothing, and accounts for each request once. Method: seeded random clients, most of whom keep to the
// protocol; the socket's other end is the test itself, so that it can stop reading and look at each frame.
import { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { UNIX_PEER } from "../../src/message/address.ts";
import { acceptOf } from "../../src/websocket/handshake.ts";
import { eventually } from "../fixtures/eventually.ts";
import {
  type Field,
  FLAG,
  fields,
  frame,
  headerBlock,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { closeAll, startProxy, startRawService, type TestProxy } from "../fixtures/proxy.ts";
import { listenerOf } from "../fixtures/snapshot.ts";
import { SWITCH } from "../fixtures/web-socket.ts";

afterEach(closeAll);

/** The proxy's end of a connection, whose client may stop reading, and looks at every frame. */
class WatchedSocket extends Socket {
  holds = false;
  readonly problems: string[] = [];
  /** The proxy has said that it takes no more. */
  saysGoodbye = false;
  /** What the client lets through by now, on a stream or, with 0, on all. */
  allowance: (id: number) => number = () => 0;
  readonly #sent = new Map<number, number>();
  readonly #ended = new Set<number>();
  readonly #reset = new Set<number>();
  #headOf = 0;
  #pending = Buffer.alloc(0);
  #held: (() => void)[] = [];

  release(): void {
    this.holds = false;
    for (const taken of this.#held.splice(0)) taken();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#look(chunk);
    this.#orHold(taken);
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], taken: () => void): void {
    for (const { chunk } of chunks) this.#look(chunk);
    this.#orHold(taken);
  }

  override _final(done: () => void): void {
    this.#orHold(done);
  }

  #orHold(taken: () => void): void {
    if (this.holds) this.#held.push(taken);
    else taken();
  }

  #look(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#pending, chunk]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const length = bytes.readUIntBE(0, 3);
      this.#onFrame(bytes.readUInt8(3), bytes.readUInt8(4), bytes.readUInt32BE(5), length);
      bytes = bytes.subarray(9 + length);
    }
    this.#pending = bytes;
  }

  #onFrame(type: number, flags: number, id: number, length: number): void {
    const carries = type === TYPE.data || type === TYPE.headers;
    if (length > 16_384) this.problems.push("a frame too large");
    if (this.#headOf !== 0 && (type !== TYPE.continuation || id !== this.#headOf))
      this.problems.push("a frame in a head");
    if (carries && (this.#ended.has(id) || this.#reset.has(id))) this.problems.push(`type ${type} after the end`);
    if (type === TYPE.rstStream && this.#reset.has(id)) this.problems.push("a second reset");
    if (type === TYPE.headers || type === TYPE.continuation) this.#headOf = (flags & FLAG.endHeaders) === 0 ? id : 0;
    if (carries && (flags & FLAG.endStream) !== 0) this.#ended.add(id);
    if (type === TYPE.rstStream) this.#reset.add(id);
    if (type === TYPE.goaway) this.saysGoodbye = true;
    if (type !== TYPE.data) return;
    for (const one of [0, id]) {
      this.#sent.set(one, (this.#sent.get(one) ?? 0) + length);
      if ((this.#sent.get(one) ?? 0) > this.allowance(one)) this.problems.push("more than a window");
    }
  }
}

/** A service with all kinds of answers; over HTTP/1.1, for that is what most speak. */
function startMoodyService(): Promise<number> {
  const big = `4000\r\n${"x".repeat(0x4000)}\r\n`.repeat(8);
  return startRawService((socket) => {
    socket.on("end", () => socket.end());
    socket.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      const path = / (\/\S*) HTTP\/1\.1\r\n/.exec(text)?.[1];
      if (path === "/chat") {
        const key = /sec-websocket-key: (\S+)/.exec(text)?.[1] ?? "";
        socket.write(SWITCH.replace(/Accept: .*\r/, `Accept: ${acceptOf(key)}\r`));
        socket.write(Buffer.of(0x81, 3, 97, 98, 99));
        if (text.length % 2 === 0) socket.end(Buffer.of(0x88, 2, 3, 232));
      } else if (path === "/cut") {
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
      } else if (path === "/big") {
        socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${big}`);
        setImmediate(() => socket.write("0\r\nx-t: 1\r\n\r\n"));
      } else if (path === "/early") {
        socket.write("HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      } else if (path !== undefined && path !== "/hang") {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });
  });
}

const TUNNEL: readonly Field[] = [
  [":method", "CONNECT"],
  [":protocol", "websocket"],
  [":scheme", "http"],
  [":authority", "localhost"],
  [":path", "/chat"],
  ["sec-websocket-version", "13"],
];
const EXTRAS: readonly (readonly Field[])[] = [
  [],
  [],
  [],
  [["content-length", "5"]],
  [["content-length", "0"]],
  [["content-length", "50000"]],
  [["expect", "100-continue"]],
  [
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ],
];

/** A client's side of one connection: which streams are its to send on. */
class RandomClient {
  readonly #random: () => number;
  /** Sends whatever, on whatever stream. */
  readonly wild: boolean;
  #nextId = 1;
  #used: number[] = [1];
  #open: number[] = [];
  /** What it let through, beyond a stream's first window. */
  readonly #granted = new Map<number, number>([[0, 65_535]]);
  #firstWindowMax = 65_535;

  constructor(random: () => number) {
    this.#random = random;
    this.wild = random() < 0.2;
  }

  /** Streams that it has opened, if nothing else opened any. */
  get asked(): number {
    return (this.#nextId - 1) / 2;
  }

  pick<T>(all: readonly T[], fallback: T): T {
    return all[Math.floor(this.#random() * all.length)] ?? fallback;
  }

  allowance(id: number): number {
    return (this.#granted.get(id) ?? 0) + (id === 0 ? 0 : this.#firstWindowMax);
  }

  #grant(id: number, bytes: number): Buffer {
    this.#granted.set(id, (this.#granted.get(id) ?? 0) + bytes);
    return windowUpdate(id, bytes);
  }

  settings(window: number): Buffer {
    this.#firstWindowMax = Math.max(this.#firstWindowMax, window);
    return settings([
      [4, window],
      [1, 0],
    ]);
  }

  frames(): Buffer {
    const kinds = [
      () => this.#begin(),
      () => this.#begin(),
      () => this.#data(),
      () => this.#data(),
      () => this.#other(),
    ];
    return Buffer.concat(Array.from({ length: 1 + this.#random() * 6 }, () => this.pick(kinds, () => this.#other())()));
  }

  #begin(): Buffer {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#used.push(id);
    const endStream = this.#random() < 0.5;
    const isTunnel = this.#random() < 0.15;
    if (!endStream || isTunnel) this.#open.push(id);
    if (isTunnel) return request(id, TUNNEL, false);
    const path = this.pick(["/ok", "/ok", "/hang", "/cut", "/big", "/early"], "/ok");
    const method = this.pick(["GET", "POST", "POST", "PUT", "HEAD", "TRACE"], "GET");
    const block = headerBlock(fields(path, this.pick(EXTRAS, []), method));
    const end = endStream ? FLAG.endStream : 0;
    if (this.#random() < 0.9) return frame(TYPE.headers, FLAG.endHeaders | end, id, block);
    const cut = Math.floor(this.#random() * block.length);
    const rest = frame(TYPE.continuation, FLAG.endHeaders, id, block.subarray(cut));
    return Buffer.concat([frame(TYPE.headers, end, id, block.subarray(0, cut)), rest]);
  }

  #data(): Buffer {
    const id = this.pick(this.wild ? this.#used : this.#open, 0);
    if (id === 0) return this.#grant(0, 1);
    const isLast = this.#random() < 0.3;
    if (isLast) this.#leave(id);
    const flags = (isLast ? FLAG.endStream : 0) | (this.#random() < 0.1 ? FLAG.padded : 0);
    if (isLast && this.#random() < 0.2) return request(id, [["x-t", "1"]]);
    return frame(TYPE.data, flags, id, Buffer.alloc(this.pick([2, 3, 4, 5, 1_000, 16_384], 5), 1));
  }

  #other(): Buffer {
    const id = this.pick(this.#used, 1);
    const random = this.#random();
    if (random < 0.3) {
      const to = this.#nextId === 1 ? 0 : this.pick([0, id], 0);
      return this.#grant(to, this.pick([1, 1_000, 100_000], 1));
    }
    if (random < 0.5) return this.settings(this.pick([0, 1, 100, 65_535, 100_000], 0));
    if (random < 0.6)
      return frame(TYPE.ping, this.pick([0, FLAG.ack], 0), 0, this.pick(["12345678", "draining"], "12345678"));
    if (this.wild && random < 0.7) {
      const noise = Buffer.from(Array.from({ length: this.#random() * 30 }, () => Math.floor(this.#random() * 256)));
      return frame(
        Math.floor(this.#random() * 12),
        Math.floor(this.#random() * 256),
        Math.floor(this.#random() * 10),
        noise,
      );
    }
    if (this.#nextId === 1) return Buffer.alloc(0);
    this.#leave(id);
    return rstStream(id);
  }

  #leave(id: number): void {
    this.#open = this.#open.filter((one) => one !== id);
  }
}

/** A generator of Lehmer's kind: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = (seed * 7_919) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Of the conversations in which every request can be counted. */
const counted: number[] = [];

async function converse(running: TestProxy, seed: number): Promise<readonly string[]> {
  const random = randomFrom(seed);
  const { proxy, records, unjudged } = running;
  const accounted = () => records.length + proxy.requestsInFlight + unjudged.length;
  const before = accounted();
  const client = new RandomClient(random);
  const socket = new WatchedSocket({ allowHalfOpen: true });
  const requestsPerConnectionMax = random() < 0.2 ? 1 + Math.floor(random() * 20) : Number.POSITIVE_INFINITY;
  const place = { file: "test.yaml", line: 7, column: 3, path: "routes[0]" };
  const facts = { listener: "test", peer: UNIX_PEER, proxyPeer: null, secure: false, certificate: null } as const;
  running.proxy.serve(
    socket,
    { ...facts, protocol: "h2" },
    listenerOf({ name: "test", place, requestsPerConnectionMax }),
  );
  socket.allowance = (id) => client.allowance(id);
  socket.push(Buffer.concat([PREFACE, client.settings(client.pick([0, 1, 65_535, 1_000_000], 0))]));
  for (let at = 0; at < 60 && !socket.destroyed; at++) {
    const bytes = client.frames();
    const size = random() < 0.1 ? 7 : bytes.length;
    for (let from = 0; from < bytes.length; from += size) socket.push(bytes.subarray(from, from + size));
    if (random() < 0.1) socket.holds = true;
    else if (socket.holds && random() < 0.3) socket.release();
    for (let turns = random() * 4 - 2; turns > 0; turns -= 0.1) await new Promise((resolve) => setImmediate(resolve));
    if (random() < 0.1) running.sweep();
  }
  socket.release();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  // Behind a GOAWAY nothing is read; before it each request is under way, reported, or counted as one that nobody saw.
  const isCountable = !client.wild && !socket.saysGoodbye && !socket.destroyed;
  if (isCountable && accounted() !== before + client.asked)
    socket.problems.push(`${client.asked} requests, ${accounted() - before} accounted for`);
  if (random() < 0.5) socket.push(null);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy(random() < 0.5 ? new Error("broken") : undefined);
  if (isCountable) counted.push(client.asked);
  return socket.problems.map((problem) => `seed ${seed}: ${problem}`);
}

test("two hundred random clients: valid frames, no exception, each request accounted for once", async () => {
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", note);
  const upstreamPort = await startMoodyService();
  const webSocket = { frameBytesMax: 1024 * 1024, lifetimeMs: Number.POSITIVE_INFINITY };
  const running = await startProxy({
    upstreamPort,
    protocol: "h2",
    upstream: { connectionsMax: 64 },
    route: { webSocket, bodyBytesMax: 30_000 },
  });
  const problems: string[] = [];
  for (let seed = 1; seed <= 200; seed++) problems.push(...(await converse(running, seed)).slice(0, 3));
  await eventually(() => running.proxy.requestsInFlight === 0 && running.sessionsClosed.length === 200);
  process.off("uncaughtException", note);
  expect(thrown).toEqual([]);
  expect(problems).toEqual([]);
  expect(counted.length).toBeGreaterThan(20);
  expect(running.records.length).toBeGreaterThan(1_000);
  expect(new Set(running.records.map(({ id }) => id)).size).toBe(running.records.length);
});
