import { DEFAULTS } from "../../support/defaults.ts";
import { codeAt } from "../../support/text-code.ts";
import { type Alphabet, makeAlphabet } from "./alphabet.ts";
import { Closure, LINE_END, type State, TEXT_EDGE } from "./closure.ts";
import type { Program } from "./program.ts";
import { BackwardReader, ForwardReader, type Reader } from "./reader.ts";
import { spendPatternWork } from "./work.ts";

/** What a cell of the table says, when it is not where the next state's row begins. */
const UNKNOWN = 0;
const DEAD = 1;
const ACCEPT = 2;
const FIRST_ROW = 3;

/** How far a text has come that is read a slice at a time; other texts may go through the same automaton in between. */
export interface Place {
  readonly text: string;
  /** Code units that were read. */
  done: number;
  /** Null before the first. */
  state: State | null;
  fillings: number;
  /** Instructions gone through beyond the table. */
  spent: number;
}

export function beginningOf(text: string): Place {
  return { text, done: 0, state: null, fillings: 0, spent: 0 };
}

/**
 * Runs a program over a text: one look into a table for each character. A row of the table is a state of the program, made
 * when a text first needs it. Memory is bounded: a text that fills the table again and again goes on without
 * it, and its rest takes at most as many steps for each character as the program has instructions.
 */
export class Automaton {
  readonly #alphabet: Alphabet;
  /** What each column's characters are for the places beside them; the last column is the text's end. */
  readonly #sides: Int32Array;
  readonly #stride: number;
  readonly #closure: Closure;
  readonly #backward: boolean;
  readonly #reader: Reader;
  readonly #cellsMax: number;
  #table: Int32Array;
  #rows = new Map<State, number>();
  #states: State[] = [];
  #stateChars = 0;
  #isFull = false;
  /** Of the text that is read: how often it filled the table, what it spent, and, where its slice is over, its state. */
  #fillings = 0;
  #spent = 0;
  #state: State = "";
  #text = "";
  #row = FIRST_ROW;

  constructor(program: Program, unicode: boolean, cellsMax: number = DEFAULTS.patternCellsMax) {
    this.#cellsMax = cellsMax;
    this.#alphabet = makeAlphabet([...program.sets, ...program.watched]);
    this.#closure = new Closure(program, this.#alphabet);
    this.#stride = this.#alphabet.columns + 1;
    this.#sides = sidesOf(program, this.#alphabet);
    this.#table = new Int32Array(FIRST_ROW + 4 * this.#stride);
    this.#backward = program.backward;
    this.#clear();
    this.#reader = program.backward ? new BackwardReader(unicode) : new ForwardReader(unicode);
  }

  /** Cells of the table and characters of the names of its rows: what it takes of memory, in fours of bytes. */
  get size(): number {
    return this.#table.length + this.#stateChars;
  }

  test(text: string): boolean {
    if (this.#isFull) this.#clear();
    this.#begin(text, 0);
    this.#fillings = 0;
    return this.#testFrom(FIRST_ROW, Number.POSITIVE_INFINITY) === true;
  }

  #begin(text: string, done: number): void {
    this.#text = text;
    this.#reader.begin(text, done);
  }

  /**
   * Goes on from a row, forward, over characters whose cells are known, which most are: there is nothing but the table.
   * Gives where it stopped, and leaves in `#row` the row there, or what a cell says of the whole text.
   */
  #glide(start: number, from: number, to: number): number {
    const text = this.#text;
    const table = this.#table;
    const { latin1 } = this.#alphabet;
    let row = start;
    let at = from;
    for (; at < to; at++) {
      const unit = codeAt(text, at);
      if (unit > 255) break;
      const next = table[row + (latin1[unit] as number)] as number;
      if (next === UNKNOWN) break;
      row = next;
      if (next < FIRST_ROW) break;
    }
    this.#row = row;
    return at;
  }

  /** The same of ASCII as it came; null where the table alone does not tell. */
  glance(bytes: Uint8Array, start: number, end: number): boolean | null {
    if (this.#isFull || this.#backward) return null;
    const table = this.#table;
    const { latin1, columns } = this.#alphabet;
    let row = FIRST_ROW;
    for (let at = start; at < end; at++) {
      const next = table[row + (latin1[bytes[at] as number] as number)] as number;
      if (next < FIRST_ROW) return next === UNKNOWN ? null : next === ACCEPT;
      row = next;
    }
    const last = table[row + columns] as number;
    return last === UNKNOWN ? null : last === ACCEPT;
  }

  /** Goes on with a text for so many characters, or instructions beyond the table; null where it has not come to an end. */
  advance(place: Place, work: number): boolean | null {
    if (this.#isFull && place.fillings <= DEFAULTS.patternFillingsMax) this.#clear();
    this.#begin(place.text, place.done);
    this.#fillings = place.fillings;
    this.#spent = 0;
    let row = FIRST_ROW;
    if (place.state !== null) {
      this.#closure.load(place.state);
      row = this.#rowOf(place.state);
    }
    const answer = row === UNKNOWN ? this.#testRest(work) : this.#testFrom(row, work);
    place.done = this.#reader.done;
    place.state = this.#state;
    place.fillings = this.#fillings;
    place.spent += this.#spent;
    return answer;
  }

  #testFrom(start: number, work: number): boolean | null {
    const { columns } = this.#alphabet;
    let row = start;
    for (let left = work; left > 0; left--) {
      if (!this.#backward) {
        const { done } = this.#reader;
        const at = this.#glide(row, done, Math.min(this.#text.length, done + left));
        row = this.#row;
        if (row < FIRST_ROW) return row === ACCEPT;
        left -= at - done;
        if (at > done) this.#reader.begin(this.#text, at);
        if (left <= 0) break;
      }
      const char = this.#reader.next();
      const column = char < 0 ? columns : this.#alphabet.of(char);
      let next = this.#table[row + column] as number;
      if (next === UNKNOWN) {
        next = this.#build(row, column);
        left -= this.#closure.size;
        if (next === UNKNOWN && ++this.#fillings <= DEFAULTS.patternFillingsMax) next = this.#makeRoom();
        if (next === UNKNOWN) return this.#testRest(left);
      }
      if (next < FIRST_ROW) return next === ACCEPT;
      row = next;
    }
    this.#state = this.#states[(row - FIRST_ROW) / this.#stride] ?? "";
    return null;
  }

  /** The rest of a text, from a place that the table has no room for. */
  #testRest(work: number): boolean | null {
    const { columns } = this.#alphabet;
    for (let left = work; left > 0; left -= this.#closure.size) {
      const char = this.#reader.next();
      const result = this.#step(char < 0 ? columns : this.#alphabet.of(char));
      if (result !== UNKNOWN) return result === ACCEPT;
    }
    this.#state = this.#closure.state;
    return null;
  }

  /**
   * Gives all rows up for that of the present state. Most texts that fill a table are on their way to a few states in which
   * they stay, as a row of letters under `[a-z]{1,250}@`. UNKNOWN where the one is too large.
   */
  #makeRoom(): number {
    const { state } = this.#closure;
    this.#clear();
    this.#closure.load(state);
    return this.#rowOf(state);
  }

  /** Begins anew with the state before the first character, whose row is the first. */
  #clear(): void {
    this.#rows = new Map();
    this.#states = [];
    this.#stateChars = 0;
    this.#table.fill(UNKNOWN);
    this.#closure.begin();
    this.#rowOf(this.#closure.state);
    this.#isFull = false;
  }

  /** Where the row of a state begins; UNKNOWN where there is no room for it. */
  #rowOf(state: State): number {
    const known = this.#rows.get(state);
    if (known !== undefined) return known;
    const cells = (this.#states.length + 1) * this.#stride;
    this.#isFull = Math.max(cells, this.#stateChars + state.length) > this.#cellsMax;
    // The first state has its row whatever it takes.
    if (this.#isFull && this.#states.length > 0) return UNKNOWN;
    const row = FIRST_ROW + this.#states.length * this.#stride;
    if (row + this.#stride > this.#table.length) {
      const larger = new Int32Array(2 * this.#table.length + this.#stride);
      larger.set(this.#table);
      this.#table = larger;
    }
    this.#states.push(state);
    this.#stateChars += state.length;
    this.#rows.set(state, row);
    return row;
  }

  /** The cell of a state and a column: what the next character leads to, or what the end of the text says. */
  #build(row: number, column: number): number {
    this.#closure.load(this.#states[(row - FIRST_ROW) / this.#stride] ?? "");
    const result = this.#step(column);
    const cell = result === UNKNOWN ? this.#rowOf(this.#closure.state) : result;
    this.#table[row + column] = cell;
    return cell;
  }

  /** Takes a character of `column` from the present place, or the text's end. UNKNOWN: it goes on. */
  #step(column: number): typeof UNKNOWN | typeof DEAD | typeof ACCEPT {
    const { size } = this.#closure;
    this.#spent += size;
    spendPatternWork(size);
    const right = this.#sides[column] as number;
    if (this.#closure.follow(right)) return ACCEPT;
    if (column === this.#alphabet.columns) return DEAD;
    return this.#closure.take(column, right) ? UNKNOWN : DEAD;
  }
}

function sidesOf(program: Program, { columns, members }: Alphabet): Int32Array {
  const sides = new Int32Array(columns + 1);
  for (const index of program.watched.keys()) {
    for (let column = 0; column < columns; column++) {
      const inside = members[(program.sets.length + index) * columns + column] ?? 0;
      sides[column] = (sides[column] ?? 0) | (inside * (LINE_END << index));
    }
  }
  sides[columns] = TEXT_EDGE;
  return sides;
}
