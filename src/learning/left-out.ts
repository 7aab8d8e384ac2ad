import { DEFAULTS } from "../support/defaults.ts";
import { Support } from "./support.ts";

/** Why something is not in the policy; closed, in the order in which it is told. */
export const LEFT_OUT = {
  denied: "postern refused it",
  unanswered: "the service answered with no success",
  redirected: "the service sent a caller whom nobody knows elsewhere",
  attack: "it looks like an attack, or a rule took it for one",
  scanner: "who sent it scans",
  odd: "its path, method or a name is spelled as no API spells it",
  answered: "postern itself answered it",
  unrouted: "no route of the current policy takes it",
  rare: "fewer requests than --min-requests",
  few_callers: "fewer callers than --min-callers",
  caller: "its callers lack what the others have, or were seen too seldom",
  parameter: "a parameter that too few have sent",
  value: "a value of another kind or size than others sent",
  body: "a body of a type or size that too few have sent",
  limit: "so many in a minute that the learnt limit may refuse some",
  names: "the inventory alone knows it, and of more names at one place than it keeps apart",
  room: "more operations than are remembered",
  unused: "a route of the current policy, of which no request counts",
} as const;

export type LeftOutWord = keyof typeof LEFT_OUT;

export interface LeftOutRow {
  readonly why: LeftOutWord;
  /** Made of names, kinds and methods alone, never of a value. */
  readonly what: string;
  readonly support: Support;
}

/** What is left out, by reason and operation. Each reason has room of its own: a scanner's names push out no operation that is rare. */
export class LeftOut {
  readonly #rows = new Map<LeftOutWord, Map<string, LeftOutRow>>();

  note(why: LeftOutWord, what: string, source: number): void {
    this.#row(why, what).support.note(source);
  }

  /** The same of many requests. */
  add(why: LeftOutWord, what: string, support: Support): void {
    this.#row(why, what).support.join(support);
  }

  /** By reason, most requests first. */
  rows(): readonly LeftOutRow[] {
    const order = Object.keys(LEFT_OUT);
    return [...this.#rows.values()]
      .flatMap((rows) => [...rows.values()])
      .toSorted(
        (a, b) =>
          order.indexOf(a.why) - order.indexOf(b.why) ||
          b.support.requests - a.support.requests ||
          (a.what < b.what ? -1 : 1),
      );
  }

  #row(why: LeftOutWord, what: string): LeftOutRow {
    const rows = this.#rows.get(why) ?? new Map<string, LeftOutRow>();
    this.#rows.set(why, rows);
    const known = rows.get(what);
    if (known !== undefined) return known;
    if (rows.size >= DEFAULTS.learnLeftOutMax && what !== OTHERS) return this.#row(why, OTHERS);
    const row = { why, what, support: new Support() };
    rows.set(what, row);
    return row;
  }
}

const OTHERS = "others";

/**
 * The first `most` rows, of each reason as many as of any other: who fills one with names of their own must not keep the others from
 * being read.
 */
export function firstRows(rows: readonly LeftOutRow[], most: number): readonly LeftOutRow[] {
  if (rows.length <= most) return rows;
  const byWhy = [...Map.groupBy(rows, ({ why }) => why).values()];
  let share = Math.floor(most / byWhy.length);
  const countWith = (each: number): number => byWhy.reduce((sum, group) => sum + Math.min(each, group.length), 0);
  while (countWith(share + 1) <= most) share++;
  return byWhy.flatMap((group) => group.slice(0, share));
}
