/**
 * What one judgement of a value, or one turn of a long one, may still spend on patterns, in instructions gone through beyond
 * the tables. Each text takes linear time, but a megabyte under a pattern with hundreds of places at once would take seconds.
 * Of this thread alone, and of the judgement under way.
 */
let left = Number.POSITIVE_INFINITY;

/** Thrown through a judgement whose patterns have taken too much: the value is refused, whatever they would have said. */
export class PatternTooCostly extends Error {}

/** A judgement begins, or goes on after others had their turn. */
export function beginPatternWork(instructions: number): void {
  left = instructions;
}

export function spendPatternWork(instructions: number): void {
  left -= instructions;
  if (left < 0) throw new PatternTooCostly("patterns take too long");
}

/** What is left to spend. */
export function patternWorkLeft(): number {
  return left;
}
