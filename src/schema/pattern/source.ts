/** Why a text is no pattern, or none that runs here. */
export interface PatternFault {
  /**
   * `syntax`: ECMA-262 knows no such pattern. `backreference`, `lookaround`: no automaton can do it. `size`: it would take
   * more memory or time than a pattern may.
   */
  readonly kind: "syntax" | "backreference" | "lookaround" | "size";
  /** Where in the pattern, in UTF-16 code units. */
  readonly at: number;
  /** What is wrong and what to write instead, without a full stop. */
  readonly message: string;
}

/** Ends a parse from its depth; never leaves `parsePattern`. */
export class Stop {
  readonly fault: PatternFault;
  constructor(fault: PatternFault) {
    this.fault = fault;
  }
}

/** The text of a pattern, read from left to right. */
export class Source {
  at = 0;
  readonly text: string;
  readonly unicode: boolean;
  /** Only whether it is a pattern is asked: sets that are dear to make are left empty. */
  readonly syntaxOnly: boolean;

  constructor(text: string, unicode: boolean, syntaxOnly: boolean) {
    this.text = text;
    this.unicode = unicode;
    this.syntaxOnly = syntaxOnly;
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** The next UTF-16 code unit as text, "" at the end. */
  peek(ahead = 0): string {
    return this.text.charAt(this.at + ahead);
  }

  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  /** What a sticky expression finds here, taken; null where it finds nothing. */
  match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  /** The next character: a code point with `u`, a code unit without. */
  next(): number {
    const char = (this.unicode ? this.text.codePointAt(this.at) : this.text.charCodeAt(this.at)) ?? 0;
    this.at += char > 0xffff ? 2 : 1;
    return char;
  }

  fail(message: string, at = this.at): never {
    throw new Stop({ kind: "syntax", at, message });
  }
}
