import { BACKSLASH, CLOSE_BRACE, COLON, COMMA, QUOTE } from "./json-bytes.ts";
import { BEGINNINGS, BLANK, CLASSES, OPENING, PLAIN } from "./json-classes.ts";
import { DEAD_BYTES_MAX, endOfContainer, endOfString } from "./json-skip.ts";
import type { Escapes } from "./string-search.ts";

/** Which members are told of an object whose names nobody asks for: all, those that hold members or items, or none. */
export type Others = typeof ALL_TOLD | typeof CONTAINERS_TOLD | typeof NONE_TOLD;
export const ALL_TOLD = 0;
export const CONTAINERS_TOLD = 1;
export const NONE_TOLD = 2;

const SPACE = 0x20;
const TILDE = 0x7e;

/** 1: it ends a name, or is none of plain ASCII. */
const ENDS_NAME: Uint8Array = new Uint8Array(256).map((_, byte) =>
  Number(byte < SPACE || byte > TILDE || byte === QUOTE || byte === BACKSLASH),
);
/** 1: it may end a string. */
const ENDS_STRING: Uint8Array = new Uint8Array(256).map((_, byte) => Number(byte === QUOTE || byte === BACKSLASH));

/** Names that somebody asks for, told from all others by their bytes alone. */
export class AskedNames {
  /** By their number of bytes. */
  readonly #byLength: (string[] | undefined)[] = [];

  constructor(names: ReadonlySet<string>) {
    const most = Math.max(0, ...[...names].map(({ length }) => length));
    for (let length = 0; length <= most; length++) {
      const same = [...names].filter((name) => name.length === length);
      this.#byLength.push(same.length === 0 ? undefined : same);
    }
  }

  /** Whether the bytes, which are plain ASCII, are one of them. */
  has(bytes: Uint8Array, from: number, to: number): boolean {
    const names = to - from < this.#byLength.length ? this.#byLength[to - from] : undefined;
    return names?.some((name) => isAt(name, bytes, from)) === true;
  }
}

function isAt(name: string, bytes: Uint8Array, from: number): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) !== bytes[from + at]) return false;
  return true;
}

/** Passes over members in one go, as long as they are usual and here whole: most of an answer is of no account. */
export class MemberPass {
  /** Members that were passed over. */
  count = 0;
  /** The comma behind the last of them; -1 for none. */
  commaAt = -1;
  /** What comes next is the object's end. */
  isAtEnd = false;

  /** From the quote of a name on. Gives where the first member begins that is not passed over, or the end of it all. */
  over(bytes: Uint8Array, from: number, to: number, names: AskedNames, others: Others, escapes: Escapes): number {
    this.count = 0;
    this.commaAt = -1;
    this.isAtEnd = false;
    let at = from;
    while (at < to && bytes[at] === QUOTE) {
      let end = at + 1;
      while (end < to && ENDS_NAME[bytes[end] as number] === 0) end++;
      if (end + 2 >= to || bytes[end] !== QUOTE || bytes[end + 1] !== COLON || names.has(bytes, at + 1, end)) return at;
      end = endOfValue(bytes, end + 2, to, others, escapes);
      if (end < to && CLASSES[bytes[end] as number] === BLANK) end = skipBlanks(bytes, end, to);
      if (end >= to) return at;
      const byte = bytes[end];
      if (byte !== COMMA && byte !== CLOSE_BRACE) return at;
      this.count++;
      this.isAtEnd = byte === CLOSE_BRACE;
      if (this.isAtEnd) return end;
      this.commaAt = end;
      at = end + 1;
      if (at < to && bytes[at] !== QUOTE) at = skipBlanks(bytes, at, to);
    }
    return at;
  }
}

/** Behind it; `to` where it is not to be passed over, or not here whole. */
function endOfValue(bytes: Uint8Array, begin: number, to: number, others: Others, escapes: Escapes): number {
  const from = bytes[begin] === SPACE ? skipBlanks(bytes, begin, to) : begin;
  if (from >= to) return to;
  const byte = bytes[from] as number;
  let at = from + 1;
  if (byte === QUOTE) {
    while (at < to && ENDS_STRING[bytes[at] as number] === 0) at++;
    return (at < to && bytes[at] === BACKSLASH ? endOfString(bytes, at, to, escapes) : at) + 1;
  }
  if (BEGINNINGS[byte] === 1) {
    while (at < to && CLASSES[bytes[at] as number] === PLAIN) at++;
    return at;
  }
  if (CLASSES[byte] !== OPENING || others !== NONE_TOLD) return to;
  const end = endOfContainer(bytes, from, Math.min(to, from + DEAD_BYTES_MAX), escapes);
  return end < 0 ? to : end;
}

function skipBlanks(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && CLASSES[bytes[at] as number] === BLANK) at++;
  return at;
}
