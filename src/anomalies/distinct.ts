const BITS = 2_048;
const EXACT_MAX = 64;

/**
 * How many different members there were: the first few exactly, more by linear counting (Whang, Vander-Zanden, Taylor: A
 * linear-time probabilistic counting algorithm, 1990), within some percent up to 10,000, and never more than 15,600.
 */
export class Distinct {
  count = 0;
  #first: number[] = [];
  #bits: Uint32Array | null = null;
  #set = 0;

  /** `hash`: 32 bits. Whether it is a member that was not seen. */
  add(hash: number): boolean {
    if (this.#bits !== null) return this.#mark(this.#bits, hash);
    if (this.#first.includes(hash)) return false;
    if (this.#first.length < EXACT_MAX) {
      this.#first.push(hash);
      this.count = this.#first.length;
      return true;
    }
    const bits = new Uint32Array(BITS / 32);
    this.#bits = bits;
    for (const one of this.#first) this.#mark(bits, one);
    this.#first = [];
    return this.#mark(bits, hash);
  }

  clear(): void {
    if (this.count === 0) return;
    this.#first = [];
    this.#bits = null;
    this.#set = 0;
    this.count = 0;
  }

  #mark(bits: Uint32Array, hash: number): boolean {
    const at = (hash >>> 5) & (BITS / 32 - 1);
    const bit = 1 << (hash & 31);
    const word = bits[at] ?? 0;
    if ((word & bit) !== 0) return false;
    bits[at] = word | bit;
    this.#set++;
    this.count = Math.round(-BITS * Math.log1p(-Math.min(this.#set, BITS - 1) / BITS));
    return true;
  }
}
