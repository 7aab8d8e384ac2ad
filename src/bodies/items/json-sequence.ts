import { err, ok } from "../../support/result.ts";
import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  LINE_FEED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB,
} from "../json-bytes.ts";
import type { Framing } from "./framing.ts";

const RECORD_SEPARATOR = 0x1e;

/**
 * JSON text sequences (RFC 7464): each text stands behind a record separator and is followed by LF, as encoders have to write
 * them; decoders make different things of others. A text ends with the first LF behind it, so that it goes on before the
 * next one comes.
 */
export function sequenceFraming(): Framing {
  let isOpen = false;
  let depth = 0;
  let hasText = false;
  let isInString = false;
  let isEscaped = false;
  const begin = (): void => {
    isOpen = true;
    depth = 0;
    hasText = false;
    isInString = false;
    isEscaped = false;
  };
  const end = (at: number): number => {
    isOpen = false;
    return at;
  };
  const inString = (byte: number): void => {
    if (isEscaped) isEscaped = false;
    else if (byte === BACKSLASH) isEscaped = true;
    else if (byte === QUOTE) isInString = false;
  };
  return {
    end: (bytes, from) => {
      for (let at = from; at < bytes.length; at++) {
        const byte = bytes[at] ?? 0;
        if (byte === RECORD_SEPARATOR) {
          if (isOpen) return end(at);
          begin();
        } else if (!isOpen) return at + 1;
        else if (isInString) inString(byte);
        else if (byte === QUOTE) isInString = hasText = true;
        else if (byte === LINE_FEED && hasText && depth <= 0) return end(at + 1);
        else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          depth++;
          hasText = true;
        } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
        else if (byte !== SPACE && byte !== TAB && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) hasText = true;
      }
      return -1;
    },
    read: (bytes) => {
      if (bytes[0] !== RECORD_SEPARATOR) return err("no record separator before an item");
      if (bytes.at(-1) !== LINE_FEED) return err("no line feed behind an item");
      return ok({ json: bytes.subarray(1) });
    },
  };
}
