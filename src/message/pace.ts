/** Which way bytes go: from the client, or to it. */
export type Way = "request" | "response";

/** Who says how fast a request's bytes may go, and when the time has come. */
export interface Pace {
  /** So many went. Milliseconds until more may be read; 0 for at once. */
  spend(way: Way, bytes: number): number;
  /** Calls `run` once, so many milliseconds from now; the answer takes it back. */
  after(delayMs: number, run: () => void): () => void;
}

/**
 * One way's bytes, read no faster than all paces say: reading goes on when the time has come and whoever takes the bytes
 * has room. What was read is never held back, so nothing is kept here.
 */
export class PacedReading {
  readonly #paces: readonly Pace[];
  readonly #way: Way;
  readonly #resume: () => void;
  #bytes = 0;
  #isFull = false;
  #isStopped = false;
  #cancel: (() => void) | null = null;

  /** `resume`: reads on. */
  constructor(paces: readonly Pace[], way: Way, resume: () => void) {
    this.#paces = paces;
    this.#way = way;
    this.#resume = resume;
  }

  /** So many bytes were read. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** After a read: whether the next may follow at once. `flows`: whoever takes the bytes has room for more. */
  mayRead(flows: boolean): boolean {
    this.#isFull = !flows;
    const bytes = this.#bytes;
    this.#bytes = 0;
    let waitMs = 0;
    let slowest: Pace | null = null;
    for (const pace of this.#paces) {
      const ownMs = pace.spend(this.#way, bytes);
      if (ownMs <= waitMs) continue;
      waitMs = ownMs;
      slowest = pace;
    }
    this.#cancel?.();
    this.#cancel = this.#isStopped ? null : (slowest?.after(waitMs, () => this.#onTime()) ?? null);
    return flows && this.#cancel === null;
  }

  /** Whoever takes the bytes has room again. */
  onDrain(): void {
    this.#isFull = false;
    if (this.#cancel === null) this.#resume();
  }

  #onTime(): void {
    this.#cancel = null;
    if (!this.#isFull) this.#resume();
  }

  /** Nobody reads any more, or whatever comes is thrown away. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancel = null;
  }
}

/** Null where nobody says how fast, as nearly always. */
export function pacedReading(paces: readonly Pace[] | null, way: Way, resume: () => void): PacedReading | null {
  return paces === null ? null : new PacedReading(paces, way, resume);
}
