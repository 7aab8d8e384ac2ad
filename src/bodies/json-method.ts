import { DEFAULTS } from "../support/defaults.ts";
import { type MethodParameters, methodOf } from "./method-parameters.ts";
import { type MethodScanner, UNREADABLE } from "./method-scanner.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** What the string that is being read is. */
const OTHER = 0;
const NAME = 1;
const VALUE = 2;

/** Methods in the members of a JSON body's outermost object; what stands deeper or in a string is nobody's method. */
export class JsonMethodScanner implements MethodScanner {
  readonly #parameters: MethodParameters;
  readonly #announcedBytes: number;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #role: typeof OTHER | typeof NAME | typeof VALUE = OTHER;
  /** What earlier pieces held of the string that is being read. */
  #kept = "";
  /** The next string is a member's name. */
  #expectsName = false;
  /** The last name was that of a method. */
  #isMethod = false;
  /** Behind its colon. */
  #expectsValue = false;

  constructor(parameters: MethodParameters, announcedBytes: number) {
    this.#parameters = parameters;
    this.#announcedBytes = announcedBytes;
  }

  scan(piece: Buffer, found: string[]): number {
    // Most bodies come in one piece and have no trace of a name: nothing of them need be read.
    if (piece.length === this.#announcedBytes && !this.#parameters.mayBeInJson(piece)) return piece.length;
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      if (!this.#inString) {
        at = this.#skipToString(piece, at);
        start = at + 1;
        continue;
      }
      at = this.#endOfString(piece, at);
      if (!this.#inString && this.#role !== OTHER) this.#onString(piece.toString("latin1", start, at), found);
      if (!this.#inString) start = at + 1;
    }
    if (!this.#inString || this.#role === OTHER) return piece.length;
    const isKept = this.#kept !== "";
    this.#kept += piece.toString("latin1", start);
    if (this.#kept.length > DEFAULTS.methodNameCharactersMax) this.#giveUp(found);
    else if (this.#role === VALUE) return isKept ? 0 : Math.max(0, start - 1);
    return piece.length;
  }

  end(found: string[]): void {
    if (this.#inString && this.#role === VALUE) this.#onString("", found);
  }

  /** Index of the quote that ends the string, or the length of the piece where it goes on. */
  #endOfString(piece: Buffer, from: number): number {
    let at = this.#escaped ? from + 1 : from;
    for (; at < piece.length; at++) {
      const code = piece[at];
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) break;
    }
    this.#escaped = at > piece.length;
    this.#inString = at >= piece.length;
    return at;
  }

  /** Index of the quote that begins the next string, whose role is then known, or the length of the piece. */
  #skipToString(piece: Buffer, from: number): number {
    let depth = this.#depth;
    let expectsName = this.#expectsName;
    let expectsValue = this.#expectsValue;
    let at = from;
    for (; at < piece.length; at++) {
      const code = piece[at] as number;
      if (code === QUOTE) break;
      if (code === COMMA) {
        expectsName = depth === 1;
        expectsValue = false;
      } else if (code === COLON) {
        expectsValue = this.#isMethod && depth === 1;
        this.#isMethod = false;
      } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        depth++;
        expectsName = depth === 1 && code === OPEN_BRACE;
        expectsValue = false;
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    }
    this.#inString = at < piece.length;
    this.#depth = depth;
    this.#expectsName = expectsName && !this.#inString;
    this.#expectsValue = expectsValue && !this.#inString;
    if (this.#inString) this.#role = expectsValue ? VALUE : expectsName ? NAME : OTHER;
    return at;
  }

  #onString(rest: string, found: string[]): void {
    const text = unescaped(this.#kept + rest);
    this.#kept = "";
    if (this.#role === NAME)
      this.#isMethod = text.length <= DEFAULTS.methodNameCharactersMax && this.#parameters.has(text);
    else {
      const method = text.length > DEFAULTS.methodNameCharactersMax ? UNREADABLE : methodOf(text);
      if (method !== null) found.push(method);
    }
    this.#role = OTHER;
  }

  /** A name as long as this is another one, and a value as long as this is not read. */
  #giveUp(found: string[]): void {
    if (this.#role === VALUE) found.push(UNREADABLE);
    this.#role = OTHER;
    this.#kept = "";
  }
}

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(?:u([\dA-Fa-f]{4})|(.))/g, (_, code?: string, char?: string) =>
    code === undefined ? (char ?? "") : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
