import { isUtf8 } from "node:buffer";
import { WIRE, WireReader } from "./wire.ts";

/** One value of a field, whose type only its reader knows. */
interface RawValue {
  readonly wire: number;
  /** Of a number: its low and high 32 bits. */
  readonly low: number;
  readonly high: number;
  /** Of what has a length. */
  readonly bytes: Buffer;
}

const NO_BYTES: Buffer = Buffer.alloc(0);
const NO_VALUES: readonly RawValue[] = [];

/**
 * A message whose reader knows what its fields are, as those of descriptors. What it does not ask for is passed over; of what
 * should be there once, the last counts.
 */
export class RawMessage {
  readonly #values: ReadonlyMap<number, readonly RawValue[]>;

  private constructor(values: ReadonlyMap<number, readonly RawValue[]>) {
    this.#values = values;
  }

  static readonly empty: RawMessage = new RawMessage(new Map());

  /** Null where the bytes are no message. */
  static read(bytes: Buffer): RawMessage | null {
    const values = new Map<number, RawValue[]>();
    const reader = new WireReader(bytes);
    while (!reader.isOver) {
      if (!reader.readTag()) return null;
      const { number, wire } = reader;
      let content = NO_BYTES;
      if (wire === WIRE.len) {
        const end = reader.readLength();
        if (end < 0) return null;
        content = bytes.subarray(reader.at, end);
        reader.at = end;
      } else if (!reader.skip(DEPTH_MAX)) return null;
      const value = { wire, low: reader.low, high: reader.high, bytes: content };
      const others = values.get(number);
      if (others === undefined) values.set(number, [value]);
      else others.push(value);
    }
    return new RawMessage(values);
  }

  get numbers(): Iterable<number> {
    return this.#values.keys();
  }

  has(number: number): boolean {
    return this.#values.has(number);
  }

  text(number: number): string | null {
    return this.texts(number).at(-1) ?? null;
  }

  texts(number: number): readonly string[] {
    return this.bytes(number).map((bytes) => (isUtf8(bytes) ? bytes.toString("utf8") : ""));
  }

  bytes(number: number): readonly Buffer[] {
    return this.#of(number, WIRE.len).map(({ bytes }) => bytes);
  }

  message(number: number): RawMessage | null {
    const all = this.bytes(number);
    return all.length === 0 ? null : RawMessage.read(all.length === 1 ? (all[0] ?? NO_BYTES) : Buffer.concat(all));
  }

  messages(number: number): readonly (RawMessage | null)[] {
    return this.bytes(number).map((bytes) => RawMessage.read(bytes));
  }

  flag(number: number): boolean {
    return (this.uint(number) ?? 0) !== 0;
  }

  /** Exact below 2^53. */
  uint(number: number): number | null {
    const value = this.#of(number, WIRE.varint).at(-1);
    return value === undefined ? null : value.high * 2 ** 32 + value.low;
  }

  /** Of a list too, packed or not: the bits of each number, by the wire type that it has outside a packed list. */
  bits(number: number, wire: number): readonly (readonly [low: number, high: number])[] {
    const all: (readonly [number, number])[] = [];
    for (const value of this.#values.get(number) ?? NO_VALUES) {
      if (value.wire === wire) all.push([value.low, value.high]);
      if (value.wire !== WIRE.len) continue;
      const reader = new WireReader(value.bytes);
      const read = () =>
        wire === WIRE.varint ? reader.readVarint() : wire === WIRE.i32 ? reader.readFixed32() : reader.readFixed64();
      while (!reader.isOver && read()) all.push([reader.low, reader.high]);
    }
    return all;
  }

  #of(number: number, wire: number): readonly RawValue[] {
    return (this.#values.get(number) ?? NO_VALUES).filter((value) => value.wire === wire);
  }
}

/** Groups within each other. */
const DEPTH_MAX = 32;
