import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { threadHolds } from "../support/thread-holds.ts";

type Collect = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

let collect: Collect | null = null;

/**
 * Gives the system back what compiling a policy left behind. V8 keeps the pages of a burst for the next one, which for
 * a sidecar comes with the next edit, days later: 1,000 routes leave 80 MB of them. Takes 20 to 50 ms.
 */
export function releaseMemory(): void {
  if (collect === null) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as Collect;
  }
  const beganMs = performance.now();
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  threadHolds.note("memory_release", performance.now() - beganMs, "");
}
