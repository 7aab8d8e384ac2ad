import type { CharSet } from "./char-set.ts";
import { type BesideLook, isBeside, type Node } from "./tree.ts";
import { LINE_ENDS } from "./unicode-sets.ts";

/** What an instruction does. All but MATCH go on at `next`; SPLIT also at `argument`. */
export const OP = {
  /** Takes one character of set `argument`. */
  set: 0,
  split: 1,
  /** Only at an end of the text: `argument` 0 the first, 1 the last. */
  textEdge: 2,
  /** Only at the text's edge or beside a line end: `argument` 0 before the place, 1 behind it. */
  lineEdge: 3,
  /** Only where a word of watched set `argument >> 1` begins or ends; anywhere else with the lowest bit set. */
  wordEdge: 4,
  /** Only beside a character of watched set `argument >> 2`: before the place, behind it with bit 1; beside none with bit 0. */
  beside: 5,
  /** Only where condition `argument >> 1` holds; where it does not with the lowest bit set. */
  condition: 6,
  match: 7,
} as const;

/**
 * A tree as instructions. A look around is a condition: a part of its own, searched for from every place at once, which
 * holds at the places that it reaches the end of. Looks behind hold by what was read before, looks ahead likewise when the
 * text is read from its end; so one program reads in one direction and needs never go back.
 */
export interface Program {
  /** Whether the text is read from its last character to its first. */
  readonly backward: boolean;
  readonly op: Uint8Array;
  readonly argument: Int32Array;
  readonly next: Int32Array;
  readonly sets: readonly CharSet[];
  /** Sets of which it matters whether the last character and the next are in: line ends first, then those of words. */
  readonly watched: readonly CharSet[];
  /** Where each condition begins, inner ones first, and the pattern itself last; each ends before the next begins. */
  readonly parts: readonly { readonly entry: number; readonly end: number }[];
  /** Whether the pattern begins at the first character read, else anywhere. */
  readonly anchored: boolean;
}

/** Instructions that a tree takes; Infinity where it is absurd. */
export function sizeOf(node: Node): number {
  switch (node.kind) {
    case "sequence":
      return node.parts.reduce((size, part) => size + sizeOf(part), 0);
    case "choice":
      return node.options.reduce((size, option) => size + sizeOf(option) + 1, -1);
    case "repeat": {
      const body = sizeOf(node.body);
      if (node.max === Number.POSITIVE_INFINITY) return body * Math.max(node.min, 1) + 1;
      return node.max === 0 ? 0 : body * node.max + (node.max - node.min);
    }
    case "look":
      return isBeside(node) ? 1 : sizeOf(node.body) + 2;
    default:
      return 1;
  }
}

export function toProgram(tree: Node, backward: boolean, anchored: boolean): Program {
  return new Writer(backward, anchored).write(tree);
}

class Writer {
  readonly #backward: boolean;
  readonly #anchored: boolean;
  readonly #op: number[] = [];
  readonly #argument: number[] = [];
  readonly #next: number[] = [];
  readonly #sets = new Table();
  readonly #watched = new Table();
  readonly #parts: { entry: number; end: number }[] = [];
  /** Conditions of the tree by their node: a repeat writes its body many times, and the condition stays one. */
  readonly #conditions = new Map<Node, number>();

  constructor(backward: boolean, anchored: boolean) {
    this.#backward = backward;
    this.#anchored = anchored;
    this.#watched.add(LINE_ENDS);
  }

  write(tree: Node): Program {
    this.#part(tree);
    return {
      backward: this.#backward,
      op: Uint8Array.from(this.#op),
      argument: Int32Array.from(this.#argument),
      next: Int32Array.from(this.#next),
      sets: this.#sets.sets,
      watched: this.#watched.sets,
      parts: this.#parts,
      anchored: this.#anchored,
    };
  }

  #part(node: Node): number {
    this.#conditionsIn(node);
    const entry = this.#emit(node, this.#add(OP.match, 0, 0));
    return this.#parts.push({ entry, end: this.#op.length }) - 1;
  }

  #conditionsIn(node: Node): void {
    if (node.kind === "look" && !isBeside(node)) this.#conditions.set(node, this.#part(node.body));
    else if (node.kind === "sequence") for (const part of node.parts) this.#conditionsIn(part);
    else if (node.kind === "choice") for (const option of node.options) this.#conditionsIn(option);
    else if (node.kind === "repeat") this.#conditionsIn(node.body);
  }

  #add(op: number, argument: number, next: number): number {
    this.#argument.push(argument);
    this.#next.push(next);
    return this.#op.push(op) - 1;
  }

  /** Writes a node that goes on at `next`; gives where it begins. */
  #emit(node: Node, next: number): number {
    switch (node.kind) {
      case "set":
        return this.#add(OP.set, this.#sets.add(node.set), next);
      case "sequence":
        return this.#sequence(node.parts, next);
      case "choice":
        return node.options
          .map((option) => this.#emit(option, next))
          .reduce((before, option) => this.#add(OP.split, option, before));
      case "repeat":
        return this.#repeat(node.body, node.min, node.max, next);
      case "edge": {
        const first = (node.edge === "textStart" || node.edge === "lineStart") !== this.#backward;
        const op = node.edge === "textStart" || node.edge === "textEnd" ? OP.textEdge : OP.lineEdge;
        return this.#add(op, first ? 0 : 1, next);
      }
      case "wordEdge":
        return this.#add(OP.wordEdge, 2 * this.#watched.add(node.word) + (node.negated ? 1 : 0), next);
      case "look":
        if (isBeside(node)) return this.#beside(node, next);
        return this.#add(OP.condition, 2 * (this.#conditions.get(node) ?? 0) + (node.negated ? 1 : 0), next);
    }
  }

  #beside(look: BesideLook, next: number): number {
    const behindPlace = look.ahead !== this.#backward ? 2 : 0;
    return this.#add(OP.beside, 4 * this.#watched.add(look.body.set) + behindPlace + (look.negated ? 1 : 0), next);
  }

  #sequence(parts: readonly Node[], next: number): number {
    let entry = next;
    for (const part of this.#backward ? parts : parts.toReversed()) entry = this.#emit(part, entry);
    return entry;
  }

  #repeat(body: Node, min: number, max: number, next: number): number {
    let entry = next;
    let copies = min;
    if (max === Number.POSITIVE_INFINITY) {
      const split = this.#add(OP.split, 0, next);
      const loop = this.#emit(body, split);
      this.#argument[split] = loop;
      entry = min === 0 ? split : loop;
      copies = Math.max(min - 1, 0);
    } else {
      // Each of the optional ones leads to the next or to the end of all.
      for (let index = min; index < max; index++) entry = this.#add(OP.split, this.#emit(body, entry), next);
    }
    for (let index = 0; index < copies; index++) entry = this.#emit(body, entry);
    return entry;
  }
}

/** Sets by their text, each once. */
class Table {
  readonly sets: CharSet[] = [];
  readonly #indexes = new Map<string, number>();
  /** Long patterns have the same few sets thousands of times. */
  readonly #known = new Map<CharSet, number>();

  add(set: CharSet): number {
    const known = this.#known.get(set);
    if (known !== undefined) return known;
    const key = set.join();
    const index = this.#indexes.get(key) ?? this.sets.push(set) - 1;
    this.#indexes.set(key, index);
    this.#known.set(set, index);
    return index;
  }
}
