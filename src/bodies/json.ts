import { isAscii, isUtf8 } from "node:buffer";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Steps, Turns } from "../support/turns.ts";
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  LOWER_E,
  LOWER_U,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  QUOTE,
  UPPER_E,
  ZERO,
} from "./json-bytes.ts";
import { JsonParser } from "./json-parser.ts";

/** Between two looks at the clock. */
const LOOK_EVERY_CHARS = 4 * 1024;

/**
 * JSON (RFC 8259) that every parser reads alike: strict UTF-8, bounded depth, no key twice in one object, no half of a
 * surrogate pair. Where a key stands twice, JSON.parse takes the last and others the first; half a pair becomes U+FFFD in
 * one service and stays what it is in another, so that two names are one. Numbers that a double does not hold come as
 * `JsonNumber`. The error tells what is wrong and nothing of the content.
 */
export function parseJson(bytes: Buffer): Result<unknown, string> {
  // A byte order mark is kept, so that it is refused (RFC 8259 section 8.1 forbids to send one).
  const encoding = isAscii(bytes) ? "latin1" : isUtf8(bytes) ? "utf8" : null;
  if (encoding === null) return err("not UTF-8");
  const { depth, keys, isSubtle } = measure(bytes);
  if (depth > DEFAULTS.jsonDepthMax) return err(`nested deeper than ${DEFAULTS.jsonDepthMax}`);
  if (isSubtle || keys > DEFAULTS.jsonMembersMax) return finish(parserOf(bytes, encoding));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString(encoding));
  } catch {
    return err(bytes.length === 0 ? "empty" : "not JSON");
  }
  return countKeys(value) === keys ? ok(value) : err("a key twice in one object");
}

/** The same for a long body, read a stretch at a time. */
export async function parseJsonInTurns(bytes: Buffer, turns: Turns): Promise<Result<unknown, string>> {
  return turns.run(parseJsonInSteps(bytes));
}

/** The same in steps. */
export function* parseJsonInSteps(bytes: Buffer): Steps<Result<unknown, string>> {
  const encoding = isAscii(bytes) ? "latin1" : isUtf8(bytes) ? "utf8" : null;
  if (encoding === null) return err("not UTF-8");
  const parser = parserOf(bytes, encoding);
  while (!parser.run(LOOK_EVERY_CHARS)) yield;
  return finish(parser);
}

function parserOf(bytes: Buffer, encoding: "latin1" | "utf8"): JsonParser {
  return new JsonParser(bytes.toString(encoding), DEFAULTS.jsonDepthMax);
}

function finish(parser: JsonParser): Result<unknown, string> {
  parser.run(Number.POSITIVE_INFINITY);
  return parser.fault === null ? ok(parser.value) : err(parser.fault.text);
}

/** Numbers up to this length, without an exponent, are what their doubles are. */
const PLAIN_NUMBER_CHARS_MAX = 15;

/** What a glance at the bytes shows; for a text that is no JSON it means nothing, and JSON.parse refuses it. */
interface Measure {
  readonly depth: number;
  /** Keys as written: in JSON each colon outside strings stands behind one. */
  readonly keys: number;
  /** A number that a double may not hold, or an escaped surrogate. */
  readonly isSubtle: boolean;
}

function measure(bytes: Buffer): Measure {
  let depth = 0;
  let open = 0;
  let keys = 0;
  let isSubtle = false;
  const { length } = bytes;
  for (let at = 0; at < length; at++) {
    const code = bytes[at] ?? 0;
    if (code === QUOTE) {
      for (at++; at < length && bytes[at] !== QUOTE; at++) {
        if (bytes[at] !== BACKSLASH) continue;
        at++;
        isSubtle ||= bytes[at] === LOWER_U && isSurrogate(bytes, at);
      }
    } else if (code === COLON) keys++;
    else if (code >= ZERO && code <= NINE) {
      const start = at;
      let next = bytes[at + 1] ?? 0;
      while (next >= PLUS && next <= NINE && next !== 0x2c) next = bytes[++at + 1] ?? 0;
      if (at - start >= PLAIN_NUMBER_CHARS_MAX || next === LOWER_E || next === UPPER_E) isSubtle = true;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++open > depth) depth = open;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open--;
  }
  return { depth, keys, isSubtle };
}

/** `\uD800` to `\uDFFF`, from the `u` on. */
function isSurrogate(bytes: Buffer, at: number): boolean {
  const first = (bytes[at + 1] ?? 0) | 0x20;
  const second = (bytes[at + 2] ?? 0) | 0x20;
  return first === 0x64 && (second >= 0x61 || second === 0x38 || second === 0x39);
}

/** Keys that survived the parse; fewer than were written where one stood twice, however it was escaped. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") keys += countKeys(item);
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
