import { type CharSet, rangesOf } from "../../schema/pattern/char-set.ts";
import type { Node } from "../../schema/pattern/tree.ts";
import { codeAt } from "../../support/text-code.ts";

/**
 * Kinds of bytes, one bit each: nearly each sign of ASCII is one of its own. A pattern that needs a kind which a text does not
 * have cannot match it, whatever literals there are.
 */
const SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]{|}";
const OTHER_SIGN = 1 << SIGNS.length;
const SPACE = OTHER_SIGN << 1;
const LETTER_OR_DIGIT = SPACE << 1;

const KINDS = Int32Array.from({ length: 256 }, (_, byte) => kindOf(byte));

function kindOf(byte: number): number {
  const char = String.fromCharCode(byte);
  const sign = SIGNS.indexOf(char);
  if (sign >= 0) return 1 << sign;
  if (/[0-9A-Za-z]/.test(char)) return LETTER_OR_DIGIT;
  return byte <= 0x20 ? SPACE : OTHER_SIGN;
}

/** The kinds that a text has. */
export function kindsOf(text: string): number {
  let kinds = 0;
  const { length } = text;
  for (let at = 0; at < length; at++) kinds |= KINDS[codeAt(text, at) & 0xff] as number;
  return kinds;
}

/** Long patterns have the same few sets thousands of times. */
const knownKinds = new WeakMap<CharSet, number>();

function kindsOfSet(set: CharSet): number {
  const known = knownKinds.get(set);
  if (known !== undefined) return known;
  let kinds = 0;
  for (const [first, last] of rangesOf(set)) for (let byte = first; byte <= last; byte++) kinds |= KINDS[byte] ?? 0;
  knownKinds.set(set, kinds);
  return kinds;
}

/** Masks of kinds: each text that the tree matches has at least one kind of each mask. At most `most`, the narrowest. */
export function requiredKinds(tree: Node, most: number): number[] {
  return narrowest([...new Set(masksOf(tree))], most);
}

function masksOf(node: Node): number[] {
  switch (node.kind) {
    case "set":
      return [kindsOfSet(node.set)];
    case "sequence":
      return node.parts.flatMap(masksOf);
    case "repeat":
      return node.min > 0 ? masksOf(node.body) : [];
    case "choice": {
      const options = node.options.map((option) => narrowest(masksOf(option), 1)[0]);
      if (options.some((mask) => mask === undefined)) return [];
      return [options.reduce<number>((all, mask) => all | (mask ?? 0), 0)];
    }
    default:
      return [];
  }
}

function narrowest(masks: readonly number[], most: number): number[] {
  const useful = masks.filter((mask) => (mask & LETTER_OR_DIGIT) === 0 && mask !== 0);
  return useful.sort((a, b) => bitsOf(a) - bitsOf(b)).slice(0, most);
}

function bitsOf(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/**
 * The length of the shortest text of an alphabet that the tree can match; Infinity where it matches none. Assertions are
 * taken to hold, so it is never too long.
 */
export function shortestOf(node: Node, alphabet: CharSet): number {
  switch (node.kind) {
    case "set":
      return meets(node.set, alphabet) ? 1 : Number.POSITIVE_INFINITY;
    case "sequence":
      return node.parts.reduce((sum, part) => sum + shortestOf(part, alphabet), 0);
    case "choice":
      return Math.min(...node.options.map((option) => shortestOf(option, alphabet)));
    case "repeat":
      return node.min === 0 ? 0 : node.min * shortestOf(node.body, alphabet);
    default:
      return 0;
  }
}

function meets(a: CharSet, b: CharSet): boolean {
  let [left, right] = [0, 0];
  while (left < a.length && right < b.length) {
    if ((a[left + 1] ?? 0) < (b[right] ?? 0)) left += 2;
    else if ((b[right + 1] ?? 0) < (a[left] ?? 0)) right += 2;
    else return true;
  }
  return false;
}
