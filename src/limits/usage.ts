import { TopCallers } from "./top-callers.ts";

/** A caller who has used more than this share of a limit is near it. */
export const NEAR = 0.8;

/** What a limit of one thread's owner counted of itself. */
export class LimitUsage {
  /** Requests that passed while their caller was near the limit. */
  near = 0;
  denied = 0;
  readonly top: TopCallers = new TopCallers();
}
