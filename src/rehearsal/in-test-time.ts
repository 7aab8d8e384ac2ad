import { DEFAULTS } from "../support/defaults.ts";
import type { Timers } from "../support/timers.ts";
import type { TestTime } from "./test-time.ts";

/**
 * Who waits for a turn gets it in the time of the test; who waits for a thread, as for a password's hash, in the real one. `late`
 * where it takes longer.
 */
export function inTestTime<T, L>(pending: Promise<T>, late: L, time: TestTime, timers: Timers): Promise<T | L> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const finish = (settled: () => void): void => {
      isOver = true;
      cancel();
      settled();
    };
    const cancel = timers.after(DEFAULTS.testVerdictMs, () => finish(() => resolve(late)));
    pending.then(
      (settled) => finish(() => resolve(settled)),
      (error: unknown) => finish(() => reject(error)),
    );
    const goOn = (): void => {
      if (!isOver && time.passToNext()) setImmediate(goOn);
    };
    setImmediate(goOn);
  });
}
