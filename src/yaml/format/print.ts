import type { Level, TextPiece } from "./pieces.ts";

/** Where in the source something stands. */
export interface Source {
  readonly text: string;
  /** Characters before the offset on its line. */
  columnOf(offset: number): number;
}

/** Pieces → text: each line with its indentation, blanks within it by what stands beside them, one empty line for several. */
export function print(pieces: readonly TextPiece[], source: Source): string {
  const printer = new Printer(pieces, source);
  return printer.print();
}

class Printer {
  readonly #pieces: readonly TextPiece[];
  readonly #source: Source;
  readonly #lines: string[] = [];
  /** The column of the comment behind the line above, as it was and as it is. */
  #columnAbove: { readonly was: number; readonly is: number } | null = null;

  constructor(pieces: readonly TextPiece[], source: Source) {
    this.#pieces = pieces;
    this.#source = source;
  }

  print(): string {
    let from = 0;
    for (const [at, { kind }] of this.#pieces.entries()) {
      if (kind !== "newline") continue;
      this.#line(from, at);
      from = at + 1;
    }
    this.#line(from, this.#pieces.length);
    while (this.#lines.at(-1) === "" && !this.#endsInText()) this.#lines.pop();
    return this.#lines.length === 0 ? "" : `${this.#lines.join("\n")}\n`;
  }

  /** Whether the last line is a block text's own, empty as it may be. */
  #endsInText(): boolean {
    return this.#pieces.at(-1)?.kind === "newline" && this.#pieces.at(-2)?.text === "";
  }

  #line(from: number, to: number): void {
    const first = this.#pieces[from];
    if (first === undefined || from === to) {
      if (this.#lines.length > 0 && this.#lines.at(-1) !== "") this.#lines.push("");
      this.#columnAbove = null;
      return;
    }
    let line = " ".repeat(first.kind === "comment" ? this.#commentIndent(from) : first.indent) + first.text;
    for (let at = from + 1; at < to; at++) {
      const [before, piece] = [this.#pieces[at - 1], this.#pieces[at]];
      if (before === undefined || piece === undefined) continue;
      const blanks = piece.kind === "comment" ? this.#blanksBefore(at, line) : isApart(before, piece) ? 1 : 0;
      line += " ".repeat(blanks) + piece.text;
    }
    this.#lines.push(line);
    this.#noteComment(from, to, line);
  }

  #noteComment(from: number, to: number, line: string): void {
    const last = this.#pieces[to - 1];
    const was = last?.kind === "comment" ? this.#source.columnOf(last.offset) : -1;
    const goesOn = to - from > 1 || was === this.#columnAbove?.was;
    const is = line.length - (line.lastIndexOf("\n") + 1) - (last?.text.length ?? 0);
    this.#columnAbove = was >= 0 && goesOn ? { was, is } : null;
  }

  /**
   * Blanks between a line and the comment behind it: as many as leave it in its column, where there is room, so that those of several
   * lines stay below each other; one where it stands close and by itself.
   */
  #blanksBefore(at: number, line: string): number {
    const { text, columnOf } = this.#source;
    const offset = this.#pieces[at]?.offset ?? 0;
    const column = columnOf(offset);
    const before = /[ \t]*$/.exec(text.slice(offset - column, offset))?.[0] ?? "";
    const isClose = before === " " && !this.#hasNeighbour(at, -1, column) && !this.#hasNeighbour(at, 1, column);
    const used = line.length - (line.lastIndexOf("\n") + 1);
    return isClose || before.includes("\t") ? 1 : Math.max(1, column - used);
  }

  /** Whether the line above or below has its comment in this column. */
  #hasNeighbour(at: number, step: number, column: number): boolean {
    let neighbour = at + step;
    for (let lines = 0; ; neighbour += step) {
      const piece = this.#pieces[neighbour];
      if (piece === undefined) return false;
      if (piece.kind === "newline" && ++lines === 2) return false;
      if (piece.kind === "comment") return this.#source.columnOf(piece.offset) === column;
    }
  }

  /**
   * A comment on a line of its own goes on with the one behind the line above if it stands below it. It speaks of the next line if it
   * begins where that does, or between that and the key it is below; else it belongs to the innermost list or mapping around it that does not begin further to the right.
   */
  #commentIndent(at: number): number {
    const comment = this.#pieces[at];
    if (comment === undefined) return 0;
    if (comment.level === "inFlow") return comment.indent;
    const column = this.#source.columnOf(comment.offset);
    if (column === this.#columnAbove?.was) return this.#columnAbove.is;
    const [before, next] = [this.#contentFrom(at, -1), this.#contentFrom(at, 1)];
    const [inner, outer] = levelsOf(next);
    const isBetween = inner !== undefined && column < inner.was && column > (outer?.was ?? 0);
    if (next !== undefined && (isBetween || this.#source.columnOf(next.offset) === column)) return next.indent;
    const around = [...levelsOf(before), ...levelsOf(next)].filter(({ was }) => was <= column);
    return Math.max(0, ...around.map(({ is }) => is));
  }

  /** The nearest piece in that direction that is no comment. */
  #contentFrom(at: number, step: 1 | -1): TextPiece | undefined {
    for (let near = at; ; near += step) {
      const piece = this.#pieces[near];
      if (piece?.kind !== "comment" && piece?.kind !== "newline") return piece;
    }
  }
}

function levelsOf(piece: TextPiece | undefined): readonly Level[] {
  const levels: Level[] = [];
  if (piece === undefined || piece.level === "inFlow") return levels;
  for (let level = piece.level; level !== null; level = level.parent) levels.push(level);
  return levels;
}

function isApart(before: TextPiece, piece: TextPiece): boolean {
  if (before.kind === "bracketOpen" || piece.kind === "bracketClose" || piece.kind === "comma") return false;
  if (before.kind === "braceOpen") return piece.kind !== "braceClose";
  // Behind an alias a colon would be a part of its name.
  if (piece.kind === "colon")
    return !["text", "braceClose", "bracketClose"].includes(before.kind) || isProperty(before);
  return true;
}

/** An anchor or a tag. */
function isProperty({ text }: TextPiece): boolean {
  return text.startsWith("&") || text.startsWith("!");
}
