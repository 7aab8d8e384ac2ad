import { codeAt } from "../../support/text-code.ts";
import type { Begin, Making } from "./bytes.ts";

const [SLASH, PARENTHESIS, SPACE] = [0x2f, 0x28, 0x20] as const;
const [PLAIN, SKIPPED, BLANK] = [0, 1, 2] as const;

const KINDS = new Uint8Array(256).fill(PLAIN);
for (const char of "\"'\\^") KINDS[char.charCodeAt(0)] = SKIPPED;
for (const char of " ,;\t\r\n") KINDS[char.charCodeAt(0)] = BLANK;

/** What shells read over: quotes, carets, backslashes, case, and how much space stands where. */
export const cmdLine: Begin = (text) => new CommandLine(text);

class CommandLine implements Making {
  at = 0;
  readonly #text: string;
  readonly #out: Buffer;
  #end = 0;
  /** A space is due, unless a slash or a parenthesis follows. */
  #isBlank = false;

  constructor(text: string) {
    this.#text = text;
    this.#out = Buffer.allocUnsafe(text.length);
  }

  advance(to: number): void {
    const text = this.#text;
    const out = this.#out;
    let end = this.#end;
    let isBlank = this.#isBlank;
    for (let { at } = this; at < to; at++) {
      const char = codeAt(text, at);
      const kind = KINDS[char];
      if (kind === SKIPPED) continue;
      if (kind === BLANK) {
        isBlank = true;
        continue;
      }
      if (isBlank && char !== SLASH && char !== PARENTHESIS) out[end++] = SPACE;
      isBlank = false;
      out[end++] = char >= 0x41 && char <= 0x5a ? char | 0x20 : char;
    }
    this.at = to;
    this.#end = end;
    this.#isBlank = isBlank;
  }

  take(): string {
    if (this.#isBlank) this.#out[this.#end++] = SPACE;
    this.#isBlank = false;
    const made = this.#out.toString("latin1", 0, this.#end);
    return made === this.#text ? this.#text : made;
  }
}
