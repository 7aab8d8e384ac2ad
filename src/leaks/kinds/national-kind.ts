import { weighted } from "../checksums.ts";
import type { NumberKind } from "./number-kind.ts";

export const national = (
  name: string,
  about: string,
  source: string,
  layouts: Readonly<Record<string, number>>,
  checksum: string,
  words: readonly string[],
  isValid: (digits: string) => boolean,
): NumberKind => ({
  name,
  group: "nationalNumbers",
  about,
  layouts,
  checksum,
  isValid: (digits) => !/^(\d)\1*$/.test(digits) && isValid(digits),
  words,
  scores: { checksum: 30, word: 40 },
  source,
});

/** Digits that no usual grouping tells from others: a word has to stand near. */
export const BARE = 10;
/** As only this number is written. */
export const OWN = 40;

export const number = (digits: string, from: number, to: number): number => Number(digits.slice(from, to));

/** Day and month as two digits each; what countries add to them to tell centuries or sexes is off. */
export function isDay(day: number, month: number): boolean {
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/** The last digit makes the weighted sum a multiple. */
export const sumsTo = (digits: string, weights: readonly number[], divisor: number): boolean =>
  weighted(digits, weights) % divisor === 0;

/** The check digit is the rest by eleven, and in its place something else where that is ten. */
export function isRest(digits: string, weights: readonly number[], ten: number): boolean {
  const rest = weighted(digits, weights) % 11;
  return (rest === 10 ? ten : rest) === Number(digits.at(-1));
}

/** The last digit is the rest by eleven; where that is ten, by further weights, and zero where it is ten again. */
export function isRestOfTwo(digits: string, weights: readonly number[], further: readonly number[]): boolean {
  const first = weighted(digits, weights) % 11;
  const rest = first < 10 ? first : weighted(digits, further) % 11;
  return rest % 10 === Number(digits.at(-1));
}

/** The last digit is what a multiple of eleven lacks; ten and eleven are `more`. */
export function isLack(digits: string, weights: readonly number[], more: (lack: number) => number): boolean {
  const lack = 11 - (weighted(digits, weights) % 11);
  return (lack > 9 ? more(lack) : lack) === Number(digits[weights.length]);
}

export const zero = (): number => 0;
