import { type BodyFormat, type BodyKind, bodyFormatOf } from "../bodies/answer-format.ts";
import { JsonSniffer } from "../bodies/json-sniffer.ts";
import { Blocked, type Leak, type LeakAction, type LeakFormat, LeakStream } from "../leaks/leak-stream.ts";
import type { Scanner } from "../leaks/scanner.ts";
import type { HeaderBlock } from "../message/headers.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** What a body is read as. What begins as JSON does is JSON, whatever its label. */
const FORMATS: Readonly<Record<BodyKind, LeakFormat>> = {
  json: "json",
  ndjson: "json",
  "json-seq": "json",
  events: "events",
  csv: "csv",
  html: "markup",
  xml: "markup",
  text: "text",
  form: "form",
  notation: "text",
  data: "text",
  other: "text",
};

/** Byte order marks of UTF-16, and of UTF-32 as it mostly is. */
const WIDE_MARKS: readonly number[] = [0xfffe, 0xfeff];
const FIRST_BYTES = 4;

/** Types in which bytes are no characters. */
const NO_TEXT = /^\s*(?:image|audio|video|font)\//i;

/** Nobody here reads it; `rest`: the piece, behind what was held of those before it. */
export class Unreadable {
  readonly seen: string;
  readonly rest: Buffer;
  constructor(seen: string, rest: Buffer) {
    this.seen = seen;
    this.rest = rest;
  }
}

/** What a body is looked at as; `none`: its bytes are no text. Null where that has no single reading. */
export type LeakBodyFormat = BodyFormat | "none" | null;

/** The body of one message, piece by piece, in whatever format it is. */
export class LeakBody {
  readonly #format: LeakBodyFormat;
  readonly #scanner: Scanner;
  readonly #decide: (leak: Leak) => LeakAction;
  /** Null until it is asked. */
  #sniffer: JsonSniffer | null = null;
  /** The first bytes, as far as they are here. */
  #first = 0;
  #firstBytes = 0;
  /** Null until it is known what is read. */
  #stream: LeakStream | null = null;

  constructor(format: LeakBodyFormat, scanner: Scanner, decide: (leak: Leak) => LeakAction) {
    this.#format = format;
    this.#scanner = scanner;
    this.#decide = decide;
    if (format !== null && format !== "none" && (FORMATS[format.kind] === "json" || format.kind === "events"))
      this.#open(format);
  }

  /** Bytes that wait for what follows them. */
  get heldBytes(): number {
    return this.#stream?.heldBytes ?? 0;
  }

  #open({ kind }: BodyFormat): void {
    const format = this.#sniffer?.found === "json" ? "json" : FORMATS[kind];
    this.#stream = new LeakStream(this.#scanner, format, this.#decide);
  }

  take(piece: Buffer): Buffer | Blocked | Unreadable {
    const fault = this.#fault(piece);
    if (fault !== null) return this.#unreadable(fault, piece);
    return this.#stream === null ? piece : this.#stream.take(piece);
  }

  /** In place of both, for a body that is here whole. */
  takeAll(body: Buffer): Buffer | Blocked | Unreadable {
    const fault = this.#fault(body);
    if (fault !== null) return new Unreadable(fault, body);
    return this.#stream === null ? body : this.#stream.takeAll(body);
  }

  end(): Buffer | Blocked {
    return this.#stream === null ? NOTHING : this.#stream.end();
  }

  #unreadable(fault: string, piece: Buffer): Blocked | Unreadable {
    const held = this.end();
    return held instanceof Blocked ? held : new Unreadable(fault, Buffer.concat([held, piece]));
  }

  /** Why nobody here reads it; looks what it is, where that is not known. */
  #fault(piece: Buffer): string | null {
    if (this.#format === null) return "a Content-Type with more than one reading";
    if (this.#format === "none")
      return this.#isNoPicture(piece) ? "JSON that is called a picture, sound or font" : null;
    if (this.#format.charset === null) return "a charset that nobody here reads";
    this.#sniffer ??= new JsonSniffer();
    if (this.#firstBytes < FIRST_BYTES && this.#isWide(piece)) return "UTF-16 or UTF-32";
    if (this.#sniffer.found !== null) return null;
    const isOpen = this.#stream !== null;
    if (this.#sniffer.look(piece) < 0) return null;
    if (this.#sniffer.found === "wide") return "UTF-16 or UTF-32";
    if (!isOpen) this.#open(this.#format);
    return null;
  }

  #isWide(piece: Buffer): boolean {
    for (let at = 0; this.#firstBytes < FIRST_BYTES && at < piece.length; at++) {
      this.#first = (this.#first << 8) | (piece[at] as number);
      this.#firstBytes++;
      if (this.#firstBytes === 2 && WIDE_MARKS.includes(this.#first)) return true;
    }
    return this.#firstBytes === FIRST_BYTES && isWideWithoutMark(this.#first);
  }

  /** Clients of APIs read JSON whatever its label; no picture, sound or font begins as it does. */
  #isNoPicture(piece: Buffer): boolean {
    this.#sniffer ??= new JsonSniffer();
    return this.#sniffer.found === null && this.#sniffer.look(piece) >= 0 && this.#sniffer.found === "json";
  }
}

/** Readers of JSON and XML know wide characters by the zeros among the first four bytes (RFC 4627 section 3), so that no mark is needed. */
function isWideWithoutMark(first: number): boolean {
  const [a, b, c, d] = [first >>> 24, (first >>> 16) & 0xff, (first >>> 8) & 0xff, first & 0xff];
  if (b === 0 && c === 0) return (a === 0 && isOpening(d)) || (d === 0 && isOpening(a));
  return (b === 0 && d === 0 && isText(a) && isText(c)) || (a === 0 && c === 0 && isText(b) && isText(d));
}

function isOpening(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b || byte === 0x3c;
}

/** Of ASCII, and no control character but blanks and line ends. */
function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

export function leakFormatOf(headers: HeaderBlock): LeakBodyFormat {
  if (headers.count("content-type") > 1) return null;
  const type = headers.get("content-type");
  const format = bodyFormatOf(type);
  return format?.kind === "other" && NO_TEXT.test(type ?? "") ? "none" : format;
}
