import { isAscii } from "node:buffer";
import { DEFAULTS } from "../support/defaults.ts";
import type { MimeHead, PartHead, ReadHead } from "./part-head.ts";

/** Who judges the parts of a multipart body as they come. `Fault` ends the reading, or interrupts it. */
export interface PartHandler<Fault, Head extends MimeHead = PartHead> {
  /** Whether the content of the part that is being read may go on as it comes; else all of the part stays until it is over. */
  readonly flows: boolean;
  /** A part begins. */
  onPart(head: Head): Fault | null;
  /** A piece of its content, which is a view of what was read. */
  onContent(bytes: Buffer): Fault | null;
  /** The part is over. What it gives interrupts the reading: `take` with nothing goes on behind it. */
  onPartEnd(): Fault | null;
  /** The body has not one reading; `seen` says what it has instead. */
  malformed(seen: string): Fault;
}

const CR = 0x0d;
const DASH = 0x2d;
const CRLF = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const FINAL = Buffer.from("--");
const NO_BYTES: Buffer = Buffer.alloc(0);

const START = 0;
const HEAD = 1;
const CONTENT = 2;
const EPILOGUE = 3;
const BOUNDARY = 4;
/** What is left cannot be read before more comes. */
const MORE = null;

/**
 * Reads a multipart body (RFC 2046 section 5.1, of forms RFC 7578) in the one way in which every parser reads it, or not at all:
 * lines end with CR LF, a boundary stands on a line of its own and nowhere else, and nothing is before the first or behind
 * the last but one line end each. It keeps no content: at most the beginning of a boundary, or the head of one part.
 */
export class MultipartReader<Fault, Head extends MimeHead = PartHead> {
  readonly #handler: PartHandler<Fault, Head>;
  readonly #readHead: ReadHead<Head>;
  /** `--boundary` */
  readonly #dashed: Buffer;
  /** The same with the line end that belongs to it. */
  readonly #delimiter: Buffer;
  #state: typeof START | typeof HEAD | typeof CONTENT | typeof EPILOGUE | typeof BOUNDARY = START;
  /** The end of what came, where more has to come to know what it is. */
  #rest = NO_BYTES;
  /** Of all that came, in bytes. */
  #cameBytes = 0;
  /** What of it may go on. */
  #passedBytes = 0;
  /** The content of the part that is being read may be nothing else. */
  #isAscii = false;

  constructor(boundary: string, handler: PartHandler<Fault, Head>, readHead: ReadHead<Head>) {
    this.#handler = handler;
    this.#readHead = readHead;
    this.#dashed = Buffer.from(`--${boundary}`, "latin1");
    this.#delimiter = Buffer.concat([CRLF, this.#dashed]);
  }

  /** Bytes at the end of what has come that must not go on yet. */
  get stayingBytes(): number {
    return this.#cameBytes - this.#passedBytes;
  }

  /** The next piece of the body; it stays as it is until the reading of it, with all that interrupts it, is over. */
  take(piece: Buffer): Fault | null {
    const bytes = joined(this.#rest, piece);
    this.#cameBytes += piece.length;
    const before = this.#cameBytes - bytes.length;
    let at: number | null = 0;
    let read = 0;
    while (at !== MORE) {
      read = at;
      const next: number | null | Found<Fault> = this.#step(bytes, at, before);
      if (next instanceof Found) {
        // No copy: whoever sends many parts at once would have what is left of them copied for each.
        if (this.#state === BOUNDARY) this.#rest = bytes.subarray(next.at);
        return next.fault;
      }
      at = next;
    }
    // A copy: what is left of a read would keep the whole read.
    const from = this.#state === CONTENT ? this.#tailStart(bytes, read) : read;
    this.#rest = from === bytes.length ? NO_BYTES : Buffer.from(bytes.subarray(from));
    return this.#state === CONTENT ? this.#content(bytes, read, from, before) : null;
  }

  /** The body is over. */
  end(): Fault | null {
    if (this.#state === EPILOGUE && (this.#rest.length === 0 || this.#rest.equals(CRLF))) return null;
    return this.#handler.malformed(this.#state === EPILOGUE ? BEHIND_LAST : "no boundary that ends it");
  }

  /** Where to go on, or MORE where the rest cannot be read yet. */
  #step(bytes: Buffer, at: number, before: number): number | null | Found<Fault> {
    switch (this.#state) {
      case START:
        return this.#start(bytes);
      case HEAD:
        return this.#head(bytes, at);
      case CONTENT:
        return this.#nextDelimiter(bytes, at, before);
      case BOUNDARY:
        this.#passedBytes = before + at - CRLF.length;
        return this.#behindBoundary(bytes, at + this.#dashed.length);
      default:
        return this.#epilogue(bytes, at);
    }
  }

  /** One line end before the first boundary is what some clients send and every parser leaves out. */
  #start(bytes: Buffer): number | null | Found<Fault> {
    const at = bytes[0] === CR ? CRLF.length : 0;
    const wanted = at === 0 ? this.#dashed : this.#delimiter;
    const known = Math.min(wanted.length, bytes.length);
    if (bytes.compare(wanted, 0, known, 0, known) !== 0) return this.#malformed("something before the first boundary");
    return this.#behindBoundary(bytes, wanted.length);
  }

  /** A boundary is followed by a line end or, the last one, by two dashes. */
  #behindBoundary(bytes: Buffer, at: number): number | null | Found<Fault> {
    if (bytes.length < at + 2) return MORE;
    const two = bytes.subarray(at, at + 2);
    if (two.equals(CRLF)) this.#state = HEAD;
    else if (two.equals(FINAL)) this.#state = EPILOGUE;
    else return this.#malformed("a boundary that something follows on its line");
    return at + 2;
  }

  #head(bytes: Buffer, at: number): number | null | Found<Fault> {
    // RFC 2046 section 5.1 lets a part have none; Rack then takes what it finds in the content for them, as mail of Ruby does.
    if (bytes[at] === CR) return this.#malformed("a part without headers");
    const end = bytes.indexOf(HEAD_END, at);
    if ((end < 0 ? bytes.length : end) - at > DEFAULTS.partHeadBytesMax)
      return this.#malformed(`headers of a part with more than ${DEFAULTS.partHeadBytesMax} bytes`);
    if (end < 0) return MORE;
    const head = bytes.subarray(at, end);
    // Some look for boundaries first, and for headers between them.
    if (head.includes(this.#dashed)) return this.#malformed("a boundary in the headers of a part");
    const read = this.#readHead(head);
    if (!read.ok) return this.#malformed(read.error);
    this.#isAscii = read.value.isAscii;
    const fault = this.#handler.onPart(read.value);
    if (fault !== null) return new Found(fault);
    this.#state = CONTENT;
    return end + HEAD_END.length;
  }

  #nextDelimiter(bytes: Buffer, at: number, before: number): number | null | Found<Fault> {
    const dashed = bytes.indexOf(this.#dashed, at);
    if (dashed < 0) return MORE;
    const end = dashed - CRLF.length;
    // PHP takes one behind a bare LF, others one in the middle of a line; a boundary is chosen so that it stands nowhere else.
    if (end < at || bytes.compare(CRLF, 0, CRLF.length, end, dashed) !== 0)
      return this.#malformed("a boundary that does not begin a line");
    const behind = dashed + this.#dashed.length;
    if (bytes.length < behind + 2) return MORE;
    const wrong = this.#content(bytes, at, end, before);
    if (wrong !== null) return new Found(wrong);
    const fault = this.#handler.onPartEnd();
    if (fault !== null) {
      this.#state = BOUNDARY;
      return new Found(fault, dashed);
    }
    this.#passedBytes = before + end;
    return this.#behindBoundary(bytes, behind);
  }

  #content(bytes: Buffer, from: number, to: number, before: number): Fault | null {
    if (to <= from) return null;
    const content = bytes.subarray(from, to);
    if (this.#isAscii && !isAscii(content))
      return this.#handler.malformed("a part that is not the ASCII of its charset");
    const fault = this.#handler.onContent(content);
    if (fault === null && this.#handler.flows) this.#passedBytes = before + to;
    return fault;
  }

  /** Where a delimiter may begin that is not here whole; the end where none does. */
  #tailStart(bytes: Buffer, from: number): number {
    const first = Math.max(from, bytes.length - this.#delimiter.length - 1);
    for (let at = first; at < bytes.length; at++) {
      const begin = bytes[at] === CR ? this.#delimiter : bytes[at] === DASH ? this.#dashed : null;
      if (begin === null) continue;
      const length = Math.min(bytes.length - at, begin.length);
      if (bytes.compare(begin, 0, length, at, at + length) === 0) return at;
    }
    return bytes.length;
  }

  #epilogue(bytes: Buffer, at: number): null | Found<Fault> {
    const left = bytes.subarray(at);
    const isEmpty = left.length <= CRLF.length && left.equals(CRLF.subarray(0, left.length));
    return isEmpty ? MORE : this.#malformed(BEHIND_LAST);
  }

  #malformed(seen: string): Found<Fault> {
    return new Found(this.#handler.malformed(seen));
  }
}

function joined(rest: Buffer, piece: Buffer): Buffer {
  if (rest.length === 0) return piece;
  return piece.length === 0 ? rest : Buffer.concat([rest, piece]);
}

const BEHIND_LAST = "something behind the last boundary";

/** What ends the reading, or interrupts it there. */
class Found<Fault> {
  readonly fault: Fault;
  readonly at: number;

  constructor(fault: Fault, at = 0) {
    this.fault = fault;
    this.at = at;
  }
}
