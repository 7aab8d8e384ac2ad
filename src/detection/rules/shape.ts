import { type CharSet, contains, rangesOf, union } from "../../schema/pattern/char-set.ts";
import type { Steps } from "../../support/turns.ts";
import type { ValueConstraint } from "../facts.ts";
import type { Search } from "../search/search.ts";
import { mayChange, triggersOf } from "../transform/index.ts";
import type { Link } from "./rule.ts";
import type { StageTree } from "./stages.ts";

/** Steps that only take characters away or make them small. */
const SHRINKING: ReadonlySet<string> = new Set([
  "lowercase",
  "removenulls",
  "removewhitespace",
  "trim",
  "trimleft",
  "trimright",
]);
/** Nothing that is made of these alone is SQL or a script: it is one word or one number. */
const ONE_WORD: CharSet = [0x2e, 0x2e, 0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];

/**
 * What no value of a contract's field can match, by its alphabet and its length: decided once (`prepare`), from the trees of
 * the patterns, and so no guess.
 */
export class Shape {
  readonly key: string;
  readonly #characters: CharSet;
  readonly #lengthMax: number | null;
  readonly #search: Search;
  #impossible: ReadonlySet<number> | null = null;
  readonly #masks: readonly number[];
  readonly #isOneWord: boolean;
  readonly #isClosed: boolean;

  constructor({ alphabet, lengthMax, isClosed }: ValueConstraint, search: Search) {
    this.key = isClosed ? "closed" : `${alphabet?.join() ?? ""}/${lengthMax ?? ""}`;
    this.#isClosed = isClosed;
    const characters = alphabet === null ? ALL : withSmall(alphabet);
    this.#characters = characters;
    this.#lengthMax = lengthMax;
    this.#search = search;
    if (isClosed) this.#impossible = new Set();
    this.#masks = alphabet === null ? [] : masksOf(characters);
    this.#isOneWord = alphabet !== null && rangesOf(alphabet).every(([first, last]) => isWithin(first, last, ONE_WORD));
  }

  /** False until somebody has asked what no such value can match: whoever comes first prepares it. */
  get isReady(): boolean {
    return this.#impossible !== null;
  }

  /** For these patterns alone, where they are given. */
  *prepare(among?: readonly number[]): Steps<void> {
    this.#impossible ??= yield* this.#search.impossible(this.#characters, this.#lengthMax, among);
  }

  /** False where no text of a stage of such a value can match. */
  canMatch({ test, negated }: Link, stage: number, tree: StageTree): boolean {
    if (this.#isClosed) return false;
    if (negated) return true;
    if (test.kind === "text" && test.test.isNever?.(this.#characters) === true)
      return !this.#keepsAlphabet(stage, tree);
    if (test.kind === "recogniser") return !this.#isOneWord || !this.#keepsAlphabet(stage, tree);
    return test.kind !== "pattern" || this.#impossible?.has(test.id) !== true || !this.#keepsAlphabet(stage, tree);
  }

  #keepsAlphabet(stage: number, tree: StageTree): boolean {
    if (stage === 0) return true;
    if (this.#masks.length === 0) return tree.stepsOf(stage).every((step) => SHRINKING.has(step));
    return tree
      .stepsOf(stage)
      .every((step) => SHRINKING.has(step) || !this.#masks.some((triggers) => mayChange(step, triggers)));
  }
}

const ALL: CharSet = [0, 0x10ffff];

function withSmall(alphabet: CharSet): CharSet {
  const small: number[] = [];
  for (let code = 0x41; code <= 0x5a; code++) if (contains(alphabet, code)) small.push(code + 32, code + 32);
  return union([alphabet, small]);
}

/**
 * The trigger masks that tell of all texts of an alphabet: of each character alone and twice, and of all together. A
 * character beyond ASCII stands for each byte beyond.
 */
function masksOf(alphabet: CharSet): readonly number[] {
  const characters: string[] = [];
  for (let code = 0; code <= 0x7f; code++) if (contains(alphabet, code)) characters.push(String.fromCharCode(code));
  if ((alphabet.at(-1) ?? 0) > 0x7f)
    for (let code = 0x80; code <= 0xff; code++) characters.push(String.fromCharCode(code));
  const texts = characters.flatMap((char) => [char, char + char]);
  return [...new Set([...texts, texts.join("")].map(triggersOf))];
}

function isWithin(first: number, last: number, set: CharSet): boolean {
  return rangesOf(set).some(([from, to]) => first >= from && last <= to);
}
