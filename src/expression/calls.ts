import { nearestHint } from "../support/schema.ts";
import { FUNCTIONS, type FunctionSpec, type RunFunction } from "./functions.ts";
import { MACROS } from "./macros.ts";
import type { Planned, Run } from "./planned.ts";
import { ExpressionFault, type Node } from "./syntax.ts";
import { DYN, isDyn, type Type, typeText } from "./types.ts";
import { EvalFault } from "./values.ts";

/** What to write in place of a function that there is not. */
export function hint(name: string, isMethod: boolean): string {
  const macros = isMethod ? MACROS : ["has"];
  const fitting = [...FUNCTIONS.values()].filter(({ form }) => form !== (isMethod ? "function" : "method"));
  return nearestHint(name, [...fitting.map((spec) => spec.name), ...macros]);
}

/** Its result's type, by the first overload that takes these. */
export function typeOfCall(
  spec: FunctionSpec,
  types: readonly Type[],
  { at, name }: Extract<Node, { kind: "call" }>,
): Type {
  const fitting = spec.overloads.find(
    ([takes]) =>
      takes.length === types.length &&
      takes.every((wanted, index) => isDyn(types[index] ?? DYN) || types[index]?.name === wanted.name),
  );
  if (fitting !== undefined) return fitting[1];
  const wanted = spec.overloads.map(([takes]) => `(${takes.map((one) => one.name).join(", ")})`).join(" or ");
  throw new ExpressionFault(at, `'${name}' takes ${wanted}, not (${types.map(typeText).join(", ")})`);
}

/** What stands as a text in the expression, as a pattern does, is made ready now. */
export function prepared<Subject>(
  spec: FunctionSpec,
  planned: readonly Planned<Subject>[],
  given: readonly Node[],
): RunFunction {
  const { literalAt, prepare } = spec;
  const node = literalAt === undefined ? undefined : given[literalAt];
  if (literalAt === undefined || prepare === undefined || node === undefined) return spec.run;
  const value = planned[literalAt]?.literal;
  if (typeof value !== "string")
    throw new ExpressionFault(node.at, `'${spec.name}' takes a text that stands here, not one that requests bring`);
  const run = prepare(value);
  if (!run.ok) throw new ExpressionFault(node.at, run.error);
  const { value: ready } = run;
  return (args, evaluation) => ready(args.toSpliced(literalAt, 1), evaluation);
}

export function callOf<Subject>(call: RunFunction, runs: readonly Run<Subject>[]): Run<Subject> {
  return (evaluation) => {
    const args: unknown[] = [];
    for (const run of runs) {
      const value = run(evaluation);
      if (value instanceof EvalFault) return value;
      args.push(value);
    }
    return evaluation.spend(1) ?? call(args, evaluation);
  };
}
