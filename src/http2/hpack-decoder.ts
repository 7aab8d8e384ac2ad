import { ENTRY_OVERHEAD_BYTES, STATIC_TABLE, TABLE_BYTES } from "./hpack-static.ts";
import { huffmanDecode } from "./huffman.ts";

/** Blocks up to this length are remembered with what they mean. */
const REMEMBERED_BYTES_MAX = 512;
const NO_BYTES: Buffer = Buffer.alloc(0);

export interface DecodedFields {
  /** Names and values in turn; text of one byte a character (latin1). The same array for the same block come again. */
  readonly raw: readonly string[];
  /** There were more than allowed, and the rest is not in `raw`. */
  readonly tooMany: boolean;
}

/**
 * Reads the field blocks of one direction of a connection (RFC 7541). Every block must pass through, also those of requests
 * that nobody wants, for each may change what later ones mean.
 */
export class HpackDecoder {
  readonly #bytesMax: number;
  readonly #countMax: number;
  /** The dynamic table, oldest entry first: names and values. */
  #names: string[] = [];
  #values: string[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES;
  #changes = 0;

  #block = NO_BYTES;
  #at = 0;
  #raw: string[] = [];
  #listBytes = 0;
  #tooMany = false;

  /** The last block that changed nothing, and what it meant in the table as it still is. */
  #lastBlock = NO_BYTES;
  #lastChanges = -1;
  #last: DecodedFields | null = null;

  /** Limits of what is kept of one block: bytes counted as in SETTINGS_MAX_HEADER_LIST_SIZE, and fields. */
  constructor(bytesMax: number, countMax: number) {
    this.#bytesMax = bytesMax;
    this.#countMax = countMax;
  }

  /** Null where the block is no HPACK: the connection cannot go on (COMPRESSION_ERROR). */
  decode(block: Buffer): DecodedFields | null {
    if (this.#last !== null && this.#lastChanges === this.#changes && isSame(block, this.#lastBlock)) return this.#last;
    this.#block = block;
    this.#at = 0;
    this.#raw = [];
    this.#listBytes = 0;
    this.#tooMany = false;
    const changesBefore = this.#changes;
    const isValid = this.#readBlock();
    this.#block = NO_BYTES;
    if (!isValid) return null;
    const fields = { raw: this.#raw, tooMany: this.#tooMany };
    if (this.#changes === changesBefore && block.length <= REMEMBERED_BYTES_MAX) {
      this.#lastBlock = Buffer.from(block);
      this.#lastChanges = changesBefore;
      this.#last = fields;
    }
    return fields;
  }

  #readBlock(): boolean {
    const block = this.#block;
    let mayResize = true;
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        const size = this.#readInteger(0x1f);
        if (!mayResize || size < 0 || size > TABLE_BYTES) return false;
        this.#tableBytesMax = size;
        this.#changes++;
        this.#evict(0);
        continue;
      }
      mayResize = false;
      if ((first & 0x80) !== 0) {
        const index = this.#readInteger(0x7f);
        const name = this.#nameAt(index);
        if (name === null) return false;
        this.#add(name, this.#valueAt(index));
      } else if (!this.#readLiteral((first & 0xc0) === 0x40)) return false;
    }
    return true;
  }

  /** RFC 7541 section 6.2. Whether a literal is "never indexed" is for those who index again; nothing here does. */
  #readLiteral(isIndexed: boolean): boolean {
    const index = this.#readInteger(isIndexed ? 0x3f : 0x0f);
    if (index < 0) return false;
    const name = index === 0 ? this.#readString() : this.#nameAt(index);
    if (name === null) return false;
    const value = this.#readString();
    if (value === null) return false;
    this.#add(name, value);
    if (isIndexed) this.#insert(name, value);
    return true;
  }

  #add(name: string, value: string): void {
    this.#listBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    // A block of references to large entries means a thousand times its bytes: what is too much is counted, not kept.
    if (this.#listBytes > this.#bytesMax || this.#raw.length >= 2 * this.#countMax) this.#tooMany = true;
    else this.#raw.push(name, value);
  }

  // ---- the tables ------------------------------------------------------------------------------------------------

  #nameAt(index: number): string | null {
    if (index <= 0) return null;
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1]?.[0] ?? null;
    return this.#names[this.#names.length - (index - STATIC_TABLE.length)] ?? null;
  }

  #valueAt(index: number): string {
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1]?.[1] ?? "";
    return this.#values[this.#values.length - (index - STATIC_TABLE.length)] ?? "";
  }

  #insert(name: string, value: string): void {
    this.#changes++;
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#evict(bytes);
    // One that is larger than the whole table empties it (section 4.4).
    if (bytes > this.#tableBytesMax) return;
    this.#names.push(name);
    this.#values.push(value);
    this.#tableBytes += bytes;
  }

  /** Makes room for an entry of `bytes`. */
  #evict(bytes: number): void {
    while (this.#tableBytes > 0 && this.#tableBytes + bytes > this.#tableBytesMax) {
      const name = this.#names.shift() ?? "";
      const value = this.#values.shift() ?? "";
      this.#tableBytes -= name.length + value.length + ENTRY_OVERHEAD_BYTES;
    }
  }

  // ---- primitives ------------------------------------------------------------------------------------------------

  /** RFC 7541 section 5.1; `mask` is the prefix. -1 where it is cut off or beyond all that may be meant. */
  #readInteger(mask: number): number {
    const block = this.#block;
    let value = (block[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = block[this.#at++];
      if (byte === undefined) return -1;
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    return -1;
  }

  #readString(): string | null {
    const block = this.#block;
    const isHuffman = ((block[this.#at] ?? 0) & 0x80) !== 0;
    if (this.#at >= block.length) return null;
    const length = this.#readInteger(0x7f);
    const from = this.#at;
    const to = from + length;
    if (length < 0 || to > block.length) return null;
    this.#at = to;
    if (!isHuffman) return block.toString("latin1", from, to);
    if (scratch.length < 2 * length) scratch = Buffer.allocUnsafeSlow(4 * length);
    const decoded = huffmanDecode(block, from, to, scratch);
    return decoded < 0 ? null : scratch.toString("latin1", 0, decoded);
  }
}

/** Where strings are decoded before they are text; all connections', for it holds nothing in between. */
let scratch = Buffer.allocUnsafeSlow(4_096);

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && a.equals(b);
}
