import { err, type Result } from "../support/result.ts";
import { withoutMark } from "../support/text.ts";
import type { Steps } from "../support/turns.ts";
import { readCsv } from "./csv.ts";
import { type Feed, type FeedFormat, FeedSink } from "./feed.ts";
import { isJsonLines, readDocument, readJsonLines } from "./json-feed.ts";
import { Lines } from "./lines.ts";

const HASH = 0x23;
const SEMICOLON = 0x3b;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
/** Lines read between two yields. */
const STEP_LINES = 512;
/** A longer line is none of addresses. */
const LINE_BYTES_MAX = 1024;

/** Bytes of a file → the addresses in it, or why it is no list of any, as what follows the file's name. */
export function* readFeed(bytes: Buffer, format: FeedFormat): Steps<Result<Feed, string>> {
  const plain = withoutMark(bytes);
  if (!plain.ok) return err(`is ${plain.error}`);
  const sink = new FeedSink(format.cutsHostBits);
  const fault = yield* read(plain.value, format, sink);
  return fault === null ? yield* sink.finish() : err(fault);
}

function* read(bytes: Buffer, format: FeedFormat, sink: FeedSink): Steps<string | null> {
  switch (format.format ?? formatOf(bytes, format)) {
    case "csv":
      return yield* readCsv(bytes, format, sink);
    case "json-lines":
      return yield* readJsonLines(bytes, format, sink);
    case "json":
      return yield* readDocument(bytes, format, sink);
    default:
      return yield* readLines(bytes, sink);
  }
}

function formatOf(bytes: Buffer, format: FeedFormat): NonNullable<FeedFormat["format"]> {
  const lines = new Lines(bytes);
  if (lines.next() && (lines.first === OPEN_BRACE || lines.first === OPEN_BRACKET)) {
    return isJsonLines(bytes, format) ? "json-lines" : "json";
  }
  return format.column === undefined ? "lines" : "csv";
}

/** An address, a prefix or a range a line; `#` or `;` begins a comment, as Spamhaus has it. */
function* readLines(bytes: Buffer, sink: FeedSink): Steps<null> {
  const lines = new Lines(bytes);
  let count = 0;
  while (lines.next() && !sink.isFull) {
    if (++count % STEP_LINES === 0) yield;
    const { from } = lines;
    let { to } = lines;
    // Beyond this nothing is looked for, so that a file of one line holds nobody up.
    const end = Math.min(to, from + LINE_BYTES_MAX);
    let at = from;
    while (at < end && bytes[at] !== HASH && bytes[at] !== SEMICOLON) at++;
    if (at < end) {
      to = at;
      while (to > from && (bytes[to - 1] as number) <= 0x20) to--;
    }
    if (from === to) continue;
    if (to - from > LINE_BYTES_MAX) sink.fault(lines.line, "a line that is too long");
    else if (!sink.addBytes(bytes, from, to, lines.line)) sink.add(bytes.toString("latin1", from, to), lines.line);
  }
  return null;
}
