/** A text, one character after the other: code points with `u`, code units without. */
export interface Reader {
  /** `at`: how many code units of its beginning were read already; only a forward reader asks. */
  begin(text: string, at: number): void;
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

  begin(text: string, at: number): void {
    this.#text = text;
    this.#at = at;
  }

  next(): number {
    if (this.#at >= this.#text.length) return -1;
    const unit = this.#text.charCodeAt(this.#at++);
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

  begin(text: string): void {
    this.#text = text;
    this.#at = text.length;
  }

  next(): number {
    if (this.#at <= 0) return -1;
    const unit = this.#text.charCodeAt(--this.#at);
    if ((unit & 0xfc00) !== 0xdc00 || !this.#unicode || this.#at === 0) return unit;
    const char = this.#text.codePointAt(this.#at - 1) ?? unit;
    if (char <= 0xffff) return unit;
    this.#at--;
    return char;
  }
}
