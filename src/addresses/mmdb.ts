import type { Address } from "../message/address.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import { MmdbData, MmdbFault, type MmdbMap, type MmdbValue } from "./mmdb-data.ts";

const MARK = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
/** The metadata begins within so many bytes of the end. */
const METADATA_BYTES_MAX = 128 * 1024;
/** Zeros between tree and data. */
const SEPARATOR_BYTES = 16;
/** Nodes or records looked at between two yields. */
const STEP_NODES = 4_096;
const STEP_RECORDS = 64;

/** A database of what is known of addresses, in the format of MaxMind (maxmind.github.io/MaxMind-DB, 2.0). */
export class Mmdb {
  readonly type: string;
  /** Unix seconds; 0 where it does not say. */
  readonly builtSeconds: number;
  readonly #bytes: Buffer;
  readonly #data: MmdbData;
  readonly #nodes: number;
  readonly #recordBits: number;
  readonly #dataBytes: number;
  readonly #isIpv6: boolean;
  /** Where the addresses of IPv4 begin in a tree of both. */
  readonly #root4: number;

  private constructor(bytes: Buffer, metadata: Metadata) {
    this.type = metadata.type;
    this.builtSeconds = metadata.builtSeconds;
    this.#bytes = bytes;
    this.#nodes = metadata.nodes;
    this.#recordBits = metadata.recordBits;
    this.#isIpv6 = metadata.isIpv6;
    const start = metadata.treeBytes + SEPARATOR_BYTES;
    this.#dataBytes = metadata.end - start;
    this.#data = new MmdbData(bytes, start, metadata.end);
    let node = 0;
    for (let bit = 0; this.#isIpv6 && bit < 96 && node < this.#nodes; bit++) node = this.#child(node, 0);
    this.#root4 = node;
  }

  /** Bytes of a file → the database, once every record in it has been read; or what is wrong, as what follows the file's name. */
  static *open(bytes: Buffer): Steps<Result<Mmdb, string>> {
    const metadata = metadataOf(bytes);
    if (!metadata.ok) return metadata;
    const database = new Mmdb(bytes, metadata.value);
    const fault = yield* database.#verify();
    return fault === null ? ok(database) : err(`is damaged: ${fault}`);
  }

  /** Where the address's record lies, which is the same for all that have this record; -1 where there is none. */
  find(address: Address): number {
    const { family, w0, w1, w2, w3 } = address;
    if (family === 4) return this.#walk(this.#root4, w0);
    if (!this.#isIpv6) return -1;
    let node = 0;
    for (let at = 0; at < 4 && node < this.#nodes; at++) {
      const word = at === 0 ? w0 : at === 1 ? w1 : at === 2 ? w2 : w3;
      node = this.#step(node, word);
    }
    return this.#offsetOf(node);
  }

  record(offset: number): MmdbMap | null {
    const value = this.#data.read(offset);
    return isMap(value) ? value : null;
  }

  #walk(root: number, word: number): number {
    return this.#offsetOf(root < this.#nodes ? this.#step(root, word) : root);
  }

  #step(from: number, word: number): number {
    let node = from;
    for (let bit = 31; bit >= 0 && node < this.#nodes; bit--) node = this.#child(node, (word >>> bit) & 1);
    return node;
  }

  /** A value above the number of nodes points to a record; that number itself says that there is none. */
  #offsetOf(value: number): number {
    return value > this.#nodes ? value - this.#nodes - SEPARATOR_BYTES : -1;
  }

  #child(node: number, side: number): number {
    const bytes = this.#bytes;
    const bits = this.#recordBits;
    const at = (node * bits) / 4;
    if (bits === 24) return bytes.readUIntBE(at + 3 * side, 3);
    if (bits === 32) return bytes.readUInt32BE(at + 4 * side);
    const middle = bytes[at + 3] as number;
    return side === 0
      ? ((middle & 0xf0) << 20) | bytes.readUIntBE(at, 3)
      : ((middle & 0x0f) << 24) | bytes.readUIntBE(at + 4, 3);
  }

  /** Goes through all nodes and each record once, so that no look-up finds damage. */
  *#verify(): Steps<string | null> {
    const seen = new Uint8Array(this.#dataBytes);
    let records = 0;
    for (let node = 0; node < this.#nodes; node++) {
      if (node % STEP_NODES === 0) yield;
      for (let side = 0; side < 2; side++) {
        const offset = this.#offsetOf(this.#child(node, side));
        if (offset < 0 && this.#child(node, side) <= this.#nodes) continue;
        if (offset < 0 || offset >= this.#dataBytes) return "a record beyond the end";
        if (seen[offset] === 1) continue;
        seen[offset] = 1;
        if (++records % STEP_RECORDS === 0) yield;
        const fault = this.#faultAt(offset);
        if (fault !== null) return fault;
      }
    }
    return null;
  }

  #faultAt(offset: number): string | null {
    try {
      return this.record(offset) === null ? "a record that is no map" : null;
    } catch (error) {
      if (error instanceof MmdbFault) return error.message;
      throw error;
    }
  }
}

interface Metadata {
  readonly type: string;
  readonly builtSeconds: number;
  readonly nodes: number;
  readonly recordBits: number;
  readonly treeBytes: number;
  readonly isIpv6: boolean;
  /** Where the data ends. */
  readonly end: number;
}

function metadataOf(bytes: Buffer): Result<Metadata, string> {
  const tail = Math.max(0, bytes.length - METADATA_BYTES_MAX);
  const mark = bytes.lastIndexOf(MARK);
  if (mark < tail || mark < 0) return err("is no MaxMind database, or is cut off: it has no metadata at its end");
  let fields: MmdbValue;
  try {
    fields = new MmdbData(bytes, mark + MARK.length, bytes.length).read(0);
  } catch (error) {
    if (error instanceof MmdbFault) return err(`is damaged: ${error.message} in its metadata`);
    throw error;
  }
  const number = (name: string): number => {
    const value = isMap(fields) ? fields[name] : null;
    return typeof value === "number" ? value : -1;
  };
  const [nodes, recordBits, version] = [number("node_count"), number("record_size"), number("ip_version")];
  if (number("binary_format_major_version") !== 2) return err("is of another format than MaxMind DB 2");
  if (![24, 28, 32].includes(recordBits) || (version !== 4 && version !== 6) || nodes < 1) {
    return err("is damaged: its metadata says what cannot be");
  }
  const treeBytes = (nodes * recordBits) / 4;
  if (treeBytes + SEPARATOR_BYTES > mark) return err("is damaged: its tree is longer than the file");
  const type = isMap(fields) ? fields["database_type"] : null;
  return ok({
    type: typeof type === "string" ? type : "",
    builtSeconds: Math.max(0, number("build_epoch")),
    nodes,
    recordBits,
    treeBytes,
    isIpv6: version === 6,
    end: mark,
  });
}

function isMap(value: MmdbValue): value is MmdbMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
