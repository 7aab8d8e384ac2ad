import type { Probing } from "../policy/work.ts";
import type { ProbeWorld } from "../upstream/open-probe.ts";

/** Asks services how they are. Who asks none loads nothing of it. */
export function probeServices(world: ProbeWorld): Probing {
  return {
    open: (upstream, probe) => async () => {
      const { openProbe } = await import("../upstream/open-probe.ts");
      return openProbe(upstream, probe, world)();
    },
    running: new Map(),
  };
}
