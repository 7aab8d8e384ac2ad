import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import type { FeedFormat, FeedSink } from "./feed.ts";
import { Lines } from "./lines.ts";

const HASH = 0x23;
/** Rows read between two yields. */
const STEP_ROWS = 256;

/**
 * One column of rows with commas between (RFC 4180, without line ends inside quotes). A row that begins with `#` is a comment, but
 * may have the columns' names, as abuse.ch writes them.
 */
export function* readCsv(bytes: Buffer, { column = 1 }: FeedFormat, sink: FeedSink): Steps<string | null> {
  const lines = new Lines(bytes);
  let at = typeof column === "number" ? column - 1 : -1;
  let isFirst = true;
  while (lines.next() && !sink.isFull) {
    if (lines.line % STEP_ROWS === 0) yield;
    if (lines.length > DEFAULTS.addressLineBytesMax) {
      sink.fault(lines.line, "a row that is too long");
      continue;
    }
    const isComment = lines.first === HASH;
    if (at < 0) at = cellsOf(lines.text.replace(/^#\s*/, "")).indexOf(String(column));
    else if (!isComment) addCell(cellsOf(lines.text)[at], lines.line, isFirst && typeof column === "number", sink);
    if (!isComment) isFirst = false;
    if (at < 0 && !isComment) break;
  }
  return at < 0 ? `has no column '${column}'; expected it in the first row, with commas between columns` : null;
}

/** A first row of names is no fault. */
function addCell(cell: string | undefined, line: number, mayBeName: boolean, sink: FeedSink): void {
  if (mayBeName && cell !== undefined && /^[A-Za-z_][\w ]*$/.test(cell)) return;
  if (cell === undefined) sink.fault(line, "a row without this column");
  else sink.add(cell, line);
}

const CELL = /\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(?:,|$)/y;

function cellsOf(row: string): readonly string[] {
  const cells: string[] = [];
  CELL.lastIndex = 0;
  while (CELL.lastIndex < row.length) {
    const match = CELL.exec(row);
    if (match === null) break;
    cells.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? "").trim());
  }
  return cells;
}
