import { codeAt } from "../../support/text-code.ts";
import type { Steps } from "../../support/turns.ts";
import { fold } from "./literals.ts";

/**
 * What a gate is made of, as it can be kept in a file. States are numbered by their depth, and the children of each stand one
 * behind the other: those near the root, where nearly all of a text is read, have a row of a table, the others a list.
 */
export interface GateTables {
  /** For each byte its column; both cases of a letter have one. */
  readonly columns: Uint8Array;
  /** Cells of a row. */
  readonly width: number;
  /** Where each state with a row and column lead to: the number of a state. */
  readonly next: Uint32Array;
  /** For each state its first child, and behind the last state's the end. */
  readonly children: Uint32Array;
  /** For each state the column that leads to it from its parent. */
  readonly entry: Uint8Array;
  /** For each state that of its longest proper end. */
  readonly fails: Uint32Array;
  /** For each state, which list of ids it says; 0: none. */
  readonly lists: Uint32Array;
  /** Where each list begins in `ids`, and where the last ends. */
  readonly starts: Uint32Array;
  readonly ids: Uint16Array;
}

/** Rows take a mebibyte; all of a rule set's states would take forty. */
const ROW_CELLS_MAX = 256 * 1024;
const TEXTS_A_STEP = 256;
const CHARACTERS_A_STEP = 4_096;
/** States, and ids of their lists. */
const WORK_A_STEP = 512;

/**
 * Finds all literals of many patterns in one pass over a text (Aho and Corasick, "Efficient string matching", 1975), without
 * regard to the case of ASCII's letters: one look into a table for most bytes.
 */
export class Gate {
  readonly tables: GateTables;
  readonly #rows: number;
  /** The last round that came by a list. */
  readonly #seen: Uint32Array;
  #round = 0;

  constructor(tables: GateTables) {
    this.tables = tables;
    this.#rows = tables.next.length / tables.width;
    this.#seen = new Uint32Array(tables.starts.length);
  }

  /** Calls `found` with each id that has a literal in the text; an id may come more than once. */
  scan(text: string, found: (id: number) => void): void {
    this.#read(text, 0, text.length, 0, this.#seen, this.#nextRound(), found);
  }

  /** The same of a long text: others are searched on the way, so that it has its own note of what was seen. */
  *scanInSteps(text: string, found: (id: number) => void): Steps<void> {
    const seen = new Uint32Array(this.#seen.length);
    for (let from = 0, state = 0; from < text.length; from += CHARACTERS_A_STEP) {
      const to = Math.min(text.length, from + CHARACTERS_A_STEP);
      state = this.#read(text, from, to, state, seen, 1, found);
      yield;
    }
  }

  #read(
    text: string,
    from: number,
    to: number,
    first: number,
    seen: Uint32Array,
    round: number,
    found: (id: number) => void,
  ): number {
    const { columns, width, next, lists } = this.tables;
    const rows = this.#rows;
    let state = first;
    for (let at = from; at < to; at++) {
      const column = columns[codeAt(text, at) & 0xff] as number;
      state = state < rows ? (next[state * width + column] as number) : this.#fromList(state, column);
      const list = lists[state] as number;
      if (list === 0 || seen[list] === round) continue;
      seen[list] = round;
      this.#tell(list, found);
    }
    return state;
  }

  #tell(list: number, found: (id: number) => void): void {
    const { starts, ids } = this.tables;
    for (let at = starts[list] as number; at < (starts[list + 1] as number); at++) found(ids[at] as number);
  }

  /** Where the first literal of an id ends in the text; -1 where there is none. */
  firstEnd(text: string, id: number): number {
    const { columns, width, next, lists, starts, ids } = this.tables;
    const rows = this.#rows;
    let state = 0;
    const { length } = text;
    for (let at = 0; at < length; at++) {
      const column = columns[codeAt(text, at) & 0xff] as number;
      state = state < rows ? (next[state * width + column] as number) : this.#fromList(state, column);
      const list = lists[state] as number;
      if (list !== 0 && ids.subarray(starts[list], starts[list + 1]).includes(id)) return at + 1;
    }
    return -1;
  }

  /** Where a state and a column lead to. */
  step(state: number, column: number): number {
    const { width, next } = this.tables;
    return state < this.#rows ? (next[state * width + column] as number) : this.#fromList(state, column);
  }

  /** Where a state without a row leads to: to a child, or where its longest proper end goes on. */
  #fromList(from: number, column: number): number {
    const { width, next, children, entry, fails } = this.tables;
    const rows = this.#rows;
    let state = from;
    while (state >= rows) {
      const end = children[state + 1] as number;
      for (let child = children[state] as number; child < end; child++) if (entry[child] === column) return child;
      state = fails[state] as number;
    }
    return next[state * width + column] as number;
  }

  #nextRound(): number {
    if (++this.#round === 0xffff_ffff) {
      this.#seen.fill(0);
      this.#round = 1;
    }
    return this.#round;
  }
}

/** Literals of each id, in any case, none of them empty → tables. */
export function* buildGate(literals: ReadonlyMap<number, readonly string[]>): Steps<GateTables> {
  const columns = yield* columnsOf(literals);
  const trie = new Trie(columns);
  for (const [id, texts] of literals) {
    for (const [at, text] of texts.entries()) {
      if (at % TEXTS_A_STEP === 0) yield;
      trie.add(text, id);
    }
  }
  return yield* trie.finish();
}

function* columnsOf(literals: ReadonlyMap<number, readonly string[]>): Steps<Uint8Array> {
  const present = new Uint8Array(256);
  for (const texts of literals.values()) {
    for (const [number, text] of texts.entries()) {
      if (number % TEXTS_A_STEP === 0) yield;
      for (let at = 0; at < text.length; at++) present[text.charCodeAt(at) & 0xff] = 1;
    }
  }
  const columns = new Uint8Array(256);
  let width = 1;
  for (let byte = 0; byte < 256; byte++) {
    const small = smallOf(byte);
    if (present[byte] === 0 || columns[small] !== 0) continue;
    columns[small] = width;
    if (small >= 0x61 && small <= 0x7a) columns[small - 0x20] = width;
    width++;
  }
  return columns;
}

function smallOf(byte: number): number {
  return fold(String.fromCharCode(byte)).charCodeAt(0);
}

/** The literals' beginnings, each a state; its children are a chain. */
class Trie {
  readonly #columns: Uint8Array;
  readonly #width: number;
  #states = 1;
  #entry = new Uint8Array(1024);
  #firstChild = new Uint32Array(1024);
  #sibling = new Uint32Array(1024);
  readonly #ids: (Set<number> | undefined)[] = [];

  constructor(columns: Uint8Array) {
    this.#columns = columns;
    this.#width = Math.max(...columns) + 1;
  }

  add(text: string, id: number): void {
    let state = 0;
    for (let at = 0; at < text.length; at++) state = this.#child(state, this.#columns[text.charCodeAt(at) & 0xff] ?? 0);
    const ids = this.#ids[state];
    if (ids === undefined) this.#ids[state] = new Set([id]);
    else ids.add(id);
  }

  #child(state: number, column: number): number {
    for (let child = this.#firstChild[state] as number; child !== 0; child = this.#sibling[child] as number)
      if (this.#entry[child] === column) return child;
    if (this.#states === this.#entry.length) this.#grow();
    const child = this.#states++;
    this.#entry[child] = column;
    this.#sibling[child] = this.#firstChild[state] as number;
    this.#firstChild[state] = child;
    return child;
  }

  #grow(): void {
    const size = 2 * this.#states;
    const [entry, firstChild, sibling] = [new Uint8Array(size), new Uint32Array(size), new Uint32Array(size)];
    entry.set(this.#entry);
    firstChild.set(this.#firstChild);
    sibling.set(this.#sibling);
    [this.#entry, this.#firstChild, this.#sibling] = [entry, firstChild, sibling];
  }

  /** Numbers the states, nearest to the root first, and tells where each of them goes on where it has no child. */
  *finish(): Steps<GateTables> {
    const states = this.#states;
    const width = this.#width;
    const rows = Math.min(states, Math.ceil(ROW_CELLS_MAX / width));
    const next = new Uint32Array(rows * width);
    const children = new Uint32Array(states + 1);
    const entry = new Uint8Array(states);
    const fails = new Uint32Array(states);
    const lists = new ListTable(states);
    const numbered = new Uint32Array(states);
    const empty = { starts: new Uint32Array(1), ids: new Uint16Array(0) };
    const gate = new Gate({ columns: this.#columns, width, next, children, entry, fails, lists: lists.of, ...empty });
    let filled = 1;
    let work = 0;
    for (let state = 0; state < states; state++) {
      const own = numbered[state] as number;
      const fail = fails[state] as number;
      work += 1 + lists.set(state, this.#ids[own], fail);
      // A row is that of the longest proper end, but for the children.
      if (state > 0 && state < rows) next.copyWithin(state * width, fail * width, (fail + 1) * width);
      children[state] = filled;
      for (let child = this.#firstChild[own] as number; child !== 0; child = this.#sibling[child] as number) {
        const column = this.#entry[child] as number;
        fails[filled] = state === 0 ? 0 : gate.step(fail, column);
        if (state < rows) next[state * width + column] = filled;
        numbered[filled] = child;
        entry[filled++] = column;
      }
      children[state + 1] = filled;
      if (work < WORK_A_STEP) continue;
      work = 0;
      yield;
    }
    yield;
    const { starts, ids } = lists.flat();
    return { ...gate.tables, starts, ids };
  }
}

/** Which ids each state says: its own and those of its longest proper end. Equal lists are one. */
class ListTable {
  readonly of: Uint32Array;
  readonly #lists: (readonly number[])[] = [[]];
  readonly #indexes = new Map<string, number>([["", 0]]);

  constructor(states: number) {
    this.of = new Uint32Array(states);
  }

  /** Gives how many ids it had to look at. */
  set(state: number, own: ReadonlySet<number> | undefined, fail: number): number {
    const inherited = this.of[fail] ?? 0;
    if (own === undefined) {
      this.of[state] = inherited;
      return 0;
    }
    const list = [...new Set([...own, ...(this.#lists[inherited] ?? [])])].sort((a, b) => a - b);
    const key = list.join();
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.#lists.push(list) - 1;
      this.#indexes.set(key, index);
    }
    this.of[state] = index;
    return list.length;
  }

  flat(): { starts: Uint32Array; ids: Uint16Array } {
    const starts = new Uint32Array(this.#lists.length + 1);
    for (const [index, list] of this.#lists.entries()) starts[index + 1] = (starts[index] ?? 0) + list.length;
    const ids = new Uint16Array(starts.at(-1) ?? 0);
    for (const [index, list] of this.#lists.entries()) ids.set(list, starts[index]);
    return { starts, ids };
  }
}
