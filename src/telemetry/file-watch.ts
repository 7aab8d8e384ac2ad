import { DEFAULTS } from "../support/defaults.ts";
import type { Timers } from "../support/timers.ts";

/**
 * Sees whether another file can be opened. At that limit the system takes each connection that comes and closes it before
 * anybody hears of it, so that nothing else tells why clients are not served.
 */
export class FileWatch {
  readonly #fault: () => string | null;
  readonly #timers: Timers;
  readonly #onShort: (code: string) => void;
  #cancel: (() => void) | null = null;

  /** `fault`: the system's error for one more file, null for none. */
  constructor(fault: () => string | null, timers: Timers, onShort: (code: string) => void) {
    this.#fault = fault;
    this.#timers = timers;
    this.#onShort = onShort;
  }

  start(): void {
    this.#cancel = this.#timers.after(DEFAULTS.fileLookMs, () => {
      const code = this.#fault();
      if (code !== null) this.#onShort(code);
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
