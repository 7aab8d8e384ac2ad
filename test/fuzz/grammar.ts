import type { Random } from "./random.ts";
import * as words from "./vocabulary.ts";

/** A response and the method of the request that it answers. */
export interface ResponseCase {
  readonly method: string;
  readonly bytes: string;
  /** Whether the service closes behind it. */
  readonly ends: boolean;
}

const CRLF = "\r\n";
/** Nearly always the one right line end. */
const lineEnd = (random: Random): string => random.mostly(CRLF, words.RARE_LINE_ENDS, 0.004);

/** One to four requests behind each other. */
export function requests(random: Random): string {
  let bytes = "";
  for (let left = 1 + random.below(4); left > 0; left--) bytes += request(random);
  return random.chance(0.3) ? mutate(random, bytes) : bytes;
}

function request(random: Random): string {
  const method = random.mostly(random.pick(words.METHODS), words.RARE_METHODS, 0.02);
  const target = random.mostly(random.pick(words.TARGETS), words.RARE_TARGETS, 0.025);
  const version = random.mostly("HTTP/1.1", words.RARE_VERSIONS, 0.02);
  const lines = headerLines(random);
  const hosts = random.mostly(1, [0, 2], 0.01);
  for (let at = 0; at < hosts; at++) {
    lines.push(`Host: ${random.mostly(random.pick(words.HOSTS), words.RARE_HOSTS, 0.02)}`);
  }
  if (random.chance(0.03)) lines.push(`Expect: ${random.pick(words.EXPECTS)}`);
  if (random.chance(0.02)) lines.push(`Upgrade: ${random.pick(["websocket", "h2c", ""])}`);
  const wantsBody = method === "POST" || method === "PUT" || method === "PATCH" || random.chance(0.03);
  const body = wantsBody ? framedBody(random, lines) : "";
  return `${method} ${target} ${version}${head(random, lines)}${body}`;
}

function headerLines(random: Random): string[] {
  const lines: string[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const name = random.mostly(random.pick(words.NAMES), words.RARE_NAMES, 0.02);
    const value = random.mostly(random.pick(words.VALUES), words.RARE_VALUES, 0.02);
    lines.push(`${name}${random.mostly(": ", [":", ":\t", " : ", ":  "], 0.05)}${value}`);
  }
  if (random.chance(0.07)) {
    lines.push(`${random.mostly("Connection", ["Proxy-Connection"], 0.2)}: ${random.pick(words.CONNECTIONS)}`);
  }
  return lines;
}

/** Line end of the start line, the header lines in any order, the empty line. */
function head(random: Random, lines: string[]): string {
  for (let at = lines.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    const line = lines[at] ?? "";
    lines[at] = lines[other] ?? "";
    lines[other] = line;
  }
  return lineEnd(random) + lines.map((line) => line + lineEnd(random)).join("") + lineEnd(random);
}

/** Adds the lines that announce a body and gives its bytes. */
function framedBody(random: Random, lines: string[]): string {
  const body = random.chance(0.2) ? "" : random.pick(words.BODIES);
  const kind = random.next();
  if (kind < 0.42) {
    const usual = String(body.length);
    lines.push(`Content-Length: ${random.chance(0.05) ? wrong(random, words.LENGTHS, usual) : usual}`);
    if (random.chance(0.02)) lines.push(`Content-Length: ${random.pick([usual, "0", "1"])}`);
    return random.mostly(body, [body.slice(1), `${body}x`, ""], 0.03);
  }
  if (kind < 0.97) {
    const value = random.mostly("chunked", words.ENCODINGS, 0.06);
    lines.push(`${random.mostly("Transfer-Encoding", words.ENCODING_NAMES, 0.03)}: ${value}`);
    if (random.chance(0.02)) lines.push(`Transfer-Encoding: ${random.pick(words.ENCODINGS)}`);
    return chunked(random, body);
  }
  lines.push(`Content-Length: ${body.length}`, `Transfer-Encoding: ${random.pick(words.ENCODINGS)}`);
  return random.chance(0.5) ? body : chunked(random, body);
}

function chunked(random: Random, body: string): string {
  let bytes = "";
  for (let at = 0; at < body.length; ) {
    const length = Math.min(body.length - at, 1 + random.below(40));
    bytes += chunkHead(random, length) + body.slice(at, at + length) + lineEnd(random);
    at += length;
  }
  bytes += chunkHead(random, 0);
  while (random.chance(0.08)) bytes += random.pick(words.TRAILERS);
  return bytes + lineEnd(random);
}

function chunkHead(random: Random, length: number): string {
  const usual = random.mostly(length.toString(16), [length.toString(16).toUpperCase()], 0.3);
  const size = random.chance(0.02) ? wrong(random, words.CHUNK_SIZES, usual) : usual;
  return size + (random.chance(0.06) ? random.pick(words.CHUNK_EXTENSIONS) : "") + lineEnd(random);
}

const wrong = (random: Random, patterns: readonly [string, ...string[]], usual: string): string =>
  random.pick(patterns).replaceAll("#", usual);

/** An answer, now and then with informational ones before it or bytes behind it. */
export function response(random: Random): ResponseCase {
  let bytes = "";
  while (random.chance(0.05)) {
    bytes += `${random.pick(["HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints", "HTTP/1.1 102 x"])}${head(random, headerLines(random))}`;
  }
  const lines = headerLines(random);
  const statusLine = random.mostly(random.pick(words.STATUS_LINES), words.RARE_STATUS_LINES, 0.05);
  let body = "";
  if (random.chance(0.8)) body = framedBody(random, lines);
  else if (random.chance(0.7)) body = random.pick(words.BODIES);
  const method = random.pick(["GET", "GET", "GET", "POST", "HEAD"]);
  // What is announced to these is not sent, as it is right most of the time.
  const bodyless = method === "HEAD" || / (?:204|304|1\d\d)/.test(statusLine);
  if (bodyless && random.chance(0.9)) body = "";
  bytes += statusLine + head(random, lines) + body;
  if (random.chance(0.03)) bytes += random.pick(["\r\n", "x", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]);
  return { method, bytes: random.chance(0.3) ? mutate(random, bytes) : bytes, ends: random.chance(0.5) };
}

/** One to three small harms. */
function mutate(random: Random, bytes: string): string {
  let text = bytes;
  for (let left = 1 + random.below(3); left > 0; left--) text = harm(random, text);
  return text;
}

function harm(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.below(random.chance(0.8) ? 3 : 40));
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + random.pick(words.PIECES) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.pick(words.PIECES) + text.slice(end);
    case 3:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 4:
      return text.slice(0, end) + text.slice(at, end) + text.slice(end);
    case 5:
      return shuffleLines(random, text);
    default: {
      // Around a line's end, where most of a parser's decisions fall.
      const ends = text.split("\r\n");
      const line = random.below(ends.length);
      ends[line] = random.chance(0.5) ? ends[line] + random.pick(words.PIECES) : random.pick(words.PIECES) + ends[line];
      return ends.join("\r\n");
    }
  }
}

/** A line moved, doubled or gone. */
function shuffleLines(random: Random, text: string): string {
  const lines = text.split("\r\n");
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  if (random.chance(0.6)) lines.splice(at, 1);
  if (random.chance(0.6)) lines.splice(random.below(lines.length + 1), 0, line);
  return lines.join("\r\n");
}
