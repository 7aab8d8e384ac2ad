import { FLAG, frame, PREFACE, rstStream, settings, TYPE, windowUpdate } from "../fixtures/h2-frames.ts";
import { FieldWriter } from "./h2-fields.ts";
import { again, type H2Request, h2Request } from "./h2-messages.ts";
import { mutateFrames } from "./h2-mutations.ts";
import type { Random } from "./random.ts";

/** What a client of HTTP/2 sends on one connection: its preface, then frames; bytes as latin1. */
export function conversation(random: Random): string[] {
  const writer = new FieldWriter(random);
  const frames = [PREFACE, settings(random.pick([[], [[1, 0]], [[4, 1_000]], [[3, 1], [2, 0], [99, 1]]]))]; // biome-ignore format: one list
  const streams: Generator<Buffer[]>[] = [];
  let request: H2Request | null = null;
  let left = 1 + random.below(5);
  let nextId = 1;
  while (left > 0 || streams.length > 0) {
    if (random.chance(0.12)) frames.push(betweenStreams(random, nextId));
    if (left > 0 && (streams.length === 0 || random.chance(0.4))) {
      left--;
      request = request !== null && random.chance(0.25) ? again(random, request) : h2Request(random);
      streams.push(stream(random, writer, nextId, request));
      // Clients may leave ids out.
      nextId += random.mostly(2, [4, 20], 0.05);
      // The head comes at once: ids of heads only grow.
      frames.push(...(streams.at(-1)?.next().value ?? []));
      continue;
    }
    const at = random.below(streams.length);
    const step = streams[at]?.next();
    if (step === undefined || step.done === true) streams.splice(at, 1);
    else frames.push(...step.value);
  }
  const bytes = frames.map((one) => one.toString("latin1"));
  return random.chance(0.35) ? mutateFrames(random, bytes) : bytes;
}

/** The frames of one request, those that belong together at a time. */
function* stream(
  random: Random,
  writer: FieldWriter,
  id: number,
  { fields, body, trailers }: H2Request,
): Generator<Buffer[]> {
  yield head(random, id, writer.write(fields), body === null);
  if (body === null) return;
  if (random.chance(0.03)) {
    yield [rstStream(id, random.below(14))];
    return;
  }
  if (random.chance(0.02)) return; // never ends
  let at = 0;
  while (at < body.length || random.chance(0.1)) {
    const most = body.length > 1_000 ? 16_000 : random.pick([20, 400]);
    const size = Math.min(body.length - at, 1 + random.below(most));
    const ends = at + size === body.length && trailers === null && random.chance(0.7);
    yield [data(random, id, body.slice(at, at + size), ends)];
    if (ends) return;
    at += size;
  }
  yield trailers === null
    ? [data(random, id, "", true)]
    : head(random, id, writer.write(trailers), random.mostly(true, [false], 0.02));
}

/** HEADERS, and what has no room in it as CONTINUATION. */
function head(random: Random, id: number, block: Buffer, endStream: boolean): Buffer[] {
  const pieces: Buffer[] = [];
  const cuts = random.chance(0.25) ? 1 + random.below(4) : 0;
  let rest = block;
  for (let cut = 0; cut < cuts; cut++) {
    const size = random.below(rest.length + 1);
    pieces.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  pieces.push(rest);
  return pieces.map((piece, at) => {
    const endHeaders = at === pieces.length - 1 ? FLAG.endHeaders : 0;
    if (at > 0) return frame(TYPE.continuation, endHeaders, id, piece);
    let flags = endHeaders | (endStream ? FLAG.endStream : 0);
    let payload = piece;
    if (random.chance(0.1)) {
      flags |= FLAG.priority;
      payload = Buffer.concat([
        uint32(random.pick([0, id + 2, 0x8000_0000 + id + 4])),
        Buffer.of(random.below(256)),
        payload,
      ]);
    }
    if (random.chance(0.1)) {
      flags |= FLAG.padded;
      payload = padded(random, payload);
    }
    return frame(TYPE.headers, flags, id, payload);
  });
}

function data(random: Random, id: number, bytes: string, endStream: boolean): Buffer {
  const payload = Buffer.from(bytes, "latin1");
  const end = endStream ? FLAG.endStream : 0;
  return random.chance(0.15)
    ? frame(TYPE.data, end | FLAG.padded, id, padded(random, payload))
    : frame(TYPE.data, end, id, payload);
}

function padded(random: Random, payload: Buffer): Buffer {
  const length = random.pick([0, 1, 7, 255]);
  return Buffer.concat([Buffer.of(length), payload, Buffer.alloc(length)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A frame of the connection, or one that any stream may get at any time. */
function betweenStreams(random: Random, nextId: number): Buffer {
  const opened = Math.max(1, nextId - 2);
  const id = random.mostly(opened, [1, 0, 2, nextId, nextId + 100], 0.3);
  switch (random.below(8)) {
    case 0:
      return frame(TYPE.ping, random.mostly(0, [FLAG.ack, 0xfe]), random.mostly(0, [1]), "12345678");
    case 1: {
      const entry = random.pick([[1, 0], [1, 4_096], [1, 65_536], [2, 0], [3, 0], [4, 0], [4, 65_535], [5, 16_384], [6, 100], [8, 0], [99, 1]]); // biome-ignore format: one list
      const wrong = random.pick([[2, 2], [4, 0x8000_0000], [5, 16_383], [5, 0x100_0000]] ); // biome-ignore format: one list
      const [setting = 0, value = 0] = random.mostly(entry, [wrong], 0.05);
      return settings([[setting, value]]);
    }
    case 2:
      return frame(TYPE.settings, FLAG.ack, 0, random.mostly("", ["x"], 0.02));
    case 3:
      return windowUpdate(random.chance(0.5) ? 0 : id, random.mostly(1 + random.below(70_000), [0, 0x7fff_ffff], 0.1));
    case 4:
      return frame(
        TYPE.priority,
        0,
        random.mostly(id, [1]),
        Buffer.concat([uint32(random.pick([0, 999])), Buffer.of(7)]),
      );
    case 5:
      return random.chance(0.15) ? rstStream(id, random.below(14)) : frame(TYPE.ping, 0, 0, "abcdefgh");
    case 6:
      return random.chance(0.03)
        ? frame(TYPE.goaway, 0, 0, Buffer.concat([uint32(0), uint32(random.pick([0, 2]))]))
        : frame(0x0b + random.below(240), random.below(256), random.pick([0, id]), "unknown");
    default:
      return frame(
        random.pick([0x0a, 0x0c, 0x10, 0x20]),
        0,
        random.pick([0, id]),
        random.pick(["", "\0\0", "\0\0\0\x01u=1"]),
      );
  }
}
