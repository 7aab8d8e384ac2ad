import { DEFAULTS } from "../support/defaults.ts";
import type { Charset } from "./answer-format.ts";
import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LINE_FEED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB,
} from "./json-bytes.ts";
import { nameOf } from "./json-names.ts";
import { Escapes, skipString } from "./string-search.ts";

/**
 * Who is told of a JSON text as it goes by. A `Node` is what the visitor itself knows of a place; within null nothing more
 * is told, and names are not read. Positions are those of the bytes that are being fed.
 */
export interface JsonVisitor<Node> {
  /** A text begins, with this byte. */
  beginText(byte: number, at: number): Node | null;
  /** It is over. */
  endText(at: number): void;
  /**
   * A value begins within `of`: of the member of that name or the item of that index. `from`: where begins what stands
   * there for its sake, be it a comma, its name or itself; `own`: its name, or itself. Gives what is known within it.
   */
  begin(of: Node, key: string | number, byte: number, from: number, own: number, at: number): Node | null;
  /** It is over; `at` is behind it. */
  end(of: Node, at: number): void;
  /** All within a container whose inside was asked for has been told; before `end`. */
  close(inside: Node): void;
}

export interface JsonStreamOptions {
  readonly charset?: Charset;
  /** Containers within each other. */
  readonly depthMax?: number;
  /** False: names are not read, each key of an object is told as "", and nothing has to be kept. */
  readonly readsNames?: boolean;
}

const VALUE = 0;
const FIRST_ITEM = 1; // a value, or the array's end
const FIRST_NAME = 2; // a name, or the object's end
const NAME = 3;
const BEHIND_NAME = 4;
const AFTER = 5; // a comma, or the end of what it is in
const STRING = 6;
const IN_NAME = 7;
const SCALAR = 8; // a number, true, false or null
const BETWEEN = 9; // texts

const OBJECT = -1;
/** What readers pass over before a text. */
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
/** Stands before each text of a JSON sequence (RFC 7464). */
const RECORD_SEPARATOR = 0x1e;

/**
 * Reads JSON texts in pieces, wherever they are cut: one, or several as NDJSON and JSON sequences have them. It judges no
 * more of a text than it must to know where it is, and what it does not understand is a fault, for somebody else may.
 * Every member is told, also where a name stands twice, and names without their escapes. What it holds is bounded: names
 * and depth; whoever feeds it puts the bytes from `heldFrom` on before the next piece (`shift`). A name with U+0000 is a fault: readers in C take it for a shorter one.
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
  readonly #escapes = new Escapes();
  /** Of each container: OBJECT, or the index of the array's item. */
  readonly #within: number[] = [];
  readonly #nodes: (Node | null)[] = [];
  #state = BETWEEN;
  #isEscaped = false;
  #hasEscapes = false;
  #own = -1;
  #name = "";
  /** Bytes of the byte order mark so far. */
  #marks = 0;

  constructor(visitor: JsonVisitor<Node>, options: JsonStreamOptions = {}) {
    this.#visitor = visitor;
    this.#charset = options.charset ?? "utf8";
    this.#depthMax = options.depthMax ?? DEFAULTS.answerDepthMax;
    this.#readsNames = options.readsNames ?? true;
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
    const to = bytes.length;
    let at = from;
    while (at < to && this.fault === null) {
      const state = this.#state;
      if (state === STRING || state === IN_NAME) at = this.#inString(bytes, at, to);
      else if (state === SCALAR) at = this.#inScalar(bytes, at, to);
      else {
        const byte = bytes[at] ?? 0;
        if (byte !== SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== TAB) this.#between(byte, at);
        at++;
      }
    }
    if (this.heldFrom >= 0 && to - this.heldFrom > DEFAULTS.answerNameBytesMax) this.#fail("too much before a value");
  }

  /** Nothing follows: a number at the root has no other end. */
  end(at: number): void {
    if (this.fault !== null) return;
    if (this.#state === SCALAR && this.#within.length === 0) this.#endValue(at);
    if (this.#state !== BETWEEN) this.#fail("cut JSON");
  }

  /** What is in the container that it is in is asked for, by name. */
  get #asksNames(): boolean {
    return this.#readsNames && this.#nodes[this.#nodes.length - 1] !== null;
  }

  #fail(fault: string): void {
    this.fault ??= fault;
  }

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
      if (this.#state === STRING) this.#endValue(at + 1);
      else this.#endName(bytes, at);
      return at + 1;
    }
    return to;
  }

  #endName(bytes: Buffer, at: number): void {
    this.#state = BEHIND_NAME;
    if (!this.#asksNames) return;
    const name = nameOf(bytes, this.#own + 1, at, this.#hasEscapes, this.#charset);
    if (name === null) this.#fail("a name that cannot be read");
    else if (name.includes("\0")) this.#fail("a name with U+0000");
    else this.#name = name;
  }

  #inScalar(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && isScalar(bytes[at] ?? 0)) at++;
    if (at < to) this.#endValue(at);
    return at;
  }

  /** A byte outside of strings and scalars that is no blank. */
  #between(byte: number, at: number): void {
    switch (this.#state) {
      case BETWEEN:
        this.#betweenTexts(byte, at);
        return;
      case FIRST_ITEM:
        if (byte === CLOSE_BRACKET) this.#close(true, at);
        else this.#beginValue(byte, at);
        return;
      case VALUE:
        this.#beginValue(byte, at);
        return;
      case FIRST_NAME:
        if (byte === CLOSE_BRACE) this.#close(false, at);
        else this.#beginName(byte, at);
        return;
      case NAME:
        this.#beginName(byte, at);
        return;
      case BEHIND_NAME:
        if (byte === COLON) this.#state = VALUE;
        else this.#fail("not JSON");
        return;
      default:
        this.#after(byte, at);
    }
  }

  #betweenTexts(byte: number, at: number): void {
    if (byte === RECORD_SEPARATOR) return;
    if (this.texts === 0 && this.#marks < 3 && byte === BYTE_ORDER_MARK[this.#marks]) this.#marks++;
    else if (this.#marks % 3 !== 0) this.#fail("not JSON");
    else this.#beginValue(byte, at);
  }

  #after(byte: number, at: number): void {
    const top = this.#within.length - 1;
    const index = this.#within[top] ?? OBJECT;
    if (byte === CLOSE_BRACKET) this.#close(true, at);
    else if (byte === CLOSE_BRACE) this.#close(false, at);
    else if (byte !== COMMA) this.#fail("not JSON");
    else {
      if (this.#asksNames) this.heldFrom = at;
      if (index === OBJECT) this.#state = NAME;
      else {
        this.#within[top] = index + 1;
        this.#state = VALUE;
      }
    }
  }

  #beginName(byte: number, at: number): void {
    if (byte !== QUOTE) {
      this.#fail("not JSON");
      return;
    }
    if (this.heldFrom < 0 && this.#asksNames) this.heldFrom = at;
    this.#own = at;
    this.#hasEscapes = false;
    this.#state = IN_NAME;
  }

  #beginValue(byte: number, at: number): void {
    const isContainer = byte === OPEN_BRACE || byte === OPEN_BRACKET;
    if (!isContainer && byte !== QUOTE && !beginsScalar(byte)) {
      this.#fail("not JSON");
      return;
    }
    const inside = this.#told(byte, at);
    if (isContainer) this.#open(byte === OPEN_BRACKET, inside);
    else this.#state = byte === QUOTE ? STRING : SCALAR;
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
    this.#state = isArray ? FIRST_ITEM : FIRST_NAME;
  }

  #close(isArray: boolean, at: number): void {
    const index = this.#within.pop();
    const inside = this.#nodes.pop() ?? null;
    if (index === undefined || (index !== OBJECT) !== isArray) {
      this.#fail("not JSON");
      return;
    }
    if (inside !== null) this.#visitor.close(inside);
    this.#endValue(at + 1);
  }

  #endValue(at: number): void {
    const top = this.#within.length - 1;
    if (top < 0) {
      this.#state = BETWEEN;
      this.#visitor.endText(at);
      return;
    }
    this.#state = AFTER;
    const of = this.#nodes[top] ?? null;
    if (of !== null) this.#visitor.end(of, at);
  }
}

/** A number, `true`, `false`, `null`, or what some services write: NaN and Infinity. */
function beginsScalar(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || BEGINNINGS.has(byte);
}

const BEGINNINGS: ReadonlySet<number> = new Set([..."-tfnNI"].map((one) => one.charCodeAt(0)));

/** Of `-1.5e3`, `true` and the like; also of NaN and Infinity, which some services write. */
function isScalar(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x2b ||
    (byte >= 0x41 && byte <= 0x5a)
  );
}
