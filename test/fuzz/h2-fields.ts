import { ENTRY_OVERHEAD_BYTES, STATIC_TABLE, TABLE_BYTES } from "../../src/http2/hpack-static.ts";
import type { Field } from "../fixtures/h2-frames.ts";
import { huffmanEncode } from "../fixtures/huffman-code.ts";
import type { Random } from "./random.ts";

/** Blocks that no encoder writes. */
const WRONG: readonly [string, ...string[]] = [
  "\x80", // the index 0
  "\xff\xff\x7f", // an index behind the tables
  "\xbf\xc0\xc1", // indexes that may be there or not
  "\x00\x81\xff\x00", // padding of eight bits
  "\x00\x01a\x81\x00", // padding of noughts
  "\x00\x01a\x84\xff\xff\xff\xff", // the end of a string within one
  "\x3f\xe2\x1f", // a table that is too large
  "\x20\x20\x20", // three sizes
  "\x82\x20", // a size behind a field
  "\x00\x01a\x7f", // a length that is cut off
  "\x00\x01a\x05b", // a string that is cut off
  "\xff\x80\x80\x80\x80\x80\x80\x00", // an integer with many noughts
  "\x40\x00\x00", // an empty name
  "\x7f",
];

const integer = (kind: number, mask: number, value: number): Buffer => {
  if (value < mask) return Buffer.of(kind | value);
  const bytes = [kind | mask];
  let rest = value - mask;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
};

/** Writes field blocks in any of the ways in which HPACK lets one be written (RFC 7541); one per connection. */
export class FieldWriter {
  readonly #random: Random;
  /** Newest first. */
  #entries: Field[] = [];
  #bytesMax = TABLE_BYTES;
  /** One that put nothing into the table. */
  #last: Buffer | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  write(fields: readonly Field[]): Buffer {
    const random = this.#random;
    // The same bytes may mean something else by now.
    if (this.#last !== null && random.chance(0.1)) return this.#last;
    const parts: Buffer[] = [];
    const newest = this.#entries[0];
    if (random.chance(0.05)) {
      this.#bytesMax = random.pick([0, 40, 300, TABLE_BYTES, Math.min(this.#bytes, TABLE_BYTES)]);
      parts.push(integer(0x20, 0x1f, this.#bytesMax));
      this.#evict();
    }
    for (const field of fields) parts.push(this.#field(field));
    if (random.chance(0.01)) parts.splice(random.below(parts.length + 1), 0, Buffer.from(random.pick(WRONG), "latin1"));
    const block = Buffer.concat(parts);
    if (this.#entries[0] === newest) this.#last = block;
    return block;
  }

  #field([name, value]: Field): Buffer {
    const random = this.#random;
    const whole = this.#indexOf((field) => field[0] === name && field[1] === value);
    if (whole > 0 && random.chance(0.8)) return integer(0x80, 0x7f, whole);
    const [kind, mask] = random.pick([
      [0x40, 0x3f],
      [0x40, 0x3f],
      [0x00, 0x0f],
      [0x10, 0x0f],
    ]);
    const named = random.chance(0.8) ? this.#indexOf((field) => field[0] === name) : 0;
    const parts = [integer(kind ?? 0, mask ?? 0, named)];
    if (named === 0) parts.push(this.#string(name));
    parts.push(this.#string(value));
    if (kind === 0x40) {
      this.#entries.unshift([name, value]);
      this.#evict();
    }
    return Buffer.concat(parts);
  }

  /** 0 where there is none; the last one now and then, as there may be several. */
  #indexOf(fits: (field: Field) => boolean): number {
    const all = [...STATIC_TABLE, ...this.#entries];
    return (this.#random.chance(0.5) ? all.findIndex(fits) : all.findLastIndex(fits)) + 1;
  }

  #string(text: string): Buffer {
    const isHuffman = this.#random.chance(0.5);
    const bytes = isHuffman ? huffmanEncode(text) : Buffer.from(text, "latin1");
    return Buffer.concat([integer(isHuffman ? 0x80 : 0, 0x7f, bytes.length), bytes]);
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax) this.#entries.pop();
  }

  get #bytes(): number {
    return this.#entries.reduce((sum, [name, value]) => sum + name.length + value.length + ENTRY_OVERHEAD_BYTES, 0);
  }
}
