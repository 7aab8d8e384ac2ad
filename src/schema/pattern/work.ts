import { DEFAULTS } from "../../support/defaults.ts";

/**
 * What one judgement of a value may still spend on patterns, in instructions gone through beyond the tables. Each text takes
 * linear time, but a megabyte under a pattern with hundreds of places at once would hold the thread for seconds. Of this
 * thread alone, and of the judgement under way, which never waits in the middle of a text.
 */
let left = Number.POSITIVE_INFINITY;

/** Thrown through a judgement whose patterns have taken too much: the value is refused, whatever they would have said. */
export class PatternTooCostly extends Error {}

/** A judgement begins, or goes on after others had their turn. */
export function beginPatternWork(): void {
  left = DEFAULTS.patternWorkMax;
}

export function spendPatternWork(instructions: number): void {
  left -= instructions;
  if (left < 0) throw new PatternTooCostly("patterns take too long");
}
