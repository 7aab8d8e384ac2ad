import { OPEN_BRACE, OPEN_BRACKET } from "./json-bytes.ts";

/** Blanks of JSON, the byte before a text of a sequence, bytes of byte order marks, and NUL, which wide characters have. */
const BEFORE_JSON: ReadonlySet<number> = new Set([0x00, 0x09, 0x0a, 0x0d, 0x1e, 0x20, 0xbb, 0xbf, 0xef, 0xfe, 0xff]);
/** Of a character of UTF-16 or UTF-32, or their marks. */
const WIDE: ReadonlySet<number> = new Set([0x00, 0xfe, 0xff]);

/** Whether a body of any label begins as an object or a list of JSON does; a scalar has no fields. */
export class JsonSniffer {
  /** Null until the first byte that counts; `wide`: JSON in UTF-16 or UTF-32, which some clients guess. */
  found: "json" | "wide" | "other" | null = null;
  #isWide = false;

  /** Where in the piece the first byte stands that counts; -1 where there is none. */
  look(piece: Buffer): number {
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0;
      if (BEFORE_JSON.has(byte)) {
        this.#isWide ||= WIDE.has(byte);
        continue;
      }
      const isOpen = byte === OPEN_BRACE || byte === OPEN_BRACKET;
      this.found = isOpen ? (this.#isWide ? "wide" : "json") : "other";
      return at;
    }
    return -1;
  }
}
