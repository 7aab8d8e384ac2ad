import type { GateTables } from "./gate.ts";

/** A pattern by its source, or the words of a list in small letters. */
export type SearchItem = { readonly rx: string } | { readonly words: readonly string[] };

/** Masks of kinds for each item. */
export const KINDS_PER_ITEM = 3;

/** All that is made of the items once. */
export interface SearchTables {
  readonly items: readonly SearchItem[];
  readonly gate: GateTables;
  /** Ids that have no literal: they are candidates for each text. */
  readonly always: Uint16Array;
  /** For each id its masks of kinds; -1 where there is none. */
  readonly kinds: Int32Array;
}

/** Changes with whatever the bytes mean, the way literals are found included. */
const FORMAT = "postern search 2";
const ALIGN = 8;

interface Head {
  readonly format: string;
  readonly items: readonly SearchItem[];
  readonly width: number;
  /** In bytes, each array behind the other. */
  readonly sizes: readonly number[];
}

/** Bytes for a file: the length of the head, the head as JSON, and the arrays in the machine's order of bytes. */
export function toBuffer({ items, gate, always, kinds }: SearchTables): Uint8Array {
  const { columns, next, children, entry, fails, lists, starts, ids } = gate;
  const arrays = [columns, next, children, entry, fails, lists, starts, ids, always, kinds];
  const sizes = arrays.map(({ byteLength }) => byteLength);
  const head = Buffer.from(
    JSON.stringify({
      format: FORMAT,
      items,
      width: gate.width,
      sizes,
    } satisfies Head),
  );
  let at = aligned(4 + head.length);
  const bytes = Buffer.alloc(at + sizes.reduce((sum, size) => sum + aligned(size), 0));
  bytes.writeUInt32LE(head.length);
  bytes.set(head, 4);
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += aligned(array.byteLength);
  }
  return bytes;
}

/** Null where the bytes are of another format, or not whole. Of a file that others cannot write: only its form is looked at. */
export function fromBuffer(stored: Uint8Array): SearchTables | null {
  // A copy, as arrays of larger numbers begin at places of theirs.
  const bytes = Buffer.alloc(stored.byteLength);
  bytes.set(stored);
  const head = headOf(bytes);
  if (head === null) return null;
  let at = aligned(4 + bytes.readUInt32LE());
  const places = head.sizes.map((size) => {
    const place = bytes.byteOffset + at;
    at += aligned(size);
    return place;
  });
  if (at !== bytes.length || head.sizes.length !== 10) return null;
  const { buffer } = bytes;
  const sizeOf = (index: number): number => head.sizes[index] ?? 0;
  const placeOf = (index: number): number => places[index] ?? 0;
  const bytesAt = (index: number): Uint8Array => new Uint8Array(buffer, placeOf(index), sizeOf(index));
  const words = (index: number): Uint32Array => new Uint32Array(buffer, placeOf(index), sizeOf(index) / 4);
  const halves = (index: number): Uint16Array => new Uint16Array(buffer, placeOf(index), sizeOf(index) / 2);
  return {
    items: head.items,
    gate: {
      columns: bytesAt(0),
      width: head.width,
      next: words(1),
      children: words(2),
      entry: bytesAt(3),
      fails: words(4),
      lists: words(5),
      starts: words(6),
      ids: halves(7),
    },
    always: halves(8),
    kinds: new Int32Array(buffer, placeOf(9), sizeOf(9) / 4),
  };
}

function headOf(bytes: Buffer): Head | null {
  if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32LE()) return null;
  try {
    const head = JSON.parse(bytes.toString("utf8", 4, 4 + bytes.readUInt32LE())) as Head;
    return head.format === FORMAT ? head : null;
  } catch {
    return null;
  }
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGN) * ALIGN;
}
