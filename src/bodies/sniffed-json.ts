import { JsonMethodScanner } from "./json-method.ts";
import type { MethodParameters } from "./method-parameters.ts";
import { type MethodScanner, UNREADABLE } from "./method-scanner.ts";

/** Blanks of JSON, bytes of byte order marks, and NUL, of which a brace has some before it in UTF-16 and UTF-32. */
const BEFORE_JSON: ReadonlySet<number> = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20, 0xbb, 0xbf, 0xef, 0xfe, 0xff]);
const OPEN_BRACE = 0x7b;
/** Begins what UTF-7 escapes, as it may a brace. */
const PLUS = 0x2b;

/**
 * A body of any type, for those that parse all of them as JSON. Of what does not begin with an object nothing more is
 * looked at, so that an upload costs nothing.
 */
export class SniffedJsonScanner implements MethodScanner {
  readonly #json: JsonMethodScanner;
  readonly #isOpaque: boolean;
  /** Null until the first byte came that counts. */
  #isJson: boolean | null = null;

  /** `isOpaque`: names in it cannot be read, so that an object may name any method. */
  constructor(parameters: MethodParameters, announcedBytes: number, isOpaque: boolean) {
    this.#json = new JsonMethodScanner(parameters, announcedBytes);
    this.#isOpaque = isOpaque;
  }

  scan(piece: Buffer, found: string[]): number {
    if (this.#isJson === null) this.#look(piece, found);
    return this.#isJson === true ? this.#json.scan(piece, found) : piece.length;
  }

  end(found: string[]): void {
    if (this.#isJson === true) this.#json.end(found);
  }

  #look(piece: Buffer, found: string[]): void {
    const first = piece.find((byte) => !BEFORE_JSON.has(byte));
    if (first === undefined) return;
    this.#isJson = first === OPEN_BRACE && !this.#isOpaque;
    if (this.#isOpaque && (first === OPEN_BRACE || first === PLUS)) found.push(UNREADABLE);
  }
}
