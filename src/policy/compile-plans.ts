import type { Limit } from "../filters/filter.ts";
import { planSchema } from "../filters/limit/plan-schema.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { compileLimit, limitWorld } from "./compile-limits.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/** Section `plans`. A limit that is other in a plan counts in the same counters: who changes plans takes them along. */
export function* compilePlans(work: Work): Steps<void> {
  const names = work.reader.names(["plans"]);
  if (names.length > DEFAULTS.plansMax) work.problem(`more than ${DEFAULTS.plansMax} plans`, ["plans"]);
  for (const name of names) {
    yield;
    if (work.problems.isFull) return;
    work.plans.defined.add(name);
    const path = ["plans", name];
    const parts = work.reader.readParts(planSchema, work.reader.raw(path), path);
    if (parts === null) continue;
    const { reported } = work.problems;
    const limits = new Map<string, Limit>();
    for (const [at, entry] of parts.settings.entries()) {
      const [limitName = "", changes] = typeof entry === "string" ? [entry] : (Object.entries(entry)[0] ?? []);
      const place = typeof entry === "string" ? [...path, at] : [...path, at, limitName];
      if (limits.has(limitName)) work.problem(`'${limitName}' stands here twice and would count twice`, place);
      const limit = changes === undefined ? named(work, limitName, place) : changed(work, limitName, changes, place);
      if (limit !== null) limits.set(limitName, limit);
    }
    if (parts.lost.length === 0 && work.problems.reported === reported) {
      work.plans.set(name, { name, limits: [...limits.values()] });
    }
  }
}

function named(work: Work, name: string, path: Path): Limit | null {
  const limit = work.limits.get(name);
  if (limit !== undefined) return limit;
  if (!work.limits.isDefined(name)) work.problem(`no limit '${name}' is defined; ${work.limits.hint(name)}`, path);
  return null;
}

/** A limit with some of its keys changed. What it counts by stays: else it would be another limit of the same name. */
function changed(work: Work, name: string, changes: Readonly<Record<string, unknown>>, path: Path): Limit | null {
  const limit = named(work, name, path);
  if (limit === null) return null;
  const fixed = Object.keys(changes).find((key) => FIXED.has(key));
  if (fixed !== undefined) {
    work.problem(`'${fixed}' is the same in all plans; expected another limit where it is not`, [...path, fixed]);
    return null;
  }
  const own: unknown = work.reader.raw(["limits", name]);
  const merged = { ...(typeof own === "object" ? own : {}), ...changes };
  return compileLimit(work, name, merged, path, limitWorld(work))?.limit ?? null;
}

const FIXED: ReadonlySet<string> = new Set(["key", "ipv6Prefix", "absent", "maxKeys", "store"]);
