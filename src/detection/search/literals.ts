import { type CharSet, rangesOf } from "../../schema/pattern/char-set.ts";
import type { Node } from "../../schema/pattern/tree.ts";
import type { Steps } from "../../support/turns.ts";

/** Of the texts that one node takes. All in small letters. */
interface Facts {
  /** A match is one of these, or has one of `escapes` in it; null where there are too many. */
  readonly exact: readonly string[] | null;
  readonly escapes: readonly string[];
  /** Each match has one of these in it; null where none is known. */
  readonly required: readonly string[] | null;
}

/** A set of more bytes is no literal. */
const SET_MAX = 24;
/** Literals that a run of parts multiplies to. */
const PRODUCT_MAX = 1_024;
const LITERALS_MAX = 8_192;
/** A longer literal says hardly more, and takes a row of the gate for each of its bytes. */
const LENGTH_MAX = 8;
const COPIES_MAX = 4;
const LITERALS_A_STEP = 1_024;
const OPTIONS_A_STEP = 32;
/** What may stand between the letters of a word is worth a literal of its own where it is rarer than this. */
const ESCAPE_COST_MAX = 0.08;
/** What may stand once is tried both ways, unless it is as rare as a quote. */
const RARE_COST_MAX = 0.012;

const NOTHING: Facts = { exact: null, escapes: [], required: null };
const EMPTY: Facts = { exact: [""], escapes: [], required: null };

/**
 * Literals of which each text that the tree matches has at least one, in small letters: the rarest such set that is found.
 * Null where there is none. Words whose letters may be parted, as `w["']*h["']*o`, are literals beside what may part
 * them: a text without any of `"'` has the whole word.
 */
export function* requiredLiterals(tree: Node): Steps<readonly string[] | null> {
  const best = bestOf(yield* factsOf(tree));
  yield;
  return best === null ? null : yield* withoutLonger(best);
}

function* factsOf(node: Node): Steps<Facts> {
  switch (node.kind) {
    case "set":
      return factsOfSet(node.set);
    case "sequence":
      return yield* sequenceOf(node.parts);
    case "choice": {
      const options: Facts[] = [];
      for (const option of node.options) {
        options.push(yield* factsOf(option));
        if (options.length % OPTIONS_A_STEP === 0) yield;
      }
      return yield* choiceOf(options);
    }
    case "repeat":
      return node.min > 0 ? yield* sequenceOf([node]) : optionalOf(yield* factsOf(node.body), node.max);
    default:
      return EMPTY;
  }
}

/** Long patterns have the same few sets thousands of times. */
const knownSets = new WeakMap<CharSet, Facts>();

function factsOfSet(set: CharSet): Facts {
  let facts = knownSets.get(set);
  if (facts === undefined) {
    const exact = charsOf(set);
    facts = exact === null ? NOTHING : { exact, escapes: [], required: null };
    knownSets.set(set, facts);
  }
  return facts;
}

function charsOf(set: CharSet): string[] | null {
  const chars = new Set<string>();
  for (const [first, last] of rangesOf(set)) {
    if (last - first > 4 * SET_MAX) return null;
    for (let char = first; char <= last; char++) chars.add(fold(String.fromCharCode(char)));
  }
  return chars.size > SET_MAX ? null : [...chars];
}

/** Small letters of ASCII alone: `toLowerCase` knows more. */
export function fold(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function* choiceOf(options: readonly Facts[]): Steps<Facts> {
  const exact = unionOf(options.map((option) => option.exact));
  yield;
  const bests: (readonly string[] | null)[] = [];
  let judged = 0;
  for (const option of options) {
    bests.push(bestOf(option));
    judged += bests.at(-1)?.length ?? 0;
    if (judged < LITERALS_A_STEP) continue;
    judged = 0;
    yield;
  }
  const required = unionOf(bests);
  return {
    exact: exact === null || exact.length > PRODUCT_MAX ? null : exact,
    escapes: distinct(options.flatMap((option) => option.escapes)),
    required: required === null || required.length > LITERALS_MAX ? null : required,
  };
}

/** Null where one of them is. */
function unionOf(lists: readonly (readonly string[] | null)[]): readonly string[] | null {
  const texts = new Set<string>();
  for (const list of lists) {
    if (list === null) return null;
    for (const text of list) texts.add(text);
  }
  return [...texts];
}

function optionalOf(body: Facts, max: number): Facts {
  const best = bestOf(body);
  const cost = best === null ? Number.POSITIVE_INFINITY : costOf(best);
  if (max === 1 && body.exact !== null && cost > RARE_COST_MAX) {
    return { ...body, exact: distinct(["", ...body.exact]), required: null };
  }
  return best === null || cost > ESCAPE_COST_MAX ? NOTHING : { exact: [""], escapes: best, required: null };
}

/** Parts one after the other, as runs whose literals multiply; a run ends where a part has none or they become too many. */
class Runs {
  #run: readonly string[] = [""];
  #escapes: readonly string[] = [];
  #isWhole = true;
  #best: readonly string[] | null = null;
  /** Literals made since the last step. */
  #made = 0;

  get isStepOver(): boolean {
    if (this.#made < LITERALS_A_STEP) return false;
    this.#made = 0;
    return true;
  }

  add({ exact, escapes, required }: Facts): void {
    if (required !== null) this.#consider(required);
    if (exact === null) {
      this.end();
      return;
    }
    const product = this.#run.length * exact.length;
    const isLong = this.#run.some((text) => text.length > LENGTH_MAX);
    if (product > PRODUCT_MAX || (isLong && exact.some((text) => text !== ""))) this.end();
    this.#run = this.#run.length === 1 && this.#run[0] === "" ? exact : cross(this.#run, exact);
    this.#made += this.#run.length;
    if (escapes.length > 0) this.#escapes = distinct([...this.#escapes, ...escapes]);
  }

  /** What comes next does not follow at once. */
  end(): void {
    this.#consider([...this.#run, ...this.#escapes]);
    this.#isWhole = false;
    this.#run = [""];
    this.#escapes = [];
  }

  facts(): Facts {
    const { exact, escapes } = { exact: this.#isWhole ? this.#run : null, escapes: this.#isWhole ? this.#escapes : [] };
    this.#consider([...this.#run, ...this.#escapes]);
    return { exact, escapes, required: this.#best };
  }

  #consider(literals: readonly string[]): void {
    if (literals.includes("") || literals.length > LITERALS_MAX) return;
    if (this.#best === null || costOf(literals) < costOf(this.#best)) this.#best = literals;
  }
}

function* sequenceOf(parts: readonly Node[]): Steps<Facts> {
  const runs = new Runs();
  for (const part of parts) {
    if (runs.isStepOver) yield;
    if (part.kind !== "repeat" || part.min === 0) {
      runs.add(part.kind === "set" ? factsOfSet(part.set) : yield* factsOf(part));
      continue;
    }
    const body = yield* factsOf(part.body);
    for (let copy = 0; copy < Math.min(part.min, COPIES_MAX); copy++) runs.add(body);
    if (part.max === part.min && part.min <= COPIES_MAX) continue;
    // Between the first copies and the last there may be any number of them.
    runs.end();
    runs.add(body);
  }
  return runs.facts();
}

function bestOf({ exact, escapes, required }: Facts): readonly string[] | null {
  const all = exact === null || exact.includes("") ? null : [...exact, ...escapes];
  if (all === null || required === null) return all ?? required;
  return costOf(all) <= costOf(required) ? all : required;
}

function cross(firsts: readonly string[], seconds: readonly string[]): string[] {
  return distinct(firsts.flatMap((first) => seconds.map((second) => first + second)));
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** A text that begins with another adds nothing to it. */
function* withoutLonger(texts: readonly string[]): Steps<string[]> {
  const all = new Set(texts.map((text) => text.slice(0, LENGTH_MAX)));
  const kept: string[] = [];
  let looked = 0;
  for (const text of all) {
    if (++looked % LITERALS_A_STEP === 0) yield;
    if (!hasBeginning(text, all)) kept.push(text);
  }
  return kept;
}

function hasBeginning(text: string, all: ReadonlySet<string>): boolean {
  for (let length = 1; length < text.length; length++) if (all.has(text.slice(0, length))) return true;
  return false;
}

/** How often a place in an ordinary value has each byte, roughly. */
const FREQUENCIES = Float64Array.from({ length: 256 }, (_, byte) => frequencyOf(String.fromCharCode(byte)));

function frequencyOf(char: string): number {
  if (/[aeinorst]/.test(char)) return 0.065;
  if (/[a-z]/.test(char)) return 0.025;
  if (/[0-9]/.test(char)) return 0.03;
  if (char === " ") return 0.1;
  if (/[-._/,:@]/.test(char)) return 0.015;
  return char < "\x7f" ? 0.004 : 0.002;
}

/** How many of the literals an ordinary place begins. */
export function costOf(literals: readonly string[]): number {
  let sum = 0;
  for (const literal of literals) {
    let chance = 1;
    for (let at = 0; at < literal.length; at++) chance *= FREQUENCIES[literal.charCodeAt(at)] ?? 0;
    sum += chance;
  }
  return sum;
}
