import { type Address, isAddressless } from "../message/address.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { atOnce, type Steps } from "../support/turns.ts";
import { addSet, lookUp, NO_SET, type PartedPrefix, WHOLE } from "./part-set.ts";
import { parsePrefix } from "./prefix.ts";

/**
 * A set of IP prefixes, immutable, built once; IPv4-mapped IPv6 prefixes count as IPv4. `::/0` is all of IPv6 and
 * nothing of IPv4. The peer of a Unix socket is in no table.
 */
export interface CidrTable {
  /** Number of prefixes it was built from. */
  readonly size: number;
  has(address: Address): boolean;
}

/** What is wrong with one of the prefixes. */
export interface CidrProblem {
  readonly text: string;
  /** Which one, from 0. */
  readonly index: number;
}

/** Prefixes and bare addresses → table, or what is wrong with them, of very many the first. */
export function buildCidrTable(prefixes: Iterable<string>): Result<CidrTable, CidrProblem[]> {
  return atOnce(cidrTable(prefixes));
}

/** The same in steps. With `onHostBits`, bits behind a prefix's length are cut off, and it is told which one it was. */
export function* cidrTable(
  prefixes: Iterable<string>,
  onHostBits?: (index: number) => void,
): Steps<Result<CidrTable, CidrProblem[]>> {
  const problems: CidrProblem[] = [];
  const v4: PartedPrefix[] = [];
  const v6: PartedPrefix[] = [];
  let size = 0;
  for (const text of prefixes) {
    const exact = parsePrefix(text);
    const prefix = exact.ok || onHostBits === undefined ? exact : parsePrefix(text, true);
    if (prefix.ok && !exact.ok) onHostBits?.(size);
    if (!prefix.ok) problems.push({ text: prefix.error, index: size });
    else if (prefix.value.family === 4) v4.push({ parts: prefix.value.words, length: prefix.value.length });
    else v6.push({ parts: prefix.value.words.flatMap(halves), length: prefix.value.length });
    if (problems.length >= DEFAULTS.policyProblemsMax) break;
    if (++size % STEP_PREFIXES === 0) yield;
  }
  if (problems.length > 0) return err(problems);
  const words: number[] = [];
  const root4 = yield* addSet(v4, 32, 0, words);
  const root6 = yield* addSet(v6, 16, 0, words);
  return ok(new PartSetTable(size, yield* flat(words), root4, root6));
}

function* flat(words: readonly number[]): Steps<Uint32Array> {
  const copy = new Uint32Array(words.length);
  for (let at = 0; at < words.length; at += STEP_WORDS) {
    copy.set(words.slice(at, at + STEP_WORDS), at);
    yield;
  }
  return copy;
}

/** Prefixes read between two yields. */
const STEP_PREFIXES = 128;
/** Words copied between two yields. */
const STEP_WORDS = 16 * 1024;

/**
 * An IPv4 address is one part to look up. An IPv6 address is up to eight, each in the set that the one before gave:
 * registries give out prefixes that crowd together in few first halves, and within those are spread evenly.
 */
class PartSetTable implements CidrTable {
  readonly size: number;
  readonly #words: Uint32Array;
  readonly #root4: number;
  readonly #root6: number;

  constructor(size: number, words: Uint32Array, root4: number, root6: number) {
    this.size = size;
    this.#words = words;
    this.#root4 = root4;
    this.#root6 = root6;
  }

  has(address: Address): boolean {
    const words = this.#words;
    if (address.family === 4) return this.#root4 !== NO_SET && lookUp(words, this.#root4, address.w0) === WHOLE;
    if (this.#root6 === NO_SET || isAddressless(address)) return false;
    let set = lookUpWord(words, this.#root6, address.w0);
    if (set > WHOLE) set = lookUpWord(words, set, address.w1);
    if (set > WHOLE) set = lookUpWord(words, set, address.w2);
    if (set > WHOLE) set = lookUpWord(words, set, address.w3);
    return set === WHOLE;
  }
}

function lookUpWord(words: Uint32Array, set: number, word: number): number {
  const next = lookUp(words, set, word >>> 16);
  return next > WHOLE ? lookUp(words, next, word & 0xffff) : next;
}

function halves(word: number): readonly number[] {
  return [word >>> 16, word & 0xffff];
}
