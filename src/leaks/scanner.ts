import { byteSet, DIGIT, isIn } from "./byte-set.ts";
import { DETECTORS } from "./catalogue.ts";
import { FirstPass, type Passed } from "./first-pass.ts";
import type { Detector, Found, Judge, LeakKind } from "./kind.ts";
import { wordsOf } from "./named-value.ts";
import { findOwn, type OwnFinds, type OwnPattern } from "./own-pattern.ts";
import type { LeakPath, LeakPlace } from "./places.ts";
import { MORE } from "./shape.ts";
import { WindowText } from "./text.ts";

/** A find, and where it stands. */
export interface PlacedFind extends Found {
  readonly place: LeakPlace;
}

/** Where a place of the text stands. Asked in order, but for places that were asked for before. */
export type PlaceAt = (at: number) => LeakPlace;

/** What a look at a stretch of text gives. */
export interface Scanned {
  /** In order; each ends before `upTo`. */
  readonly found: readonly PlacedFind[];
  /** Up to here nothing more can be found, whatever follows. */
  readonly upTo: number;
}

/** Bytes before a find in which a telling word counts. */
export const WORDS_BYTES = 64;
/** A name that goes on to the left of the place that is looked at. */
const RUN = byteSet("A-Za-z0-9._%+'~/=!#$*^@:-");
const RUN_BYTES_MAX = 80;

/**
 * Looks for some kinds. What it says of a text depends on nothing but the text: however it is cut, the same is found, as
 * long as whoever holds it back from `upTo` on gives it again together with what follows.
 */
export class Scanner {
  readonly #kinds: ReadonlySet<LeakKind>;
  readonly #pass: FirstPass;
  /** By anchor. */
  readonly #detectors: readonly Detector[];
  readonly #runBytesMax: number;

  readonly #own: readonly OwnPattern[];

  constructor(kinds: ReadonlySet<LeakKind>, own: readonly OwnPattern[] = []) {
    this.#kinds = new Set([...kinds, ...own.map(({ kind }) => kind)]);
    this.#own = own;
    const detectors = DETECTORS.filter((detector) => detector.kinds.some((kind) => kinds.has(kind)));
    this.#detectors = detectors.flatMap((detector) => detector.anchors.map(() => detector));
    this.#pass = new FirstPass(detectors.flatMap(({ anchors }) => anchors));
    this.#runBytesMax = Math.min(RUN_BYTES_MAX, Math.max(0, ...detectors.map(({ bytesBefore }) => bytesBefore)));
  }

  /**
   * `bytes` from `start` on: what stands before was looked at already. `placeAt` is asked only where something was found, or
   * nearly.
   */
  scan(bytes: Buffer, start: number, isWhole: boolean, placeAt: PlaceAt): Scanned {
    const passed = this.#passOver(bytes, start);
    if (isWhole && passed.hits.length === 0 && this.#own.length === 0) return { found: [], upTo: bytes.length };
    const text = new WindowText(bytes, start, isWhole);
    const own = this.#own.length === 0 ? NO_OWN : this.#findOwn(text);
    const ask = own.found.length === 0 ? placeAt : inOrder(own.found, placeAt);
    const judge = new WordJudge(this.#kinds, text, ask);
    const found: PlacedFind[] = [];
    const looked = this.#lookAtAll(passed, text, judge, found, ask);
    for (const one of own.found) {
      if (judge.isReported(one.kind, one.start, false)) found.push({ ...one, place: ask(one.start) });
    }
    return this.#upTo(text, Math.min(looked, own.upTo), found);
  }

  /** False where there is certainly nothing, which most texts are seen to have. */
  mayFind(bytes: Buffer): boolean {
    return this.#own.length > 0 || this.#passOver(bytes, 0).hits.length > 0;
  }

  #passOver(bytes: Buffer, start: number): Passed {
    const begun = start === 0 ? this.#pass.begin : this.#pass.rowBehind(bytes[start - 1] as number);
    return this.#pass.pass(bytes, start, begun);
  }

  /** Gives up to where all is found. */
  #lookAtAll({ hits, row }: Passed, text: WindowText, judge: Judge, found: PlacedFind[], placeAt: PlaceAt): number {
    for (const hit of hits) {
      const limit = this.#look(text, hit.at + 1, hit.row, judge, found, placeAt);
      if (limit !== null) return limit;
    }
    return text.isWhole ? text.length : text.length - this.#pass.depthAt(row);
  }

  #findOwn(text: WindowText): OwnFinds {
    const finds = this.#own.map((own) => findOwn(own, text));
    const found = finds.flatMap((one) => one.found).sort((a, b) => a.start - b.start);
    return { found, upTo: Math.min(...finds.map(({ upTo }) => upTo)) };
  }

  /** Anchors end before `at`; gives where that begins which cannot be judged before more is here. */
  #look(text: WindowText, at: number, row: number, judge: Judge, found: PlacedFind[], placeAt: PlaceAt): number | null {
    let last: Detector | null = null;
    for (const anchor of this.#pass.endsAt(row)) {
      const detector = this.#detectors[anchor] as Detector;
      if (detector === last) continue;
      last = detector;
      const one = detector.find(text, at, judge);
      if (one === MORE) return at - ANCHOR_BYTES_MAX;
      if (one === null) continue;
      for (const each of Array.isArray(one) ? (one as readonly Found[]) : [one as Found]) add(each, found, placeAt);
    }
    return null;
  }

  /** Back to where a name begins that goes on, and to where a find begins that would be cut. */
  #upTo(text: WindowText, limit: number, all: readonly PlacedFind[]): Scanned {
    let upTo = Math.max(limit, text.start);
    if (!text.isWhole) {
      const least = Math.max(text.start, upTo - this.#runBytesMax);
      while (upTo > least && isOfRun(text.bytes, upTo - 1)) upTo--;
    }
    if (all.length === 0) return { found: all, upTo };
    const sorted = [...all].sort((a, b) => a.start - b.start || b.end - a.end);
    for (let isCut = true; isCut; ) {
      isCut = false;
      for (const { from, end } of sorted) {
        if (from >= upTo || end <= upTo) continue;
        upTo = from;
        isCut = true;
      }
    }
    return { found: sorted.filter(({ end }) => end <= upTo), upTo };
  }
}

const NO_OWN: OwnFinds = { found: [], upTo: Number.POSITIVE_INFINITY };

/** Of a name, or a space between digits, or behind them. */
function isOfRun(bytes: Buffer, at: number): boolean {
  return isIn(RUN, bytes[at]) || (bytes[at] === SPACE && isIn(DIGIT, bytes[at - 1]));
}

const SPACE = 0x20;

/** More than one anchor may lead to a find. */
function add(one: Found, found: PlacedFind[], placeAt: PlaceAt): void {
  for (let at = found.length - 1; at >= 0; at--) {
    const last = found[at] as PlacedFind;
    if (last.kind === one.kind && last.start === one.start) return;
    if (last.end < one.start) break;
  }
  found.push({ ...one, place: placeAt(one.start) });
}

/** Asks for the places of finds that are known, too, so that all are asked for in order. */
function inOrder(found: readonly Found[], placeAt: PlaceAt): PlaceAt {
  let asked = 0;
  return (at) => {
    for (let one = found[asked]; one !== undefined && one.start <= at; one = found[++asked]) placeAt(one.start);
    return placeAt(at);
  };
}

/** Longest way from where an anchor begins to where it ends: nine digits with what stands between. */
const ANCHOR_BYTES_MAX = 18;

/** Knows which kinds are asked for, and counts what speaks for one. */
class WordJudge implements Judge {
  readonly #kinds: ReadonlySet<LeakKind>;
  readonly #text: WindowText;
  readonly #placeAt: PlaceAt;

  constructor(kinds: ReadonlySet<LeakKind>, text: WindowText, placeAt: PlaceAt) {
    this.#kinds = kinds;
    this.#text = text;
    this.#placeAt = placeAt;
  }

  wants(kind: LeakKind): boolean {
    return this.#kinds.has(kind);
  }

  isReported(kind: LeakKind, start: number, isChecked: boolean, shape: number = kind.scores.shape): boolean {
    if (!this.#kinds.has(kind)) return false;
    const score = shape + (isChecked ? kind.scores.checksum : 0);
    if (score >= kind.threshold) return true;
    return score + kind.scores.word >= kind.threshold && this.#hasWord(kind.words, start);
  }

  isIdentifier(start: number): boolean {
    return /^ids?$/.test(this.#wordsBefore(start).at(-1) ?? "");
  }

  #wordsBefore(start: number): string[] {
    const line = this.#text.slice(start - WORDS_BYTES, start);
    return [...wordsOf(namesOf(this.#placeAt(start).path)), ...wordsOf(line.slice(beginOf(line)))];
  }

  #hasWord(words: readonly string[], start: number): boolean {
    const near = this.#wordsBefore(start);
    return near.some((word, at) => words.includes(word) || words.includes(word + near[at + 1]));
  }
}

/** Where the line or the member begins whose end is the end of the text. */
function beginOf(line: string): number {
  for (let at = line.length - 1; at > 0; at--) {
    const char = line[at];
    if (char === "\n" || char === "\r" || char === "{") return at;
    if ((char === '"' || char === "'") && line.slice(0, at).trimEnd().endsWith(",")) return at;
  }
  return 0;
}

/** The last two names that lead to a place. */
function namesOf(path: LeakPath): string {
  return path
    .filter((key) => typeof key === "string")
    .slice(-2)
    .join(" ");
}
