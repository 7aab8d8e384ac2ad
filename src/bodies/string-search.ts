/** From this length on, a string is searched rather than walked. */
const WALKED_BYTES = 24;

/** Where the next escape is, looked for once and not for each string. */
export class Escapes {
  #at = -1;

  next(bytes: Uint8Array, from: number): number {
    if (this.#at < from) {
      const found = bytes.indexOf(0x5c, from);
      this.#at = found < 0 ? bytes.length : found;
    }
    return this.#at;
  }

  /** Other bytes come. */
  reset(): void {
    this.#at = -1;
  }
}

/** The next quote or escape of a string, or `to`. */
export function skipString(bytes: Uint8Array, from: number, to: number, escapes: Escapes): number {
  const walked = Math.min(to, from + WALKED_BYTES);
  let at = from;
  while (at < walked && bytes[at] !== 0x22 && bytes[at] !== 0x5c) at++;
  if (at < walked || at === to) return at;
  const quote = bytes.indexOf(0x22, at);
  return Math.min(quote < 0 ? to : quote, escapes.next(bytes, at), to);
}

/** 1: it may end a string. */
export const ENDS_STRING: Uint8Array = new Uint8Array(256).map((_, byte) => Number(byte === 0x22 || byte === 0x5c));
/** Where there is one that long, others are searched rather than walked. */
const LONG_BYTES = 256;
/** Fewer are looked at sooner than anybody is asked to. */
const NEAR_BYTES = 24;

/**
 * Where strings end in some bytes. One that begins before the last quote is walked without a look at where the bytes end,
 * which is two thirds of the time: the last quote stops it.
 */
export class StringEnds {
  /** The last quote; -1 for none. */
  last = -1;
  readonly #escapes = new Escapes();
  #areLong = false;

  /** Other bytes come. */
  reset(bytes: Uint8Array): void {
    this.last = lastQuote(bytes);
    this.#escapes.reset();
  }

  /** The closing quote of a string, behind whose opening one `from` is; -1 where it does not end here. */
  of(bytes: Uint8Array, from: number): number {
    if (this.#areLong) return this.#search(bytes, from);
    const { last } = this;
    let at = from;
    while (at <= last) {
      while (ENDS_STRING[bytes[at] as number] === 0) at++;
      if (bytes[at] === 0x22) {
        if (at - from > LONG_BYTES) this.#areLong = true;
        return at;
      }
      at += 2;
    }
    return -1;
  }

  #search(bytes: Uint8Array, from: number): number {
    const to = bytes.length;
    let at = skipString(bytes, from, to, this.#escapes);
    while (at < to && bytes[at] === 0x5c) at = skipString(bytes, at + 2, to, this.#escapes);
    return at < to ? at : -1;
  }
}

/** Nearly all texts have one just before their end. */
function lastQuote(bytes: Uint8Array): number {
  const near = Math.max(0, bytes.length - NEAR_BYTES);
  for (let at = bytes.length - 1; at >= near; at--) if (bytes[at] === 0x22) return at;
  return bytes.lastIndexOf(0x22, near);
}
