import { type Cursor, GREATER, LINE_FEED, SPACE, TAB } from "./cursor.ts";

const HEADER = /[|>](?:([1-9])?([+-]?)|([+-])([1-9]))(?: +(?:#[^\n]*)?)?\n/y;

/** `|` or `>` and the lines below it that are indented more than `indent`. Goes to the start of the line behind them. */
export function blockText(cursor: Cursor, indent: number): string {
  const { text } = cursor;
  const isFolded = cursor.code === GREATER;
  HEADER.lastIndex = cursor.at;
  const header = HEADER.exec(text);
  if (header === null) {
    cursor.fail();
    return "";
  }
  cursor.at = HEADER.lastIndex;
  const digit = Number(header[1] ?? header[4] ?? 0);
  const chomp = header[2] || header[3];
  const lines = linesOf(cursor, indent, digit === 0 ? 0 : Math.max(indent, 0) + digit);
  let count = lines.length;
  while (count > 0 && lines[count - 1] === "") count--;
  const keep = chomp === "+";
  if (count === 0) {
    // What is left of empty lines alone nobody writes.
    if (keep || lines.length > 0) cursor.fail();
    return "";
  }
  const value = isFolded ? folded(lines, count) : lines.slice(0, count).join("\n");
  if (chomp === "-") return value;
  return keep ? `${value + "\n".repeat(lines.length - count)}\n` : `${value}\n`;
}

/** Without their indentation, which the first of them says, or the header: `inner`, 0 where it does not. */
function linesOf(cursor: Cursor, indent: number, innerSaid: number): string[] {
  const { text } = cursor;
  const lines: string[] = [];
  let inner = innerSaid;
  let widest = 0;
  for (;;) {
    const start = cursor.at;
    let at = start;
    while (text.charCodeAt(at) === SPACE) at++;
    const code = text.charCodeAt(at);
    const column = at - start;
    const isEmpty = code === LINE_FEED;
    if (Number.isNaN(code)) {
      if (column > 0) cursor.fail();
      return lines;
    }
    if (!isEmpty && column <= indent) return lines;
    // An empty line of more spaces has some of them as its text.
    if (isEmpty) widest = Math.max(widest, column);
    else if (inner === 0) inner = column;
    const end = isEmpty ? at : text.indexOf("\n", at);
    if (end < 0 || code === TAB || (!isEmpty && column < inner) || (inner > 0 && widest > inner)) {
      cursor.fail();
      return lines;
    }
    lines.push(isEmpty ? "" : text.slice(start + inner, end));
    cursor.at = end + 1;
  }
}

/** The first `count` lines as one text (YAML 1.2 section 8.1.3): single breaks are spaces, except around lines that are indented more. */
function folded(lines: readonly string[], count: number): string {
  const from = lines.findIndex((line) => line !== "");
  let value = "\n".repeat(from);
  let gap = "";
  let wasIndented = false;
  for (const line of lines.slice(from, count)) {
    if (line.charCodeAt(0) === SPACE) {
      if (gap === " ") gap = "\n";
      else if (!wasIndented && gap === "\n") gap = "\n\n";
      value += gap + line;
      gap = "\n";
      wasIndented = true;
    } else if (line === "") {
      if (gap === "\n") value += "\n";
      else gap = "\n";
    } else {
      value += gap + line;
      gap = " ";
      wasIndented = false;
    }
  }
  return value;
}
