import { type Alphabet, makeAlphabet } from "./alphabet.ts";
import { type CharSet, rangesOf } from "./char-set.ts";
import { type Check, checksOf, looksOf } from "./checks.ts";
import { Closure, LINE_END, type State, TEXT_EDGE } from "./closure.ts";
import { parsePattern } from "./parse.ts";
import { type Program, sizeOf, toProgram } from "./program.ts";
import { isAnchored } from "./tree.ts";

/** How far a search goes: places of both patterns together, and characters of a text. */
const PLACES_MAX = 8_192;
const LENGTH_MAX = 300;
const STEPS_MAX = 400;
/** What a reader expects to see, the likeliest first. */
const USUAL = "a0Ab1Bz9Z-_./ @:é".split("").map((char) => char.codePointAt(0) ?? 0);

/** Where a text has come to in one check of a pattern. */
type At = State | typeof MATCHED | typeof DEAD;
const MATCHED = 1;
const DEAD = 0;

/**
 * A shortest text that one pattern takes and the other refuses; null where there is none, or none is found within the
 * bounds. Of patterns that look ahead over more than a character nothing is known: null. `length`: in characters.
 */
export function textApart(
  taking: string,
  refusing: string,
  length: { readonly min: number; readonly max: number },
): string | null {
  const walks = [walkOf(taking), walkOf(refusing)] as const;
  const [taker, refuser] = walks;
  if (taker === null || refuser === null) return null;
  const chars = charsOf([...taker.sets, ...refuser.sets]);
  const start: Found = { taken: taker.begin(), refused: refuser.begin(), length: 0, char: -1, before: null };
  const seen = new Set([keyOf(start)]);
  const queue = [start];
  for (let at = 0; at < queue.length && queue.length < PLACES_MAX; at++) {
    const found = queue[at] as Found;
    const isLong = found.length >= length.min && found.length <= length.max;
    if (isLong && taker.ends(found.taken, found.length) && !refuser.ends(found.refused, found.length))
      return textOf(found);
    if (found.length >= Math.min(length.max, LENGTH_MAX) || taker.isLost(found.taken)) continue;
    for (const char of chars) {
      const next: Found = {
        taken: taker.step(found.taken, char),
        refused: refuser.step(found.refused, char),
        length: found.length + 1,
        char,
        before: found,
      };
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(next);
    }
  }
  return null;

  /** Lengths tell places apart as far as somebody asks for them. */
  function keyOf({ taken, refused, length: now }: Found): string {
    const counted = Math.min(now, Math.max(length.min, taker?.counts ?? 0, refuser?.counts ?? 0));
    return JSON.stringify([taken, refused, counted]);
  }
}

interface Found {
  readonly taken: readonly At[];
  readonly refused: readonly At[];
  readonly length: number;
  readonly char: number;
  readonly before: Found | null;
}

function textOf(found: Found): string {
  let text = "";
  for (let at: Found | null = found; at !== null && at.char >= 0; at = at.before)
    text = String.fromCodePoint(at.char) + text;
  return text;
}

/** One character of each kind that the sets tell apart, the usual ones first. */
function charsOf(sets: readonly CharSet[]): readonly number[] {
  const alphabet = makeAlphabet(sets);
  const edges = sets.flatMap((set) => rangesOf(set).flatMap(([first, last]) => [first, last, last + 1]));
  const chars = new Map<number, number>();
  for (const char of [...USUAL, 0x21, 0x7e, 0x0a, ...edges]) {
    const isLone = (char >= 0xd800 && char <= 0xdfff) || char > 0x10ffff;
    if (!isLone && !chars.has(alphabet.of(char))) chars.set(alphabet.of(char), char);
  }
  return [...chars.values()];
}

/** A pattern, walked a character at a time from any place. */
class Walk {
  readonly sets: readonly CharSet[];
  /** Up to which length its checks ask for it; 0 for none. */
  readonly counts: number;
  readonly #checks: readonly CheckWalk[];

  constructor(checks: readonly CheckWalk[]) {
    this.#checks = checks;
    this.sets = checks.flatMap(({ sets }) => sets);
    this.counts = Math.max(...checks.map(({ counts }) => counts));
  }

  begin(): readonly At[] {
    return this.#checks.map((check) => check.begin());
  }

  step(places: readonly At[], char: number): readonly At[] {
    return this.#checks.map((check, index) => check.step(places[index] ?? DEAD, char));
  }

  /** Whether a text that ends here matches. */
  ends(places: readonly At[], length: number): boolean {
    return this.#checks.every((check, index) => check.ends(places[index] ?? DEAD, length));
  }

  /** No text that goes on from here matches. */
  isLost(places: readonly At[]): boolean {
    return this.#checks.some((check, index) => check.isLost(places[index] ?? DEAD));
  }
}

class CheckWalk {
  readonly sets: readonly CharSet[];
  readonly counts: number;
  readonly #check: Check;
  readonly #alphabet: Alphabet;
  readonly #closure: Closure;
  readonly #sides: Int32Array;

  constructor(check: Check, program: Program) {
    this.#check = check;
    this.sets = [...program.sets, ...program.watched];
    this.#alphabet = makeAlphabet(this.sets);
    this.#closure = new Closure(program, this.#alphabet);
    this.#sides = sidesOf(program, this.#alphabet);
    const { lengthMin, lengthMax } = check;
    this.counts = lengthMax === Number.POSITIVE_INFINITY ? lengthMin : Math.min(lengthMax, LENGTH_MAX) + 1;
  }

  begin(): At {
    this.#closure.begin();
    return this.#closure.state;
  }

  step(at: At, char: number): At {
    if (typeof at === "number") return at;
    const column = this.#alphabet.of(char);
    const right = this.#sides[column] ?? 0;
    this.#closure.load(at);
    if (this.#closure.follow(right)) return MATCHED;
    return this.#closure.take(column, right) ? this.#closure.state : DEAD;
  }

  ends(at: At, length: number): boolean {
    const { lengthMin, lengthMax, negated } = this.#check;
    return (length >= lengthMin && length <= lengthMax && this.#matches(at)) !== negated;
  }

  isLost(at: At): boolean {
    return this.#check.negated ? at === MATCHED && this.#check.lengthMax === Number.POSITIVE_INFINITY : at === DEAD;
  }

  #matches(at: At): boolean {
    if (typeof at === "number") return at === MATCHED;
    this.#closure.load(at);
    return this.#closure.follow(TEXT_EDGE);
  }
}

function sidesOf(program: Program, { columns, members }: Alphabet): Int32Array {
  const sides = new Int32Array(columns);
  for (const index of program.watched.keys()) {
    for (let column = 0; column < columns; column++) {
      const inside = members[(program.sets.length + index) * columns + column] ?? 0;
      sides[column] = (sides[column] ?? 0) | (inside * (LINE_END << index));
    }
  }
  return sides;
}

/** Null where it cannot be walked forward, or is too large to be. */
function walkOf(source: string): Walk | null {
  const parsed = parsePattern(source, true);
  const tree = parsed.ok ? parsed : parsePattern(source, false);
  if (!tree.ok) return null;
  const walks: CheckWalk[] = [];
  for (const check of checksOf(tree.value)) {
    if (looksOf(check.tree).ahead || sizeOf(check.tree) > STEPS_MAX) return null;
    walks.push(new CheckWalk(check, toProgram(check.tree, false, isAnchored(check.tree, "textStart"))));
  }
  return new Walk(walks);
}
