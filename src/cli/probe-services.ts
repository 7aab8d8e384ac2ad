import type { Probing } from "../policy/compile-inputs.ts";
import type { ProbeWorld } from "../upstream/open-probe.ts";

/** Asks services how they are. Who asks none loads nothing of it. */
export function probeServices(world: ProbeWorld): Probing {
  return {
    open: (upstream, probe) => async () => {
      try {
        const { openProbe } = await import("../upstream/open-probe.ts");
        return await openProbe(upstream, probe, world)();
      } catch (error) {
        // Without files even that cannot be loaded; the next time it may.
        const cause = error instanceof Error ? error.name : typeof error;
        return { isGood: null, status: 503, text: `nobody could ask: ${cause}` };
      }
    },
    running: new Map(),
  };
}
