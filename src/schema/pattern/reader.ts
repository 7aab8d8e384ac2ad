import { codeAt } from "../../support/text-code.ts";

/** A text on its way through a pattern. */
export interface TextReading {
  /** Goes on for so many characters, or steps beyond the tables; null where that is not enough to tell. */
  advance(work: number): boolean | null;
}

/** A text, one character after the other: code points with `u`, code units without. */
export interface Reader {
  /** `done`: how many of its code units were read already. */
  begin(text: string, done: number): void;
  /** How many code units have been read. */
  readonly done: number;
  /** The next character, -1 at the end. */
  next(): number;
}

export class ForwardReader implements Reader {
  readonly #unicode: boolean;
  #text = "";
  #at = 0;

  constructor(unicode: boolean) {
    this.#unicode = unicode;
  }

  begin(text: string, done: number): void {
    this.#text = text;
    this.#at = done;
  }

  get done(): number {
    return this.#at;
  }

  next(): number {
    if (this.#at >= this.#text.length) return -1;
    const unit = codeAt(this.#text, this.#at++);
    if ((unit & 0xfc00) !== 0xd800 || !this.#unicode) return unit;
    const char = this.#text.codePointAt(this.#at - 1) ?? unit;
    if (char > 0xffff) this.#at++;
    return char;
  }
}

export class BackwardReader implements Reader {
  readonly #unicode: boolean;
  #text = "";
  #at = 0;

  constructor(unicode: boolean) {
    this.#unicode = unicode;
  }

  begin(text: string, done: number): void {
    this.#text = text;
    this.#at = text.length - done;
  }

  get done(): number {
    return this.#text.length - this.#at;
  }

  next(): number {
    if (this.#at <= 0) return -1;
    const unit = codeAt(this.#text, --this.#at);
    if ((unit & 0xfc00) !== 0xdc00 || !this.#unicode || this.#at === 0) return unit;
    const char = this.#text.codePointAt(this.#at - 1) ?? unit;
    if (char <= 0xffff) return unit;
    this.#at--;
    return char;
  }
}
