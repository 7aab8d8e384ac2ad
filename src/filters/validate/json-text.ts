import { isAscii, isUtf8 } from "node:buffer";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";

/**
 * JSON (RFC 8259) that every parser reads alike: strict UTF-8, bounded depth, no key twice in one object. Where a key
 * stands twice, JSON.parse takes the last and others the first, and the service would see what was never judged.
 * The error tells what is wrong and nothing of the content.
 */
export function parseJson(bytes: Buffer): Result<unknown, string> {
  // A byte order mark is kept, so that JSON.parse refuses it (RFC 8259 section 8.1 forbids to send one).
  const encoding = isAscii(bytes) ? "latin1" : isUtf8(bytes) ? "utf8" : null;
  if (encoding === null) return err("not UTF-8");
  const { depth, keys } = measure(bytes);
  if (depth > DEFAULTS.jsonDepthMax) return err(`nested deeper than ${DEFAULTS.jsonDepthMax}`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString(encoding));
  } catch {
    return err(bytes.length === 0 ? "empty" : "not JSON");
  }
  return countKeys(value) === keys ? ok(value) : err("a key twice in one object");
}

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Greatest depth, and keys as written: in JSON each colon outside strings stands behind one key. For a text that is
 * no JSON the numbers mean nothing; JSON.parse refuses it.
 */
function measure(bytes: Buffer): { depth: number; keys: number } {
  let depth = 0;
  let open = 0;
  let keys = 0;
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at];
    if (code === QUOTE) at = endOfString(bytes, at);
    else if (code === COLON) keys++;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth = Math.max(depth, ++open);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open--;
  }
  return { depth, keys };
}

/** Index of the quote that ends the string which begins at `start`, or the length of all. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length) {
    const code = bytes[at];
    if (code === QUOTE) return at;
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** Keys that survived the parse; fewer than were written where one stood twice, however it was escaped. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item);
    return keys;
  }
  // What JSON.parse makes inherits nothing that a loop would see.
  const record = value as Readonly<Record<string, unknown>>;
  for (const key in record) {
    const item = record[key];
    keys += typeof item === "object" ? 1 + countKeys(item) : 1;
  }
  return keys;
}
