import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LoopDelay } from "../telemetry/thread-watch.ts";

/** Measures every turn of the event loop where it is made, without a timer that would wake an idle process. */
export function measureLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ samplePerIteration: true });
  histogram.enable();
  return {
    takeMaxMs: () => {
      const maxMs = histogram.count === 0 ? 0 : histogram.max / 1e6;
      histogram.reset();
      return maxMs;
    },
    stop: () => histogram.disable(),
  };
}
