/** Characters that YAML is read by, by their ASCII codes. */
export const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const APOSTROPHE = 0x27;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const COLON = 0x3a;
export const GREATER = 0x3e;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const BAR = 0x7c;
export const CLOSE_BRACE = 0x7d;

/** What cannot begin a plain text, or means something that is not read here. */
const INDICATORS: ReadonlySet<number> = new Set([..."#,[]{}&*!|>'\"%@`?:"].map((char) => char.charCodeAt(0)));

/** Where a text is being read. `fail` says that it holds what is not read here, and goes to its end. */
export class Cursor {
  readonly text: string;
  at = 0;
  /** Where the line begins whose content was found last. */
  lineStart = 0;
  isUsual = true;

  constructor(text: string) {
    this.text = text;
  }

  /** NaN at the end. */
  get code(): number {
    return this.text.charCodeAt(this.at);
  }

  get column(): number {
    return this.at - this.lineStart;
  }

  fail(): void {
    this.isUsual = false;
    this.at = this.text.length;
  }

  skipSpaces(): void {
    while (this.code === SPACE) this.at++;
  }

  /** From the start of a line to the next content; its column, or -1 at the end of the text. */
  nextContent(): number {
    for (;;) {
      this.lineStart = this.at;
      this.skipSpaces();
      const { code } = this;
      if (code === LINE_FEED) this.at++;
      else if (code === HASH) this.#skipLine();
      else if (code === TAB || (this.column === 0 && this.#isMarker())) this.fail();
      else return Number.isNaN(code) ? -1 : this.column;
    }
  }

  /** Behind a value: its line holds nothing more but a comment. Goes to the next one. */
  endLine(): void {
    this.skipSpaces();
    const { code } = this;
    if (code === LINE_FEED) this.at++;
    else if (code === HASH && this.text.charCodeAt(this.at - 1) === SPACE) this.#skipLine();
    else if (!Number.isNaN(code)) this.fail();
  }

  #skipLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end + 1;
  }

  /** `---` and `...` begin and end documents. */
  #isMarker(): boolean {
    const { text, at } = this;
    return (text.startsWith("---", at) || text.startsWith("...", at)) && isBlank(text.charCodeAt(at + 3));
  }

  /** At `- ` of a list. */
  get isItem(): boolean {
    return this.code === MINUS && isBlank(this.text.charCodeAt(this.at + 1));
  }

  get beginsPlain(): boolean {
    const { code } = this;
    return !INDICATORS.has(code) && !isBlank(code) && !this.isItem;
  }
}

/** A space, tab, end of a line or of the text. */
export function isBlank(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === TAB || Number.isNaN(code);
}
