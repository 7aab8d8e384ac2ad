import { type CharSet, contains, rangesOf } from "../../schema/pattern/char-set.ts";
import type { PatternFault } from "../../schema/pattern/source.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { atOnce, type Steps } from "../../support/turns.ts";
import { Candidates } from "./candidates.ts";
import { capture, type SearchMatch } from "./captures.ts";
import { type FirstLook, makeFirstLook } from "./first-look.ts";
import { Gate } from "./gate.ts";
import { fold } from "./literals.ts";
import { type Made, madeAgain, madeOf } from "./made.ts";
import { Matcher } from "./matcher.ts";
import { parseBytes } from "./pcre.ts";
import { kindsOf, shortestOf } from "./requirements.ts";
import { fromBuffer, KINDS_PER_ITEM, type SearchItem, toBuffer } from "./tables.ts";
import type { Work } from "./work.ts";

export { Candidates } from "./candidates.ts";
export type { SearchMatch } from "./captures.ts";
export { Work } from "./work.ts";

/** Collects patterns and word lists, and makes one search of them. Ids count from 0; equal ones are one. */
export class SearchBuilder {
  readonly #items: SearchItem[] = [];
  readonly #made: (Made | undefined)[] = [];
  readonly #ids = new Map<string, number>();

  /** A pattern of PCRE as the rule sets write it, over bytes (`parseBytes`). */
  rx(source: string): Result<number, PatternFault> {
    const known = this.#ids.get(`rx ${source}`);
    if (known !== undefined) return ok(known);
    const parsed = parseBytes(source);
    if (!parsed.ok) return parsed;
    const matcher = Matcher.of(parsed.value.tree);
    if (!matcher.ok) return err(matcher.error);
    return ok(this.#add(`rx ${source}`, { rx: source }, madeOf(parsed.value, matcher.value)));
  }

  /** Texts that have one of these words in them, in any case of ASCII; empty words are left out. */
  words(list: readonly string[]): number {
    const words = list.map(fold).filter((word) => word !== "");
    const key = `words ${JSON.stringify(words)}`;
    return this.#ids.get(key) ?? this.#add(key, { words }, undefined);
  }

  #add(key: string, item: SearchItem, made: Made | undefined): number {
    const id = this.#items.push(item) - 1;
    this.#made.push(made);
    this.#ids.set(key, id);
    return id;
  }

  /** A search that is not ready yet. */
  begin(): Search {
    return new Search(this.#items, null, this.#made);
  }

  *build(): Steps<Search> {
    const search = this.begin();
    yield* search.ready();
    return search;
  }
}

/**
 * Many patterns and word lists at once: which of them a text can match, cheaply, and then whether each does. The first needs
 * tables of all patterns, which are made in steps (`ready`), by whoever needs them first.
 */
export class Search {
  readonly #items: readonly SearchItem[];
  readonly #made: (Made | undefined)[];
  readonly #shortest = new Map<string, Float64Array>();
  #look: FirstLook | null;
  #making: Steps<void> | null = null;
  #cells = 0;
  #uses = 0;

  constructor(items: readonly SearchItem[], look: FirstLook | null, made: readonly (Made | undefined)[]) {
    this.#items = items;
    this.#look = look;
    this.#made = items.map((_, id) => made[id]);
  }

  /** What `toBuffer` gave; null where it is not that. */
  static fromBuffer(buffer: Uint8Array): Search | null {
    const tables = fromBuffer(buffer);
    if (tables === null) return null;
    const { items, gate, always, kinds } = tables;
    return new Search(items, { gate: new Gate(gate), always, kinds }, []);
  }

  toBuffer(): Uint8Array {
    const { gate, always, kinds } = this.#firstLook();
    return toBuffer({ items: this.#items, gate: gate.tables, always, kinds });
  }

  get size(): number {
    return this.#items.length;
  }

  /** Cells of tables of states, four bytes each. */
  get cells(): number {
    return this.#cells;
  }

  get isReady(): boolean {
    return this.#look !== null;
  }

  /** Makes what all texts need. Several may wait for it at once: each drives it on when it is its turn. */
  *ready(): Steps<void> {
    while (this.#look === null) {
      this.#making ??= this.#makeLook();
      this.#making.next();
      yield;
    }
  }

  *#makeLook(): Steps<void> {
    this.#look = yield* makeFirstLook(this.#items, (id, source) => this.#make(id, source).bytes.tree);
    this.#making = null;
  }

  #firstLook(): FirstLook {
    // No text passes because nobody waited.
    if (this.#look === null) atOnce(this.ready());
    return this.#look as FirstLook;
  }

  /** Makes all patterns, so that no request has to wait for one that no text has asked for yet. */
  *prepare(): Steps<void> {
    yield* this.ready();
    for (const [id, item] of this.#items.entries()) {
      if (!("rx" in item)) continue;
      const made = this.#make(id, item.rx);
      yield;
      yield* made.matcher.prepare();
      this.#account(made);
    }
  }

  /** The ids that can match the text: all that do, and some that do not. */
  candidates(text: string, out: Candidates): void {
    out.begin(this.#items.length);
    const { gate, always, kinds } = this.#firstLook();
    // Most ordinary texts have no literal at all, and are not looked at again. Each text has some kind, but for the empty one.
    let present = 0;
    const canBe = (id: number): boolean => {
      if (present === 0) present = kindsOf(text);
      return hasKinds(kinds, id, present);
    };
    const add = (id: number): void => {
      if (canBe(id)) out.add(id);
    };
    gate.scan(text, add);
    // All masks are met by no text at all, but for those that are none.
    for (let at = 0; at < always.length; at++) {
      const id = always[at] as number;
      if (text === "" || canBe(id)) out.add(id);
    }
  }

  /** The same of a long text. */
  *candidatesInSteps(text: string): Steps<readonly number[]> {
    const { gate, always, kinds } = this.#firstLook();
    const out = new Candidates();
    out.begin(this.#items.length);
    const present = kindsOf(text);
    yield;
    const add = (id: number): void => {
      if (hasKinds(kinds, id, present)) out.add(id);
    };
    yield* gate.scanInSteps(text, add);
    always.forEach(add);
    return out.ids;
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

  /** Ids that no text of these characters (code points) with so many of them at most can match; `among` these alone, if given. */
  *impossible(alphabet: CharSet, lengthMax: number | null, among?: readonly number[]): Steps<ReadonlySet<number>> {
    const beyond = (alphabet.at(-1) ?? 0) > 0x7f;
    // In UTF-8 a character takes at most four bytes, and any of the upper half may be among them.
    const bytesMax = lengthMax === null ? Number.POSITIVE_INFINITY : lengthMax * (beyond ? 4 : 1);
    const bytes = beyond ? [...ofAscii(alphabet), 0x80, 0xff] : alphabet;
    const isOut = (length: number): boolean => length === Number.POSITIVE_INFINITY || length > bytesMax;
    if (among !== undefined) return new Set(among.filter((id) => isOut(this.#shortestOf(id, bytes))));
    const shortest = yield* this.#shortestFor(bytes);
    return new Set([...shortest.keys()].filter((id) => isOut(shortest[id] ?? 0)));
  }

  /** How long the shortest match of each id is in these bytes. Hundreds of fields have the same few alphabets. */
  *#shortestFor(bytes: CharSet): Steps<Float64Array> {
    const key = bytes.join();
    const known = this.#shortest.get(key);
    if (known !== undefined) return known;
    const shortest = new Float64Array(this.#items.length);
    for (const id of this.#items.keys()) {
      shortest[id] = this.#shortestOf(id, bytes);
      yield;
    }
    if (this.#shortest.size >= DEFAULTS.searchAlphabetsMax) this.#shortest.clear();
    this.#shortest.set(key, shortest);
    return shortest;
  }

  #shortestOf(id: number, bytes: CharSet): number {
    const item = this.#item(id);
    if ("rx" in item) return shortestOf(this.#make(id, item.rx).bytes.tree, bytes);
    const fits = (word: string): boolean => [...word].every((char) => hasEither(bytes, char));
    return Math.min(...item.words.filter(fits).map((word) => word.length));
  }

  /** Where a text matches that `test` has said to match; null where the work is spent before that is known. */
  match(id: number, text: string, work: Work): SearchMatch | null {
    return atOnce(this.matchInSteps(id, text, work));
  }

  /** The same of a long text, in slices. */
  *matchInSteps(id: number, text: string, work: Work): Steps<SearchMatch | null> {
    const item = this.#item(id);
    if ("rx" in item) return yield* capture(this.#make(id, item.rx).bytes, text, work);
    const end = this.#firstLook().gate.firstEnd(text, id);
    if (end < 0) return null;
    const before = fold(text.slice(Math.max(0, end - Math.max(...item.words.map((word) => word.length))), end));
    const word = item.words.filter((each) => before.endsWith(each)).reduce((a, b) => (b.length > a.length ? b : a), "");
    return { start: end - word.length, end, groups: [] };
  }

  #item(id: number): SearchItem {
    const item = this.#items[id];
    if (item === undefined) throw new RangeError(`no search has the id ${id}`);
    return item;
  }

  #hasWord(id: number, text: string, work: Work): boolean {
    work.left -= text.length / 8;
    return !work.isSpent && this.#firstLook().gate.firstEnd(text, id) >= 0;
  }

  #make(id: number, source: string): Made {
    this.#made[id] ??= madeAgain(source);
    return this.#made[id];
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

function hasKinds(kinds: Int32Array, id: number, present: number): boolean {
  for (let at = KINDS_PER_ITEM * id; at < KINDS_PER_ITEM * (id + 1); at++) {
    if (((kinds[at] as number) & present) === 0) return false;
  }
  return true;
}

function hasEither(set: CharSet, folded: string): boolean {
  return contains(set, folded.charCodeAt(0)) || contains(set, folded.toUpperCase().charCodeAt(0));
}

function ofAscii(set: CharSet): number[] {
  return rangesOf(set)
    .filter(([first]) => first <= 0x7f)
    .flatMap(([first, last]) => [first, Math.min(last, 0x7f)]);
}
