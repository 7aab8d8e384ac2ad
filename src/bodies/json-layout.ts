import type { Charset } from "./answer-format.ts";
import { ALL_TOLD, type AskedNames, NONE_TOLD, type Others } from "./json-asked.ts";
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACKET, QUOTE } from "./json-bytes.ts";
import { BEGINNINGS, BLANK, CLASSES, CLOSING, ENDS_NAME, OPENING, PLAIN } from "./json-classes.ts";
import { nameOf } from "./json-names.ts";
import type { JsonVisitor } from "./json-visitor.ts";
import { ENDS_STRING } from "./string-search.ts";

// Longer or deeper items are read each.
const SEGMENTS_MAX = 128;
const TOKENS_MAX = 128;
const WORDS_MAX = 1024;
const DEPTH_MAX = 24;
const WORD_BYTES = 4;
/** So many layouts are taken from what goes by at once: each costs another look at an item, and may fit none. */
const TRIES_MAX = 3;

/** What stands behind the bytes of a segment, which are the same in each item. */
const NOTHING = 0;
const STRING = 1;
const SCALAR = 2;

const KINDS: Uint8Array = CLASSES;

// The one layout that is known, in tables that are never another: what reads them need not look which they are. Who is told of
// an item reads no other meanwhile.
let segmentCount = 0;
let wordCount = 0;
let tokenCount = 0;
let askedNames: AskedNames | null = null;
/** The bytes of all segments by four, and which bits of these count. */
const words = new Int32Array(WORDS_MAX);
const masks = new Int32Array(WORDS_MAX);
/** Of each segment: how many bytes it has, up to which of the words they go, and what is behind them. */
const lengths = new Int32Array(SEGMENTS_MAX);
const wordEnds = new Int32Array(SEGMENTS_MAX);
const behind = new Uint8Array(SEGMENTS_MAX);
/** Where each begins in the item that was seen to fit last. */
const starts = new Int32Array(SEGMENTS_MAX);
/** Of each member or item in it: the one that the asked names have of it, or null. */
const keys: (string | null)[] = new Array<string | null>(TOKENS_MAX).fill(null);
/** The segment in which it begins, and how far into it; how far before that its comma is, and how far behind it the end of its
 * name and its value. */
const ownSegments = new Int32Array(TOKENS_MAX);
const ownBytes = new Int32Array(TOKENS_MAX);
const commaBytes = new Int32Array(TOKENS_MAX);
const nameBytes = new Int32Array(TOKENS_MAX);
const valueBytes = new Int32Array(TOKENS_MAX);
/** The same of its end; and the next that is not in it. */
const endSegments = new Int32Array(TOKENS_MAX);
const endBytes = new Int32Array(TOKENS_MAX);
const nexts = new Int32Array(TOKENS_MAX);
/** The next of its container that is asked for, or where that ends. */
const nextsAsked = new Int32Array(TOKENS_MAX);

/**
 * Items of a list that are laid out alike: the same names in the same order, blanks and brackets too, between values that
 * differ. Most lists have nearly one layout alone, and an item that has it is compared by words of four bytes and not read.
 * The last one is remembered whatever answer it was of: what it says of bytes depends on nothing else but the names that are
 * asked for.
 */
export class LayoutPass<Node> {
  readonly #visitor: JsonVisitor<Node>;
  readonly #asked: AskedNames;
  readonly #charset: Charset;
  #view: DataView | null = null;
  /** The item before, where it has another layout; -1 for none. */
  #from = -1;
  #depth = 0;
  #tries = 0;

  constructor(visitor: JsonVisitor<Node>, asked: AskedNames, charset: Charset) {
    this.#visitor = visitor;
    this.#asked = asked;
    this.#charset = charset;
  }

  /** Other bytes come. */
  reset(): void {
    this.#view = null;
    this.#from = -1;
    this.#tries = TRIES_MAX;
  }

  /**
   * Tells what is in the object that begins at `from`, where it is laid out as those before, and gives where it ends; -1
   * where it has to be read. `last`: the last quote of the bytes, which stops all walks. `depth`: of the list.
   */
  over(bytes: Buffer, from: number, last: number, inside: Node, depth: number): number {
    this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let end = askedNames === this.#asked ? endOfAlike(bytes, this.#view, from, last) : -1;
    if (end < 0 && this.#from >= 0 && this.#depth === depth && this.#tries > 0) {
      this.#tries--;
      if (learn(bytes, this.#from, last, this.#asked)) end = endOfAlike(bytes, this.#view, from, last);
    }
    this.#depth = depth;
    this.#from = end < 0 ? from : -1;
    if (end < 0) return -1;
    this.#tell(bytes, inside, 0, tokenCount, false);
    this.#visitor.close(inside);
    return end;
  }

  #tell(bytes: Buffer, of: Node, first: number, to: number, isList: boolean): void {
    const visitor = this.#visitor;
    let others = this.#othersOf(of, isList, true);
    let isPassed = false;
    let index = 0;
    for (let token = first; token < to; index++) {
      let key: string | number | null = isList ? index : (keys[token] as string | null);
      if (key === null && others === NONE_TOLD) {
        if (!isPassed) visitor.passed?.(of);
        isPassed = true;
        token = nextsAsked[token] as number;
        continue;
      }
      const next = nexts[token] as number;
      const own = (starts[ownSegments[token] as number] as number) + (ownBytes[token] as number);
      const at = own + (valueBytes[token] as number);
      const byte = bytes[at] as number;
      const isContainer = KINDS[byte] === OPENING;
      if (key === null && (others === ALL_TOLD || isContainer))
        key = nameOf(bytes, own + 1, own + (nameBytes[token] as number), false, this.#charset);
      if (key === null) {
        if (!isPassed) visitor.passed?.(of);
        isPassed = true;
      } else {
        const inside = visitor.begin(of, key, byte, own - (commaBytes[token] as number), own, at);
        if (isContainer && inside !== null) {
          this.#tell(bytes, inside, token + 1, next, byte === OPEN_BRACKET);
          visitor.close(inside);
        }
        visitor.endValue(of, (starts[endSegments[token] as number] as number) + (endBytes[token] as number));
        others = this.#othersOf(of, isList, false);
      }
      token = next;
    }
  }

  #othersOf(of: Node, isList: boolean, isFirst: boolean): Others {
    return isList ? ALL_TOLD : (this.#visitor.others?.(of, isFirst) ?? ALL_TOLD);
  }
}

/** Behind the object that begins at `from`; -1 where it has another layout. */
function endOfAlike(bytes: Uint8Array, view: DataView, from: number, last: number): number {
  const to = bytes.length;
  const segments = segmentCount;
  let at = from;
  let word = 0;
  for (let segment = 0; segment < segments; segment++) {
    const wordEnd = wordEnds[segment] as number;
    if (at + WORD_BYTES * (wordEnd - word) > to) return -1;
    starts[segment] = at;
    for (let read = at; word < wordEnd; word++) {
      if ((view.getInt32(read, true) & (masks[word] as number)) !== words[word]) return -1;
      read += WORD_BYTES;
    }
    at += lengths[segment] as number;
    const kind = behind[segment];
    if (kind === STRING) {
      for (;;) {
        if (at > last) return -1;
        while (ENDS_STRING[bytes[at] as number] === 0) at++;
        if (bytes[at] === QUOTE) break;
        at += 2;
      }
    } else if (kind === SCALAR) {
      if (at >= last || BEGINNINGS[bytes[at] as number] !== 1) return -1;
      at++;
      while (KINDS[bytes[at] as number] === PLAIN) at++;
    }
  }
  return at;
}

/** Takes the layout of the object that begins at `from`; false where it is not usual, or too large, and none is known then. */
function learn(bytes: Uint8Array, from: number, last: number, asked: AskedNames): boolean {
  segmentCount = 0;
  wordCount = 0;
  tokenCount = 0;
  askedNames = read(bytes, from, last, asked) ? asked : null;
  return askedNames !== null;
}

function read(bytes: Uint8Array, from: number, last: number, asked: AskedNames): boolean {
  /** Members and items whose containers are open, and whether those are in a list. */
  const open: number[] = [];
  const lists: boolean[] = [];
  let isList = false;
  let isFirst = true;
  let comma = -1;
  let literal = from;
  let at = from + 1;
  for (;;) {
    at = skipBlanks(bytes, at);
    if (!isFirst || KINDS[bytes[at] as number] !== CLOSING) {
      if (tokenCount === TOKENS_MAX || at >= last) return false;
      const token = tokenCount++;
      const own = at;
      ownSegments[token] = segmentCount;
      ownBytes[token] = own - literal;
      commaBytes[token] = comma < 0 ? 0 : own - comma;
      keys[token] = null;
      if (!isList) {
        if (bytes[at] !== QUOTE) return false;
        at++;
        while (ENDS_NAME[bytes[at] as number] === 0) at++;
        if (bytes[at] !== QUOTE || bytes[at + 1] !== COLON) return false;
        keys[token] = asked.find(bytes, own + 1, at);
        nameBytes[token] = at - own;
        at = skipBlanks(bytes, at + 2);
      }
      valueBytes[token] = at - own;
      const byte = bytes[at] as number;
      if (KINDS[byte] === OPENING) {
        if (open.length === DEPTH_MAX) return false;
        open.push(token);
        lists.push(isList);
        isList = byte === OPEN_BRACKET;
        isFirst = true;
        comma = -1;
        at++;
        continue;
      }
      const isString = byte === QUOTE;
      if (isString) at++;
      else if (at >= last || BEGINNINGS[byte] !== 1) return false;
      if (!add(bytes, literal, at, isString ? STRING : SCALAR)) return false;
      if (isString) {
        for (;;) {
          if (at > last) return false;
          while (ENDS_STRING[bytes[at] as number] === 0) at++;
          if (bytes[at] !== BACKSLASH) break;
          at += 2;
        }
      } else while (KINDS[bytes[at] as number] === PLAIN) at++;
      literal = at;
      if (isString) at++;
      ended(token, at - literal);
    }
    isFirst = false;
    for (;;) {
      at = skipBlanks(bytes, at);
      const mark = bytes[at++];
      if (mark === COMMA) {
        comma = at - 1;
        break;
      }
      if (mark !== (isList ? CLOSE_BRACKET : CLOSE_BRACE)) return false;
      const token = open.pop();
      if (token === undefined) {
        makeRuns(0, tokenCount);
        return add(bytes, literal, at, NOTHING);
      }
      makeRuns(token + 1, tokenCount);
      isList = lists.pop() as boolean;
      ended(token, at - literal);
    }
  }
}

function ended(token: number, bytes: number): void {
  nexts[token] = tokenCount;
  endSegments[token] = segmentCount;
  endBytes[token] = bytes;
}

/** Of the members or items of a container. */
function makeRuns(first: number, to: number): void {
  let begun = first;
  for (let token = first; token < to; token = nexts[token] as number) {
    if (keys[token] === null) continue;
    for (let one = begun; one < token; one = nexts[one] as number) nextsAsked[one] = token;
    begun = token;
  }
  for (let one = begun; one < to; one = nexts[one] as number) nextsAsked[one] = to;
}

function add(bytes: Uint8Array, from: number, to: number, kind: number): boolean {
  if (segmentCount === SEGMENTS_MAX || to - from > (WORDS_MAX - wordCount) * WORD_BYTES) return false;
  const segment = segmentCount++;
  for (let at = from; at < to; at += WORD_BYTES) {
    let word = 0;
    let mask = 0;
    for (let byte = Math.min(to, at + WORD_BYTES) - 1; byte >= at; byte--) {
      word = (word << 8) | (bytes[byte] as number);
      mask = (mask << 8) | 0xff;
    }
    words[wordCount] = word;
    masks[wordCount++] = mask;
  }
  lengths[segment] = to - from;
  wordEnds[segment] = wordCount;
  behind[segment] = kind;
  return true;
}

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (KINDS[bytes[at] as number] === BLANK) at++;
  return at;
}
