import { DEFAULTS } from "../support/defaults.ts";

/** One of those who use most of a limit. */
export interface TopCaller {
  /** What it is counted by, as far as that may be shown. */
  readonly key: string;
  /** Tells it from others that look alike; 8 hexadecimal digits. */
  readonly id: string;
  /** Requests of the last minutes, about: older ones weigh half as much each minute. */
  readonly requests: number;
  readonly denied: number;
}

interface Entry {
  readonly key: string;
  requests: number;
  denied: number;
}

/**
 * Who uses most of a limit, of a bounded number of keys (space saving, Metwally and others 2005): a newcomer takes the place
 * and the count of the smallest, so that who is asked for most is never missing. Only one request in many is noted where
 * nothing is scarce, with the weight of all of them.
 */
export class TopCallers {
  readonly #entries = new Map<number, Entry>();
  #halvedMs = 0;
  #unnoted = 0;

  /** Whether this request is the one in many that is noted. */
  isDue(): boolean {
    this.#unnoted = (this.#unnoted + 1) & (DEFAULTS.limitTopSampled - 1);
    return this.#unnoted === 0;
  }

  /** `id`: 32 bits of the key's hash. `nowMs`: of any clock that does not go back. */
  note(id: number, weight: number, isDenied: boolean, nowMs: number, describe: () => string): void {
    if (nowMs - this.#halvedMs >= DEFAULTS.limitTopHalfMs) this.#halve(nowMs);
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      const count = this.#entries.size >= DEFAULTS.limitTopCallersMax ? this.#removeSmallest() : 0;
      entry = { key: describe().slice(0, DEFAULTS.limitTopCharsMax), requests: count, denied: 0 };
      this.#entries.set(id, entry);
    }
    entry.requests += weight;
    if (isDenied) entry.denied += weight;
  }

  /** The greatest first. */
  list(nowMs: number): readonly TopCaller[] {
    if (nowMs - this.#halvedMs >= DEFAULTS.limitTopHalfMs) this.#halve(nowMs);
    return [...this.#entries]
      .map(([id, { key, requests, denied }]) => ({
        key,
        id: (id >>> 0).toString(16).padStart(8, "0"),
        requests: Math.round(requests),
        denied: Math.round(denied),
      }))
      .sort((a, b) => b.requests - a.requests);
  }

  #removeSmallest(): number {
    let smallestId = 0;
    let smallest = Number.POSITIVE_INFINITY;
    for (const [id, { requests }] of this.#entries) {
      if (requests >= smallest) continue;
      smallest = requests;
      smallestId = id;
    }
    this.#entries.delete(smallestId);
    return smallest;
  }

  #halve(nowMs: number): void {
    const factor = 0.5 ** Math.floor((nowMs - this.#halvedMs) / DEFAULTS.limitTopHalfMs);
    this.#halvedMs = nowMs;
    for (const [id, entry] of this.#entries) {
      entry.requests *= factor;
      entry.denied *= factor;
      if (entry.requests < 1) this.#entries.delete(id);
    }
  }
}
