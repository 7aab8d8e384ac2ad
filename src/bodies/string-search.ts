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
