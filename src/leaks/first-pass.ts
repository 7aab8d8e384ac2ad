import type { ByteSet } from "./byte-set.ts";
import type { Anchor } from "./shape.ts";

/** Cells from here on are no plain rows: in those an anchor ends, the row is the rest; the last is not made yet. */
const SPECIAL = 0x40000000;
const UNKNOWN = 0x7fffffff;
const STATES_BEGUN = 64;

interface State {
  /** Places inside of anchors, by number, in order. */
  readonly items: readonly number[];
  /** Anchors that are over here, in order. */
  readonly ends: readonly number[];
  /** How many bytes ago an anchor that is not over may have begun. */
  readonly depth: number;
}

/** Both halves of a text, as far as they are walked. */
interface Lanes {
  row: number;
  secondRow: number;
  readonly hits: Hit[];
  readonly secondHits: Hit[];
}

/** What one byte may do at a place inside of an anchor. */
interface Item {
  /** Bytes of the anchor before it, at most. */
  readonly depth: number;
  /** Columns that it takes, and where each of them leads: a place, or -1 - an anchor that is over. */
  readonly moves: readonly { readonly columns: readonly number[]; readonly to: number }[];
}

/** Anchors are over behind the byte at `at`, in the state of `row`. */
export interface Hit {
  readonly at: number;
  readonly row: number;
}

/** What there is in a text, in order, and the state at its end. */
export interface Passed {
  readonly hits: readonly Hit[];
  readonly row: number;
}

const NO_HITS: Hit[] = [];
/** Shorter texts are walked in one lane. */
const LANES_BYTES_MIN = 256;

/**
 * The first pass: a table that is looked into once for each byte and tells where an anchor ends. Usual text has next to none.
 * Its rows are made when a text first needs them, and there are never more than anchors have bytes, some thousands.
 */
export class FirstPass {
  /** Column of each byte. */
  readonly #columns = new Uint8Array(256);
  /** Row of the state behind a byte that is in no word. */
  readonly begin: number;
  /** A byte of each column. */
  readonly #bytes: number[] = [];
  readonly #columnsBySet = new Map<ByteSet, readonly number[]>();
  readonly #items: Item[] = [];
  readonly #states: State[] = [];
  readonly #known = new Map<string, number>();
  /** By column: where the beginnings of all anchors lead. */
  readonly #fresh: readonly (readonly number[])[];
  readonly #stride: number;
  /** Most bytes that make a state. */
  readonly #leadBytes: number;
  /** Cells: where the next state's row begins. Another one as soon as `#resolve` was called. */
  #table: Int32Array;

  constructor(anchors: readonly Anchor[]) {
    const all = anchors.map(({ before, steps }) =>
      before === null ? steps : [{ set: before, isOptional: false }, ...steps],
    );
    this.#makeColumns(new Set(all.flat().map(({ set }) => set)));
    this.#stride = this.#bytes.length;
    this.#leadBytes = Math.max(1, ...all.map(({ length }) => length));
    const firsts: number[] = [];
    for (const [anchor, steps] of all.entries()) {
      firsts.push(this.#items.length);
      this.#addItems(anchor, steps, anchors[anchor]?.before === null ? 0 : 1);
    }
    this.#fresh = this.#freshOf(firsts);
    this.#table = new Int32Array(STATES_BEGUN * this.#stride).fill(UNKNOWN);
    this.begin = this.#rowOf(this.#fresh[this.#columns[LINE_FEED] ?? 0] ?? []) % SPECIAL;
  }

  /** Bytes that no anchor tells apart share one. */
  #makeColumns(sets: ReadonlySet<ByteSet>): void {
    const known = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      const signature = [...sets].map((set) => set[byte]).join("");
      let column = known.get(signature);
      if (column === undefined) {
        column = known.size;
        known.set(signature, column);
        this.#bytes.push(byte);
      }
      this.#columns[byte] = column;
    }
  }

  #freshOf(firsts: readonly number[]): readonly (readonly number[])[] {
    const fresh: number[][] = this.#bytes.map(() => []);
    for (const first of firsts) {
      for (const { columns, to } of this.#items[first]?.moves ?? [])
        for (const column of columns) fresh[column]?.push(to);
    }
    return fresh;
  }

  #columnsOf(set: ByteSet): readonly number[] {
    let columns = this.#columnsBySet.get(set);
    if (columns === undefined) {
      columns = this.#bytes.flatMap((byte, column) => (set[byte] === 1 ? [column] : []));
      this.#columnsBySet.set(set, columns);
    }
    return columns;
  }

  #addItems(anchor: number, steps: Anchor["steps"], lead: number): void {
    const first = this.#items.length;
    for (const place of steps.keys()) {
      const moves: { columns: readonly number[]; to: number }[] = [];
      for (let step = place; step < steps.length; step++) {
        const { set, isOptional } = steps[step] as Anchor["steps"][number];
        const columns = this.#columnsOf(set);
        moves.push({ columns, to: step + 1 === steps.length ? -1 - anchor : first + step + 1 });
        if (!isOptional) break;
      }
      this.#items.push({ depth: Math.max(0, place - lead), moves });
    }
  }

  /** Row of the state behind a byte, as far as it alone tells. */
  rowBehind(byte: number): number {
    return this.#resolve(this.begin, byte) % SPECIAL;
  }

  /**
   * All of a text from `from` on, where the state is that of `row`. Each look waits for the one before it, so that both
   * halves are walked side by side; the second begins before its own, by as many bytes as its state can be made of.
   */
  pass(bytes: Buffer, from: number, row: number): Passed {
    const { length } = bytes;
    const half = (length - from) >> 1;
    if (half < LANES_BYTES_MIN >> 1) return this.#walk(bytes, from, length, row);
    const middle = from + half;
    const lead = this.#walk(bytes, middle - this.#leadBytes, middle, this.begin);
    const lanes: Lanes = { row, secondRow: lead.row, hits: [], secondHits: [] };
    for (let at = from; at < middle; at++) {
      at = this.#walkBoth(bytes, at, middle, half, lanes);
      if (at === middle) break;
      lanes.row = this.#step(bytes, at, lanes.row, lanes.hits);
      lanes.secondRow = this.#step(bytes, at + half, lanes.secondRow, lanes.secondHits);
    }
    const rest = this.#walk(bytes, middle + half, length, lanes.secondRow);
    const { hits, secondHits } = lanes;
    const count = hits.length + secondHits.length + rest.hits.length;
    return { hits: count === 0 ? NO_HITS : [...hits, ...secondHits, ...rest.hits], row: rest.row };
  }

  /** In both halves, up to where one of them comes to a special cell. Alone, so that it stays as small as it is. */
  #walkBoth(bytes: Buffer, from: number, to: number, half: number, lanes: Lanes): number {
    const columns = this.#columns;
    const table = this.#table;
    let { row, secondRow } = lanes;
    let at = from;
    for (; at < to; at++) {
      const next = table[row + (columns[bytes[at] as number] as number)] as number;
      const second = table[secondRow + (columns[bytes[at + half] as number] as number)] as number;
      if ((next | second) >= SPECIAL) break;
      row = next;
      secondRow = second;
    }
    lanes.row = row;
    lanes.secondRow = secondRow;
    return at;
  }

  #walk(bytes: Buffer, from: number, to: number, begun: number): Passed {
    let hits = NO_HITS;
    let row = begun;
    for (let at = from; at < to; at++) {
      const next = this.#table[row + (this.#columns[bytes[at] as number] as number)] as number;
      if (next < SPECIAL) {
        row = next;
        continue;
      }
      if (hits === NO_HITS) hits = [];
      row = this.#step(bytes, at, row, hits);
    }
    return { hits, row };
  }

  /** One byte, whatever its cell is. */
  #step(bytes: Buffer, at: number, row: number, hits: Hit[]): number {
    const cell = this.#resolve(row, bytes[at] as number);
    const next = cell % SPECIAL;
    if (cell >= SPECIAL) hits.push({ at, row: next });
    return next;
  }

  /** The cell of a row and a byte, made where it is not yet. */
  #resolve(row: number, byte: number): number {
    const column = this.#columns[byte] as number;
    const known = this.#table[row + column] as number;
    if (known !== UNKNOWN) return known;
    const { items } = this.#stateAt(row);
    const cell = this.#rowOf([...this.#targets(items, column), ...(this.#fresh[column] ?? [])]);
    this.#table[row + column] = cell;
    return cell;
  }

  /** Anchors that are over in a state, in order. */
  endsAt(row: number): readonly number[] {
    return this.#stateAt(row).ends;
  }

  /** How many bytes ago an anchor may have begun that is not over in a state. */
  depthAt(row: number): number {
    return this.#stateAt(row).depth;
  }

  #stateAt(row: number): State {
    return this.#states[row / this.#stride] as State;
  }

  #targets(items: readonly number[], column: number): number[] {
    const targets: number[] = [];
    for (const item of items) {
      for (const { columns, to } of this.#items[item]?.moves ?? []) if (columns.includes(column)) targets.push(to);
    }
    return targets;
  }

  #rowOf(targets: readonly number[]): number {
    const sorted = [...new Set(targets)].sort((a, b) => a - b);
    const key = sorted.join();
    let state = this.#known.get(key);
    if (state === undefined) {
      state = this.#add(sorted);
      this.#known.set(key, state);
    }
    const row = state * this.#stride;
    return this.#states[state]?.ends.length === 0 ? row : row + SPECIAL;
  }

  #add(targets: readonly number[]): number {
    const items = targets.filter((target) => target >= 0);
    const ends = targets.flatMap((target) => (target < 0 ? [-1 - target] : [])).reverse();
    const depth = Math.max(0, ...items.map((item) => this.#items[item]?.depth ?? 0));
    const state = this.#states.push({ items, ends, depth }) - 1;
    if (this.#states.length * this.#stride > this.#table.length) {
      const larger = new Int32Array(2 * this.#table.length).fill(UNKNOWN);
      larger.set(this.#table);
      this.#table = larger;
    }
    return state;
  }
}

const LINE_FEED = 0x0a;
