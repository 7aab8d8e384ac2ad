import type { Place } from "../decision/verdict.ts";
import { OFF } from "../filters/ladder.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { lineWords } from "./problems.ts";
import type { LadderCheck, Problem, Route, Rung } from "./snapshot.ts";
import type { Work } from "./work.ts";

export interface RungSources {
  readonly routes: readonly Route[];
  /** Before the match. */
  readonly admitChecks: readonly LadderCheck[];
  /** Off, or asked by another. */
  readonly offChecks: readonly LadderCheck[];
}

/**
 * Every check below the top of its ladder, by its place: one that stands in `defaults` is told of once, with all the
 * routes that have it from there.
 */
export function rungsOf({ routes, admitChecks, offChecks }: RungSources): readonly Rung[] {
  const rungs = new Map<string, Rung & { readonly routes: Route[] }>();
  const add = ({ name, enforcePercent, place }: LadderCheck, route: Route | null): void => {
    if (enforcePercent >= 100) return;
    const key = `${name} ${place.file}:${place.line}:${place.column}`;
    const rung = rungs.get(key) ?? { name, enforcePercent, place, routes: [] };
    rungs.set(key, rung);
    if (route !== null) rung.routes.push(route);
  };
  for (const check of [...admitChecks, ...offChecks]) add(check, null);
  for (const route of routes) {
    for (const check of [...route.checks, ...route.responseChecks, ...route.offChecks]) add(check, route);
  }
  return [...rungs.values()];
}

/** What it means, in words, with the first of its routes. */
export function rungText(rung: Rung): string {
  const { name, enforcePercent, routes, place } = rung;
  const open = name === "authenticate" ? `, so ${openWords(enforcePercent)}` : "";
  return `${shareWords(rung)}${open}: ${routeWords(routes, place)}`;
}

/** Those of its routes that `rungText` only counts, a problem each. */
export function rungRest(rung: Rung): readonly Problem[] {
  return rung.routes.slice(DEFAULTS.rungRoutesNamedMax).map(({ template, methods, place }) => {
    const named = methods.length === 0 ? "" : `${methods.join(", ")} `;
    return { place, text: `${shareWords(rung)}: ${named}${template}` };
  });
}

function shareWords({ name, enforcePercent }: Rung): string {
  if (enforcePercent === OFF) return `'${name}' is off`;
  return `'${name}' ${enforcePercent === 0 ? "only audits" : `enforces for ${enforcePercent}% of callers`}`;
}

function openWords(enforcePercent: number): string {
  return enforcePercent <= 0 ? "whoever comes is let in" : "the others are let in, whoever sends them";
}

function routeWords(routes: readonly Route[], from: Place): string {
  if (routes.length === 0) return "every request";
  const named = routes
    .slice(0, DEFAULTS.rungRoutesNamedMax)
    .map(({ template, place }) => `${template} (${lineWords(place, from)})`);
  const rest = routes.length - named.length;
  return rest === 0 ? named.join(", ") : `${named.join(", ")} and ${rest} more`;
}

/** Stage: a route whose callers need not prove who they are is open, whatever else it says. */
export function warnOpen(work: Work): void {
  work.rungs = rungsOf(work);
  for (const rung of work.rungs) {
    if (rung.name === "authenticate") work.warnings.add("authentication_not_enforced", rung.place, rungText(rung));
  }
}
