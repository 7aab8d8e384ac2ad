// Goal: whatever a service sends in whatever order and pieces, and however clients send, read and leave, each request ends
// once, is whole only where its answer was, the service gets valid frames within its windows, and nothing is left behind.
// Method: seeded random services, most of whom keep to the protocol, behind a pool whose clock the test moves.
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { HpackDecoder } from "../../src/http2/hpack-decoder.ts";
import {
  type Field,
  FLAG,
  frame,
  headerBlock,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { type PoolExchange, PoolWorld } from "../fixtures/pool-exchange.ts";
import { closeAll, startRawService } from "../fixtures/proxy.ts";
import { Random } from "../fuzz/random.ts";

afterEach(closeAll);

const INITIAL_WINDOW = 4;
const MAX_STREAMS = 3;
const WINDOW_BYTES = 65_535;

/** What became of each request at its service, by its target. */
class Answer {
  bytes = 0;
  ended = false;
  requests = 0;
  /** Its service has sent noise, which may have been frames. */
  isNoisy = false;
}

interface ServedStream {
  readonly answer: Answer;
  window: number;
  answered: boolean;
  isOver: boolean;
  requestEnded: boolean;
}

class RandomService {
  readonly problems: string[] = [];
  readonly #socket: Socket;
  readonly #random: Random;
  readonly #answers: Map<string, Answer>;
  readonly #decoder = new HpackDecoder(1 << 20, 1_000);
  readonly #streams = new Map<number, ServedStream>();
  #pending: Buffer = Buffer.alloc(0);
  #isPrefaced = false;
  #lastId = 0;
  #window = WINDOW_BYTES;
  #initialWindow = WINDOW_BYTES;
  /** Initial windows of SETTINGS that are not acknowledged yet; null where they say none. */
  #unacknowledged: (number | null)[] = [];
  isBroken = false;

  constructor(socket: Socket, random: Random, answers: Map<string, Answer>) {
    this.#socket = socket;
    this.#random = random;
    this.#answers = answers;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("end", () => socket.end());
    if (random.chance(0.95)) this.#sendSettings();
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#pending, chunk]);
    if (!this.#isPrefaced && bytes.length >= 24) {
      this.#isPrefaced = true;
      bytes = bytes.subarray(24);
    }
    while (this.#isPrefaced && bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const length = bytes.readUIntBE(0, 3);
      this.#onFrame(bytes.readUInt8(3), bytes.readUInt8(4), bytes.readUInt32BE(5), bytes.subarray(9, 9 + length));
      bytes = bytes.subarray(9 + length);
    }
    this.#pending = bytes;
  }

  #onFrame(type: number, flags: number, id: number, payload: Buffer): void {
    if (payload.length > 16_384) this.problems.push("a frame too large");
    if (type === TYPE.settings) this.#onSettings(flags);
    else if (type === TYPE.headers) this.#onHead(flags, id, payload);
    else if (type === TYPE.data) this.#onData(flags, id, payload.length);
    else if (type === TYPE.rstStream) {
      const stream = this.#streams.get(id);
      if (stream === undefined) this.problems.push("RST_STREAM of no stream");
      else {
        stream.isOver = true;
        stream.requestEnded = true;
      }
    }
  }

  #onSettings(flags: number): void {
    if ((flags & FLAG.ack) === 0) {
      this.#socket.write(frame(TYPE.settings, FLAG.ack, 0));
      return;
    }
    if (this.#unacknowledged.length === 0 && !this.isBroken) this.problems.push("an acknowledgement of nothing");
    const bytes = this.#unacknowledged.shift() ?? null;
    if (bytes === null) return;
    for (const stream of this.#streams.values()) stream.window += bytes - this.#initialWindow;
    this.#initialWindow = bytes;
  }

  #onHead(flags: number, id: number, payload: Buffer): void {
    const fields = this.#decoder.decode(payload)?.raw ?? null;
    if (fields === null) this.problems.push("HPACK that is none");
    const requestEnded = (flags & FLAG.endStream) !== 0;
    const known = this.#streams.get(id);
    if (known !== undefined) {
      if (known.requestEnded || !requestEnded) this.problems.push("a second head");
      known.requestEnded = true;
      return;
    }
    if (id % 2 === 0 || id <= this.#lastId) this.problems.push(`stream ${id} after ${this.#lastId}`);
    this.#lastId = id;
    const target = fields?.[fields.indexOf(":path") + 1] ?? "";
    const answer = this.#answers.get(target) ?? new Answer();
    answer.requests++;
    this.#answers.set(target, answer);
    const window = this.#initialWindow;
    this.#streams.set(id, { answer, window, answered: false, isOver: false, requestEnded });
  }

  #onData(flags: number, id: number, bytes: number): void {
    const stream = this.#streams.get(id);
    this.#window -= bytes;
    if (stream === undefined || stream.requestEnded) {
      this.problems.push("DATA where none may be");
      return;
    }
    stream.window -= bytes;
    if (bytes > 0 && (stream.window < 0 || this.#window < 0)) this.problems.push("DATA beyond a window");
    if ((flags & FLAG.endStream) !== 0) stream.requestEnded = true;
  }

  #sendSettings(): void {
    const random = this.#random;
    const entries: [number, number][] = [];
    const window = random.chance(0.6) ? random.pick([0, 10, 1_000, WINDOW_BYTES, 1 << 20]) : null;
    if (window !== null) entries.push([INITIAL_WINDOW, window]);
    if (random.chance(0.5)) entries.push([MAX_STREAMS, random.pick([0, 1, 2, 5, 100, 2 ** 31])]);
    if (random.chance(0.3)) entries.push([1, random.pick([0, 4_096, 100_000])]);
    this.#unacknowledged.push(window);
    this.#send(settings(entries));
  }

  #send(bytes: Buffer): void {
    const cut = this.#random.chance(0.2) ? this.#random.below(bytes.length) : 0;
    if (cut > 0) this.#socket.write(bytes.subarray(0, cut));
    this.#socket.write(bytes.subarray(cut));
  }

  #head(id: number, fields: readonly Field[], end: boolean): Buffer {
    return frame(TYPE.headers, FLAG.endHeaders | (end ? FLAG.endStream : 0), id, headerBlock(fields));
  }

  /** One thing that a service does. */
  act(): void {
    if (this.closed) return;
    const random = this.#random;
    const open = [...this.#streams].filter(([, stream]) => !stream.isOver);
    const kind = random.next();
    if (kind < 0.7) {
      const [first, ...others] = open;
      if (first === undefined) return;
      this.#answer(...random.pick([first, ...others]));
    } else if (kind < 0.78) this.#sendSettings();
    else if (kind < 0.88) this.#widen(open);
    else if (kind < 0.92) this.#send(frame(TYPE.ping, 0, 0, "12345678"));
    else if (kind < 0.94) this.#socket.pause();
    else if (kind < 0.96) this.#socket.resume();
    else if (kind < 0.975) this.#goAway();
    else if (kind < 0.985) this.#break();
    else if (random.chance(0.5)) this.#socket.end();
    else this.#socket.destroy();
  }

  #widen(open: readonly [number, ServedStream][]): void {
    const bytes = this.#random.pick([1, 100, 70_000]);
    this.#window += bytes;
    this.#send(windowUpdate(0, bytes));
    for (const [id, stream] of open) {
      stream.window += bytes;
      this.#send(windowUpdate(id, bytes));
    }
  }

  #goAway(): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(this.#random.pick([0, this.#lastId, 2 ** 31 - 1, Math.max(0, this.#lastId - 2)]), 0);
    this.#send(frame(TYPE.goaway, 0, 0, payload));
  }

  #break(): void {
    this.isBroken = true;
    for (const { answer } of this.#streams.values()) answer.isNoisy = true;
    const below = (limit: number): number => this.#random.below(limit);
    const noise = Buffer.from(Array.from({ length: 40 }, () => below(256)));
    this.#send(this.#random.chance(0.5) ? noise : frame(below(11), below(256), below(9), noise.subarray(below(40))));
  }

  #answer(id: number, stream: ServedStream): void {
    const random = this.#random;
    const kind = random.next();
    if (kind < 0.1) {
      stream.isOver = true;
      this.#send(rstStream(id, random.below(14)));
    } else if (!stream.answered && kind < 0.2) this.#send(this.#head(id, [[":status", "103"]], false));
    else if (!stream.answered) {
      const end = random.chance(0.3);
      stream.answered = true;
      stream.isOver = end;
      if (end) stream.answer.ended = true;
      this.#send(this.#head(id, [[":status", "200"]], end));
    } else if (kind < 0.3) {
      stream.isOver = true;
      stream.answer.ended = true;
      this.#send(this.#head(id, [["x-t", "1"]], true));
    } else {
      const end = random.chance(0.3);
      const bytes = random.pick([0, 1, 5, 5_000, 16_384]);
      stream.answer.bytes += bytes;
      stream.isOver = end;
      if (end) stream.answer.ended = true;
      this.#send(frame(TYPE.data, end ? FLAG.endStream : 0, id, Buffer.alloc(bytes)));
      // It has said all, and does not want the rest.
      if (end && !stream.requestEnded && random.chance(0.5)) this.#send(rstStream(id, 0));
    }
  }
}

interface Asked {
  readonly exchange: PoolExchange;
  readonly target: string;
  bodyLeft: number;
  isLeft: boolean;
}

class RandomClients {
  readonly asked: Asked[] = [];
  readonly #world: PoolWorld;
  readonly #random: Random;
  #again = 20;

  constructor(world: PoolWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  ask(): void {
    const random = this.#random;
    const bodyBytes = random.chance(0.5) ? 0 : random.pick([1, 100, 40_000, 300_000]);
    const target = `/${this.asked.length}`;
    const method = bodyBytes === 0 ? "GET" : "POST";
    const asked: Asked = {
      exchange: this.#world.exchange({ method, target, bodyBytes }),
      target,
      bodyLeft: bodyBytes,
      isLeft: false,
    };
    this.asked.push(asked);
    asked.exchange.takes = random.chance(0.8);
    asked.exchange.onTold = (what) => {
      if (what === "drain" && random.chance(0.5)) this.#write(asked);
      // Within the very call that tells of it: as a transaction that repeats its request does.
      if (what.startsWith("failure") && this.#again-- > 0) this.ask();
      if (random.chance(0.05)) this.#leave(random.pick([asked, ...this.asked]));
    };
    this.#world.pool.acquire(asked.exchange);
  }

  act(): void {
    const random = this.#random;
    const kind = random.next();
    const [first, ...others] = this.asked.filter(({ exchange, isLeft }) => !exchange.isOver && !isLeft);
    if (kind < 0.35 || first === undefined) {
      this.ask();
      return;
    }
    const asked = random.pick([first, ...others]);
    if (kind < 0.75) this.#write(asked);
    else if (kind < 0.85) asked.exchange.resume();
    else if (kind < 0.93) asked.exchange.takes = random.chance(0.7);
    else this.#leave(asked);
  }

  #write(asked: Asked): void {
    const { stream, isOver } = asked.exchange;
    if (stream === null || isOver || asked.isLeft || asked.bodyLeft === 0) return;
    const bytes = Math.min(asked.bodyLeft, this.#random.pick([1, 1_000, 65_536]));
    asked.bodyLeft -= bytes;
    stream.writeBody(Buffer.alloc(bytes));
    if (asked.bodyLeft === 0) stream.endBody(this.#random.chance(0.3) ? "x-t: 1\r\n" : "");
    stream.flush();
  }

  #leave(asked: Asked): void {
    if (asked.exchange.isOver || asked.isLeft) return;
    asked.isLeft = true;
    asked.exchange.told.push("left");
    asked.exchange.stream?.abort();
    this.#world.pool.cancel(asked.exchange);
  }

  /** All who are slow take what there is, or go. */
  finish(): void {
    this.#again = 0;
    for (const asked of this.asked) {
      if (asked.bodyLeft > 0) this.#leave(asked);
      else asked.exchange.resume();
    }
  }
}

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
};

async function converse(seed: number): Promise<string[]> {
  const random = new Random(seed);
  const answers = new Map<string, Answer>();
  const services: RandomService[] = [];
  const port = await startRawService((socket) => services.push(new RandomService(socket, random, answers)));
  const world = new PoolWorld(port, { connectionsMax: 1 + random.below(3) });
  const clients = new RandomClients(world, random);
  const retiresAt = random.chance(0.2) ? random.below(100) : -1;
  const closesAt = random.chance(0.1) ? random.below(100) : -1;
  for (let step = 0; step < 100; step++) {
    if (step === retiresAt) world.pool.retire();
    if (step === closesAt) world.pool.close();
    if (random.chance(0.4)) clients.act();
    else for (let count = random.below(4); count > 0; count--) services.at(random.below(services.length))?.act();
    if (random.chance(0.05)) world.later(random.below(3_000));
    await turns(random.below(4));
  }
  for (let round = 0; round < 8; round++) {
    clients.finish();
    world.later(5_001);
    await turns(10);
  }
  world.pool.retire();
  for (let round = 0; round < 20 && world.deadlines.items.size > 0; round++) {
    world.later(5_001);
    await turns(10);
  }
  const problems = services.flatMap((service) => service.problems);
  if (world.deadlines.items.size > 0) problems.push(`${world.deadlines.items.size} with a deadline are left`);
  for (const { exchange, target } of clients.asked) {
    const { told, bytes, last } = exchange;
    const ends = told.filter((what) => what === "end" || what === "left" || what.startsWith("failure")).length;
    const answer = answers.get(target) ?? new Answer();
    if (ends !== 1 || (!["end", "left"].includes(last) && !last.startsWith("failure"))) problems.push(`told ${told}`);
    if (last === "end" && !answer.isNoisy && (!answer.ended || bytes !== answer.bytes))
      problems.push(`whole with ${bytes} bytes`);
    if (answer.requests > 1) problems.push("sent twice");
  }
  for (const service of services) service.destroy();
  return problems.map((problem) => `seed ${seed}: ${problem}`);
}

test("two hundred random services and clients: each request ends once, and nothing is left behind", async () => {
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", note);
  const problems: string[] = [];
  for (let seed = 1; seed <= 200; seed++) {
    problems.push(...(await converse(seed)).slice(0, 3));
    closeAll();
  }
  process.off("uncaughtException", note);
  expect(thrown).toEqual([]);
  expect(problems).toEqual([]);
});
