import { DEFAULTS } from "../support/defaults.ts";
import {
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LINE_FEED,
  LOWER_E,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  POINT,
  QUOTE,
  SPACE,
  TAB,
  UPPER_E,
  ZERO,
} from "./json-bytes.ts";
import { isInRange, isOversized, jsonNumber, writtenNumber } from "./json-number.ts";
import { JsonString } from "./json-string.ts";

/** Why a text has no single reading as JSON, and the offset where that shows. Never any of the content. */
export interface JsonFault {
  readonly text: string;
  readonly at: number;
}

/** What hears where members and items begin, for who has to show them to a user. */
export interface PositionSink {
  /** `keyAt` is the offset of the name; of an item, that of its value. */
  member(container: object, key: string | number, keyAt: number): void;
}

type Container = Record<string, unknown> | unknown[];

const SHORT_DIGITS = 9;
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;

/** A value is due; as the first item or name, the container may also end here; what follows a name; what follows a value. */
type State = "value" | "firstItem" | "firstName" | "name" | "colon" | "after";

/** To list the names of an object of a hundred thousand members takes the platform longer than a turn may last. */
const LISTED_MEMBERS_MIN = 128;
const large = new WeakMap<object, readonly string[]>();

/** Names of an object's own members. */
export function memberNames(object: object): readonly string[] {
  return large.get(object) ?? Object.keys(object);
}

/** Takes note of the names of an object that does not change any more, where they are many. */
export function noteMembers(object: object, names: readonly string[]): void {
  if (names.length >= LISTED_MEMBERS_MIN) large.set(object, names);
}

/** A longer list is an array from then on. */
const GATHERED_ITEMS_MAX = 64;

/**
 * JSON (RFC 8259) in one reading: no name twice in an object, no lone surrogates, bounded depth, numbers by their spelling
 * where a double would lose it. Keeps its own stack, so that a long text can be read a stretch at a time.
 */
export class JsonParser {
  readonly #text: string;
  readonly #string: JsonString;
  readonly #depthMax: number;
  readonly #positions: PositionSink | null;
  /** What is open; null for a list whose items are still being gathered. */
  readonly #stack: (Container | null)[] = [];
  /** Of each, under which name it stands, how many members it has, and the names of a large one. */
  readonly #names: string[] = [];
  readonly #counts: number[] = [];
  readonly #members: (string[] | null)[] = [];
  /**
   * Items of short lists, until these end: so each takes as much memory as it has items. Arrays that grow by themselves
   * begin with room for 17, and what a body of brackets leaves alive is what the collector holds the thread for.
   */
  readonly #gathered: unknown[] = [];
  #gatheredCount = 0;
  #at = 0;
  /** Here its turn is over. */
  #end = 0;
  #state: State = "value";
  #name = "";
  #nameAt = 0;
  value: unknown = undefined;
  fault: JsonFault | null = null;

  constructor(text: string, depthMax: number, positions: PositionSink | null = null) {
    this.#text = text;
    this.#string = new JsonString(text);
    this.#depthMax = depthMax;
    this.#positions = positions;
  }

  /** Reads on for at least `chars` characters; true once there is a value or a fault. */
  run(chars: number): boolean {
    this.#end = Math.max(this.#at, this.#string.at) + chars;
    const text = this.#text;
    while (this.fault === null) {
      const code = this.#skipBlanks();
      if (code <= SPACE && this.#at >= this.#end) return false;
      if (this.#stack.length === 0 && this.#state === "after") {
        if (this.#at < text.length) this.#fail("not JSON");
        return true;
      }
      if (this.#state === "after") this.#after(code);
      else if (code === CLOSE_BRACKET && this.#state === "firstItem") this.#close();
      else if (code === CLOSE_BRACE && this.#state === "firstName") this.#close();
      else if (this.#state === "firstName" || this.#state === "name") this.#readName(code);
      else if (this.#state === "colon") this.#readColon(code);
      else this.#readValue(code);
      if (this.#at >= this.#end || this.#string.at >= this.#end) return this.fault !== null;
    }
    return true;
  }

  /** The next code that is no blank, or the first behind this turn; NaN at the end. */
  #skipBlanks(): number {
    const text = this.#text;
    let at = this.#at;
    let code = text.charCodeAt(at);
    if (code > SPACE) return code;
    const end = this.#end;
    while (code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB) {
      code = text.charCodeAt(++at);
      if (at >= end) break;
    }
    this.#at = at;
    return code;
  }

  #after(code: number): void {
    const isList = this.#isInList();
    if (code === COMMA) {
      this.#at++;
      this.#state = isList ? "value" : "name";
    } else if (code === (isList ? CLOSE_BRACKET : CLOSE_BRACE)) this.#close();
    else this.#fail("not JSON");
  }

  #isInList(): boolean {
    const open = this.#stack[this.#stack.length - 1];
    return open === null || Array.isArray(open);
  }

  #close(): void {
    const start = this.#at++;
    const open = this.#stack.pop();
    const count = this.#counts.pop() ?? 0;
    const members = this.#members.pop();
    this.#name = this.#names.pop() ?? "";
    this.#state = "after";
    if (open === null) this.#add(this.#take(count), start);
    else if (Array.isArray(open) && this.#positions === null) this.#add(open, start);
    else if (open !== undefined && members !== undefined && members !== null) noteMembers(open, members);
  }

  /** The last items that were gathered, as a list. */
  #take(count: number): unknown[] {
    const end = this.#gatheredCount;
    this.#gatheredCount -= count;
    return count === 0 ? [] : this.#gathered.slice(end - count, end);
  }

  #readName(code: number): void {
    const start = this.#at;
    const name = code === QUOTE ? this.#readString() : "";
    if (name === null) return;
    if (code !== QUOTE) this.#fail("not JSON");
    const object = this.#stack[this.#stack.length - 1] ?? undefined;
    if (object !== undefined && Object.hasOwn(object, name)) this.#fail("a key twice in one object", start);
    this.#name = name;
    this.#nameAt = start;
    this.#state = "colon";
    if (this.#text.charCodeAt(this.#at) === COLON) this.#readColon(COLON);
  }

  #readColon(code: number): void {
    if (code !== COLON) this.#fail("not JSON");
    this.#at++;
    this.#state = "value";
  }

  #readValue(code: number): void {
    const start = this.#at;
    if (code === QUOTE) {
      const text = this.#readString();
      if (text !== null) this.#add(text, start);
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#open(code === OPEN_BRACE, start);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) this.#add(this.#readNumber(), start);
    else this.#add(this.#readWord(), start);
  }

  #open(isObject: boolean, start: number): void {
    // Who hears of positions has to be told of the list before it ends.
    const container = isObject ? {} : this.#positions === null ? null : [];
    if (container !== null) this.#add(container, start);
    this.#at++;
    if (this.#stack.length >= this.#depthMax) this.#fail(`nested deeper than ${this.#depthMax}`);
    this.#stack.push(container);
    this.#names.push(this.#name);
    this.#counts.push(0);
    this.#members.push(null);
    this.#state = isObject ? "firstName" : "firstItem";
  }

  #add(value: unknown, start: number): void {
    if (this.fault !== null) return;
    this.#state = "after";
    const top = this.#stack.length - 1;
    const parent = this.#stack[top];
    if (parent === undefined) {
      this.value = value;
      return;
    }
    const count = this.#counts[top] ?? 0;
    this.#counts[top] = count + 1;
    if (parent === null) this.#gather(value, top, count);
    else if (Array.isArray(parent)) {
      this.#positions?.member(parent, parent.length, start);
      parent.push(value);
    } else {
      this.#positions?.member(parent, this.#name, this.#nameAt);
      if (count + 1 === LISTED_MEMBERS_MIN) {
        keepSparse(parent);
        this.#members[top] = Object.keys(parent);
      }
      if (count === DEFAULTS.jsonMembersMax) this.#fail(`more than ${DEFAULTS.jsonMembersMax} members in one object`);
      this.#members[top]?.push(this.#name);
      if (this.#name === "__proto__") setOwn(parent, value);
      else parent[this.#name] = value;
    }
  }

  #gather(value: unknown, top: number, count: number): void {
    if (count < GATHERED_ITEMS_MAX) {
      this.#gathered[this.#gatheredCount++] = value;
      return;
    }
    const list = [];
    for (const item of this.#take(count)) list.push(item);
    list.push(value);
    this.#stack[top] = list;
  }

  /** Null where its end is still to be looked for. */
  #readString(): string | null {
    const string = this.#string;
    if (!string.read(this.#at, this.#end)) return null;
    if (string.fault !== null) {
      this.#fail(string.fault.text, string.fault.at);
      return "";
    }
    this.#at = string.end;
    return string.value;
  }

  #readNumber(): unknown {
    const short = this.#readShortInteger();
    if (short >= 0) return short;
    const written = writtenNumber(this.#text, this.#at);
    if (written === null) return this.#fail("not JSON");
    if (isOversized(written)) return this.#fail(`a number of more than ${DEFAULTS.jsonNumberCharsMax} characters`);
    if (!isInRange(written)) return this.#fail("a number beyond the range of doubles");
    this.#at += written.length;
    return jsonNumber(written);
  }

  /** Most numbers are a few digits, and a regular expression for each would be half of the reading; -1 for others. */
  #readShortInteger(): number {
    let at = this.#at;
    let value = 0;
    let code = this.#text.charCodeAt(at);
    if (code === ZERO) return -1;
    const end = at + SHORT_DIGITS;
    while (code >= ZERO && code <= NINE && at < end) {
      value = value * 10 + code - ZERO;
      code = this.#text.charCodeAt(++at);
    }
    const isLonger = code >= ZERO && code <= NINE;
    if (at === this.#at || isLonger || code === POINT || code === LOWER_E || code === UPPER_E) return -1;
    this.#at = at;
    return value;
  }

  #readWord(): unknown {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#fail("not JSON");
  }

  #fail(text: string, at: number = this.#at): void {
    this.fault ??= { text, at };
  }
}

/** The largest index that there is, which no list has room for. */
const LARGE_INDEX = 2 ** 32 - 2;

/**
 * Members named as indexes are moved to a list as soon as there are enough of them, which has room for all that lie between:
 * a name of some digits makes that millions. An object that once had a large index keeps its members in a table.
 */
function keepSparse(object: Record<string, unknown>): void {
  if (Object.hasOwn(object, LARGE_INDEX)) return;
  object[LARGE_INDEX] = null;
  delete object[LARGE_INDEX];
}

/** An assignment would change what the object inherits, and leave no member. */
function setOwn(object: object, value: unknown): void {
  Object.defineProperty(object, "__proto__", { value, writable: true, enumerable: true, configurable: true });
}
