import { DEFAULTS } from "../support/defaults.ts";
import type { PartPlanner, Planned, Run } from "./planned.ts";
import { ExpressionFault, type Node } from "./syntax.ts";
import { BOOL, DYN, isDyn, listOf, typeText } from "./types.ts";
import { EvalFault, type Evaluation, fromJson, kindOf, namesOf } from "./values.ts";

export const MACROS = ["all", "exists", "exists_one", "map", "filter"] as const;
export type MacroName = (typeof MACROS)[number];

export function isMacro(name: string): name is MacroName {
  return (MACROS as readonly string[]).includes(name);
}

type MacroCall = Extract<Node, { kind: "call" }> & { readonly target: Node };

/** `list.exists(x, condition)`: goes through a list, or the names of an object's members. */
export function planMacro<Subject>(planner: PartPlanner<Subject>, name: MacroName, node: MacroCall): Planned<Subject> {
  const [bound, ...bodies] = node.args;
  if (bound?.kind !== "name" || bodies.length === 0 || bodies.length > (name === "map" ? 2 : 1)) {
    throw new ExpressionFault(node.at, `'${name}' takes a name and a condition, as in ${name}(item, item == "a")`);
  }
  const range = planner.plan(node.target);
  if (range.type.name !== "list" && !isDyn(range.type)) {
    throw new ExpressionFault(node.target.at, `'${name}' goes through a list, not a ${typeText(range.type)}`);
  }
  const item = range.type.item ?? DYN;
  return planner.within(bound.name, item, (slot) => {
    const planned = bodies.map((body) => planner.plan(body));
    const last = planned.at(-1);
    const test = name === "map" ? (planned.length === 2 ? planned[0] : undefined) : last;
    if (test !== undefined && test.type.name !== "bool" && !isDyn(test.type)) {
      throw new ExpressionFault(bodies[0]?.at ?? node.at, `'${name}' takes a condition, not a ${typeText(test.type)}`);
    }
    const run = each(range.run, slot, stepOf(name, test?.run ?? null, last?.run ?? null));
    const type = name === "map" ? listOf(last?.type ?? DYN) : name === "filter" ? listOf(item) : BOOL;
    return { type, run };
  });
}

/** What one item does to the outcome. */
interface Step<Subject> {
  begin(): Outcome;
  take(outcome: Outcome, item: unknown, evaluation: Evaluation<Subject>): void;
  end(outcome: Outcome): unknown;
}

interface Outcome {
  /** Known before the last item. */
  decided: unknown;
  /** The first fault; it counts where nothing decides. */
  fault: EvalFault | null;
  count: number;
  readonly items: unknown[];
}

function stepOf<Subject>(name: MacroName, test: Run<Subject> | null, value: Run<Subject> | null): Step<Subject> {
  const begin = (): Outcome => ({ decided: undefined, fault: null, count: 0, items: [] });
  const holds = (outcome: Outcome, evaluation: Evaluation<Subject>): boolean | null => {
    const result = test === null ? true : test(evaluation);
    if (typeof result === "boolean") return result;
    outcome.fault ??=
      result instanceof EvalFault ? result : new EvalFault(`'${name}' takes no ${kindOf(fromJson(result))}`);
    return null;
  };
  if (name === "all" || name === "exists") {
    const decisive = name === "exists";
    return {
      begin,
      take: (outcome, _, evaluation) => {
        if (holds(outcome, evaluation) === decisive) outcome.decided = decisive;
      },
      end: ({ fault }) => fault ?? !decisive,
    };
  }
  // The others look at every item, so that a fault of one is a fault of all.
  return {
    begin,
    take: (outcome, item, evaluation) => {
      const isTaken = holds(outcome, evaluation);
      if (isTaken === null) outcome.decided = outcome.fault;
      if (isTaken !== true) return;
      outcome.count++;
      if (name === "exists_one") return;
      const made = name === "map" && value !== null ? value(evaluation) : item;
      if (made instanceof EvalFault) outcome.decided = made;
      else outcome.items.push(made);
    },
    end: ({ count, items }) => (name === "exists_one" ? count === 1 : items),
  };
}

const TOO_MANY = new EvalFault(`a list of more than ${DEFAULTS.expressionItemsMax} items`);

function each<Subject>(range: Run<Subject>, slot: number, step: Step<Subject>): Run<Subject> {
  return (evaluation) => {
    const found = range(evaluation);
    if (found instanceof EvalFault) return found;
    const items = itemsOf(found);
    if (items instanceof EvalFault) return items;
    if (items.length > DEFAULTS.expressionItemsMax) return TOO_MANY;
    const outcome = step.begin();
    const { locals } = evaluation;
    for (const item of items) {
      const spent = evaluation.spend(1);
      if (spent !== null) return spent;
      locals[slot] = fromJson(item);
      step.take(outcome, item, evaluation);
      if (outcome.decided !== undefined) return outcome.decided;
    }
    return step.end(outcome);
  };
}

function itemsOf(value: unknown): readonly unknown[] | EvalFault {
  if (Array.isArray(value)) return value;
  const kind = kindOf(value);
  return kind === "map" && typeof value === "object" && value !== null
    ? namesOf(value)
    : new EvalFault(`a ${kind} has no items`);
}
