import type { Place } from "../../decision/verdict.ts";
import type { Check } from "../../filters/filter.ts";
import { isLoopback } from "../addresses.ts";
import { rungText } from "../rungs.ts";
import type { Route, Warning } from "../snapshot.ts";
import type { Audited } from "./audited.ts";
import { CRITERIA } from "./criteria.ts";
import type { ItemId } from "./items.ts";

/** Something that covers an item, and where. */
export interface Cover {
  readonly item: ItemId;
  readonly text: string;
  /** Of a route: methods and template; else what it is called. */
  readonly subject: string;
  readonly place: Place;
}

/** How many routes an item is a question for, and how many of them have an answer to all of it. */
export interface Share {
  readonly concerned: number;
  readonly covered: number;
}

export interface Look {
  readonly covers: readonly Cover[];
  readonly open: readonly Warning[];
  readonly shares: ReadonlyMap<ItemId, Share>;
}

/** Methods and template, as log and metrics call a route. */
export function routeLabel({ methods, template }: Route): string {
  return methods.length === 0 ? template : `${methods.join(",")} ${template}`;
}

/** In the order of the criteria, and of the policy within each. */
export function lookAt(audited: Audited): Look {
  const covers: Cover[] = [];
  const open: Warning[] = [];
  const routes = audited.routes.filter(({ answer }) => answer === null);
  const uncovered = new Map<ItemId, Set<Route>>();
  const concerned = new Map<ItemId, Set<Route>>();
  for (const criterion of CRITERIA) {
    const { item, text } = criterion;
    for (const route of routes) {
      if (!criterion.concerns(route)) continue;
      setOf(concerned, item).add(route);
      const [place] = criterion.covering(route, audited.admitChecks);
      if (place !== undefined) {
        covers.push({ item, text, subject: routeLabel(route), place });
        continue;
      }
      setOf(uncovered, item).add(route);
      const found = criterion.open(route);
      if (found !== null) open.push({ ...found, place: route.place });
    }
  }
  lookAround(audited, routes, covers, open);
  const shares = new Map<ItemId, Share>();
  for (const [item, { size }] of concerned)
    shares.set(item, { concerned: size, covered: size - (uncovered.get(item)?.size ?? 0) });
  return { covers, open, shares };
}

/** What is asked of no single route. */
function lookAround(audited: Audited, routes: readonly Route[], covers: Cover[], open: Warning[]): void {
  const { listeners, authenticators, admitChecks, bans, rungs } = audited;
  for (const { name, place, hasTls, address } of listeners) {
    if (hasTls) covers.push({ item: "API8", text: "clients come over TLS", subject: `listener ${name}`, place });
    else if (address.type === "tcp" && !isLoopback(address.host))
      open.push({ rule: "listener_in_the_clear", place, text: `other machines reach listener '${name}' without TLS` });
  }
  const isSlowed = bans !== null || routes.every((route) => route.isPublic || isLimitedFirst(route, admitChecks));
  for (const { name, type, place } of authenticators) {
    if (type !== "api-key" && type !== "basic") continue;
    if (isSlowed) covers.push({ item: "API2", text: "who guesses is slowed", subject: `authenticator ${name}`, place });
    else open.push({ rule: "guessing_unbounded", place, text: `nothing slows down who guesses what '${name}' knows` });
  }
  for (const rung of rungs) {
    if (rung.name !== "authenticate") open.push({ rule: "not_enforced", place: rung.place, text: rungText(rung) });
  }
}

/** Before it is known who calls. */
function isLimitedFirst({ checks }: Route, admitChecks: readonly Check[]): boolean {
  return [...admitChecks, ...checks].some(
    ({ name, phase, enforcePercent }) => name === "limit" && phase === "admit" && enforcePercent >= 100,
  );
}

function setOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const found = map.get(key) ?? new Set<V>();
  map.set(key, found);
  return found;
}
