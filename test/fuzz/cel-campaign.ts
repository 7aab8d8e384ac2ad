import { isCelError, run } from "@bufbuild/cel";
import { compileExpression, type Environment, EvalFault } from "../../src/expression/index.ts";
import { DYN, listOf, STRING } from "../../src/expression/types.ts";
import { err, ok } from "../../src/support/result.ts";
import { type CelCase, celCase } from "./cel-grammar.ts";
import { caseSeed, Random } from "./random.ts";

export interface CelTally {
  conditions: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: {
    readonly index: number;
    readonly ours: string;
    readonly theirs: string;
    readonly subject: CelCase;
  }[];
}

const environment: Environment<CelCase> = {
  variable: ([name = "", ...rest]) => {
    if (name === "s" && rest.length === 0) return ok({ text: "s", type: STRING, read: ({ s }) => s });
    if (name === "l" && rest.length === 0) return ok({ text: "l", type: listOf(STRING), read: ({ l }) => l });
    if (name !== "j" || rest.length === 0) return err("no such name");
    const read = ({ j }: CelCase): unknown => {
      let value: unknown = j;
      for (const step of rest) {
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
        value = (value as Readonly<Record<string, unknown>>)[step];
      }
      return value;
    };
    return ok({ text: `j.${rest.join(".")}`, type: DYN, read });
  },
};

/** Conditions against @bufbuild/cel, each of which a seed and its number repeat. */
export function runCelCampaign(options: {
  readonly seed: number;
  readonly conditionsMax: number;
  readonly goesOn: (tally: CelTally) => boolean;
}): CelTally {
  const tally: CelTally = { conditions: 0, outcomes: new Map(), disagreements: [] };
  while (tally.conditions < options.conditionsMax && options.goesOn(tally)) {
    const index = tally.conditions++;
    const subject = celCase(new Random(caseSeed(options.seed, index)));
    const ours = ourVerdict(subject);
    const theirs = theirVerdict(subject);
    const outcome = compare(ours, theirs);
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    if (outcome === "disagree") tally.disagreements.push({ index, ours, theirs, subject });
  }
  return tally;
}

/**
 * What ours refuses at load never comes to an answer; theirs looks at no types before it runs. A whole number and one of
 * JSON cannot be added by CEL, and by ours they can.
 */
function compare(ours: string, theirs: string): string {
  if (ours.startsWith("refused")) return "refused at load";
  if (ours === theirs) return ours;
  const isMixed = /'_[-+*/]_' applied to '\((?:double, int|int, double)\)'/.test(theirs);
  if (isMixed) return "numbers of two kinds";
  // Theirs makes NaN of a text that is no number, and 0 of an empty one.
  if (ours === "fault: a text or number that cannot be converted") return "texts that are no numbers";
  if (ours.startsWith("fault") && theirs.startsWith("fault")) return "both fail";
  return "disagree";
}

function ourVerdict(subject: CelCase): string {
  const compiled = compileExpression(subject.source, environment);
  if (!compiled.ok) return `refused: ${compiled.error.text}`;
  const answer = compiled.value.evaluate(subject);
  return answer instanceof EvalFault ? `fault: ${answer.text}` : String(answer);
}

function theirVerdict({ source, s, l, j }: CelCase): string {
  try {
    const answer = run(source, { s, l: [...l], j: plain(j) });
    return isCelError(answer) ? `fault: ${answer.message}` : String(answer);
  } catch (error) {
    return `fault: ${error instanceof Error ? error.message : "?"}`;
  }
}

type Plain = string | number | boolean | Plain[] | { [name: string]: Plain };

function plain(value: unknown): { [name: string]: Plain } {
  return JSON.parse(JSON.stringify(value));
}
