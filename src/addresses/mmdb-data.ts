/** What a record says: texts, numbers, booleans, lists and maps; null stands for what nobody here asks for. */
export type MmdbValue = string | number | boolean | null | readonly MmdbValue[] | MmdbMap;
export interface MmdbMap {
  readonly [name: string]: MmdbValue;
}

/** The bytes are no record. */
export class MmdbFault extends Error {}

const DEPTH_MAX = 16;
/** Of one record; what has more is made to be large. */
const VALUES_MAX = 4_096;

const POINTER = 1;
const TEXT = 2;
const DOUBLE = 3;
const BYTES = 4;
const UINT16 = 5;
const UINT32 = 6;
const MAP = 7;
const INT32 = 8;
const UINT64 = 9;
const UINT128 = 10;
const LIST = 11;
const BOOLEAN = 14;
const FLOAT = 15;

/** Values of the data section of a MaxMind DB file (format 2.0, section "Data Field Format"). */
export class MmdbData {
  readonly #bytes: Buffer;
  /** Where pointers count from. */
  readonly #start: number;
  readonly #end: number;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** The value at an offset into the section. Throws MmdbFault. */
  read(offset: number): MmdbValue {
    this.#at = this.#start + offset;
    this.#values = 0;
    return this.#value(0);
  }

  #value(depth: number): MmdbValue {
    if (depth > DEPTH_MAX || ++this.#values > VALUES_MAX) throw new MmdbFault("a record that is too large");
    const control = this.#number(1);
    const type = control >>> 5;
    if (type === POINTER) return this.#follow(control, depth);
    const kind = type === 0 ? 7 + this.#number(1) : type;
    const size = this.#size(control & 0x1f);
    switch (kind) {
      case TEXT:
        return this.#take(size).toString("utf8");
      case MAP:
        return this.#map(size, depth);
      case LIST:
        return Array.from({ length: this.#fits(size) }, () => this.#value(depth + 1));
      case UINT16:
      case UINT32:
        if (size > 4) throw new MmdbFault("a number of too many bytes");
        return this.#number(size);
      case UINT64:
        // A time in it fits into a double; what is longer nobody here asks for.
        if (size <= 6) return this.#number(size);
        this.#take(size);
        return null;
      case INT32:
      case BYTES:
      case UINT128:
        this.#take(size);
        return null;
      case DOUBLE:
        return this.#take(8).readDoubleBE(0);
      case FLOAT:
        return this.#take(4).readFloatBE(0);
      case BOOLEAN:
        return size === 1;
      default:
        throw new MmdbFault("a value of an unknown type");
    }
  }

  #map(size: number, depth: number): MmdbMap {
    const map: Record<string, MmdbValue> = Object.create(null);
    for (let left = this.#fits(size); left > 0; left--) {
      const name = this.#value(depth + 1);
      if (typeof name !== "string") throw new MmdbFault("a name that is no text");
      map[name] = this.#value(depth + 1);
    }
    return map;
  }

  /** A pointer leads to a value that is none. */
  #follow(control: number, depth: number): MmdbValue {
    const bytes = ((control >>> 3) & 3) + 1;
    const high = bytes === 4 ? 0 : (control & 7) * 2 ** (8 * bytes);
    const offset = high + this.#number(bytes) + (POINTER_BASES[bytes] ?? 0);
    const back = this.#at;
    this.#at = this.#start + offset;
    if (this.#at < this.#end && (this.#bytes[this.#at] as number) >>> 5 === POINTER) {
      throw new MmdbFault("a pointer to a pointer");
    }
    const value = this.#value(depth + 1);
    this.#at = back;
    return value;
  }

  #size(short: number): number {
    if (short < 29) return short;
    const bytes = short - 28;
    return this.#number(bytes) + (SIZE_BASES[bytes] ?? 0);
  }

  /** So many values take at least so many bytes. */
  #fits(count: number): number {
    if (count > VALUES_MAX || count > this.#end - this.#at) throw new MmdbFault("a record that is too large");
    return count;
  }

  #take(size: number): Buffer {
    const from = this.#at;
    this.#at += size;
    if (from < this.#start || this.#at > this.#end) throw new MmdbFault("a value beyond the end");
    return this.#bytes.subarray(from, this.#at);
  }

  #number(size: number): number {
    const from = this.#at;
    this.#at += size;
    if (from < this.#start || this.#at > this.#end) throw new MmdbFault("a value beyond the end");
    let value = 0;
    for (let at = from; at < this.#at; at++) value = value * 256 + (this.#bytes[at] as number);
    return value;
  }
}

/** By how many bytes follow. */
const POINTER_BASES: readonly number[] = [0, 0, 2_048, 526_336, 0];
const SIZE_BASES: readonly number[] = [0, 29, 285, 65_821];
