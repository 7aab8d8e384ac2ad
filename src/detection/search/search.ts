import { type CharSet, contains, rangesOf } from "../../schema/pattern/char-set.ts";
import type { PatternFault } from "../../schema/pattern/source.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import type { Candidates } from "./candidates.ts";
import { capture, type SearchMatch } from "./captures.ts";
import { buildGate, Gate } from "./gate.ts";
import { fold, requiredLiterals } from "./literals.ts";
import { Matcher } from "./matcher.ts";
import { type ByteTree, parseBytes } from "./pcre.ts";
import { kindsOf, requiredKinds, shortestOf } from "./requirements.ts";
import { fromBuffer, KINDS_PER_ITEM, type SearchItem, type SearchTables, toBuffer } from "./tables.ts";
import type { Work } from "./work.ts";

export { Candidates } from "./candidates.ts";
export type { SearchMatch } from "./captures.ts";
export { Work } from "./work.ts";

/** Collects patterns and word lists, and makes one search of them. Ids count from 0; equal ones are one. */
export class SearchBuilder {
  readonly #items: SearchItem[] = [];
  readonly #trees: (ByteTree | undefined)[] = [];
  readonly #ids = new Map<string, number>();

  /** A pattern of PCRE as the rule sets write it, over bytes (`parseBytes`). */
  rx(source: string): Result<number, PatternFault> {
    const known = this.#ids.get(`rx ${source}`);
    if (known !== undefined) return ok(known);
    const parsed = parseBytes(source);
    if (!parsed.ok) return parsed;
    const matcher = Matcher.of(parsed.value.tree);
    if (!matcher.ok) return err(matcher.error);
    return ok(this.#add(`rx ${source}`, { rx: source }, parsed.value));
  }

  /** Texts that have one of these words in them, in any case of ASCII; empty words are left out. */
  words(list: readonly string[]): number {
    const words = list.map(fold).filter((word) => word !== "");
    const key = `words ${JSON.stringify(words)}`;
    return this.#ids.get(key) ?? this.#add(key, { words }, undefined);
  }

  #add(key: string, item: SearchItem, tree: ByteTree | undefined): number {
    const id = this.#items.push(item) - 1;
    this.#trees.push(tree);
    this.#ids.set(key, id);
    return id;
  }

  *build(): Steps<Search> {
    const literals = new Map<number, readonly string[]>();
    const kinds = new Int32Array(KINDS_PER_ITEM * this.#items.length).fill(-1);
    const always: number[] = [];
    for (const [id, item] of this.#items.entries()) {
      const tree = this.#trees[id]?.tree;
      const texts = "words" in item ? item.words : tree === undefined ? null : requiredLiterals(tree);
      if (texts === null) always.push(id);
      else literals.set(id, texts);
      if (tree !== undefined) kinds.set(requiredKinds(tree, KINDS_PER_ITEM), KINDS_PER_ITEM * id);
      yield;
    }
    const gate = yield* buildGate(literals);
    return new Search({ items: this.#items, gate, always: Uint16Array.from(always), kinds });
  }
}

/** What became of one pattern so far: made when a text first needs it, given up when memory is short. */
interface Made {
  readonly bytes: ByteTree;
  readonly matcher: Matcher;
  cells: number;
  usedAt: number;
}

/** Many patterns and word lists at once: which of them a text can match, cheaply, and then whether each does. */
export class Search {
  readonly #tables: SearchTables;
  readonly #gate: Gate;
  readonly #made: (Made | undefined)[];
  readonly #shortest = new Map<string, Float64Array>();
  #cells = 0;
  #uses = 0;

  constructor(tables: SearchTables) {
    this.#tables = tables;
    this.#gate = new Gate(tables.gate);
    this.#made = tables.items.map(() => undefined);
  }

  /** What `toBuffer` gave; null where it is not that. */
  static fromBuffer(buffer: Uint8Array): Search | null {
    const tables = fromBuffer(buffer);
    return tables === null ? null : new Search(tables);
  }

  toBuffer(): Uint8Array {
    return toBuffer(this.#tables);
  }

  get size(): number {
    return this.#tables.items.length;
  }

  /** Cells of tables of states, four bytes each. */
  get cells(): number {
    return this.#cells;
  }

  /** Makes all patterns, so that no request has to wait for one that no text has asked for yet. */
  *prepare(): Steps<void> {
    for (const [id, item] of this.#tables.items.entries()) {
      if (!("rx" in item)) continue;
      const made = this.#make(id, item.rx);
      yield;
      yield* made.matcher.prepare();
      this.#account(made);
    }
  }

  /** The ids that can match the text: all that do, and some that do not. */
  candidates(text: string, out: Candidates): void {
    out.begin(this.#tables.items.length);
    const { always, kinds } = this.#tables;
    // Most ordinary texts have no literal at all, and are not looked at again. Each text has some kind, but for the empty one.
    let present = 0;
    const canBe = (id: number): boolean => {
      if (present === 0) present = kindsOf(text);
      for (let at = KINDS_PER_ITEM * id; at < KINDS_PER_ITEM * (id + 1); at++) {
        if (((kinds[at] as number) & present) === 0) return false;
      }
      return true;
    };
    const add = (id: number): void => {
      if (canBe(id)) out.add(id);
    };
    this.#gate.scan(text, add);
    // All masks are met by no text at all, but for those that are none.
    for (let at = 0; at < always.length; at++) {
      const id = always[at] as number;
      if (text === "" || canBe(id)) out.add(id);
    }
  }

  /** Whether the text has a match. False, too, where the work is spent before that is known (`work.isSpent`). */
  test(id: number, text: string, work: Work): boolean {
    const item = this.#item(id);
    if ("words" in item) return this.#hasWord(id, text, work);
    const made = this.#make(id, item.rx);
    const found = made.matcher.test(text, work);
    this.#account(made);
    return found;
  }

  /** The same of a long text, in slices. */
  *testInSteps(id: number, text: string, work: Work): Steps<boolean> {
    const item = this.#item(id);
    if ("words" in item) return this.#hasWord(id, text, work);
    const made = this.#make(id, item.rx);
    const steps = made.matcher.testInSteps(text, work);
    for (let step = steps.next(); ; step = steps.next()) {
      this.#account(made);
      if (step.done === true) return step.value;
      yield;
    }
  }

  /** Ids that no text of these characters (code points) with so many of them at most can match. */
  impossible(alphabet: CharSet, lengthMax: number | null): ReadonlySet<number> {
    const beyond = (alphabet.at(-1) ?? 0) > 0x7f;
    // In UTF-8 a character takes at most four bytes, and any of the upper half may be among them.
    const bytesMax = lengthMax === null ? Number.POSITIVE_INFINITY : lengthMax * (beyond ? 4 : 1);
    const shortest = this.#shortestFor(beyond ? [...ofAscii(alphabet), 0x80, 0xff] : alphabet);
    const ids = [...shortest.keys()];
    return new Set(ids.filter((id) => shortest[id] === Number.POSITIVE_INFINITY || (shortest[id] ?? 0) > bytesMax));
  }

  /** How long the shortest match of each id is in these bytes. Hundreds of fields have the same few alphabets. */
  #shortestFor(bytes: CharSet): Float64Array {
    const key = bytes.join();
    let shortest = this.#shortest.get(key);
    if (shortest === undefined) {
      shortest = Float64Array.from(this.#tables.items, (item, id) => {
        if ("rx" in item) return shortestOf(this.#make(id, item.rx).bytes.tree, bytes);
        const fits = (word: string): boolean => [...word].every((char) => hasEither(bytes, char));
        return Math.min(...item.words.filter(fits).map((word) => word.length));
      });
      if (this.#shortest.size >= DEFAULTS.searchAlphabetsMax) this.#shortest.clear();
      this.#shortest.set(key, shortest);
    }
    return shortest;
  }

  /** Where a text matches that `test` has said to match; null where the work is spent before that is known. */
  match(id: number, text: string, work: Work): SearchMatch | null {
    const item = this.#item(id);
    if ("rx" in item) return capture(this.#make(id, item.rx).bytes, text, work);
    const end = this.#gate.firstEnd(text, id);
    if (end < 0) return null;
    const before = fold(text.slice(Math.max(0, end - Math.max(...item.words.map((word) => word.length))), end));
    const word = item.words.filter((each) => before.endsWith(each)).reduce((a, b) => (b.length > a.length ? b : a), "");
    return { start: end - word.length, end, groups: [] };
  }

  #item(id: number): SearchItem {
    const item = this.#tables.items[id];
    if (item === undefined) throw new RangeError(`no search has the id ${id}`);
    return item;
  }

  #hasWord(id: number, text: string, work: Work): boolean {
    work.left -= text.length / 8;
    return !work.isSpent && this.#gate.firstEnd(text, id) >= 0;
  }

  #make(id: number, source: string): Made {
    const known = this.#made[id];
    if (known !== undefined) return known;
    const bytes = treeOf(source);
    const matcher = Matcher.of(bytes.tree);
    if (!matcher.ok) throw new Error(matcher.error.message);
    const made = { bytes, matcher: matcher.value, cells: 0, usedAt: 0 };
    this.#made[id] = made;
    return made;
  }

  /** Tables grow as texts need them; where all are too much, those go that were used longest ago. */
  #account(made: Made): void {
    const { cells } = made.matcher;
    made.usedAt = ++this.#uses;
    if (cells === made.cells) return;
    this.#cells += cells - made.cells;
    made.cells = cells;
    if (this.#cells <= DEFAULTS.searchCellsMax) return;
    const others = this.#made.filter((each) => each !== undefined && each !== made && each.cells > 0) as Made[];
    others.sort((a, b) => a.usedAt - b.usedAt);
    for (const other of others) {
      if (this.#cells <= DEFAULTS.searchCellsMax / 2) break;
      this.#cells -= other.cells;
      other.cells = 0;
      other.matcher.release();
    }
  }
}

/** A source that has been read before. */
function treeOf(source: string): ByteTree {
  const parsed = parseBytes(source);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

function hasEither(set: CharSet, folded: string): boolean {
  return contains(set, folded.charCodeAt(0)) || contains(set, folded.toUpperCase().charCodeAt(0));
}

function ofAscii(set: CharSet): number[] {
  return rangesOf(set)
    .filter(([first]) => first <= 0x7f)
    .flatMap(([first, last]) => [first, Math.min(last, 0x7f)]);
}
