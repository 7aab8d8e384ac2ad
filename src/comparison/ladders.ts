import type { Route } from "../policy/snapshot.ts";

/** To which side a route has moved, by which checks it has and on which rung each of them stands. */
export function laddersOf(before: Route, after: Route): "loosened" | "tightened" | "changed" {
  const old = rungsOf(before);
  const now = rungsOf(after);
  let isLooser = false;
  let isTighter = false;
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(name) ?? 0, now.get(name) ?? 0];
    isLooser ||= is < was;
    isTighter ||= is > was;
  }
  if (isLooser === isTighter) return "changed";
  return isLooser ? "loosened" : "tightened";
}

/** A check that audits is there, and denies nobody. */
const PRESENCE = 0.5;

function rungsOf({ checks, isPublic }: Route): ReadonlyMap<string, number> {
  const rungs = new Map<string, number>();
  if (!isPublic) rungs.set("a caller", 1);
  for (const { name, enforcePercent } of checks) rungs.set(name, (rungs.get(name) ?? 0) + enforcePercent + PRESENCE);
  return rungs;
}
