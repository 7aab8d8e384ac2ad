import type { Paint } from "../support/paint.ts";

/** A line of a difference: of both texts, of the first alone, of the second alone. */
type Mark = " " | "-" | "+";

const COLOURS = { "-": "red", "+": "green" } as const;

const CONTEXT_LINES = 3;

/**
 * How a text differs from its laid out form, in the unified format. Layout only changes lines and takes empty ones away, so the
 * two are compared line by line.
 */
export function layoutDiff(file: string, before: string, after: string, paint: Paint): string {
  const rows = rowsOf(linesOf(before), linesOf(after));
  const near = rows.map((_, at) =>
    rows.slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1).some(({ mark }) => mark !== " "),
  );
  let told = `--- ${file}\n+++ ${file}\n`;
  let [old, now] = [1, 1];
  for (let at = 0; at < rows.length; ) {
    let end = at;
    while (end < rows.length && near[end] === near[at]) end++;
    const hunk = rows.slice(at, end);
    const [olds, nows] = [
      hunk.filter(({ mark }) => mark !== "+").length,
      hunk.filter(({ mark }) => mark !== "-").length,
    ];
    if (near[at] === true) {
      told += `@@ -${old - (olds === 0 ? 1 : 0)},${olds} +${now - (nows === 0 ? 1 : 0)},${nows} @@\n`;
      told += hunk
        .map(({ mark, line }) => (mark === " " ? ` ${line}` : paint(COLOURS[mark], `${mark}${line}`)))
        .join("");
    }
    [old, now, at] = [old + olds, now + nows, end];
  }
  return told;
}

interface Row {
  readonly mark: Mark;
  readonly line: string;
}

function rowsOf(before: readonly string[], after: readonly string[]): readonly Row[] {
  const rows: Row[] = [];
  let [gone, come]: [Row[], Row[]] = [[], []];
  let at = 0;
  const flush = (): void => {
    rows.push(...gone, ...come);
    [gone, come] = [[], []];
  };
  for (const line of before) {
    const now = after[at];
    if (line === now) {
      flush();
      rows.push({ mark: " ", line });
      at++;
      continue;
    }
    gone.push({ mark: "-", line });
    if (now === undefined || (line.trim() === "" && now.trim() !== "")) continue;
    come.push({ mark: "+", line: now });
    at++;
  }
  flush();
  return rows;
}

/** Each with its line end; a last line without one says so, as the format has it. */
function linesOf(text: string): readonly string[] {
  const lines = text.split(/(?<=\n)/);
  return lines.map((line) => (line.endsWith("\n") || line === "" ? line : `${line}\n\\ No newline at end of file\n`));
}
