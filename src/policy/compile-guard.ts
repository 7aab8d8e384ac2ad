import { DEFAULTS } from "../support/defaults.ts";
import { guardShape } from "./ladder-schema.ts";
import type { Work } from "./work.ts";

/** Section `guard`: how long after it came into force, and for how many denials, the policy gives way to the one before. */
export function readGuard(work: Work): void {
  if (work.reader.raw(["guard"]) === undefined) return;
  const {
    denials = DEFAULTS.guardDenials,
    within = DEFAULTS.guardWithinMs,
    callers = DEFAULTS.guardCallers,
  } = work.reader.fields(guardShape, ["guard"]);
  if (within <= DEFAULTS.guardWithinMsMax) work.guard = { share: denials, withinMs: within, callersMin: callers };
  else work.problem("expected at most 1h: so long the policy before stays in memory", ["guard", "within"]);
}
