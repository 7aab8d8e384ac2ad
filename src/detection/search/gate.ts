import type { Steps } from "../../support/turns.ts";
import { fold } from "./literals.ts";

/** What a gate is made of, as it can be kept in a file. */
export interface GateTables {
  /** For each byte its column; both cases of a letter have one. */
  readonly columns: Uint8Array;
  /** Cells of a row. */
  readonly width: number;
  /** Where each state and column lead to: the number of a state. */
  readonly next: Uint16Array | Uint32Array;
  /** For each state, which list of ids it says; 0: none. */
  readonly lists: Uint32Array;
  /** Where each list begins in `ids`, and where the last ends. */
  readonly starts: Uint32Array;
  readonly ids: Uint16Array;
}

/**
 * Finds all literals of many patterns in one pass over a text (Aho and Corasick, "Efficient string matching", 1975), without
 * regard to the case of ASCII's letters: one look into a table for each byte.
 */
export class Gate {
  readonly tables: GateTables;
  /** The last round that came by a list. */
  readonly #seen: Uint32Array;
  #round = 0;

  constructor(tables: GateTables) {
    this.tables = tables;
    this.#seen = new Uint32Array(tables.starts.length);
  }

  /** Calls `found` with each id that has a literal in the text; an id may come more than once. */
  scan(text: string, found: (id: number) => void): void {
    const { columns, width, next, lists } = this.tables;
    const seen = this.#seen;
    const round = this.#nextRound();
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      state = next[state * width + (columns[text.charCodeAt(at) & 0xff] as number)] as number;
      const list = lists[state] as number;
      if (list === 0 || seen[list] === round) continue;
      seen[list] = round;
      this.#tell(list, found);
    }
  }

  #tell(list: number, found: (id: number) => void): void {
    const { starts, ids } = this.tables;
    for (let at = starts[list] as number; at < (starts[list + 1] as number); at++) found(ids[at] as number);
  }

  /** Where the first literal of an id ends in the text; -1 where there is none. */
  firstEnd(text: string, id: number): number {
    const { columns, width, next, lists, starts, ids } = this.tables;
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      state = next[state * width + (columns[text.charCodeAt(at) & 0xff] as number)] as number;
      const list = lists[state] as number;
      if (list !== 0 && ids.subarray(starts[list], starts[list + 1]).includes(id)) return at + 1;
    }
    return -1;
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
  const columns = columnsOf(literals);
  const trie = new Trie(columns, Math.max(...columns) + 1, statesOf(literals));
  yield;
  for (const [id, texts] of literals) {
    for (const text of texts) trie.add(fold(text), id);
    yield;
  }
  return yield* trie.finish();
}

function columnsOf(literals: ReadonlyMap<number, readonly string[]>): Uint8Array {
  const columns = new Uint8Array(256);
  let width = 1;
  for (const texts of literals.values()) {
    for (const text of texts) {
      for (let at = 0; at < text.length; at++) {
        const byte = fold(text.charAt(at)).charCodeAt(0);
        if (columns[byte] !== 0) continue;
        if (byte >= 0x61 && byte <= 0x7a) columns[byte - 0x20] = width;
        columns[byte] = width++;
      }
    }
  }
  return columns;
}

/** The root, and one for each beginning that some literal has. Counted before, for tables that grow are copied by the megabyte. */
function statesOf(literals: ReadonlyMap<number, readonly string[]>): number {
  const texts = [...new Set([...literals.values()].flat().map(fold))].sort();
  let states = 1;
  let before = "";
  for (const text of texts) {
    let shared = 0;
    while (shared < before.length && text.charCodeAt(shared) === before.charCodeAt(shared)) shared++;
    states += text.length - shared;
    before = text;
  }
  return states;
}

class Trie {
  readonly #columns: Uint8Array;
  readonly #width: number;
  readonly #next: Uint16Array | Uint32Array;
  #states = 1;
  readonly #ids: (Set<number> | undefined)[] = [];

  constructor(columns: Uint8Array, width: number, states: number) {
    this.#columns = columns;
    this.#width = width;
    this.#next = states > 0xffff ? new Uint32Array(states * width) : new Uint16Array(states * width);
  }

  add(text: string, id: number): void {
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      const cell = state * this.#width + (this.#columns[text.charCodeAt(at)] ?? 0);
      let child = this.#next[cell] ?? 0;
      if (child === 0) {
        child = this.#states++;
        this.#next[cell] = child;
      }
      state = child;
    }
    const ids = this.#ids[state];
    if (ids === undefined) this.#ids[state] = new Set([id]);
    else ids.add(id);
  }

  /** Leads each state's missing cells to where its longest proper end goes on, nearest to the root first. */
  *finish(): Steps<GateTables> {
    const width = this.#width;
    const next = this.#next;
    const fails = new Uint32Array(this.#states);
    const lists = new ListTable(this.#states);
    const queue = new Uint32Array(this.#states);
    let filled = 1;
    for (let at = 0; at < filled; at++) {
      const state = queue[at] ?? 0;
      const fail = fails[state] ?? 0;
      lists.set(state, this.#ids[state], state === 0 ? 0 : fail);
      for (let column = 0; column < width; column++) {
        const cell = state * width + column;
        const child = next[cell] ?? 0;
        const other = state === 0 ? 0 : (next[fail * width + column] ?? 0);
        if (child === 0) next[cell] = other;
        else {
          fails[child] = other;
          queue[filled++] = child;
        }
      }
      if (at % 1_024 === 0) yield;
    }
    const { starts, ids } = lists.flat();
    return { columns: this.#columns, width, next, lists: lists.of, starts, ids };
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

  set(state: number, own: ReadonlySet<number> | undefined, fail: number): void {
    const inherited = this.of[fail] ?? 0;
    if (own === undefined) {
      this.of[state] = inherited;
      return;
    }
    const list = [...new Set([...own, ...(this.#lists[inherited] ?? [])])].sort((a, b) => a - b);
    const key = list.join();
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.#lists.push(list) - 1;
      this.#indexes.set(key, index);
    }
    this.of[state] = index;
  }

  flat(): { starts: Uint32Array; ids: Uint16Array } {
    const starts = new Uint32Array(this.#lists.length + 1);
    for (const [index, list] of this.#lists.entries()) starts[index + 1] = (starts[index] ?? 0) + list.length;
    return { starts, ids: Uint16Array.from(this.#lists.flat()) };
  }
}
