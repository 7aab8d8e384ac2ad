import type { Filter } from "../filters/filter.ts";
import { kindsOf } from "../message/kept-target.ts";
import { type Steps, stepsOf } from "../support/turns.ts";
import { checkCountedOnce } from "./counted-once.ts";
import { ROUTE_HOMES } from "./homes.ts";
import type { Path } from "./path.ts";
import { RouteParts, routeContext } from "./route-parts.ts";
import { salvageContext, WITHOUT_SETTINGS } from "./salvage.ts";
import { defaultsShape } from "./schema.ts";
import type { Work } from "./work.ts";

/** The policy's `defaults`, as a path and as the template that their checks get. */
export const DEFAULTS_KEY = "defaults";

/**
 * Section `defaults`. Filters that `add` compile here, once: their checks of phase `admit` judge every request. Those
 * that have more to do compile again for each route, so that counters by route know which one. Filters that `override`
 * are looked at with each route; here only those that have something to say where no route is known.
 */
export function* compileDefaults(work: Work): Steps<void> {
  const { reader, registry } = work;
  const hasDefaults = reader.raw([DEFAULTS_KEY]) !== undefined;
  const names = registry.filters.map((filter) => filter.name);
  if (hasDefaults) {
    const { paths, keepInPaths, keepBodiesIn } = reader.fields(defaultsShape, [DEFAULTS_KEY], names, ROUTE_HOMES);
    work.isCaseSensitive = paths === "caseSensitive";
    work.keepsInPaths = kindsOf(keepInPaths ?? []);
    work.keepsBodiesIn = keepBodiesIn ?? [];
  }
  for (const filter of registry.filters) {
    if (filter.defaults === "add" || filter.always === true) yield* compileDefault(work, filter);
  }
}

function* compileDefault(work: Work, filter: Filter<unknown>): Steps<void> {
  const path: Path = [DEFAULTS_KEY, filter.name];
  const value = work.reader.raw(path);
  if (value === undefined && filter.always !== true) return;
  const read = value === undefined ? WITHOUT_SETTINGS : work.reader.readParts(filter.schema, value, path);
  if (read === null) return;
  if (filter.name === "limit") checkCountedOnce(work, path, null);
  const parts = new RouteParts();
  const facts = { template: DEFAULTS_KEY, versions: [], methods: [], isPublic: false };
  const context = routeContext(work, facts, parts, (inner) => [...path, ...inner]);
  yield* stepsOf(filter.compile(read.settings, salvageContext(context, read)));
  if (parts.responseRules !== null) work.rewriteResponse = work.rewrites.response(parts.responseRules);
  if (filter.defaults !== "add" || read.lost.length > 0) return;
  work.admitChecks.push(...parts.checks.filter((check) => check.phase === "admit"));
  work.offChecks.push(...parts.offChecks.filter(({ phase }) => phase === "admit"));
  if (parts.isMoreThanAdmit) work.routeDefaults.set(filter.name, read.settings);
}
