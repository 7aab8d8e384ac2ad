import { FLAG, TYPE } from "../fixtures/h2-frames.ts";
import type { Random } from "./random.ts";

/** One to three small harms to frames (latin1); the first of them is the preface. */
export function mutateFrames(random: Random, frames: readonly string[]): string[] {
  const harmed = [...frames];
  for (let left = 1 + random.below(3); left > 0; left--) harm(random, harmed);
  return harmed;
}

const TYPES: readonly [number, ...number[]] = [0xff, 0x0a, ...Object.values(TYPE)];
const FLAGS: readonly [number, ...number[]] = [
  FLAG.endStream,
  FLAG.endHeaders,
  FLAG.padded,
  FLAG.priority,
  FLAG.endStream,
  0x40,
];

function harm(random: Random, frames: string[]): void {
  const at = random.chance(0.03) ? 0 : 1 + random.below(Math.max(1, frames.length - 1));
  const one = Buffer.from(frames[at] ?? "", "latin1");
  const put = (...bytes: readonly Buffer[]): void => {
    frames.splice(at, 1, ...bytes.map((each) => each.toString("latin1")));
  };
  if (one.length < 9) return;
  const payload = random.below(Math.max(1, one.length - 9)) + 9;
  switch (random.below(12)) {
    case 0: // gone
      put();
      break;
    case 1: // twice
      put(one, one);
      break;
    case 2: // later
      put();
      frames.splice(1 + random.below(frames.length), 0, one.toString("latin1"));
      break;
    case 3:
      one.writeUInt32BE(random.pick([0, 1, 2, 3, 5, 7, 9, 0x8000_0001, 0x7fff_ffff]), 5);
      put(one);
      break;
    case 4:
      one[3] = random.pick(TYPES);
      put(one);
      break;
    case 5:
      one[4] = (one[4] ?? 0) ^ random.pick(FLAGS);
      put(one);
      break;
    case 6: // a length that does not fit what follows
      one.writeUIntBE(Math.max(0, one.length - 9 + random.pick([-1, 1, -4, 9, 300, 16_385])), 0, 3);
      put(one);
      break;
    case 7: // one bit anywhere
      put(flipped(random, one, random.below(one.length)));
      break;
    case 8: // one bit of what it carries
      put(one.length > 9 ? flipped(random, one, payload) : one);
      break;
    case 9: // shorter, and it says so
      put(resized(one.subarray(0, payload)));
      break;
    case 10: // longer, and it says so
      put(resized(Buffer.concat([one, Buffer.from(random.pick(["\0", "\x82", "\xff", "abcd"]), "latin1")])));
      break;
    default:
      // A field's text, where most of what a head means is decided.
      if (one.length > 9) one[payload] = random.pick([0, 10, 13, 32, 9, 0x3a, 0x41, 0x7f, 0x80, 0xff]);
      put(one);
  }
}

function flipped(random: Random, bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

function resized(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUIntBE(copy.length - 9, 0, 3);
  return copy;
}
