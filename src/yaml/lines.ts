import { LineCounter } from "yaml";

/** Offset → line and column, both from 1; columns count UTF-16 units, as editors do. Lines are looked for when one is asked for. */
export function lineFinder(text: string): (offset: number) => { line: number; column: number } {
  let lines: LineCounter | null = null;
  return (offset) => {
    lines ??= linesOf(text);
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line, column: col };
  };
}

function linesOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}
