import { fault, member } from "./access.ts";
import { compared, computed } from "./operators.ts";
import type { Planned, Run } from "./planned.ts";
import type { BinaryOp } from "./syntax.ts";
import { EvalFault, type Evaluation, isEqual } from "./values.ts";

export function binaryRun<Subject>(op: BinaryOp, left: Planned<Subject>, right: Planned<Subject>): Run<Subject> {
  switch (op) {
    case "&&":
      return logical(op, left.run, right.run, false);
    case "||":
      return logical(op, left.run, right.run, true);
    case "in":
      return containment(left.run, right.run);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return both(left.run, right.run, (a, b, evaluation) => computed(op, a, b, evaluation));
    default:
      return both(quick(left), quick(right), (a, b, evaluation) => compared(op, a, b, evaluation));
  }
}

/** A whole number of the expression is compared as a double where it is one: the two kinds compare by value anyway. */
function quick<Subject>({ run, literal: value }: Planned<Subject>): Run<Subject> {
  if (typeof value !== "bigint" || !Number.isSafeInteger(Number(value))) return run;
  const double = Number(value);
  return () => double;
}

function both<Subject>(
  left: Run<Subject>,
  right: Run<Subject>,
  combine: (a: unknown, b: unknown, evaluation: Evaluation<unknown>) => unknown,
): Run<Subject> {
  return (evaluation) => {
    const a = left(evaluation);
    if (a instanceof EvalFault) return a;
    const b = right(evaluation);
    return b instanceof EvalFault ? b : combine(a, b, evaluation);
  };
}

/** By CEL the order is of no account: where one side decides, a fault of the other does not count. */
function logical<Subject>(op: string, left: Run<Subject>, right: Run<Subject>, decisive: boolean): Run<Subject> {
  return (evaluation) => {
    const a = left(evaluation);
    if (a === decisive) return decisive;
    const b = right(evaluation);
    if (b === decisive) return decisive;
    if (typeof a !== "boolean") return fault(op, a);
    return typeof b === "boolean" ? b : fault(op, b);
  };
}

function containment<Subject>(left: Run<Subject>, right: Run<Subject>): Run<Subject> {
  return both(left, right, (value, container, evaluation) => {
    if (!Array.isArray(container)) {
      const found = typeof value === "string" ? member(container, value) : fault("in", container);
      return found instanceof EvalFault ? found : found !== undefined;
    }
    const spent = evaluation.spend(container.length >> 2);
    if (spent !== null) return spent;
    for (const item of container) {
      if (item === value) return true;
      if (typeof item === "string" && typeof value === "string") continue;
      const equal = isEqual(item, value, evaluation);
      if (equal !== false) return equal;
    }
    return false;
  });
}
