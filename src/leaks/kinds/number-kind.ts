import type { LeakGroup } from "../kind.ts";

/** A kind of number, known by its digits alone. */
export interface NumberKind {
  readonly name: string;
  readonly group: LeakGroup;
  readonly about: string;
  /** How its digits are grouped → what that counts: `3.3.3-2`, `11` for none. */
  readonly layouts: Readonly<Record<string, number>>;
  readonly checksum: string;
  isValid(digits: string): boolean;
  readonly words: readonly string[];
  readonly scores: { readonly checksum: number; readonly word: number };
  readonly source: string;
}
