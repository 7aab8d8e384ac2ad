import { WIRE } from "./wire.ts";

/** Writes the fields of one message in the order in which they are added. */
export class WireWriter {
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Of a number below 2^53. */
  varint(number: number, value: number): this {
    this.#tag(number, WIRE.varint);
    return this.raw(varintBytes(value));
  }

  text(number: number, text: string): this {
    return this.message(number, Buffer.from(text, "utf8"));
  }

  /** Bytes, or the bytes of a message. */
  message(number: number, bytes: Buffer): this {
    this.#tag(number, WIRE.len);
    this.raw(varintBytes(bytes.length));
    return this.raw(bytes);
  }

  /** Fields that are written already. */
  raw(bytes: Buffer): this {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts, this.#bytes);
  }

  #tag(number: number, wire: number): void {
    this.raw(varintBytes(number * 8 + wire));
  }
}

/** Of a number below 2^53. */
export function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  bytes.push(left);
  return Buffer.from(bytes);
}
