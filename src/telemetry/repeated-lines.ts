import { DEFAULTS } from "../support/defaults.ts";
import type { Timers } from "../support/timers.ts";

interface Repeated {
  count: number;
  readonly tell: (count: number) => void;
  readonly cancel: () => void;
}

/** Tells a line once, and at the end of a while how often it would have stood there since: once more with a count. */
export class RepeatedLines {
  readonly #timers: Timers;
  readonly #known = new Map<string, Repeated>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** `key`: all that the line says. `tell` gets how often it was left out; 0 at first, and not later where it never was. */
  note(key: string, tell: (count: number) => void): void {
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    if (this.#known.size >= DEFAULTS.logRepeatedLinesMax) this.flush();
    const cancel = this.#timers.after(DEFAULTS.logRepeatMs, () => this.#end(key));
    this.#known.set(key, { count: 0, tell, cancel });
    tell(0);
  }

  /** Tells all that is counted. */
  flush(): void {
    for (const key of [...this.#known.keys()]) this.#end(key);
  }

  #end(key: string): void {
    const known = this.#known.get(key);
    this.#known.delete(key);
    known?.cancel();
    if (known !== undefined && known.count > 0) known.tell(known.count);
  }
}
