import type { Judgement } from "./judge.ts";
import type { Witness } from "./witness.ts";

/** What a policy says of the requests that one of its routes judged. */
export interface RouteTally {
  requests: number;
  allowed: number;
  /** The first of each. */
  allows: Witness | null;
  denies: Witness | null;
}

/** By template, in the order of the policy; a route that judged no request is there, too. */
export class RouteTallies {
  readonly byRoute: Map<string, RouteTally>;

  constructor(templates: readonly string[]) {
    this.byRoute = new Map(templates.map((one) => [one, { requests: 0, allowed: 0, allows: null, denies: null }]));
  }

  note({ route, isAllowed, hasNoRoute }: Judgement, witness: Witness): void {
    const tally = route === null || hasNoRoute ? undefined : this.byRoute.get(route);
    if (tally === undefined) return;
    tally.requests++;
    if (isAllowed) {
      tally.allowed++;
      tally.allows ??= witness;
    } else tally.denies ??= witness;
  }
}
