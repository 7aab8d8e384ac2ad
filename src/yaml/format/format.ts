import { type CST, type Document, parseAllDocuments } from "yaml";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { atOnce } from "../../support/turns.ts";
import { breaksSyntax, COMPOSE_OPTIONS } from "../compose.ts";
import { lineFinder } from "../lines.ts";
import { syntaxText } from "../syntax-text.ts";
import { readTokens } from "../tokens.ts";
import { Pieces, type TextPiece } from "./pieces.ts";
import { print } from "./print.ts";
import { saysTheSame } from "./same.ts";

/** Why a text is left as it is, and where, both from 1. */
export interface FormatFault {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/**
 * One or more documents of YAML, laid out the one way: two blanks a level, one empty line where there were several, no more quotes
 * than needed. Line breaks, comments and the order of all things stay. What comes out is compared with what came in, and is
 * handed out only if it says the same, with the same comments. Line ends become those of the first line.
 */
export function formatYaml(text: string): Result<string, FormatFault> {
  const unix = text.replaceAll("\r\n", "\n");
  const before = read(unix);
  if (!before.ok) return before;
  const formatted = print(before.value.pieces, { text: unix, columnOf: before.value.columnOf });
  const after = read(formatted);
  const isSame =
    after.ok &&
    saysTheSame(before.value.documents, after.value.documents) &&
    commentsOf(before.value.pieces) === commentsOf(after.value.pieces);
  if (!isSame) return err({ text: "cannot be formatted without changing what it says", line: 1, column: 1 });
  return ok(/^[^\n]*\r\n/.test(text) ? formatted.replaceAll("\n", "\r\n") : formatted);
}

interface Read {
  readonly pieces: readonly TextPiece[];
  readonly documents: readonly Document.Parsed[];
  columnOf(offset: number): number;
}

function read(text: string): Result<Read, FormatFault> {
  const at = lineFinder(text);
  const tokens = atOnce(readTokens(text));
  if (typeof tokens === "number")
    return err({ text: `nested deeper than ${DEFAULTS.policyDepthMax} levels`, ...at(tokens) });
  const documents = parseAllDocuments(text, { ...COMPOSE_OPTIONS, prettyErrors: false });
  const list: readonly Document.Parsed[] = Array.isArray(documents) ? documents : [];
  const error = list.flatMap(({ errors }) => errors).find(breaksSyntax);
  if (error !== undefined) return err({ text: syntaxText(error, text), ...at(error.pos[0]) });
  const columnOf = (offset: number): number => at(offset).column - 1;
  return ok({ pieces: piecesOf(tokens, columnOf), documents: list, columnOf });
}

function piecesOf(tokens: readonly CST.Token[], columnOf: (offset: number) => number): readonly TextPiece[] {
  const pieces = new Pieces(columnOf);
  for (const token of tokens) pieces.token(token);
  return pieces.list;
}

/** All comments in their order. */
function commentsOf(pieces: readonly TextPiece[]): string {
  return pieces
    .filter(({ kind }) => kind === "comment")
    .map(({ text }) => text)
    .join("\n");
}
