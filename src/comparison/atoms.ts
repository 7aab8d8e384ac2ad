/** One thing about a request that a rule asks for, in words from which a request can be made. */
export type Atom =
  | { readonly at: "scope" | "caller" | "client" | "method"; readonly value: string }
  | {
      readonly at: "claim";
      readonly path: readonly string[];
      readonly value: unknown /** Of a list there. */;
      readonly isMember: boolean;
    }
  | { readonly at: "query" | "header" | "param" | "certificate"; readonly name: string; readonly value: string }
  | { readonly at: "time"; readonly atMs: number }
  /** What a part of the time is, as CEL's `getHours` has it. */
  | { readonly at: "timePart"; readonly part: string; readonly value: number };

/** All of it together meets a rule, as far as a request shows. */
export type Conjunct = readonly Atom[];

/** What is to be tried of a rule. */
export interface Trials {
  /** Each of them should meet it. */
  readonly meets: readonly Conjunct[];
  /** With one of them beside the rest it should not be met. */
  readonly breaks: readonly Conjunct[];
}

/** Of one rule; a rule with more ways to meet it is tried by the first ones. */
const MEETS_MAX = 512;

export const ANYTHING: Trials = { meets: [[]], breaks: [] };

export function meeting(...atoms: readonly Atom[]): Trials {
  return { meets: [atoms], breaks: [] };
}

export function both(a: Trials, b: Trials): Trials {
  return { meets: pairs(a.meets, b.meets), breaks: [...a.breaks, ...b.breaks].slice(0, MEETS_MAX) };
}

/** Where these are too many, each way at least once beside the other's first. */
function pairs(first: readonly Conjunct[], second: readonly Conjunct[]): readonly Conjunct[] {
  const isWhole = first.length * second.length <= MEETS_MAX;
  const all = isWhole
    ? first.flatMap((one) => second.map((other) => [...one, ...other]))
    : [
        ...first.map((one) => [...one, ...(second[0] ?? [])]),
        ...second.slice(1).map((other) => [...(first[0] ?? []), ...other]),
      ];
  return all.slice(0, MEETS_MAX);
}

export function either(a: Trials, b: Trials): Trials {
  return {
    meets: [...a.meets, ...b.meets].slice(0, MEETS_MAX),
    breaks: [...a.breaks, ...b.breaks].slice(0, MEETS_MAX),
  };
}

export function neither({ meets, breaks }: Trials): Trials {
  return { meets: [[], ...breaks].slice(0, MEETS_MAX), breaks: meets.filter((one) => one.length > 0) };
}

/** Rules of which each has to hold, or one. */
export function allTrials(trials: readonly Trials[]): Trials {
  return trials.reduce(both, ANYTHING);
}

export function anyTrials(trials: readonly Trials[]): Trials {
  const [first = ANYTHING, ...rest] = trials;
  return rest.reduce(either, first);
}
