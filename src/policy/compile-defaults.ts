import { unknownKey } from "../support/schema.ts";
import type { Path } from "./path.ts";
import { RouteParts, routeContext } from "./route-parts.ts";
import type { Work } from "./work.ts";

/** The policy's `defaults`, as a path and as the template that their checks get. */
export const DEFAULTS_KEY = "defaults";

/**
 * Section `defaults`. Filters that `add` compile here, once: their checks of phase `admit` judge every request. Those
 * that have more to do compile again for each route, so that counters by route know which one. Filters that `override`
 * are looked at with each route.
 */
export function compileDefaults(work: Work): void {
  const { reader } = work;
  if (reader.raw([DEFAULTS_KEY]) === undefined) return;
  const names = work.registry.filters.map((filter) => filter.name);
  for (const key of reader.keys([DEFAULTS_KEY]) ?? []) {
    if (!names.includes(key)) reader.keyProblem(unknownKey(key, names), [DEFAULTS_KEY, key]);
  }
  for (const filter of work.registry.filters) {
    const path: Path = [DEFAULTS_KEY, filter.name];
    if (filter.defaults !== "add" || reader.raw(path) === undefined) continue;
    const settings = reader.read(filter.schema, reader.raw(path), path);
    if (settings === undefined) continue;
    const parts = new RouteParts();
    const facts = { template: DEFAULTS_KEY, methods: [], isPublic: false };
    filter.compile(
      settings,
      routeContext(work, facts, parts, (inner) => [...path, ...inner]),
    );
    work.admitChecks.push(...parts.checks.filter((check) => check.phase === "admit"));
    if (parts.isMoreThanAdmit) work.routeDefaults.set(filter.name, settings);
  }
}
