import { hash } from "node:crypto";

const RECORD_HEAD_BYTES = 5;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0x0000;
const SIGNATURE_ALGORITHMS = 0x000d;
const ALPN = 0x0010;
const SUPPORTED_VERSIONS = 0x002b;
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, "13"],
  [0x0303, "12"],
  [0x0302, "11"],
  [0x0301, "10"],
  [0x0300, "s3"],
]);
const DIGEST_CHARS = 12;
const NOTHING = "0".repeat(DIGEST_CHARS);

/**
 * JA4, the fingerprint of a TLS client by its hello (github.com/FoxIO-LLC/ja4, technical_details/JA4.md): how it is written, and in
 * which order nothing counts that clients shuffle. Null for whatever is no whole hello in one record. Never throws.
 */
export function ja4Of(bytes: Buffer): string | null {
  const hello = new Cursor(bytes, 0, bytes.length);
  if (hello.number(1) !== HANDSHAKE_RECORD) return null;
  hello.skip(2);
  const record = hello.block(2);
  if (record.number(1) !== CLIENT_HELLO) return null;
  const body = record.block(3);
  const legacy = body.number(2);
  body.skip(32);
  body.block(1);
  const ciphers = body.block(2).numbers();
  body.block(1);
  const extensions = body.isAtEnd ? [] : extensionsOf(body.block(2));
  if (bytes.length < RECORD_HEAD_BYTES || [hello, record, body].some(({ isBroken }) => isBroken)) return null;
  if (extensions === null) return null;
  return fingerprint(legacy, ciphers, extensions);
}

interface Extension {
  readonly type: number;
  readonly data: Cursor;
}

function extensionsOf(block: Cursor): readonly Extension[] | null {
  const extensions: Extension[] = [];
  while (!block.isAtEnd) {
    const type = block.number(2);
    const data = block.block(2);
    if (block.isBroken) return null;
    if (!isGrease(type)) extensions.push({ type, data });
  }
  return extensions;
}

function fingerprint(legacy: number, ciphers: readonly number[], extensions: readonly Extension[]): string {
  const dataOf = (type: number): Cursor | null => extensions.find((one) => one.type === type)?.data ?? null;
  const offered = dataOf(SUPPORTED_VERSIONS)?.block(1).numbers() ?? [];
  const version = VERSIONS.get(offered.length === 0 ? legacy : Math.max(...offered)) ?? "00";
  const isNamed = dataOf(SERVER_NAME) !== null;
  const known = extensions.map(({ type }) => type);
  const others = known.filter((type) => type !== SERVER_NAME && type !== ALPN);
  const algorithms = dataOf(SIGNATURE_ALGORITHMS)?.block(2).numbers() ?? [];
  const form = `t${version}${isNamed ? "d" : "i"}${two(ciphers.length)}${two(known.length)}${alpnOf(dataOf(ALPN))}`;
  const signed = algorithms.length === 0 ? "" : `_${algorithms.map(hex).join(",")}`;
  const digestOfOthers = known.length === 0 ? NOTHING : digest(`${sorted(others)}${signed}`);
  return `${form}_${ciphers.length === 0 ? NOTHING : digest(sorted(ciphers))}_${digestOfOthers}`;
}

/** The first and the last character of the first protocol, or of its hexadecimal digits where they are no letters or digits. */
function alpnOf(data: Cursor | null): string {
  const name = data?.block(2).block(1).bytes() ?? Buffer.alloc(0);
  if (name.length === 0) return "00";
  const ends = String.fromCharCode(name[0] ?? 0, name.at(-1) ?? 0);
  if (/^[0-9A-Za-z]{2}$/.test(ends)) return ends;
  const digits = name.toString("hex");
  return `${digits.at(0)}${digits.at(-1)}`;
}

/** Values that clients throw in so that nobody comes to rely on a list (RFC 8701). */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

const two = (count: number): string => String(Math.min(count, 99)).padStart(2, "0");
const hex = (value: number): string => value.toString(16).padStart(4, "0");
const sorted = (values: readonly number[]): string => values.map(hex).sort().join(",");
const digest = (text: string): string => hash("sha256", text).slice(0, DIGEST_CHARS);

/** Reads forward; what goes beyond the end is nothing, and the reader broken from then on. */
class Cursor {
  isBroken = false;
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end || this.isBroken;
  }

  skip(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#end) this.isBroken = true;
  }

  number(bytes: number): number {
    const from = this.#at;
    this.skip(bytes);
    return this.isBroken ? 0 : this.#bytes.readUIntBE(from, bytes);
  }

  /** What follows its length, which has so many bytes. */
  block(lengthBytes: number): Cursor {
    const length = this.number(lengthBytes);
    const from = this.#at;
    this.skip(length);
    return this.isBroken ? new Cursor(this.#bytes, 0, 0) : new Cursor(this.#bytes, from, this.#at);
  }

  /** Of two bytes each, without those of RFC 8701. */
  numbers(): readonly number[] {
    const numbers: number[] = [];
    while (!this.isAtEnd) {
      const value = this.number(2);
      if (!this.isBroken && !isGrease(value)) numbers.push(value);
    }
    return numbers;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end);
  }
}
