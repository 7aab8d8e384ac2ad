import { err, ok, type Result } from "../support/result.ts";

/** What a request asks for, in the one form that is matched, logged and forwarded. */
export interface Target {
  /** Canonical absolute path; starts with `/`, holds only unreserved, sub-delims, `:`, `@` and upper-case escapes. */
  readonly path: string;
  /** Empty, or the query with its leading `?`; as received but for `\ " < >` and a `%` that begins no escape. */
  readonly query: string;
}

/** Of a request whose own has no single reading. */
export const NO_TARGET: Target = { path: "", query: "" };

/** Why a target is refused: what was seen, for the log. */
export interface TargetFault {
  readonly seen: string;
  readonly wanted: string;
}

/**
 * Targets that are canonical as they come, which is nearly all of them. A segment that begins with a dot may be a dot
 * segment, and an escape in the path may need rewriting; both go the long way.
 */
const PLAIN =
  /^(?=\/)(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)*\/?(?:\?(?:[\w.~!$&'()*+,=:@;/?[\]{}|^`-]|%[\dA-Fa-f]{2})*)?$/;

/** RFC 3986 section 3.3 without `;`. */
const IN_PATH = characterTable(/[\w.~!$&'()*+,=:@-]/);
/** RFC 3986 section 2.3: an escape of these is the same path to everybody (section 6.2.2.2). */
const UNRESERVED = characterTable(/[\w.~-]/);
/** What URL code after WHATWG leaves raw in a path, now or some years ago, though RFC 3986 has no place for it. */
const RAW_IN_PATH = characterTable(/[|[\]^`{}]/);
/** RFC 3986 section 3.4 and what browsers leave raw. */
const IN_QUERY = characterTable(/[\w.~!$&'()*+,=:@;/?[\]{}|^`-]/);
/** What people type there (`curl 'http://…?query=up{job="a"}'`) or URL code leaves raw, and RFC 3986 has no place for. */
const RAW_IN_QUERY = characterTable(/[\\"<>]/);

const PERCENT = 0x25;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/**
 * Raw origin-form request target (RFC 9112 section 3.2.1) → canonical target, or why it has no single reading.
 *
 * In the path, escapes of unreserved characters are decoded (RFC 3986 section 6.2.2.2): `/%41` is `/A`. Those of others
 * stay, with upper-case digits: `/a%2Bb` and `/a+b` are two paths (section 2.2), though many services take them for one,
 * which the matcher looks into (matching/reading.ts). `[ ] { } | ^` and the backtick, which URL code leaves raw, are
 * escaped. Dot segments are resolved, escaped ones too. An escape is read once: `%252F` is the text `%2F`. Refused is what
 * servers are known to read in different ways: dot segments that climb above the root, escaped slashes, backslashes and
 * control characters, `;` parameters, empty segments except one at the end, escapes that are cut or not UTF-8, and every
 * other character that RFC 3986 does not allow there. The query holds the characters of RFC 3986 section 3.4, well-formed
 * escapes, and what browsers send raw as above; `\ " < >` and a `%` that begins no escape, which clients send too, are
 * escaped.
 *
 * Idempotent: a canonical target is its own canonical form.
 */
export function canonicalTarget(raw: string): Result<Target, TargetFault> {
  const queryAt = raw.indexOf("?");
  const rawPath = queryAt < 0 ? raw : raw.slice(0, queryAt);
  const query = queryAt < 0 ? "" : raw.slice(queryAt);
  if (PLAIN.test(raw)) return ok({ path: rawPath, query });
  const path = canonicalPath(rawPath);
  if (!path.ok) return path;
  const canonical = canonicalQuery(query, queryAt);
  return canonical.ok ? ok({ path: path.value, query: canonical.value }) : canonical;
}

/** Text of one segment of a canonical path, as a parameter's value: all escapes decoded. */
export function decodeSegment(canonicalSegment: string): string {
  return canonicalSegment.includes("%") ? decodeURIComponent(canonicalSegment) : canonicalSegment;
}

function canonicalPath(raw: string): Result<string, TargetFault> {
  if (!raw.startsWith("/")) return err({ seen: "a target that does not start with /", wanted: "an absolute path" });
  const segments = raw.slice(1).split("/");
  const kept: string[] = [];
  let offset = 1;
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === "" && !isLast)
      return err({ seen: `// at offset ${offset - 1}`, wanted: "a path without empty segments" });
    const canonical = canonicalSegment(segment, offset);
    if (!canonical.ok) return canonical;
    offset += segment.length + 1;
    if (canonical.value === "..") {
      if (kept.pop() === undefined) return err({ seen: "a .. above the root", wanted: "a path that stays below /" });
    } else if (canonical.value !== ".") {
      kept.push(canonical.value);
      continue;
    }
    // RFC 3986 section 5.2.4: a dot segment at the end leaves its slash.
    if (isLast) kept.push("");
  }
  return ok(`/${kept.join("/")}`);
}

export function canonicalSegment(raw: string, offset: number): Result<string, TargetFault> {
  let text = "";
  for (let at = 0; at < raw.length; ) {
    const code = raw.charCodeAt(at);
    if (code !== PERCENT) {
      if (IN_PATH[code] === 1) text += raw.charAt(at);
      else if (RAW_IN_PATH[code] === 1) text += escapeOf(code);
      else return err(characterFault(code, offset + at, "path"));
      at++;
      continue;
    }
    const first = escapedByte(raw, at);
    if (UNRESERVED[first] === 1) {
      text += String.fromCharCode(first);
      at += 3;
      continue;
    }
    const escapes = raw.slice(at, at + 3 * utf8Length(first));
    if (!isAllowedCharacter(escapes, first)) return err(escapeFault(raw, at, offset));
    text += escapes.toUpperCase();
    at += escapes.length;
  }
  return ok(text);
}

/** Whether these escapes, whose first byte is `first`, are one character that a path may hold. */
function isAllowedCharacter(escapes: string, first: number): boolean {
  if (first < 0x20 || first === SLASH || first === BACKSLASH || first === 0x7f) return false;
  if (first < 0x80) return true;
  for (let at = 0; at < escapes.length; at += 3) if (escapedByte(escapes, at) < 0x80) return false;
  // U+0080 to U+009F are control characters too.
  if (first === 0xc2 && escapedByte(escapes, 3) < 0xa0) return false;
  try {
    // Refuses bad continuation bytes, overlong forms, surrogates and what lies above U+10FFFF.
    decodeURIComponent(escapes);
    return true;
  } catch {
    return false;
  }
}

/** The byte that the escape at `at` stands for, or -1 where there is none. */
function escapedByte(raw: string, at: number): number {
  const high = hexDigit(raw.charCodeAt(at + 1));
  const low = hexDigit(raw.charCodeAt(at + 2));
  return raw.charCodeAt(at) === PERCENT && high >= 0 && low >= 0 ? high * 16 + low : -1;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Bytes of a UTF-8 sequence by its first byte; 1 also for bytes that begin none. */
function utf8Length(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

export function canonicalQuery(raw: string, offset: number): Result<string, TargetFault> {
  let text = "";
  let kept = 0;
  for (let at = 1; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    const isRaw = RAW_IN_QUERY[code] === 1 || (code === PERCENT && escapedByte(raw, at) < 0);
    if (isRaw) {
      text += raw.slice(kept, at) + escapeOf(code);
      kept = at + 1;
    } else if (code !== PERCENT && IN_QUERY[code] !== 1) {
      return err(characterFault(code, offset + at, "query"));
    }
  }
  return ok(text + raw.slice(kept));
}

function escapeOf(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
}

function escapeFault(raw: string, at: number, offset: number): TargetFault {
  const place = `at offset ${offset + at}`;
  const byte = escapedByte(raw, at);
  if (byte < 0) return { seen: `an invalid escape ${place}`, wanted: "% and two hexadecimal digits" };
  const seen = `${raw.slice(at, at + 3).toUpperCase()} ${place}`;
  if (byte === SLASH || byte === BACKSLASH) return { seen, wanted: "a path without escaped slashes and backslashes" };
  if (byte < 0x80) return { seen, wanted: "a path without escaped control characters" };
  return { seen: `${seen} and not printable UTF-8`, wanted: "escapes of printable, well-formed UTF-8" };
}

/** Names what is not printable by its code, so that no control character gets into a log line. */
function characterFault(code: number, at: number, part: "path" | "query"): TargetFault {
  const isPrintable = code > 0x20 && code < 0x7f;
  const seen = isPrintable ? `'${String.fromCharCode(code)}'` : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const wanted =
    code === 0x3b && part === "path" ? "a path without ; parameters" : `characters that RFC 3986 allows in a ${part}`;
  return { seen: `${seen} at offset ${at}`, wanted };
}

/** 1 at the code of every ASCII character that matches. */
function characterTable(pattern: RegExp): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}
