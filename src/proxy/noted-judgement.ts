import type { Clock } from "../support/clock.ts";
import { threadHolds } from "../support/thread-holds.ts";
import { judge, type Outcome, type Subject } from "./pipeline.ts";

/** Judges, and notes how long that kept the thread: up to the verdict, or to the first check that waits. */
export function judgeNoted(subject: Subject, clock: Clock): Outcome | Promise<Outcome> {
  const beganMs = clock.monotonicMs();
  const outcome = judge(subject);
  threadHolds.note("judge", clock.monotonicMs() - beganMs, subject.route?.template ?? "unmatched");
  return outcome;
}
