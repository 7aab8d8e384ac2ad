import type { CST } from "yaml";
import { reindentBlock, reindentLines, requote } from "./scalars.ts";

/** What decides about the blanks before and behind a piece. */
type PieceKind =
  | "newline"
  | "comment"
  | "indicator"
  | "alias"
  | "text"
  | "colon"
  | "comma"
  | "braceOpen"
  | "braceClose"
  | "bracketOpen"
  | "bracketClose";

/** A list or mapping, or a value below its key, and how many blanks its lines begin with: as it was, and as it will be. */
export interface Level {
  readonly parent: Level | null;
  readonly was: number;
  readonly is: number;
}

/** A token that is written out. */
export interface TextPiece {
  readonly kind: PieceKind;
  readonly text: string;
  /** Where it begins in its source. */
  readonly offset: number;
  /** Blanks before it where it begins a line. */
  readonly indent: number;
  /** Null outside of all lists and mappings. Within braces or brackets comments stand with the rest. */
  readonly level: Level | "inFlow" | null;
}

const NEWLINE: Pick<TextPiece, "kind" | "text"> = { kind: "newline", text: "\n" };
const STEP = 2;

const KINDS: Readonly<Record<string, PieceKind>> = {
  newline: "newline",
  comment: "comment",
  alias: "alias",
  "map-value-ind": "colon",
  comma: "comma",
  "flow-map-start": "braceOpen",
  "flow-map-end": "braceClose",
  "flow-seq-start": "bracketOpen",
  "flow-seq-end": "bracketClose",
  "seq-item-ind": "indicator",
  "explicit-key-ind": "indicator",
};

/** Where a value stands. `base`: blanks before what has it; `home`: before a bracket that closes it. */
interface Room {
  readonly base: number;
  readonly home: number;
  readonly was: number;
  readonly level: Level | null;
}

/**
 * Tokens of a text → its pieces in their order, without blanks, each with the blanks that its line will begin with. Line breaks
 * stay where they are: a list in one line stays in one, and one over several keeps its lines.
 */
export class Pieces {
  readonly list: TextPiece[] = [];
  readonly #columnOf: (offset: number) => number;
  #isLineStart = true;

  constructor(columnOf: (offset: number) => number) {
    this.#columnOf = columnOf;
  }

  token(token: CST.Token): void {
    const room: Room = { base: -STEP, home: 0, was: 0, level: null };
    if (token.type === "document") {
      this.#sources(token.start, 0, room.level);
      if (token.value !== undefined) this.#value(token.value, room);
      this.#sources(token.end, 0, null);
    } else if (token.type === "doc-end") {
      this.#put(token, 0, null);
      this.#sources(token.end, 0, null);
    } else if (token.type !== "space") this.#put(token, 0, null);
  }

  #put(token: { type: string; source?: string; offset?: number }, indent: number, level: TextPiece["level"]): void {
    const kind = KINDS[token.type] ?? "text";
    const text = kind === "comment" ? (token.source ?? "").trimEnd() : (token.source ?? "");
    this.#add({ kind, text, offset: token.offset ?? 0, indent, level });
  }

  #add(piece: TextPiece): void {
    this.#isLineStart = piece.kind === "newline";
    this.list.push(piece);
  }

  #sources(tokens: readonly CST.SourceToken[] | undefined, indent: number, level: TextPiece["level"]): void {
    for (const token of tokens ?? []) if (token.type !== "space") this.#put(token, indent, level);
  }

  /** A value below its key, on a line of its own, is a level for the comments around it. */
  #levelHere(room: Room, offset: number): Level | null {
    if (!this.#isLineStart) return room.level;
    return { parent: room.level, was: this.#columnOf(offset), is: room.base + STEP };
  }

  #value(token: CST.Token, room: Room): void {
    const level = this.#levelHere(room, "offset" in token ? token.offset : 0);
    const indent = room.base + STEP;
    if (token.type === "block-map") this.#map(token, { parent: room.level, was: token.indent, is: indent });
    else if (token.type === "block-seq") this.#list(token, { parent: room.level, was: token.indent, is: indent });
    else if (token.type === "block-scalar") this.#block(token, room);
    else if (token.type === "flow-collection") this.#flow(token, this.#isLineStart ? indent : room.home, indent, level);
    else if (isFlowScalar(token)) this.#scalar(token, indent, level);
  }

  #scalar(token: CST.FlowScalar, indent: number, level: TextPiece["level"]): void {
    const isQuoted = token.type === "single-quoted-scalar" || token.type === "double-quoted-scalar";
    const text = reindentLines(isQuoted ? requote(token.source, level === "inFlow") : token.source, indent);
    const kind = token.type === "alias" ? "alias" : "text";
    this.#add({ kind, text, offset: token.offset, indent, level });
    this.#sources(token.end, indent, level);
  }

  #block(token: CST.BlockScalar, room: Room): void {
    let header = "";
    for (const prop of token.props) {
      if (prop.type === "block-scalar-header") header = prop.source;
      if (prop.type !== "space" && prop.type !== "newline") this.#put(prop, room.base + STEP, room.level);
    }
    const { text, emptyBehind } = reindentBlock(token.source, header, { was: room.was, is: room.base });
    const { offset } = token;
    const add = (piece: Pick<TextPiece, "kind" | "text">) =>
      this.#add({ ...piece, offset, indent: 0, level: room.level });
    add(NEWLINE);
    if (token.source === "") return;
    add({ kind: "text", text });
    for (let left = emptyBehind; left >= 0; left--) add(NEWLINE);
  }

  #map(map: CST.BlockMap, level: Level): void {
    for (const item of map.items) {
      this.#sources(item.start, level.is, level);
      const explicit = { base: level.is, home: level.is + STEP, was: level.was, level };
      if (item.key != null) {
        if (item.explicitKey === true) this.#value(item.key, explicit);
        else this.#key(item.key, level);
      }
      let isBehindColon = false;
      for (const token of item.sep ?? []) {
        if (token.type !== "space") this.#put(token, isBehindColon ? level.is + STEP : level.is, level);
        isBehindColon ||= token.type === "map-value-ind";
      }
      if (item.value !== undefined) this.#value(item.value, { base: level.is, home: level.is, was: level.was, level });
    }
  }

  #key(key: CST.Token, level: Level): void {
    if (key.type === "flow-collection") this.#flow(key, level.is, level.is, level);
    else if (isFlowScalar(key)) this.#scalar(key, level.is, level);
  }

  #list(list: CST.BlockSequence, level: Level): void {
    for (const item of list.items) {
      let isBehindDash = false;
      for (const token of item.start) {
        if (token.type !== "space") this.#put(token, isBehindDash ? level.is + STEP : level.is, level);
        isBehindDash ||= token.type === "seq-item-ind";
      }
      if (item.value !== undefined)
        this.#value(item.value, { base: level.is, home: level.is + STEP, was: level.was, level });
    }
  }

  /** `home`: blanks before a line that begins with the closing bracket. */
  #flow(flow: CST.FlowCollection, home: number, indent: number, level: TextPiece["level"]): void {
    this.#put(flow.start, indent, level);
    const inner = home + STEP;
    for (const item of flow.items) {
      this.#sources(item.start, inner, "inFlow");
      if (item.key != null) this.#flowValue(item.key, inner);
      this.#sources(item.sep, inner, "inFlow");
      if (item.value !== undefined) this.#flowValue(item.value, inner);
    }
    this.#sources(flow.end, home, level);
  }

  #flowValue(token: CST.Token, indent: number): void {
    if (token.type === "flow-collection") this.#flow(token, indent, indent, "inFlow");
    else if (isFlowScalar(token)) this.#scalar(token, indent, "inFlow");
  }
}

function isFlowScalar(token: CST.Token): token is CST.FlowScalar {
  return token.type === "alias" || token.type === "scalar" || token.type.endsWith("-quoted-scalar");
}
