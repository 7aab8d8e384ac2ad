import type { OpenCaller } from "../calls/call.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { Resources } from "../resources/registry.ts";
import type { Clock } from "../support/clock.ts";
import { err } from "../support/result.ts";
import { systemTimers } from "../support/timers.ts";
import type { ReadFile } from "./named-files.ts";

const ONLY_LOOKED_AT = "nobody was asked, for the policy is only looked at";

const openNobody: OpenCaller = () => ({
  call: () => Promise.resolve(err({ kind: "closed", text: ONLY_LOOKED_AT })),
  close: () => {},
});

/** For a policy that is looked at and not put in force: what it asks for is made, and never started. */
export function noResources(
  clock: Clock,
  memory: MemoryBudget,
  openCaller: OpenCaller = openNobody,
  readFile: ReadFile = () => err(ONLY_LOOKED_AT),
): Resources {
  const nothing = {
    read: () => Promise.resolve(err(ONLY_LOOKED_AT)),
    readEnd: () => Promise.resolve(err(ONLY_LOOKED_AT)),
    readNow: () => err(ONLY_LOOKED_AT),
    write: () => Promise.resolve(err(ONLY_LOOKED_AT)),
    lock: () => Promise.resolve(err(ONLY_LOOKED_AT)),
    place: () => Promise.resolve(err(ONLY_LOOKED_AT)),
    setAside: () => Promise.resolve(),
    append: () => Promise.resolve(err(ONLY_LOOKED_AT)),
  };
  return new Resources({
    neverStarts: true,
    clock,
    memory,
    residentBytes: () => 0,
    timers: systemTimers,
    random: () => 0.5,
    openCaller,
    openFiles: () => nothing,
    readFile,
  });
}
