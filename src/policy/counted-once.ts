import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

interface Entry {
  readonly value: unknown;
  readonly path: Path;
}

/**
 * Problems where what `limit` at `own` names would count twice: from `defaults` (at `shared`; null for `defaults` itself), or
 * because a plan has it as well. Anybody may have any plan, by an entry in a file.
 */
export function checkCountedOnce(work: Work, own: Path, shared: Path | null): void {
  const [mine, before] = [entriesAt(work, own), shared === null ? [] : entriesAt(work, shared)];
  const [plan, planBefore] = [mine.find(isPlan), before.find(isPlan)];
  const names = new Set(before.map(({ value }) => value));
  const hasPlan = plan !== undefined || planBefore !== undefined;
  if (hasPlan) work.goesByPlans = true;
  const planned = hasPlan ? limitsOfPlans(work) : null;
  for (const { value, path } of mine) {
    if (typeof value !== "string") continue;
    const inPlan = planned?.get(value);
    if (names.has(value)) work.problem(`'${value}' applies from 'defaults' already and would count twice`, path);
    else if (inPlan !== undefined) {
      work.problem(`'${value}' is in plan '${inPlan}' as well, and would count twice for who has that`, path);
    }
  }
  if (plan === undefined) return;
  if (planBefore !== undefined) {
    work.problem("'defaults' says already who has which plan, and each limit of it would count twice", plan.path);
  }
  for (const [name, inPlan] of planned ?? []) {
    if (!names.has(name)) continue;
    const text = `'${name}' applies from 'defaults' already, and would count twice for who has plan '${inPlan}'`;
    work.problem(text, plan.path);
  }
}

/** Each entry of a route's `limit`, which may be one plan and no list. */
function entriesAt({ reader }: Work, path: Path): readonly Entry[] {
  const value = reader.raw(path);
  if (Array.isArray(value)) return value.map((one, at) => ({ value: one, path: [...path, at] }));
  return value === undefined ? [] : [{ value, path }];
}

function isPlan({ value }: Entry): boolean {
  return typeof value === "object" && value !== null && "plan" in value;
}

/** The same for all routes of a compilation. */
const known = new WeakMap<Work, ReadonlyMap<string, string>>();

/** Names of limits, each with the first plan that has it. */
function limitsOfPlans(work: Work): ReadonlyMap<string, string> {
  const before = known.get(work);
  if (before !== undefined) return before;
  const found = new Map<string, string>();
  known.set(work, found);
  for (const plan of work.reader.names(["plans"])) {
    for (const { value } of entriesAt(work, ["plans", plan])) {
      const names = typeof value === "object" && value !== null ? Object.keys(value) : [value];
      for (const name of names) if (typeof name === "string" && !found.has(name)) found.set(name, plan);
    }
  }
  return found;
}
