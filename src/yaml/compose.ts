import {
  Composer,
  type CST,
  type Document,
  isNode,
  isPair,
  type Node,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Steps } from "../support/turns.ts";
import { isCollection, type Piece, piecesOf, standInFor } from "./pieces.ts";

/** One document of YAML 1.2, core schema. */
export interface Composed {
  readonly document: Document.Parsed;
  /** Errors and warnings in the order of the text. After one that breaks the syntax there may be no more. */
  readonly faults: readonly YAMLError[];
  /** Where a second document begins, or null. */
  readonly secondAt: number | null;
}

/** How every text of postern is read as YAML. */
export const COMPOSE_OPTIONS = {
  version: "1.2",
  schema: "core",
  strict: true,
  // The library compares each key with all others of its mapping; who reads the values has a set.
  uniqueKeys: false,
  stringKeys: true,
  merge: false,
  resolveKnownTags: false,
  logLevel: "silent",
} as const;

/** Strange tags leave a tree that can be searched for more problems; broken syntax does not. */
export function breaksSyntax({ code }: YAMLError): boolean {
  return code !== "TAG_RESOLVE_FAILED";
}

/** Characters that are composed in one go, some tenths of a millisecond. */
const PIECE_CHARS = 4_096;

/**
 * Tokens → the first document. The library composes a document in one go, which for a long one takes tens of
 * milliseconds: here long lists and mappings are composed in pieces and put together. Null where it cannot be composed.
 */
export function* composeDocument(
  tokens: readonly CST.Token[],
  length: number,
  pieceChars: number = PIECE_CHARS,
): Steps<Composed | null> {
  const composing = new Composing(pieceChars);
  try {
    return yield* composing.compose(tokens, length);
  } catch {
    return null;
  }
}

class Composing {
  readonly #pieceChars: number;
  readonly #faults: YAMLError[] = [];
  /** What stands in for a collection that is composed by itself, by where it begins. */
  readonly #later = new Map<number, CST.Token>();

  constructor(pieceChars: number) {
    this.#pieceChars = pieceChars;
  }

  *compose(tokens: readonly CST.Token[], length: number): Steps<Composed | null> {
    const composer = new Composer(COMPOSE_OPTIONS);
    const documents: Document.Parsed[] = [];
    let documentsSeen = 0;
    for (const token of tokens) {
      if (token.type === "document" && ++documentsSeen > 2) break;
      documents.push(...composer.next(token.type === "document" ? this.#shortened(token) : token));
      yield;
    }
    documents.push(...composer.end(true, length));
    const [document, second] = documents;
    if (document === undefined) return null;
    if (document.contents !== null)
      yield* this.#fillIn(document.contents, (node) => Object.assign(document, { contents: node }));
    this.#faults.push(...document.errors, ...document.warnings);
    this.#faults.sort((a, b) => a.pos[0] - b.pos[0]);
    return { document, faults: this.#faults, secondAt: second?.range[0] ?? null };
  }

  /** The document with a stand-in for its value where that is long. */
  #shortened(document: CST.Document): CST.Document {
    const { value, start } = document;
    const standIn = value === undefined ? null : standInFor(value, start, "document", this.#pieceChars);
    if (value === undefined || standIn === null) return document;
    this.#later.set(value.offset, value);
    return { ...document, value: standIn };
  }

  /** Composes what `node` stands in for, if it does, and hands it to `put`. */
  *#fillIn(node: Node, put: (node: Node) => void): Steps<void> {
    const start = node.range?.[0] ?? -1;
    const token = this.#later.get(start);
    if (token === undefined || !isCollection(token)) return;
    this.#later.delete(start);
    const whole = yield* this.#collection(token);
    if (whole !== null) put(whole);
  }

  /** Null where nothing of it could be composed. */
  *#collection(token: CST.BlockMap | CST.BlockSequence | CST.FlowCollection): Steps<Node | null> {
    let whole: YAMLMap | YAMLSeq | null = null;
    for (const piece of piecesOf(token, this.#pieceChars)) {
      for (const value of piece.later) this.#later.set(value.offset, value);
      const part = this.#piece(piece);
      yield;
      if (part === null) continue;
      yield* this.#fillItems(part);
      if (whole === null) whole = part;
      else {
        whole.items.push(...(part.items as never[]));
        whole.range = [token.offset, part.range?.[1] ?? 0, part.range?.[2] ?? 0];
      }
      if (this.#faults.some(breaksSyntax)) break;
    }
    return whole;
  }

  #piece({ token }: Piece): YAMLMap | YAMLSeq | null {
    const composer = new Composer(COMPOSE_OPTIONS);
    const document: CST.Document = { type: "document", offset: token.offset, start: [], value: token };
    const [composed] = [...composer.next(document), ...composer.end()];
    if (composed === undefined) return null;
    this.#faults.push(...composed.errors, ...composed.warnings);
    const { contents } = composed;
    return contents !== null && "items" in contents ? contents : null;
  }

  *#fillItems({ items }: YAMLMap | YAMLSeq): Steps<void> {
    if (this.#later.size === 0) return;
    for (const [at, item] of items.entries()) {
      const node = isPair(item) ? item.value : item;
      if (!isNode(node)) continue;
      yield* this.#fillIn(node, (filled) => {
        if (isPair(item)) item.value = filled;
        else items[at] = filled as never;
      });
    }
  }
}
