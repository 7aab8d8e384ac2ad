import { OFF } from "../filters/ladder.ts";

/** Where a check's `mode` stands, or would: by names that an edit elsewhere in the policy leaves as they are. */
export interface CheckTarget {
  /** As `routeName` says it; null for what is of no route alone. */
  readonly route: string | null;
  /** Keys from the top of the policy, `limits.perCaller`, or from the route, `response.maxBytes`. */
  readonly path: string;
}

/** A step of the ladder that is not the policy's own. */
export interface LadderStep {
  readonly target: CheckTarget;
  /** As `mode` gives it. */
  readonly percent: number;
}

/** A step that stands in a policy. */
export interface LaidStep {
  readonly step: LadderStep;
  /** Where its mode stands: `limits.perCaller`, by whatever route it was named. */
  readonly at: CheckTarget;
  /** What the policy says there, as `mode` gives it. */
  readonly was: number;
}

/** As a policy writes it. */
export function modeOf(percent: number): "off" | "audit" | "enforce" | { readonly enforce: string } {
  if (percent <= OFF) return "off";
  if (percent === 0) return "audit";
  return percent >= 100 ? "enforce" : { enforce: `${percent}%` };
}
