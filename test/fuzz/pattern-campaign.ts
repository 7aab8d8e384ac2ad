import fc from "fast-check";
import { compareWithV8 } from "../schema/pattern/agrees.ts";
import { patterns, soups, texts } from "../schema/pattern/arbitrary.ts";

export interface PatternTally {
  patterns: number;
  verdicts: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: { source: string; unicode: boolean; detail: string }[];
}

const ROUND = 200;

/** Patterns of schemas against JavaScript's own engine, with the flag `u` and without, in rounds that a seed repeats. */
export function runPatternCampaign(options: {
  readonly seed: number;
  readonly patternsMax: number;
  readonly goesOn: (tally: PatternTally) => boolean;
}): PatternTally {
  const tally: PatternTally = { patterns: 0, verdicts: 0, outcomes: new Map(), disagreements: [] };
  for (let round = 0; tally.patterns < options.patternsMax && options.goesOn(tally); round++) {
    const unicode = round % 2 === 0;
    const source = round % 5 === 4 ? soups : patterns(unicode);
    const cases = fc.sample(fc.tuple(source, fc.array(texts, { minLength: 8, maxLength: 8 })), {
      seed: options.seed + round,
      numRuns: ROUND,
    });
    for (const [pattern, samples] of cases) judge(pattern, unicode, samples, tally);
  }
  return tally;
}

function judge(source: string, unicode: boolean, samples: readonly string[], tally: PatternTally): void {
  const { outcome, detail } = compareWithV8(source, unicode, samples);
  tally.patterns++;
  if (outcome === "agrees") tally.verdicts += samples.length;
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
  if (detail !== undefined) tally.disagreements.push({ source, unicode, detail });
}
