import type { Place } from "../decision/verdict.ts";
import { OFF } from "../filters/ladder.ts";
import type { CheckTarget } from "./ladder-step.ts";
import { routeName } from "./route-name.ts";
import type { LadderCheck, Route, Snapshot } from "./snapshot.ts";

/** A check with what it is called, and where it stands. */
export interface NamedCheck {
  readonly check: LadderCheck;
  /** Null before a route is known. */
  readonly route: Route | null;
  readonly target: CheckTarget;
}

/** `limits.perCaller`, `authorize of GET /v1/orders`. */
export function targetName({ route, path }: CheckTarget): string {
  return route === null ? path : `${path} of ${route}`;
}

/** All checks of a policy that climb the ladder; one of `defaults` as often as routes have it. */
export function* ladderChecks({ admitChecks, rungs, routeList }: Snapshot): Generator<NamedCheck> {
  const unrouted = rungs.filter(({ enforcePercent, routes }) => enforcePercent === OFF && routes.length === 0);
  for (const check of [...admitChecks, ...unrouted]) yield named(check, null, check.name);
  for (const route of routeList) {
    for (const check of [...route.checks, ...route.offChecks]) yield named(check, route, check.name);
    for (const check of route.responseChecks) yield named(check, route, `response.${check.name}`);
  }
}

function named(check: LadderCheck, route: Route | null, key: string): NamedCheck {
  return { check, route, target: targetOf(check.place, route, key) };
}

/** `key`: of a check that stands in an API's description, which has other keys than the policy. */
export function targetOf({ path }: Place, route: Route | null, key: string): CheckTarget {
  const isOfRoute = route !== null && (path.startsWith("routes[") || path.startsWith("#"));
  if (!isOfRoute) return { route: null, path };
  return { route: routeName(route), path: path.startsWith("#") ? key : path.replace(/^routes\[\d+\]\.?/, "") };
}

/** What is of no route and may be named though no check stands at its place. */
const OF_SECTIONS = /^(?:(?:limits|bans|detectors|defaults)\.\S+|overload)$/;

/**
 * The targets that somebody means: by name, by place, as `policy.yaml:31:7` of a denial, or by the keys that lead there,
 * `routes[2].authorize`.
 */
export function targetsOf(snapshot: Snapshot, text: string): readonly CheckTarget[] {
  const all = [...placedTargets(snapshot)];
  const meant = all.filter(({ place, target }) => isMeant(place, targetName(target), text));
  const found = meant.length > 0 ? meant : within(all, text);
  if (found.length > 0) return [...new Map(found.map(({ target }) => [targetName(target), target])).values()];
  if (OF_SECTIONS.test(text)) return [{ route: null, path: text }];
  // What a route has of `defaults`, of that route alone.
  const [path = "", ...rest] = text.split(" of ");
  const route = rest.join(" of ");
  const isThere = snapshot.routeList.some((one) => routeName(one) === route);
  return isThere ? [{ route, path }] : [];
}

interface PlacedTarget {
  readonly place: Place;
  readonly target: CheckTarget;
}

/** Checks, and limits, whose denials have the place of their own. */
function* placedTargets(snapshot: Snapshot): Generator<PlacedTarget> {
  for (const { check, target } of ladderChecks(snapshot)) yield { place: check.place, target };
  for (const { name, place } of snapshot.limits) yield { place, target: { route: null, path: `limits.${name}` } };
}

/** A denial may have a place within its check: further keys, or further on in its line. */
function within(all: readonly PlacedTarget[], text: string): readonly PlacedTarget[] {
  const around = all.filter(({ place: { path } }) => text.startsWith(`${path}.`));
  const deepest = Math.max(0, ...around.map(({ place: { path } }) => path.length));
  if (around.length > 0) return around.filter(({ place: { path } }) => path.length === deepest);
  const [, line = "", at = ""] = /^(.+:\d+):(\d+)$/.exec(text) ?? [];
  const before = all.filter(
    ({ place, target }) => place.column <= Number(at) && isMeant(place, targetName(target), line),
  );
  const last = Math.max(0, ...before.map(({ place: { column } }) => column));
  return before.filter(({ place: { column } }) => column === last);
}

function isMeant({ file, line, column, path }: Place, name: string, text: string): boolean {
  if (text === name || text === path) return true;
  const places = [`${file}:${line}:${column}`, `${file}:${line}`, `${file}:${path}`];
  return places.some((place) => place === text || place.endsWith(`/${text}`));
}
