import { QUIET_DATA, SCRIPT_SCHEMES } from "./tables.ts";

const SCHEME_LENGTH_MAX = 12;
const TYPE_LENGTH_MAX = 32;
const REFERENCE = /&(?:#[xX]0*([0-9a-fA-F]{1,6})|#0*([0-9]{1,7})|(Tab|NewLine|colon|lpar|sol));?/y;
const NAMED: Readonly<Record<string, string>> = { Tab: "\t", NewLine: "\n", colon: ":", lpar: "(", sol: "/" };

/**
 * Reads a value as a browser reads an address: character references stand for their characters, control characters and spaces
 * are left out (HTML Standard 13.2.5.72; URL Standard 4.4).
 */
class AddressReader {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  /** The next character that counts, in small letters; "" at the end. */
  next(): string {
    for (;;) {
      this.#skipBlanks();
      const char = this.#character();
      if (char === "") return "";
      const code = char.codePointAt(0) ?? 0;
      if (!(code <= 0x20 || (code >= 0x7f && code <= 0xa0) || code === 0xad || (code >= 0x2000 && code <= 0x200f))) {
        return char.toLowerCase();
      }
    }
  }

  /** A text of nothing else is over at once. */
  #skipBlanks(): void {
    const text = this.#text;
    let { at } = this;
    while (text.charCodeAt(at) <= 0x20) at++;
    this.at = at;
  }

  #character(): string {
    const text = this.#text;
    if (text.charCodeAt(this.at) === AMPERSAND) {
      REFERENCE.lastIndex = this.at;
      const match = REFERENCE.exec(text);
      if (match !== null) {
        this.at = REFERENCE.lastIndex;
        const code = match[1] !== undefined ? Number.parseInt(match[1], 16) : Number(match[2] ?? 0);
        if (match[3] !== undefined) return NAMED[match[3]] ?? " ";
        return code > 0x10ffff ? " " : String.fromCodePoint(code);
      }
    }
    return text[this.at++] ?? "";
  }
}

/** Whether an address begins at `at` that is a program, or a page of its own in `data:`. */
export function isActiveAddress(text: string, at: number): boolean {
  const reader = new AddressReader(text, at);
  let scheme = "";
  while (scheme.length <= SCHEME_LENGTH_MAX) {
    const char = reader.next();
    if (char === ":") return SCRIPT_SCHEMES.has(scheme) || (scheme === "data" && isActiveData(reader));
    if (!((char >= "a" && char <= "z") || char === "-") || char === "") return false;
    scheme += char;
  }
  return false;
}

function isActiveData(reader: AddressReader): boolean {
  let type = "";
  while (type.length < TYPE_LENGTH_MAX) {
    const char = reader.next();
    if (char === "" || char === "," || char === ";") break;
    type += char;
  }
  return (/^[a-z]*\/[a-z]/.test(type) || type === "") && !QUIET_DATA.test(type);
}

/**
 * Whether a whole text is a program as an address: `javascript:alert(1)`. A title may begin with the name of the language and a
 * colon; behind those stand words, and not a call or an assignment.
 */
export function isProgram(text: string): boolean {
  if (!isActiveAddress(text, 0)) return false;
  const colon = /:|&colon;|&#0*58;?|&#x0*3a;?/i.exec(text);
  const from = colon === null ? 0 : colon.index + colon[0].length;
  const behind = text.slice(from, from + CODE_LENGTH_MAX);
  return /^(?:\s*(?:\/\/|\/\*|[\w$.]*\s*[(=`[{%\\<'"&!~+-]|text\/|,)|\S+[(=`])/i.test(behind);
}

const AMPERSAND = 0x26;
const CODE_LENGTH_MAX = 512;
