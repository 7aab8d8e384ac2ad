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

/**
 * What `ask` says of a text that no judgement is under way for, within a budget of its own; null where that is not enough. What
 * an earlier judgement left over is nobody's: spent by one client, it would refuse the next.
 */
export function withPatternWork<T>(instructions: number, ask: () => T): T | null {
  const before = left;
  left = instructions;
  try {
    return ask();
  } catch (error) {
    if (error instanceof PatternTooCostly) return null;
    throw error;
  } finally {
    left = before;
  }
}

/** What is left to spend. */
export function patternWorkLeft(): number {
  return left;
}
