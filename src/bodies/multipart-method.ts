import { DEFAULTS } from "../support/defaults.ts";
import { decodeLeniently } from "./form.ts";
import { type MethodParameters, methodOf } from "./method-parameters.ts";
import { type MethodScanner, UNREADABLE } from "./method-scanner.ts";

/** Read at a time, so that a body of many small parts is not read many times over. */
const HEAD_WINDOW = 512;

const DATA = 0;
const HEAD = 1;
const VALUE = 2;

/**
 * Methods in a multipart body (RFC 7578). A part begins wherever the boundary stands, also in the middle of a line or
 * behind a bare LF, for services differ in that; a boundary is chosen so that it stands nowhere else.
 */
export class MultipartMethodScanner implements MethodScanner {
  readonly #parameters: MethodParameters;
  readonly #delimiter: Buffer;
  readonly #delimiterText: string;
  #state: typeof DATA | typeof HEAD | typeof VALUE = DATA;
  /** The end of the last piece, in which a delimiter may have begun. */
  #tail = NO_BYTES;
  /** Headers, or the value, as far as they came. */
  #text = "";

  constructor(parameters: MethodParameters, boundary: string) {
    this.#parameters = parameters;
    this.#delimiterText = `--${boundary}`;
    this.#delimiter = Buffer.from(this.#delimiterText, "latin1");
  }

  scan(piece: Buffer, found: string[]): number {
    let held = this.#state === VALUE ? 0 : piece.length;
    for (let at = 0; at < piece.length; ) {
      if (this.#state === DATA) at = this.#skipData(piece, at);
      else if (this.#state === HEAD) at = this.#readHead(piece, at, found);
      else {
        if (this.#text === "") held = at;
        at = this.#readValue(piece, at, found);
      }
    }
    return this.#state === VALUE && this.#text !== "" ? held : piece.length;
  }

  /** PHP takes a part that nothing ends. */
  end(found: string[]): void {
    if (this.#state === VALUE) this.#tell(this.#text, found);
    this.#state = DATA;
  }

  /** Looks for the next delimiter; gives the index behind it, or the piece's length. */
  #skipData(piece: Buffer, from: number): number {
    const size = this.#delimiter.length;
    if (this.#tail.length > 0) {
      const border = Buffer.concat([this.#tail, piece.subarray(from, from + size - 1)]);
      const across = border.indexOf(this.#delimiter);
      if (across >= 0) return this.#beginHead(from + across + size - this.#tail.length);
    }
    const next = piece.indexOf(this.#delimiter, from);
    if (next >= 0) return this.#beginHead(next + size);
    // A copy: what is left of a read would keep the whole read.
    const rest = Buffer.concat([this.#tail, piece.subarray(Math.max(from, piece.length - size + 1))]);
    this.#tail = rest.subarray(Math.max(0, rest.length - size + 1));
    return piece.length;
  }

  #beginHead(at: number): number {
    this.#tail = NO_BYTES;
    this.#state = HEAD;
    this.#text = "";
    return at;
  }

  #readHead(piece: Buffer, from: number, found: string[]): number {
    const before = this.#text.length;
    this.#text += piece.toString(
      "latin1",
      from,
      Math.min(piece.length, from + Math.min(HEAD_WINDOW, DEFAULTS.partHeadCharactersMax - before)),
    );
    const next = from + this.#text.length - before;
    BLANK_LINE.lastIndex = Math.max(0, before - 2);
    const end = BLANK_LINE.exec(this.#text);
    if (this.#isAmbiguous(end === null ? this.#text : this.#text.slice(0, end.index))) {
      this.#giveUp(found);
      return next;
    }
    if (end === null) {
      if (this.#text.length >= DEFAULTS.partHeadCharactersMax) this.#giveUp(found);
      return next;
    }
    const head = this.#text.slice(0, end.index);
    const data = from + end.index + end[0].length - before;
    this.#text = "";
    this.#state = DATA;
    if (!this.#namesMethod(head)) return data;
    if (/content-transfer-encoding\s*:(?!\s*(?:7bit|8bit|binary))/i.test(head)) found.push(UNREADABLE);
    else this.#state = VALUE;
    return data;
  }

  /** A CR that ends a line for Werkzeug, and two of them the head, is any character to others. */
  #isAmbiguous(head: string): boolean {
    return STRAY_CR.test(head) && this.#parameters.mayBeIn(head);
  }

  /** Whatever looks like a part's name: PHP takes the last of two, Rack a Content-ID where there is none. */
  #namesMethod(head: string): boolean {
    const text = head.replaceAll("\\", "");
    if (!this.#parameters.mayBeIn(text) && !ENCODED_WORD.test(text)) return false;
    if (/name\*\d/i.test(text)) return true;
    for (const [, quoted, apostrophes, token, id] of text.matchAll(NAMES)) {
      const name = (quoted ?? apostrophes ?? token ?? id ?? "").replace(/^[\w-]*'[\w-]*'/, "");
      if (ENCODED_WORD.test(name) || this.#parameters.has(decodeLeniently(name.trim()))) return true;
    }
    return false;
  }

  #readValue(piece: Buffer, from: number, found: string[]): number {
    const before = this.#text.length;
    const most = DEFAULTS.methodValueCharactersMax + this.#delimiter.length;
    this.#text += piece.toString("latin1", from, Math.min(piece.length, from + most - before));
    const end = this.#text.indexOf(this.#delimiterText);
    if (end >= 0) {
      this.#tell(this.#text.slice(0, end), found);
      return this.#beginHead(from + end + this.#delimiter.length - before);
    }
    const next = from + this.#text.length - before;
    if (this.#text.length >= most) this.#giveUp(found);
    return next;
  }

  #giveUp(found: string[]): void {
    found.push(UNREADABLE);
    this.#state = DATA;
    this.#text = "";
  }

  #tell(value: string, found: string[]): void {
    const method = value.trim().length > DEFAULTS.methodValueCharactersMax ? UNREADABLE : methodOf(value);
    if (method !== null) found.push(method);
  }
}

const BLANK_LINE = /\n\r?\n/g;
const STRAY_CR = /\r(?!\n|$)/;
/** RFC 2047 section 2; commons-fileupload (Tomcat, Spring) decodes a field's name. */
const ENCODED_WORD = /=\?[^?\s]+\?[bq]\?/i;
const NO_BYTES = Buffer.alloc(0);

/** RFC 7578 section 4.2 and RFC 8187: `name="x"`, `name=x`, `name*=utf-8''x`, and with apostrophes as PHP has it. */
const NAMES = /(?<!file)name\*?\s*=\s*(?:"([^"]*)"?|'([^']*)'|([^;\s]*))|content-id\s*:\s*([^\r\n]*)/gi;
