import { Escapes, skipString } from "../../bodies/string-search.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { AMOUNT_CHARS_MAX } from "./amount.ts";
import type { JsonPath } from "./json-path.ts";

const DEPTH_MAX = DEFAULTS.budgetJsonDepthMax;
const OBJECT = -1;
/** What readers pass over before a text. */
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
/** Each character of a name may be written as an escape of six. */
const NAME_BYTES_MAX = 6 * DEFAULTS.budgetPathNameCharsMax;

/** Where in the text it is; what is expected next. */
const VALUE = 0;
const FIRST_ITEM = 1; // a value, or the array's end
const FIRST_NAME = 2; // a name, or the object's end
const NAME = 3;
const COLON = 4;
const AFTER = 5; // a comma, or the end of what it is in
const STRING = 6;
const ESCAPE = 7;
const SCALAR = 8; // a number, true, false or null
const DONE = 9;
const BROKEN = 10;
const DEEP = 11; // within containers that lie too deep to be told apart

/**
 * Sees one JSON text go by in pieces, wherever they are cut, and keeps the scalar at one place, as it is spelled. It holds
 * no more than a name and that scalar. Where the place is there more than once, as duplicate members make it, all of its
 * scalars are told. It is no judge of the text beyond what it must understand to know where it is.
 */
export class JsonWatch {
  readonly #path: JsonPath;
  readonly #onScalar: (text: string) => void;
  /** The containers it is in: of an array the index of its item, of an object OBJECT. */
  #within: number[] = [];
  /** How many segments of the path lead to the container it is in, or to the last of those around it that lies on it. */
  #matched = 0;
  readonly #escapes = new Escapes();
  #state = VALUE;
  /** What is being read is a name. */
  #isName = false;
  /** What is read is kept, a character a byte; null where nobody asks for it. */
  #kept: string | null = null;
  /** The name that leads on, as far as what is read is equal to it; null where it is not, or another is read. */
  #expected: string | null = null;
  #equal = 0;
  /** How many containers it is in beyond those of `#within`. */
  #beyond = 0;
  /** The next value is that of the segment behind `#matched`. */
  #isNext: boolean;

  constructor(path: JsonPath, onScalar: (text: string) => void) {
    this.#path = path;
    this.#onScalar = onScalar;
    this.#isNext = path.segments.length === 0;
  }

  get #depth(): number {
    return this.#within.length;
  }

  /** The text is not JSON as far as it came. */
  get isBroken(): boolean {
    return this.#state === BROKEN;
  }

  /** One whole text has been seen. */
  get isWhole(): boolean {
    return this.#state === DONE;
  }

  reset(): void {
    this.#within = [];
    this.#matched = 0;
    this.#beyond = 0;
    this.#state = VALUE;
    this.#isName = false;
    this.#kept = null;
    this.#expected = null;
    this.#isNext = this.#path.segments.length === 0;
  }

  feed(bytes: Uint8Array, from: number = 0, to: number = bytes.length): void {
    this.#escapes.reset();
    for (let at = from; at < to && this.#state !== BROKEN; at++) {
      if (this.#state === STRING && this.#kept === null && this.#expected === null)
        at = skipString(bytes, at, to, this.#escapes);
      const byte = bytes[at];
      if (byte !== undefined && at < to) this.#step(byte);
    }
  }

  /** Nothing follows: a number at the root has no other end. */
  end(): void {
    if (this.#state === SCALAR) this.#endScalar();
    if (this.#state !== DONE) this.#state = BROKEN;
  }

  #step(byte: number): void {
    if (this.#state === STRING) this.#inString(byte);
    else if (this.#state === ESCAPE) {
      this.#keep(byte);
      this.#state = STRING;
    } else if (this.#state === SCALAR && isScalar(byte)) this.#keep(byte);
    else {
      if (this.#state === SCALAR) this.#endScalar();
      if (byte > 0x20) this.#between(byte);
      else if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) this.#state = BROKEN;
    }
  }

  #inString(byte: number): void {
    if (byte === 0x22) this.#endString();
    else if (byte === 0x5c) this.#escape();
    else if (this.#expected !== null) this.#compare(byte);
    else this.#keep(byte);
  }

  /** Most names are another one from their first character on, and what follows is passed over. */
  #compare(byte: number): void {
    if (this.#expected?.charCodeAt(this.#equal) === byte) this.#equal++;
    else this.#expected = null;
  }

  /** The same name may be written with escapes: it has to be read. */
  #escape(): void {
    if (this.#expected !== null) this.#kept = this.#expected.slice(0, this.#equal);
    this.#expected = null;
    this.#keep(0x5c);
    this.#state = ESCAPE;
  }

  #between(byte: number): void {
    switch (this.#state) {
      case FIRST_ITEM:
        if (byte === 0x5d) this.#close(true);
        else this.#beginValue(byte);
        return;
      case VALUE:
        this.#beginValue(byte);
        return;
      case FIRST_NAME:
        if (byte === 0x7d) this.#close(false);
        else this.#beginName(byte);
        return;
      case NAME:
        this.#beginName(byte);
        return;
      case DEEP:
        this.#inDeep(byte);
        return;
      case COLON:
        this.#state = byte === 0x3a ? VALUE : BROKEN;
        return;
      case AFTER:
        this.#after(byte);
        return;
      default:
        this.#state = BROKEN;
    }
  }

  #after(byte: number): void {
    const at = this.#depth - 1;
    const index = this.#within[at] ?? OBJECT;
    if (byte === 0x5d) this.#close(true);
    else if (byte === 0x7d) this.#close(false);
    else if (byte !== 0x2c) this.#state = BROKEN;
    else if (index !== OBJECT) {
      this.#within[at] = index + 1;
      this.#awaitItem();
      this.#state = VALUE;
    } else this.#state = NAME;
  }

  /** Whether the container that it is in lies on the path, with a segment for what is in it. */
  get #isOnPath(): boolean {
    return this.#matched === this.#depth - 1 && this.#matched < this.#path.segments.length;
  }

  #awaitItem(): void {
    this.#isNext = this.#isOnPath && this.#path.segments[this.#matched] === this.#within[this.#depth - 1];
  }

  #beginName(byte: number): void {
    if (byte !== 0x22) {
      this.#state = BROKEN;
      return;
    }
    this.#isName = true;
    this.#kept = null;
    this.#expected = this.#isOnPath ? (this.#path.bytes[this.#matched] ?? null) : null;
    this.#equal = 0;
    this.#state = STRING;
  }

  #beginValue(byte: number): void {
    // The value of the last segment is the one that is looked for; before it, containers lead on.
    const isSought = this.#isNext && this.#depth === this.#path.segments.length;
    if (byte === 0x7b || byte === 0x5b) this.#open(byte === 0x5b);
    else if (byte === 0x22) {
      this.#isName = false;
      this.#kept = isSought ? "" : null;
      this.#state = STRING;
    } else if (isScalar(byte)) {
      this.#kept = isSought ? String.fromCharCode(byte) : null;
      this.#state = SCALAR;
    } else if (this.#depth > 0 || !BYTE_ORDER_MARK.includes(byte)) this.#state = BROKEN;
  }

  #open(isArray: boolean): void {
    if (this.#depth === DEPTH_MAX) {
      this.#beyond = 1;
      this.#state = DEEP;
      return;
    }
    if (this.#isNext && this.#depth > 0) this.#matched = this.#depth;
    this.#within.push(isArray ? 0 : OBJECT);
    if (isArray) this.#awaitItem();
    this.#state = isArray ? FIRST_ITEM : FIRST_NAME;
  }

  /**
   * No path leads so deep. A text that is deep for a while, as one that repeats what a client sent, is not to hide what
   * follows: strings and brackets are all that is looked at.
   */
  #inDeep(byte: number): void {
    if (byte === 0x22) {
      this.#isName = false;
      this.#state = STRING;
    } else if (byte === 0x7b || byte === 0x5b) this.#beyond++;
    else if ((byte === 0x7d || byte === 0x5d) && --this.#beyond === 0) this.#endValue();
  }

  #close(isArray: boolean): void {
    const index = this.#within.pop();
    if (index === undefined || (index !== OBJECT) !== isArray) {
      this.#state = BROKEN;
      return;
    }
    this.#matched = Math.min(this.#matched, Math.max(0, this.#depth - 1));
    this.#endValue();
  }

  #endString(): void {
    const text = this.#takeKept();
    if (this.#isName) this.#endName(text);
    else {
      if (text !== null) this.#onScalar(text);
      this.#endValue();
    }
  }

  #endName(read: string | null): void {
    const expected = this.#expected;
    this.#expected = null;
    const isRead = read !== null && read === this.#path.segments[this.#matched];
    this.#isNext = isRead || (expected !== null && this.#equal === expected.length);
    this.#state = COLON;
  }

  #endScalar(): void {
    const text = this.#takeKept();
    if (text !== null) this.#onScalar(text);
    this.#endValue();
  }

  #endValue(): void {
    this.#isNext = false;
    if (this.#beyond > 0) this.#state = DEEP;
    else this.#state = this.#depth === 0 ? DONE : AFTER;
  }

  #keep(byte: number): void {
    if (this.#kept === null) return;
    if (this.#kept.length < (this.#isName ? NAME_BYTES_MAX : AMOUNT_CHARS_MAX + 1)) {
      this.#kept += String.fromCharCode(byte);
    }
    // A name that long is none of the path; a scalar that long is no cost, and told as what it is.
    else if (this.#isName) this.#kept = null;
  }

  /** What was kept, without escapes; null where it was not, or is no text. */
  #takeKept(): string | null {
    const kept = this.#kept;
    this.#kept = null;
    if (kept === null) return null;
    if (!kept.includes("\\")) return kept;
    try {
      return String(JSON.parse(`"${Buffer.from(kept, "latin1").toString()}"`));
    } catch {
      return null;
    }
  }
}

/** Of `-1.5e3`, `true` and the like. */
function isScalar(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x2b ||
    byte === 0x45
  );
}
