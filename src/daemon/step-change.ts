import type { LadderStep } from "../policy/ladder-step.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { Resource } from "../resources/resource.ts";
import type { Result } from "../support/result.ts";

/** Steps of the ladder that a policy is compiled with beside its own. */
export interface StepOverlay {
  readonly steps: readonly LadderStep[];
  /** What the same policy without them has asked for, where it is not in force yet. */
  readonly beside?: ReadonlyMap<string, Resource>;
}

/** What other steps do to who asks: some are refused more, or less, or steps are over. */
export type StepWay = "raises" | "lowers" | "ends";

/** Steps that are to stand over the policy in force, and what becomes of it. */
export interface StepChange {
  /** Asked when nothing else changes the policy. */
  steps(): readonly LadderStep[];
  /** Why the policy with them is not to be in force; null where it may. */
  fault(laid: Snapshot): string | null;
  /** Asked once `fault` has found none. */
  way(): StepWay;
  /** It is in force. */
  done(laid: Snapshot): void;
}

/** The policy that is to be in force in place of `base`, and what is to be noted once it is. */
export interface Overlaid {
  readonly snapshot: Snapshot;
  readonly settle: () => void;
}

/** The steps that are set, as a reload asks for them. */
export interface StepsSet {
  /** `base` is about to come into force, and the steps with it. One that does not fit any more ends. */
  over(
    base: Snapshot,
    compile: (steps: readonly LadderStep[]) => Promise<Result<Snapshot, readonly Problem[]>>,
  ): Promise<Overlaid>;
  /** The policy before is in force again, as its file had it. */
  rolledBack(): void;
}
