const LF = 0x0a;
const CR = 0x0d;

/** Who gets the data of events, in pieces. */
export interface EventSink {
  onData(bytes: Uint8Array, from: number, to: number): void;
  /** All data of one event has come. */
  onEvent(): void;
}

const DATA = [0x64, 0x61, 0x74, 0x61] as const; // data
const NEWLINE: Uint8Array = Uint8Array.of(LF);

/** How much of a line's field has been read. */
const FIELD = 0;
const VALUE = 1; // behind the colon, and behind one blank
const BLANK = 2; // just behind the colon
const OTHER = 3; // another field, or a comment

/**
 * Takes an event stream apart as its reader does (https://html.spec.whatwg.org/multipage/server-sent-events.html, section
 * 9.2.6), in pieces wherever they are cut: lines end with CR, LF or both, `data` lines of one event are joined with LF, an
 * empty line ends it, and what stands behind the last one is no event.
 */
export class EventLines {
  readonly #sink: EventSink;
  #at = FIELD;
  /** Of `data`, how many characters the field has so far; -1 where the line has none yet. */
  #matched = 0;
  #isEmpty = true;
  #hasData = false;
  #wasCr = false;
  /** Of the byte order mark that a stream may begin with, 3 once there can be none. */
  #marks = 0;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  feed(bytes: Uint8Array): void {
    let at = this.#marks < 3 ? this.#skipMark(bytes) : 0;
    while (at < bytes.length) {
      if (this.#wasCr && bytes[at] === LF) {
        this.#wasCr = false;
        at++;
        continue;
      }
      this.#wasCr = false;
      at = this.#at === VALUE || this.#at === OTHER ? this.#inValue(bytes, at) : this.#inField(bytes, at);
    }
  }

  #skipMark(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#marks < 3 && bytes[at] === [0xef, 0xbb, 0xbf][this.#marks]) {
      this.#marks++;
      at++;
    }
    if (at < bytes.length) this.#marks = 3;
    return at;
  }

  #inField(bytes: Uint8Array, at: number): number {
    const byte = bytes[at] ?? 0;
    if (byte === LF || byte === CR) this.#endLine(byte);
    else if (this.#at === BLANK) {
      this.#at = VALUE;
      return byte === 0x20 ? at + 1 : at;
    } else if (byte === 0x3a && this.#matched === DATA.length) this.#beginData(BLANK);
    else if (byte === DATA[this.#matched]) {
      this.#matched++;
      this.#isEmpty = false;
    } else {
      this.#at = OTHER;
      this.#isEmpty = false;
    }
    return at + 1;
  }

  #beginData(next: number): void {
    if (this.#hasData) this.#sink.onData(NEWLINE, 0, 1);
    this.#hasData = true;
    this.#at = next;
  }

  #inValue(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++;
    if (this.#at === VALUE && at > from) this.#sink.onData(bytes, from, at);
    if (at === bytes.length) return at;
    this.#endLine(bytes[at] ?? LF);
    return at + 1;
  }

  #endLine(byte: number): void {
    this.#wasCr = byte === CR;
    // `data` alone is a data line without content.
    if (this.#at === FIELD && this.#matched === DATA.length) this.#beginData(FIELD);
    if (this.#isEmpty && this.#hasData) {
      this.#hasData = false;
      this.#sink.onEvent();
    }
    this.#at = FIELD;
    this.#matched = 0;
    this.#isEmpty = true;
  }
}

/** The same for texts that stand in a line each (NDJSON); the last one may end with the stream. */
export class TextLines {
  readonly #sink: EventSink;
  #hasData = false;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(LF, at);
      const to = end < 0 ? bytes.length : end;
      if (to > at) {
        this.#hasData = true;
        this.#sink.onData(bytes, at, to);
      }
      if (end < 0) return;
      this.end();
      at = end + 1;
    }
  }

  end(): void {
    if (this.#hasData) this.#sink.onEvent();
    this.#hasData = false;
  }
}
