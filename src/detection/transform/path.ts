import { codeAt } from "../../support/text-code.ts";
import type { Begin, Making } from "./bytes.ts";

const [DOT, SLASH, BACKSLASH] = [0x2e, 0x2f, 0x5c] as const;

/** Segments `.` and `..` and empty ones are gone, as in RFC 3986, section 5.2.4; a path that ends in a slash still does. */
export const normalizePath: Begin = (text) => (SHORTER.test(text) ? new PathMaking(text, SLASH) : new Unchanged(text));

export const normalizePathWin: Begin = (text) =>
  text.includes("\\") || SHORTER.test(text) ? new PathMaking(text, BACKSLASH) : new Unchanged(text);

const SHORTER = /\/\.{0,2}\/|\/\.{1,2}$|^\.{1,2}(?:\/|$)/;

class Unchanged implements Making {
  readonly at: number;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.at = text.length;
  }

  advance(): void {}

  take(): string {
    return this.#text;
  }
}

class PathMaking implements Making {
  at = 0;
  readonly #text: string;
  /** A slash as well. */
  readonly #other: number;
  /** Segments that stay, each with a slash behind it. */
  readonly #out: Buffer;
  /** Where the first of them begins. */
  readonly #base: number;
  #end: number;
  /** Where the segment begins that is read. */
  #segment: number;

  constructor(text: string, other: number) {
    this.#text = text;
    this.#other = other;
    this.#out = Buffer.allocUnsafe(text.length + 2);
    this.#base = this.#isSlash(text.charCodeAt(0)) ? 1 : 0;
    this.#out[0] = SLASH;
    this.#end = this.#base;
    this.#segment = this.#base;
  }

  advance(to: number): void {
    const text = this.#text;
    const out = this.#out;
    for (let { at } = this; at < to; at++) {
      const char = codeAt(text, at);
      if (this.#isSlash(char)) this.#close();
      else out[this.#end++] = char;
    }
    this.at = to;
  }

  take(): string {
    const text = this.#text;
    this.#close();
    if (this.#end > this.#base && !this.#isSlash(text.charCodeAt(text.length - 1))) this.#end--;
    const made = this.#out.toString("latin1", 0, this.#end);
    return made === text ? text : made;
  }

  #isSlash(char: number): boolean {
    return char === SLASH || char === this.#other;
  }

  #close(): void {
    const out = this.#out;
    const segment = this.#segment;
    const length = this.#end - segment;
    if (length === 0 || (length === 1 && out[segment] === DOT)) this.#end = segment;
    else if (this.#isUp(segment, this.#end) && this.#hasParent()) this.#end = this.#parent();
    else out[this.#end++] = SLASH;
    this.#segment = this.#end;
  }

  #isUp(from: number, to: number): boolean {
    return to - from === 2 && this.#out[from] === DOT && this.#out[from + 1] === DOT;
  }

  /** Above the root is the root; a path without one keeps what leads out of it. */
  #hasParent(): boolean {
    const segment = this.#segment;
    return this.#base === 1 || (segment > 0 && !this.#isUp(this.#parent(), segment - 1));
  }

  /** Where the segment before begins. Each is gone over once more, when it goes. */
  #parent(): number {
    if (this.#segment === this.#base) return this.#base;
    return Math.max(this.#base, this.#out.lastIndexOf(SLASH, this.#segment - 2) + 1);
  }
}
