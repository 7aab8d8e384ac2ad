import type { QuotaWindows, StoreCounter } from "./ask.ts";

interface Listed {
  /** From 1, as Lua counts. */
  readonly number: string;
  /** Null for a rate. */
  readonly windows: QuotaWindows | null;
}

/** The limits of one call, each told once, however many requests are about it. */
export class LimitList {
  readonly #listed = new Map<StoreCounter, Listed>();
  readonly #argv: string[] = [];
  readonly #storeMs: number;

  /** `storeMs`: what the store's clock is thought to show, Unix milliseconds. */
  constructor(storeMs: number) {
    this.#storeMs = storeMs;
  }

  of(counter: StoreCounter): Listed {
    const known = this.#listed.get(counter);
    if (known !== undefined) return known;
    const { terms, lease } = counter;
    const number = String(this.#listed.size + 1);
    let windows: QuotaWindows | null = null;
    if (terms.kind === "rate") {
      this.#argv.push(lease > 0 ? "R" : "r", String(terms.intervalUs), String(terms.toleranceUs));
    } else {
      windows = terms.windowsAt(this.#storeMs);
      const { start, end, next } = windows;
      this.#argv.push(lease > 0 ? "Q" : "q", String(terms.limit), String(start), String(end), String(next));
    }
    const listed = { number, windows };
    this.#listed.set(counter, listed);
    return listed;
  }

  /** What stands before the requests. */
  get argv(): readonly string[] {
    return [String(this.#listed.size), ...this.#argv];
  }
}
