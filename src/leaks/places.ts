import { JsonStream } from "../bodies/json-stream.ts";
import type { JsonVisitor } from "../bodies/json-visitor.ts";

/** Keys that lead to a place: names of members, indexes of items, or the one name of a column. */
export type LeakPath = readonly (string | number)[];

export interface LeakPlace {
  /** Empty where that is not known. */
  readonly path: LeakPath;
  /** Within a number, which has no quotes. */
  readonly isInNumber: boolean;
}

export const NOWHERE: LeakPlace = { path: [], isInNumber: false };

/** Knows where in a text a place stands. It is fed the text in order, without gaps. */
export interface Places {
  feed(bytes: Buffer, from: number, to: number): void;
  /** Of the last byte that was fed. */
  place(): LeakPlace;
}

export const NO_PLACES: Places = { feed: () => {}, place: () => NOWHERE };

const NOTHING: Buffer = Buffer.alloc(0);

/** Of JSON texts, one or several. */
export class JsonPlaces implements Places {
  #stream: JsonStream<true>;
  readonly #keys: (string | number)[] = [];
  #depth = 0;
  #begun = 0;
  #held: Buffer = NOTHING;
  readonly #visitor: JsonVisitor<true> = {
    beginText: (byte) => this.#begin(byte),
    endText: () => this.#end(),
    begin: (_of, key, byte) => {
      this.#depth = this.#stream.depth;
      this.#keys[this.#depth - 1] = key;
      return this.#begin(byte);
    },
    endValue: () => this.#end(),
    close: () => {},
  };

  constructor() {
    this.#stream = new JsonStream(this.#visitor, { skips: true });
  }

  /** The next text has nothing to do with this. */
  reset(): void {
    this.#stream = new JsonStream(this.#visitor, { skips: true });
    this.#held = NOTHING;
    this.#depth = 0;
    this.#begun = 0;
  }

  feed(bytes: Buffer, from: number, to: number): void {
    if (this.#stream.fault !== null || from === to) return;
    const piece = bytes.subarray(from, to);
    const whole = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    this.#stream.feed(whole, this.#held.length);
    const { heldFrom } = this.#stream;
    this.#held = heldFrom < 0 ? NOTHING : Buffer.from(whole.subarray(heldFrom));
    this.#stream.shift(heldFrom < 0 ? whole.length : heldFrom);
  }

  place(): LeakPlace {
    if (this.#stream.fault !== null) return NOWHERE;
    const isInNumber = this.#begun >= 0x30 && this.#begun <= 0x39;
    return { path: this.#keys.slice(0, this.#depth), isInNumber };
  }

  #begin(byte: number): true {
    this.#begun = byte;
    return true;
  }

  #end(): void {
    this.#begun = 0;
    this.#depth = this.#stream.depth;
  }
}

const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** Of the JSON in an event stream's data, an event after the other. */
export class EventPlaces implements Places {
  readonly #json = new JsonPlaces();
  /** Bytes of the line so far: its first ones tell whether it is one of data. */
  #begin = "";
  #isBegun = false;
  #isData = false;

  feed(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; ) {
      let end = at;
      while (end < to && bytes[end] !== LINE_FEED && bytes[end] !== RETURN) end++;
      if (end > at && !this.#isBegun) {
        this.#begin = bytes.toString("latin1", at, Math.min(end, at + 6));
        this.#isBegun = true;
        this.#isData = !/^(?::|event:|id:|retry:)/.test(this.#begin);
      }
      if (this.#isData) this.#json.feed(bytes, at, end);
      if (end === to) return;
      if (!this.#isBegun && bytes[end] === LINE_FEED) this.#json.reset();
      this.#isBegun = false;
      at = end + 1;
    }
  }

  place(): LeakPlace {
    return this.#json.place();
  }
}

const QUOTE = 0x22;
const SEPARATORS: ReadonlySet<number> = new Set([0x2c, 0x3b, 0x09]);
const COLUMNS_MAX = 256;
const NAME_CHARS_MAX = 64;

/** Columns of CSV (RFC 4180), by the names in the first line; commas, semicolons and tabs part them. */
export class CsvPlaces implements Places {
  readonly #names: string[] = [];
  #name = "";
  #column = 0;
  #isFirstLine = true;
  #isQuoted = false;

  feed(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) this.#isQuoted = !this.#isQuoted;
      else if (this.#isQuoted) this.#add(byte);
      else if (byte === LINE_FEED) this.#endLine();
      else if (SEPARATORS.has(byte)) this.#endCell();
      else this.#add(byte);
    }
  }

  #add(byte: number): void {
    if (this.#isFirstLine && this.#name.length < NAME_CHARS_MAX && byte !== RETURN)
      this.#name += String.fromCharCode(byte);
  }

  #endCell(): void {
    if (this.#isFirstLine && this.#names.length < COLUMNS_MAX) this.#names.push(this.#name);
    this.#name = "";
    this.#column++;
  }

  #endLine(): void {
    this.#endCell();
    this.#column = 0;
    this.#isFirstLine = false;
  }

  place(): LeakPlace {
    const name = this.#isFirstLine ? undefined : this.#names[this.#column];
    return name === undefined ? NOWHERE : { path: [name], isInNumber: false };
  }
}
