/** Bits of the time at which a member was seen last, in steps of the window. */
const STEP_BITS = 20;
const STEP_MASK = (1 << STEP_BITS) - 1;
const SIZE_MIN = 8;
/** A slot that was never used, or is of no use any more: no member has a step word of 0. */
const FREE = 0;

/**
 * The different things that one key has asked for of late, at 8 bytes each: 32 + 12 bits of a keyed hash, and 20 bits of
 * the time at which it was seen last. A table that is at most half full; it grows with its members.
 *
 * Of two members that nobody can choose, the chance of being taken for one is 2^-44.
 */
export class Members {
  /** Two words a slot: hash, and hash beside time. */
  #words = new Uint32Array(2 * SIZE_MIN);
  /** Slots that are in use, members that are too old among them. */
  #used = 0;

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** How many were seen within `steps` before `now`; both in steps of time. Walks all of them. */
  count(now: number, steps: number): number {
    let count = 0;
    for (let at = 1; at < this.#words.length; at += 2) if (isFresh(this.#words[at] ?? FREE, now, steps)) count++;
    return count;
  }

  /** Whether the member was seen within `steps` before `now`; then it is seen now. */
  see(high: number, low: number, now: number, steps: number): boolean {
    const slot = this.#find(high, low);
    const word = this.#words[slot + 1] ?? FREE;
    if (word === FREE || !isFresh(word, now, steps)) return false;
    this.#words[slot + 1] = wordOf(low, now);
    return true;
  }

  /** Takes up a member that `see` does not know. */
  add(high: number, low: number, now: number, steps: number): void {
    // Old ones are left where they are until there is no room: a slot set free would hide those behind it.
    if (4 * (this.#used + 1) > this.#words.length) this.#rebuild(now, steps);
    const slot = this.#find(high, low);
    if (this.#words[slot + 1] === FREE) this.#used++;
    this.#words[slot] = high;
    this.#words[slot + 1] = wordOf(low, now);
  }

  /** It was taken up for nothing: as if it had not been seen for a whole window. */
  forget(high: number, low: number, now: number, steps: number): void {
    const slot = this.#find(high, low);
    if (this.#words[slot + 1] !== FREE) this.#words[slot + 1] = wordOf(low, now - steps);
  }

  /** Lets go of those that do not count any more. Where their time is not looked at for long, it comes round again. */
  purge(now: number, steps: number): void {
    this.#rebuild(now, steps);
  }

  /** The step in which the oldest of those that count was seen; `now` where there is none. */
  oldest(now: number, steps: number): number {
    let age = 0;
    for (let at = 1; at < this.#words.length; at += 2) {
      const word = this.#words[at] ?? FREE;
      if (isFresh(word, now, steps)) age = Math.max(age, ageOf(word, now));
    }
    return now - age;
  }

  /** The slot of the member, or the free one where it would be. */
  #find(high: number, low: number): number {
    const words = this.#words;
    const mask = words.length / 2 - 1;
    const hash = high >>> 0;
    const tag = (low >>> STEP_BITS) & 0xfff;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const word = words[2 * at + 1] ?? FREE;
      if (word === FREE || (words[2 * at] === hash && word >>> STEP_BITS === tag)) return 2 * at;
    }
  }

  /** Without the old ones, in a table of the size that the others need. */
  #rebuild(now: number, steps: number): void {
    const old = this.#words;
    let kept = 1;
    for (let at = 1; at < old.length; at += 2) if (isFresh(old[at] ?? FREE, now, steps)) kept++;
    // Twice as large as it must be at least, so that a table that is used for long is not rebuilt for each member.
    this.#words = new Uint32Array(2 * Math.max(SIZE_MIN, 2 ** Math.ceil(Math.log2(3 * kept))));
    this.#used = 0;
    for (let at = 0; at < old.length; at += 2) {
      const word = old[at + 1] ?? FREE;
      if (isFresh(word, now, steps)) this.#insert(old[at] ?? 0, word);
    }
  }

  #insert(hash: number, word: number): void {
    const mask = this.#words.length / 2 - 1;
    let at = hash & mask;
    while (this.#words[2 * at + 1] !== FREE) at = (at + 1) & mask;
    this.#words[2 * at] = hash;
    this.#words[2 * at + 1] = word;
    this.#used++;
  }
}

/** Steps begin at 1, so that no word is FREE. */
function wordOf(low: number, step: number): number {
  const turn = ((step % STEP_MASK) + STEP_MASK) % STEP_MASK;
  return ((low & ~STEP_MASK) | (turn + 1)) >>> 0;
}

function ageOf(word: number, now: number): number {
  const turn = ((now % STEP_MASK) + STEP_MASK) % STEP_MASK;
  return (turn - ((word & STEP_MASK) - 1) + STEP_MASK) % STEP_MASK;
}

function isFresh(word: number, now: number, steps: number): boolean {
  return word !== FREE && ageOf(word, now) < steps;
}
