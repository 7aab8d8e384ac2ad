import { type CharSet, rangesOf } from "./char-set.ts";
import { OP, type Program } from "./program.ts";

/**
 * Whether a program is at most at `crowdMax` of its places that take a character, at once, on any text: a bound for the work
 * on each character. Two places meet where some text leads to both (assertions and conditions are taken to hold), and places
 * that a text is at together all meet each other; so those that meet fewer than `crowdMax` others are in no larger crowd, nor
 * are, without them, those that then meet fewer. False where that is more, or takes more than `workMax` steps to find out.
 */
export function isCrowdWithin(program: Program, crowdMax: number, workMax: number): boolean {
  const meetings = new Crowd(program, workMax).meetings();
  return meetings !== null && isSparse(meetings, crowdMax);
}

/** Whether taking away, again and again, places that meet fewer than `crowdMax` others leaves none. */
function isSparse(meetings: readonly (readonly number[])[], crowdMax: number): boolean {
  const counts = meetings.map((others) => others.length);
  const going = [...counts.keys()].filter((at) => (counts[at] ?? 0) < crowdMax);
  const gone = new Set(going);
  for (let at = going.pop(); at !== undefined; at = going.pop()) {
    for (const other of meetings[at] ?? []) {
      const count = (counts[other] ?? 0) - 1;
      counts[other] = count;
      if (count >= crowdMax || gone.has(other)) continue;
      gone.add(other);
      going.push(other);
    }
  }
  return gone.size === counts.length;
}

class Crowd {
  readonly #program: Program;
  #work: number;
  /** Stands for the search that begins anew at each character; it takes any. */
  readonly #anywhere: number;
  readonly #followers = new Map<number, readonly number[]>();
  readonly #overlaps = new Map<number, boolean>();
  readonly #pairs = new Set<number>();
  readonly #meetings: number[][];
  readonly #queue: [number, number][] = [];

  constructor(program: Program, workMax: number) {
    this.#program = program;
    this.#work = workMax;
    this.#anywhere = program.op.length;
    this.#meetings = Array.from({ length: program.op.length }, () => []);
  }

  /** For each instruction the others that it meets; null where that is too much work. */
  meetings(): readonly (readonly number[])[] | null {
    const { parts, anchored } = this.#program;
    const entries = parts.map(({ entry }) => entry);
    const searched = this.#reach(anchored ? entries.slice(0, -1) : entries);
    this.#followers.set(this.#anywhere, [this.#anywhere, ...searched]);
    const first = [this.#anywhere, ...this.#reach(entries)];
    this.#pair(first, first);
    for (let pair = this.#queue.pop(); pair !== undefined && this.#work > 0; pair = this.#queue.pop()) {
      const [a, b] = pair;
      if (this.#canTakeTheSame(a, b)) this.#pair(this.#followersOf(a), this.#followersOf(b));
    }
    return this.#work > 0 ? this.#meetings : null;
  }

  /** Notes that each of the one can be where each of the others is. */
  #pair(some: readonly number[], others: readonly number[]): void {
    this.#work -= some.length * others.length;
    if (this.#work <= 0) return;
    for (const a of some) {
      for (const b of others) {
        const [low, high] = a < b ? [a, b] : [b, a];
        const key = low * (this.#anywhere + 1) + high;
        if (this.#pairs.has(key)) continue;
        this.#pairs.add(key);
        this.#queue.push([low, high]);
        if (low === high || high === this.#anywhere) continue;
        this.#meetings[low]?.push(high);
        this.#meetings[high]?.push(low);
      }
    }
  }

  #canTakeTheSame(a: number, b: number): boolean {
    if (a === b || b === this.#anywhere) return true;
    const { argument, sets } = this.#program;
    const [low, high] = [argument[a] ?? 0, argument[b] ?? 0].sort((x, y) => x - y) as [number, number];
    const key = low * sets.length + high;
    let meet = this.#overlaps.get(key);
    if (meet === undefined) {
      meet = overlap(sets[low] ?? [], sets[high] ?? []);
      this.#overlaps.set(key, meet);
    }
    return meet;
  }

  #followersOf(at: number): readonly number[] {
    let followers = this.#followers.get(at);
    if (followers === undefined) {
      followers = this.#reach([this.#program.next[at] ?? 0]);
      this.#followers.set(at, followers);
    }
    return followers;
  }

  /** Instructions that take a character, from some others on without one. */
  #reach(from: readonly number[]): number[] {
    const { op, argument, next } = this.#program;
    const seen = new Set(from);
    for (const at of seen) {
      this.#work--;
      if (op[at] === OP.set || op[at] === OP.match) continue;
      seen.add(next[at] ?? 0);
      if (op[at] === OP.split) seen.add(argument[at] ?? 0);
    }
    return [...seen].filter((at) => op[at] === OP.set);
  }
}

function overlap(a: CharSet, b: CharSet): boolean {
  return rangesOf(a).some(([first, last]) => rangesOf(b).some((range) => range[0] <= last && first <= range[1]));
}
