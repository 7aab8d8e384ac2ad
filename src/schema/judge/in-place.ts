import type { Alternatives, DynamicReference, Subschema } from "../subschema.ts";
import { selectorOf } from "./alternatives.ts";
import type { Compiling } from "./compiling.ts";
import type { Complaint } from "./faults.ts";
import { Marks } from "./marks.ts";
import { ALWAYS, type Check, type Run } from "./run.ts";

/** So many are told apart in the time of a step, or a few of them tried. */
const ALTERNATIVES_PER_STEP = 8;

/** Checks by which a schema applies others to the same value. */
export function inPlaceChecks(schema: Subschema, compiler: Compiling): Check[] {
  const checks: Check[] = [];
  for (const part of [...schema.refs, ...schema.allOf]) {
    const check = compiler.inPlace(part);
    if (check !== ALWAYS) checks.push(check);
  }
  for (const reference of schema.dynamicRefs) checks.push(dynamicCheck(reference, compiler));
  if (schema.anyOf !== null) checks.push(anyOfCheck(schema.anyOf, compiler));
  if (schema.oneOf !== null) checks.push(oneOfCheck(schema.oneOf, compiler));
  if (schema.not !== null) checks.push(notCheck(schema.not, compiler));
  if (schema.condition !== null) checks.push(conditionCheck(schema.condition, compiler));
  return checks;
}

function dynamicCheck({ anchor, targets, fallback }: DynamicReference, compiler: Compiling): Check {
  const checks = new Map([...targets].map(([resource, schema]) => [resource, compiler.inPlace(schema)]));
  const otherwise = compiler.inPlace(fallback);
  return (value, run) => {
    const resource = run.scope?.find(anchor) ?? null;
    const check = resource === null ? otherwise : (checks.get(resource) ?? otherwise);
    return check(value, run);
  };
}

function anyOfCheck({ parts, site, none }: Alternatives, compiler: Compiling): Check {
  const checks = parts.map((part) => compiler.inPlace(part));
  const select = selectorOf(parts);
  const usual: Complaint = { keyword: "anyOf", detail: `expected one of ${parts.length} alternatives`, site };
  const complaint = none ?? usual;
  const weight = parts.length / ALTERNATIVES_PER_STEP;
  return (value, run) => {
    if (weight > 1) run.step(weight);
    const candidates = select(value);
    let fits = false;
    for (const at of candidates) {
      const marks = run.marks === null ? null : new Marks();
      if (!run.ask(checks[at] ?? ALWAYS, value, marks)) continue;
      fits = true;
      if (marks === null) break;
      run.marks?.merge(marks);
    }
    return fits || explain(checks, candidates, value, complaint, run);
  };
}

function oneOfCheck({ parts, site, none: told }: Alternatives, compiler: Compiling): Check {
  const checks = parts.map((part) => compiler.inPlace(part));
  const select = selectorOf(parts);
  const usual: Complaint = { keyword: "oneOf", detail: `expected one of ${parts.length} alternatives`, site };
  const none = told ?? usual;
  const several: Complaint = { keyword: "oneOf", detail: "expected one alternative only; more than one fits", site };
  const weight = parts.length / ALTERNATIVES_PER_STEP;
  return (value, run) => {
    if (weight > 1) run.step(weight);
    const candidates = select(value);
    let fitting: Marks | null = null;
    let count = 0;
    for (const at of candidates) {
      const marks = run.marks === null ? null : new Marks();
      if (!run.ask(checks[at] ?? ALWAYS, value, marks)) continue;
      if (++count > 1) return run.fail(several);
      fitting = marks;
    }
    if (count === 0) return explain(checks, candidates, value, none, run);
    if (fitting !== null) run.marks?.merge(fitting);
    return true;
  };
}

/** Where only one alternative could have been meant, what is wrong by that one; else that none fits. */
function explain(
  checks: readonly Check[],
  candidates: readonly number[],
  value: unknown,
  complaint: Complaint,
  run: Run,
): false {
  if (run.faults === null) return false;
  const [only] = candidates;
  const { marks } = run;
  run.marks = null;
  // It failed before, and does again.
  const isTold = candidates.length === 1 && only !== undefined && checks[only]?.(value, run) === false;
  run.marks = marks;
  return isTold ? false : run.fail(complaint);
}

function notCheck({ parts, site }: Alternatives, compiler: Compiling): Check {
  const checks = parts.map((part) => compiler.inPlace(part));
  const complaint: Complaint = { keyword: "not", detail: "expected a value that does not fit here", site };
  return (value, run) => checks.every((check) => !run.ask(check, value, null)) || run.fail(complaint);
}

function conditionCheck(condition: NonNullable<Subschema["condition"]>, compiler: Compiling): Check {
  const test = compiler.inPlace(condition.if);
  const yes = condition.then === null ? ALWAYS : compiler.inPlace(condition.then);
  const no = condition.else === null ? ALWAYS : compiler.inPlace(condition.else);
  return (value, run) => {
    const marks = run.marks === null ? null : new Marks();
    if (!run.ask(test, value, marks)) return no(value, run);
    if (marks !== null) run.marks?.merge(marks);
    return yes(value, run);
  };
}
