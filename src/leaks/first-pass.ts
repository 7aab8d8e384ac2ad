import type { ByteSet } from "./byte-set.ts";
import type { Anchor } from "./shape.ts";

/** Cells from here on are no plain rows: in those an anchor ends, the row is the rest; the last is not made yet. */
const SPECIAL = 0x8000;
const UNKNOWN = 0xffff;
const STATES_BEGUN = 64;
/** A row has a cell for each byte. */
const ROW_BITS = 8;
/** What it is applied to is known to be a small number, or each look converts it. */
const MASK = SPECIAL - 1;

interface State {
  /** Places inside of anchors, by number, in order. */
  readonly items: readonly number[];
  /** Anchors that are over here, in order. */
  readonly ends: readonly number[];
  /** How many bytes ago an anchor that is not over may have begun. */
  readonly depth: number;
}

/** The rows in which the quarters of a text are, as far as they are walked. */
interface Lanes {
  first: number;
  second: number;
  third: number;
  fourth: number;
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
/** Where a quarter is shorter, all is walked as one. */
const LANE_BYTES_MIN = 64;

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
  /** Most bytes that make a state. */
  readonly #leadBytes: number;
  /** Cells: the next row, which is that of the state of its number. Another one as soon as `#resolve` was called. */
  #table: Uint16Array;

  constructor(anchors: readonly Anchor[]) {
    const all = anchors.map(({ before, steps }) =>
      before === null ? steps : [{ set: before, isOptional: false }, ...steps],
    );
    this.#makeColumns(new Set(all.flat().map(({ set }) => set)));
    this.#leadBytes = Math.max(1, ...all.map(({ length }) => length));
    const firsts: number[] = [];
    for (const [anchor, steps] of all.entries()) {
      firsts.push(this.#items.length);
      this.#addItems(anchor, steps, anchors[anchor]?.before === null ? 0 : 1);
    }
    this.#fresh = this.#freshOf(firsts);
    this.#table = new Uint16Array(STATES_BEGUN << ROW_BITS).fill(UNKNOWN);
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
   * All of a text from `from` on, where the state is that of `row`. Each look waits for the one before it, so that all
   * quarters are walked side by side; each but the first begins before its own, by as many bytes as its state can be made of.
   */
  pass(bytes: Buffer, from: number, row: number): Passed {
    const { length } = bytes;
    const size = (length - from) >> 2;
    if (size < LANE_BYTES_MIN) return this.#walk(bytes, from, length, row);
    const [second, third, fourth] = [from + size, from + 2 * size, from + 3 * size];
    const lanes: Lanes = {
      first: row,
      second: this.#rowAt(bytes, second),
      third: this.#rowAt(bytes, third),
      fourth: this.#rowAt(bytes, fourth),
    };
    let at = this.#walkAll(bytes, from, second, size, lanes);
    if (at === second) return this.#walk(bytes, fourth + size, length, lanes.fourth);
    const [of1, of2, of3, of4]: [Hit[], Hit[], Hit[], Hit[]] = [[], [], [], []];
    while (at < second) {
      lanes.first = this.#step(bytes, at, lanes.first, of1);
      lanes.second = this.#step(bytes, at + size, lanes.second, of2);
      lanes.third = this.#step(bytes, at + 2 * size, lanes.third, of3);
      lanes.fourth = this.#step(bytes, at + 3 * size, lanes.fourth, of4);
      at = this.#walkAll(bytes, at + 1, second, size, lanes);
    }
    const rest = this.#walk(bytes, fourth + size, length, lanes.fourth, of4);
    return { hits: [...of1, ...of2, ...of3, ...of4], row: rest.row };
  }

  #rowAt(bytes: Buffer, at: number): number {
    return this.#walk(bytes, at - this.#leadBytes, at, this.begin).row;
  }

  /** In all quarters, up to where one of them comes to a special cell. Alone, so that it stays as small as it is. */
  #walkAll(bytes: Buffer, from: number, to: number, size: number, lanes: Lanes): number {
    const table = this.#table;
    const [thirdFrom, fourthFrom] = [2 * size, 3 * size];
    let { first, second, third, fourth } = lanes;
    let at = from;
    for (; at < to; at++) {
      const next1 = table[(first << ROW_BITS) | (bytes[at] as number)] as number;
      const next2 = table[(second << ROW_BITS) | (bytes[at + size] as number)] as number;
      const next3 = table[(third << ROW_BITS) | (bytes[at + thirdFrom] as number)] as number;
      const next4 = table[(fourth << ROW_BITS) | (bytes[at + fourthFrom] as number)] as number;
      if ((next1 | next2 | next3 | next4) >= SPECIAL) break;
      first = next1;
      second = next2;
      third = next3;
      fourth = next4;
    }
    lanes.first = first;
    lanes.second = second;
    lanes.third = third;
    lanes.fourth = fourth;
    return at;
  }

  #walk(bytes: Buffer, from: number, to: number, begun: number, found: Hit[] = NO_HITS): Passed {
    let hits = found;
    let table = this.#table;
    let row = begun & MASK;
    for (let at = from; at < to; at++) {
      const next = table[(row << ROW_BITS) | (bytes[at] as number)] as number;
      if (next < SPECIAL) {
        row = next;
        continue;
      }
      if (hits === NO_HITS) hits = [];
      row = this.#step(bytes, at, row, hits) & MASK;
      table = this.#table;
    }
    return { hits, row };
  }

  /** One byte, whatever its cell is. */
  #step(bytes: Buffer, at: number, row: number, hits: Hit[]): number {
    const cell = this.#resolve(row, bytes[at] as number);
    if (cell < SPECIAL) return cell;
    hits.push({ at, row: cell - SPECIAL });
    return cell - SPECIAL;
  }

  /** The cell of a row and a byte, made where it is not yet. */
  #resolve(row: number, byte: number): number {
    const known = this.#table[(row << ROW_BITS) | byte] as number;
    if (known !== UNKNOWN) return known;
    const column = this.#columns[byte] as number;
    const { items } = this.#stateAt(row);
    const cell = this.#rowOf([...this.#targets(items, column), ...(this.#fresh[column] ?? [])]);
    this.#table[(row << ROW_BITS) | byte] = cell;
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
    return this.#states[row] as State;
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
    let row = this.#known.get(key);
    if (row === undefined) {
      row = this.#add(sorted);
      this.#known.set(key, row);
    }
    return this.#states[row]?.ends.length === 0 ? row : row + SPECIAL;
  }

  #add(targets: readonly number[]): number {
    const items = targets.filter((target) => target >= 0);
    const ends = targets.flatMap((target) => (target < 0 ? [-1 - target] : [])).reverse();
    const depth = Math.max(0, ...items.map((item) => this.#items[item]?.depth ?? 0));
    const state = this.#states.push({ items, ends, depth }) - 1;
    if (this.#states.length << ROW_BITS > this.#table.length) {
      const larger = new Uint16Array(2 * this.#table.length).fill(UNKNOWN);
      larger.set(this.#table);
      this.#table = larger;
    }
    return state;
  }
}

const LINE_FEED = 0x0a;
