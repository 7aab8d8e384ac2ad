import type { PolicyOutline } from "../policy/outline.ts";
import { methodsOf, methodWords, placeOf } from "../policy/route-name.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import type { Steps } from "../support/turns.ts";
import { laddersOf } from "./ladders.ts";

/** To which side a policy has moved; `changed`: to both, or nobody can say from here. */
export type Direction = "opened" | "closed" | "loosened" | "tightened" | "changed";

/** One thing that the text of a policy says otherwise than the one before. */
export interface TextChange {
  /** `GET /v1/orders` or, of what is no route, its name in the policy: `limits.perAddress`. */
  readonly what: string;
  readonly direction: Direction;
}

export interface TextChanges {
  readonly routes: readonly TextChange[];
  /** What is no route, and files that the policy names. `opened`: it is new; `closed`: it is gone. */
  readonly sections: readonly TextChange[];
}

/** What of a snapshot its routes and their text are. */
export type Told = Pick<Snapshot, "routeList" | "outline">;

const NOTHING: PolicyOutline = { sections: new Map(), routes: [], files: new Map() };

/** By the text alone, in time that goes with its length: nothing is judged. */
export function* textChanges(before: Told, after: Told): Steps<TextChanges> {
  const old = before.outline ?? NOTHING;
  const now = after.outline ?? NOTHING;
  const digests = (outline: PolicyOutline) =>
    [...outline.sections].map(([name, { digest }]) => [name, digest] as const);
  return {
    routes: yield* routeChanges(before, after),
    sections: [
      ...changesOf(new Map(digests(old)), new Map(digests(now))),
      ...changesOf(old.files, now.files).map(({ what, direction }) => ({ what: `file ${what}`, direction })),
    ],
  };
}

function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): TextChange[] {
  const changes: TextChange[] = [];
  for (const [what, digest] of before) {
    const other = after.get(what);
    if (other !== digest) changes.push({ what, direction: other === undefined ? "closed" : "changed" });
  }
  for (const what of after.keys()) if (!before.has(what)) changes.push({ what, direction: "opened" });
  return changes;
}

function* routeChanges(before: Told, after: Told): Steps<TextChange[]> {
  const taken = new Map<string, number>();
  for (const [at, route] of before.routeList.entries()) {
    for (const method of methodsOf(route)) taken.set(`${method}${placeOf(route)}`, at);
    yield;
  }
  const changes: TextChange[] = [];
  for (const [at, route] of after.routeList.entries()) {
    const place = placeOf(route);
    const opened: string[] = [];
    const kept = new Map<number, string[]>();
    for (const method of methodsOf(route)) {
      const number = taken.get(method + place);
      if (number === undefined) opened.push(method);
      else kept.set(number, [...(kept.get(number) ?? []), method]);
      taken.delete(method + place);
    }
    if (opened.length > 0) changes.push({ what: methodWords(opened) + place, direction: "opened" });
    for (const [number, methods] of kept) {
      const old = before.routeList[number];
      if (old === undefined || before.outline?.routes[number]?.digest === after.outline?.routes[at]?.digest) continue;
      changes.push({ what: methodWords(methods) + place, direction: laddersOf(old, route) });
    }
    yield;
  }
  return [...changes, ...(yield* closedRoutes(before, taken))];
}

/** `left`: what was taken before, and is no more. */
function* closedRoutes({ routeList }: Told, left: ReadonlyMap<string, number>): Steps<TextChange[]> {
  const closed: TextChange[] = [];
  for (const [at, route] of routeList.entries()) {
    const place = placeOf(route);
    const methods = methodsOf(route).filter((method) => left.get(method + place) === at);
    if (methods.length > 0) closed.push({ what: methodWords(methods) + place, direction: "closed" });
    yield;
  }
  return closed;
}
