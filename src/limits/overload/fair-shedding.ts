import { DEFAULTS } from "../../support/defaults.ts";

const BUCKETS = DEFAULTS.overloadBuckets;

/**
 * Which requests are shed, where a share has to be: those of who sends the most. From what each client sent in the window
 * before follows how many of one client can be served in this one, so that the share that is left is spread evenly: who asks
 * for less than that loses nothing. Clients are told apart by buckets that are dealt anew each window; two in one bucket share
 * its luck for a second.
 */
export class FairShedding {
  #seen = new Int32Array(BUCKETS);
  #before = new Int32Array(BUCKETS);
  #windowEndMs = 0;
  #seed: number;
  #share = 0;
  /** Requests of one bucket that are served; Infinity where nothing is known of the window before. */
  #most = Number.POSITIVE_INFINITY;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    this.#seed = Math.floor(random() * 2 ** 31);
  }

  /** Whether this request is one of those to shed. `share`: of all that come, from 0 to 1. */
  sheds(client: string | number, share: number, nowMs: number): boolean {
    if (nowMs >= this.#windowEndMs) this.#turn(nowMs);
    if (share !== this.#share) this.#setShare(share);
    const at = bucketOf(client, this.#seed);
    const seen = (this.#seen[at] ?? 0) + 1;
    this.#seen[at] = seen;
    if (share >= 1) return true;
    if (this.#most === Number.POSITIVE_INFINITY) return this.#random() < share;
    return seen > this.#most && seen - this.#most > this.#random();
  }

  /** Buckets change their clients with the seed, so what they had is counted by size alone. */
  #turn(nowMs: number): void {
    const isNext = nowMs < this.#windowEndMs + DEFAULTS.overloadWindowMs;
    const seen = this.#seen;
    this.#seen = this.#before.fill(0);
    this.#before = isNext ? seen : seen.fill(0);
    this.#seed = Math.floor(this.#random() * 2 ** 31);
    this.#windowEndMs = nowMs + DEFAULTS.overloadWindowMs;
    this.#setShare(this.#share);
  }

  #setShare(share: number): void {
    this.#share = share;
    this.#most = evenShare(this.#before, 1 - share);
  }
}

/** The bound that leaves `kept` of the sum of `counts`, where each is cut to it; Infinity for counts of nothing. */
export function evenShare(counts: Int32Array, kept: number): number {
  const sorted = counts.toSorted();
  const sum = sorted.reduce((total, count) => total + count, 0);
  if (sum === 0) return Number.POSITIVE_INFINITY;
  let left = sum * kept;
  for (const [at, count] of sorted.entries()) {
    const others = sorted.length - at;
    if (count * others >= left) return left / others;
    left -= count;
  }
  return Number.POSITIVE_INFINITY;
}

function bucketOf(client: string | number, seed: number): number {
  let hash = seed;
  const text = typeof client === "number" ? null : client;
  if (text === null) hash = mix(hash ^ Number(client));
  else for (let at = 0; at < text.length; at++) hash = mix(hash ^ text.charCodeAt(at));
  return (mix(hash) >>> 0) % BUCKETS;
}

/** The finalizer of MurmurHash3, which is in the public domain. */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
