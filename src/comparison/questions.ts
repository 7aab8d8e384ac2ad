import type { Comparison } from "./compare.ts";
import type { RouteTally } from "./route-tallies.ts";
import type { Witness } from "./witness.ts";

/** What can be asked of two policies, in the words of Cedar's analysis. */
export const QUESTIONS = ["implies", "equivalent", "disjoint", "always-allows", "always-denies"] as const;

export type Question = (typeof QUESTIONS)[number];

/** Those about one policy and its routes. */
export function isOfRoutes(question: Question): boolean {
  return question === "always-allows" || question === "always-denies";
}

export interface Answer {
  /** By the requests of the grid; a no is sure, for it has a witness or a text that is another. */
  readonly holds: boolean;
  readonly text: string;
  readonly witness: Witness | null;
}

/**
 * `implies`: what the first policy allows the second allows, too. `equivalent`: so both ways. `disjoint`: they allow nothing in
 * common. `always-allows`, `always-denies`: the second policy does so with whatever `route` is for, or each route where it is null.
 */
export function answerTo(question: Question, comparison: Comparison, route: string | null = null): Answer {
  const answer = answered(question, comparison, route);
  const { leftOut, unasked } = comparison;
  const left = leftOut > 0 ? `; ${leftOut} were left out` : "";
  const hanging = unasked > 0 ? `; ${unasked} of them hang on others, whom nobody asked` : "";
  return answer.holds ? { ...answer, text: `${answer.text}${left}${hanging}` } : answer;
}

function answered(question: Question, comparison: Comparison, route: string | null): Answer {
  const { differences, changes, allowedByBoth, requests } = comparison;
  if (isOfRoutes(question)) return answerOfRoutes(question === "always-allows", comparison.routes, route);
  if (question === "disjoint") {
    if (allowedByBoth !== null) return no("both allow this request", allowedByBoth);
    return yes(`none of ${requests} requests is allowed by both`);
  }
  const lost = differences.find(({ kind }) => kind === "closed" || kind === "tightened");
  if (lost !== undefined) return no("the first policy allows this request, the second denies it", lost.witness);
  if (question === "implies") {
    const words = changes.length === 1 ? "one change of the text shows" : `${changes.length} changes of the text show`;
    const untold = changes.length === 0 ? "" : `; what ${words} no request does, see 'diff' without --ask`;
    return yes(`of ${requests} requests, all that the first policy allows the second allows, too${untold}`);
  }
  const [other] = differences;
  if (other !== undefined) return no("the policies treat this request otherwise", other.witness);
  const [change] = changes;
  if (change === undefined) return yes(`all of ${requests} requests are treated alike, and nothing else is another`);
  return no(`${change.what} is another, which requests do not show`, null);
}

function answerOfRoutes(isAllowed: boolean, routes: ReadonlyMap<string, RouteTally>, route: string | null): Answer {
  const asked = [...routes].filter(([template]) => route === null || template === route);
  const word = isAllowed ? "allowed" : "denied";
  for (const [template, { allows, denies }] of asked) {
    const against = isAllowed ? denies : allows;
    if (against !== null) return no(`${template} ${isAllowed ? "denies" : "allows"} this request`, against);
  }
  // Of a route that no request shows nothing is known.
  const unseen = asked.find(([, { requests }]) => requests === 0);
  if (unseen !== undefined) return no(`no request was found that ${unseen[0]} is for`, null);
  const requests = asked.reduce((sum, [, tally]) => sum + tally.requests, 0);
  return yes(`all of ${requests} requests of ${route ?? `${asked.length} routes`} are ${word}`);
}

function yes(text: string): Answer {
  return { holds: true, text, witness: null };
}

function no(text: string, witness: Witness | null): Answer {
  return { holds: false, text, witness };
}
