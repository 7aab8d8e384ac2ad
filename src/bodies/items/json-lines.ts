import { isAscii } from "node:buffer";
import { err, ok } from "../../support/result.ts";
import { parseJson } from "../json.ts";
import { CARRIAGE_RETURN, LINE_FEED, SPACE, TAB } from "../json-bytes.ts";
import type { Framing } from "./framing.ts";

/** What Python's `splitlines` and Node's `readline` take for the end of a line, and JSON lets a text have as it stands. */
const OTHER_LINE_ENDS = /[\u0085\u2028\u2029]/;

/**
 * A JSON text on each line (https://github.com/ndjson/ndjson-spec, https://jsonlines.org): LF, or CR LF, ends it, and the last
 * one may end with the body. It holds no state, for no line break can stand in a text. A CR elsewhere would be a line end to
 * Node and Python, and what stands between two of them an item that nobody judged.
 */
export const lineFraming: Framing = {
  end: (bytes, from) => bytes.indexOf(LINE_FEED, from) + 1 || -1,
  read: (bytes) => {
    const line = withoutEnd(bytes);
    if (line.includes(CARRIAGE_RETURN)) return err("a carriage return that ends no line");
    if (isBlank(line)) return ok(null);
    if (!isAscii(line) && hidesItem(line)) return err("an item between other line ends");
    return ok({ json: line });
  },
};

function withoutEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== LINE_FEED) return bytes;
  return bytes.subarray(0, bytes.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== SPACE && byte !== TAB) return false;
  return true;
}

/** Whether who ends lines elsewhere, too, and skips those that are no JSON would find one that is. */
function hidesItem(line: Buffer): boolean {
  const pieces = line.toString("utf8").split(OTHER_LINE_ENDS);
  return pieces.length > 2 && pieces.slice(1, -1).some((piece) => parseJson(Buffer.from(piece)).ok);
}
