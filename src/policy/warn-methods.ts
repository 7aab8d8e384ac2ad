import { findTakenMethods, type TakenMethods } from "../matching/taken-methods.ts";
import type { Steps } from "../support/turns.ts";
import { lineWords } from "./problems.ts";
import type { Route } from "./snapshot.ts";
import { routeSets } from "./version-sets.ts";
import type { Work } from "./work.ts";

/**
 * Warns where a specific route takes fewer methods of its path than a broader one does: the path is its own, so what the
 * broader one says of the other methods does not hold there. One warning for each broader route.
 */
export function* warnTakenMethods(work: Work): Steps<void> {
  const byBroad = new Map<Route, TakenMethods<Route>[]>();
  for (const { routes } of routeSets(work)) {
    for (const taken of yield* findTakenMethods(routes)) {
      const others = byBroad.get(taken.broad);
      if (others === undefined) byBroad.set(taken.broad, [taken]);
      else if (!others.some(({ own }) => own === taken.own)) others.push(taken);
    }
  }
  for (const [broad, [first, ...others]] of byBroad) {
    if (first === undefined || work.warnings.isFull) return;
    // What it says holds for what nobody declared; a path's own methods are declared.
    if (broad.checks.some(({ name }) => name === "undeclared")) continue;
    const lost = first.methods.length === 0 ? "any other method" : first.methods.join(", ");
    const more = others.length === 0 ? "" : `; so it is with ${others.length} more of its paths`;
    work.warnings.add(
      "methods_taken",
      broad.place,
      `not of every path below it: '${first.own.template}' at ${lineWords(first.own.place, broad.place)} takes ${first.kept.join(", ")} ` +
        `alone, and ${lost} is answered 405 there${more}`,
    );
    yield;
  }
}
