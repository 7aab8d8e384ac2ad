import { DEFAULTS } from "../support/defaults.ts";
import type { Charset } from "./answer-format.ts";
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACKET, QUOTE } from "./json-bytes.ts";
import { BEGINNINGS, BLANK, CLASSES, MARK, OPENING, PLAIN, STRING_MARK, WRONG } from "./json-classes.ts";
import { nameOf } from "./json-names.ts";
import { OBJECT, UsualPass } from "./json-pass.ts";
import { DEAD_BYTES_MAX, endOfContainer, SKIPPED_BYTES_MAX, SKIPPED_DEPTH_MAX } from "./json-skip.ts";
import type { JsonStreamOptions, JsonVisitor } from "./json-visitor.ts";
import { Escapes, StringEnds, skipString } from "./string-search.ts";

const STRING = 0;
const IN_DEAD = 1; // in a string of what nobody asks for
const IN_NAME = 2;
const SCALAR = 3; // a number, true, false or null
const DEAD = 4; // within what nobody asks for
const VALUE = 5; // of a member, or at the root
const FIRST_ITEM = 6; // a value, or the array's end
const FIRST_NAME = 7; // a name, or the object's end
const NAME = 8;
const BEHIND_NAME = 9;
const AFTER = 10; // a comma, or the end of what it is in
const BETWEEN = 11; // texts
const ITEM = 12;

/** What readers pass over before a text. */
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
/** Stands before each text of a JSON sequence (RFC 7464). */
const RECORD_SEPARATOR = 0x1e;

/**
 * Reads JSON texts in pieces, wherever they are cut: one, or several as NDJSON and JSON sequences have them. It judges no
 * more of a text than it must to know where it is, and what it does not understand is a fault, for somebody else may.
 * Every member is told, also where a name stands twice, and names without their escapes. What it holds is bounded: names
 * and depth; whoever feeds it puts the bytes from `heldFrom` on before the next piece (`shift`). A name with U+0000 is a
 * fault: readers in C take it for a shorter one.
 */
export class JsonStream<Node> {
  /** Why no more is read. */
  fault: string | null = null;
  /** Where begins what has to be kept for the next value to be told; -1 where nothing has. */
  heldFrom = -1;
  /** Texts that began. */
  texts = 0;
  readonly #visitor: JsonVisitor<Node>;
  readonly #charset: Charset;
  readonly #depthMax: number;
  readonly #readsNames: boolean;
  readonly #skips: boolean;
  /** Null where names are told that nobody asks for. */
  readonly #pass: UsualPass<Node> | null;
  /** Up to here no container is tried again. */
  #triedTo = 0;
  readonly #escapes = new Escapes();
  readonly #ends = new StringEnds();
  /** Of each container: OBJECT, or the index of the array's item. */
  readonly #within: number[] = [];
  readonly #nodes: (Node | null)[] = [];
  #state = BETWEEN;
  #isEscaped = false;
  #hasEscapes = false;
  #own = -1;
  /** Containers that it is in, where nobody asks for what is in the innermost. */
  #deadDepth = 0;
  #name = "";
  /** Bytes of the byte order mark so far. */
  #marks = 0;

  constructor(visitor: JsonVisitor<Node>, options: JsonStreamOptions = {}) {
    this.#visitor = visitor;
    this.#charset = options.charset ?? "utf8";
    this.#depthMax = options.depthMax ?? DEFAULTS.answerDepthMax;
    this.#readsNames = options.readsNames ?? true;
    this.#skips = options.skips ?? false;
    const within = { indexes: this.#within, nodes: this.#nodes };
    const { asked = null } = options;
    this.#pass = asked === null ? null : new UsualPass(visitor, asked, this.#charset, this.#depthMax, within);
  }

  /** Containers that it is in. */
  get depth(): number {
    return this.#within.length;
  }

  /** The bytes from `heldFrom` on, or from `by` where nothing is held, are the first of those that are fed next. */
  shift(by: number): void {
    if (this.heldFrom >= 0) this.heldFrom -= by;
    this.#own -= by;
  }

  feed(bytes: Buffer, from: number): void {
    this.#escapes.reset();
    this.#ends.reset(bytes);
    this.#triedTo = 0;
    const to = bytes.length;
    let at = from;
    while (at < to && this.fault === null) {
      const state = this.#state;
      if (state <= IN_NAME) at = this.#inString(bytes, at, to);
      else if (state === SCALAR) at = this.#inScalar(bytes, at, to);
      else if (state === DEAD) at = this.#inDead(bytes, at, to);
      else if (CLASSES[bytes[at] ?? 0] === BLANK) at++;
      else at = this.#between(bytes, at, to);
    }
    if (this.heldFrom >= 0 && to - this.heldFrom > DEFAULTS.answerNameBytesMax) this.#fail("too much before a value");
  }

  /** Nothing follows: a number at the root has no other end. */
  end(at: number): void {
    if (this.fault !== null) return;
    if (this.#state === SCALAR && this.#within.length === 0) this.#endValue(Buffer.of(), at, at);
    if (this.#state !== BETWEEN) this.#fail("cut JSON");
  }

  /** Gives where to go on: nowhere. */
  #fail(fault: string, to: number = 0): number {
    this.fault ??= fault;
    return to;
  }

  /** Of a value or a name, or of what nobody asks for; gives where it ends, and where a comma or colon follows, behind that. */
  #inString(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      at++;
    }
    while (at < to) {
      at = skipString(bytes, at, to, this.#escapes);
      if (at >= to) break;
      if (bytes[at] === BACKSLASH) {
        this.#hasEscapes = true;
        this.#isEscaped = at + 1 >= to;
        at += 2;
        continue;
      }
      if (this.#state === STRING) return this.#endValue(bytes, at + 1, to);
      if (this.#state === IN_NAME) return this.#endName(bytes, at, to);
      this.#state = DEAD;
      return at + 1;
    }
    return to;
  }

  #endName(bytes: Buffer, at: number, to: number): number {
    if (this.#readsNames) {
      const read = nameOf(bytes, this.#own + 1, at, this.#hasEscapes, this.#charset);
      const name = this.#skips ? (read ?? "") : read;
      if (name === null) this.#fail("a name that cannot be read");
      else if (!this.#skips && this.#hasEscapes && name.includes("\0")) this.#fail("a name with U+0000");
      else this.#name = name;
    }
    const next = at + 1;
    const isFollowed = next < to && bytes[next] === COLON;
    this.#state = isFollowed ? VALUE : BEHIND_NAME;
    return isFollowed ? next + 1 : next;
  }

  #inScalar(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && CLASSES[bytes[at] ?? 0] === PLAIN) at++;
    return at < to ? this.#endValue(bytes, at, to) : at;
  }

  /**
   * Within a container that nobody asks for, brackets and strings are all that counts; but a byte that no JSON has there is
   * a fault, for a comment may hide a quote from one of two readers.
   */
  #inDead(bytes: Buffer, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      const kind = CLASSES[byte] ?? WRONG;
      if (kind <= MARK) continue;
      if (kind === STRING_MARK) {
        this.#state = IN_DEAD;
        at = this.#inString(bytes, at + 1, to) - 1;
      } else if (kind === OPENING) {
        if (this.#within.length >= this.#depthMax) this.#fail(`nested deeper than ${this.#depthMax}`);
        this.#within.push(byte === OPEN_BRACKET ? 0 : OBJECT);
      } else if (kind === WRONG) this.#fail("not JSON");
      else if (this.#within.length === this.#deadDepth) return this.#close(bytes, at, to);
      else if ((this.#within.pop() === OBJECT) !== (byte === CLOSE_BRACE)) this.#fail("not JSON");
      if (this.fault !== null) return to;
    }
    return to;
  }

  /** From a byte outside of strings and scalars that is no blank; gives what comes next. */
  #between(bytes: Buffer, at: number, to: number): number {
    const byte = bytes[at] ?? 0;
    switch (this.#state) {
      case BETWEEN:
        return this.#betweenTexts(bytes, at, to);
      case FIRST_ITEM:
        return byte === CLOSE_BRACKET ? this.#close(bytes, at, to) : this.#nextOne(bytes, at, to);
      case ITEM:
        return this.#nextOne(bytes, at, to);
      case VALUE:
        return this.#beginValue(bytes, at, to);
      case FIRST_NAME:
        if (byte === CLOSE_BRACE) return this.#close(bytes, at, to);
        return this.#nextOne(bytes, at, to);
      case NAME:
        return this.#nextOne(bytes, at, to);
      case BEHIND_NAME:
        if (byte === COLON) this.#state = VALUE;
        else this.#fail("not JSON");
        return at + 1;
      default:
        if (byte === COMMA) return this.#next(at);
        return this.#close(bytes, at, to);
    }
  }

  #betweenTexts(bytes: Buffer, at: number, to: number): number {
    const byte = bytes[at] ?? 0;
    if (byte === RECORD_SEPARATOR) return at + 1;
    if (this.texts === 0 && this.#marks < 3 && byte === BYTE_ORDER_MARK[this.#marks]) {
      this.#marks++;
      return at + 1;
    }
    if (this.#marks % 3 === 0) return this.#beginValue(bytes, at, to);
    return this.#fail("not JSON", to);
  }

  /** Behind a comma. */
  #next(at: number): number {
    const top = this.#within.length - 1;
    const index = this.#within[top] ?? OBJECT;
    if (this.#readsNames) this.heldFrom = at;
    if (index === OBJECT) this.#state = NAME;
    else {
      this.#within[top] = index + 1;
      this.#state = ITEM;
    }
    return at + 1;
  }

  /** As far as all is usual, and then a member or an item as it comes. */
  #nextOne(bytes: Buffer, from: number, to: number): number {
    const pass = from < this.#ends.last ? this.#pass : null;
    const at = pass === null ? from : this.#passUsual(pass, bytes, from);
    if (at >= to) return at;
    const state = this.#state;
    if (state === FIRST_NAME || state === NAME) return this.#beginName(bytes, at, to);
    return state === FIRST_ITEM || state === ITEM ? this.#beginValue(bytes, at, to) : at;
  }

  #passUsual(pass: UsualPass<Node>, bytes: Buffer, from: number): number {
    const at = pass.over(bytes, from, this.heldFrom, this.#ends);
    const isObject = this.#within[this.#within.length - 1] === OBJECT;
    this.heldFrom = pass.heldFrom;
    if (pass.isBehind) this.#state = AFTER;
    else if (pass.isDead) this.#open(bytes[at] === OPEN_BRACKET, null);
    else if (isObject) this.#state = pass.heldFrom < 0 ? FIRST_NAME : NAME;
    else this.#state = pass.heldFrom < 0 ? FIRST_ITEM : ITEM;
    return pass.isDead ? at + 1 : at;
  }

  #beginName(bytes: Buffer, at: number, to: number): number {
    if (bytes[at] !== QUOTE) return this.#fail("not JSON", to);
    if (this.heldFrom < 0 && this.#readsNames) this.heldFrom = at;
    this.#own = at;
    this.#hasEscapes = false;
    this.#state = IN_NAME;
    return this.#inString(bytes, at + 1, to);
  }

  #beginValue(bytes: Buffer, at: number, to: number): number {
    const byte = bytes[at] ?? 0;
    const kind = CLASSES[byte];
    if (kind === STRING_MARK) {
      this.#told(byte, at);
      this.#state = STRING;
      return this.#inString(bytes, at + 1, to);
    }
    if (kind === OPENING) {
      const inside = this.#told(byte, at);
      const end = at < this.#triedTo ? -1 : this.#skip(bytes, at, to, inside === null);
      if (end > 0) return this.#endValue(bytes, end, to);
      this.#open(byte === OPEN_BRACKET, inside);
      return at + 1;
    }
    if (kind !== PLAIN || BEGINNINGS[byte] !== 1) return this.#fail("not JSON", to);
    this.#told(byte, at);
    this.#state = SCALAR;
    return this.#inScalar(bytes, at + 1, to);
  }

  /** Behind a container that ends soon and in which nothing is told; -1 where it has to be looked into. */
  #skip(bytes: Buffer, at: number, to: number, isDead: boolean): number {
    if (!this.#skips && (!isDead || this.#within.length + SKIPPED_DEPTH_MAX > this.#depthMax)) return -1;
    const last = Math.min(to, at + (isDead ? DEAD_BYTES_MAX : SKIPPED_BYTES_MAX));
    const end = endOfContainer(bytes, at, last, this.#ends);
    if (end < 0) this.#triedTo = last;
    return end;
  }

  #told(byte: number, at: number): Node | null {
    const top = this.#within.length - 1;
    if (top < 0) {
      this.texts++;
      return this.#visitor.beginText(byte, at);
    }
    const of = this.#nodes[top] ?? null;
    if (of === null) return null;
    const index = this.#within[top] ?? OBJECT;
    const from = this.heldFrom < 0 ? at : this.heldFrom;
    this.heldFrom = -1;
    return index === OBJECT
      ? this.#visitor.begin(of, this.#name, byte, from, this.#own, at)
      : this.#visitor.begin(of, index, byte, from, at, at);
  }

  #open(isArray: boolean, inside: Node | null): void {
    if (this.#within.length >= this.#depthMax) {
      this.#fail(`nested deeper than ${this.#depthMax}`);
      return;
    }
    this.#within.push(isArray ? 0 : OBJECT);
    this.#nodes.push(inside);
    if (inside === null) {
      this.#deadDepth = this.#within.length;
      this.#state = DEAD;
    } else this.#state = isArray ? FIRST_ITEM : FIRST_NAME;
  }

  #close(bytes: Buffer, at: number, to: number): number {
    const byte = bytes[at] ?? 0;
    const index = this.#within.pop();
    const inside = this.#nodes.pop() ?? null;
    const isRight = byte === CLOSE_BRACE ? index === OBJECT : byte === CLOSE_BRACKET && index !== OBJECT;
    if (index === undefined || !isRight) return this.#fail("not JSON", to);
    if (inside !== null) this.#visitor.close(inside);
    return this.#endValue(bytes, at + 1, to);
  }

  /** `at` is behind it; gives where to go on, behind a comma that follows. */
  #endValue(bytes: Buffer, at: number, to: number): number {
    const top = this.#within.length - 1;
    if (top < 0) {
      this.#state = BETWEEN;
      this.#visitor.endText(at);
      return at;
    }
    this.#state = AFTER;
    const of = this.#nodes[top] ?? null;
    if (of !== null) this.#visitor.endValue(of, at);
    return at < to && bytes[at] === COMMA ? this.#next(at) : at;
  }
}
