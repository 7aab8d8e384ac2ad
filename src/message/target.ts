import { err, type Result } from "../support/result.ts";

/** What a request asks for, in the one form that is matched, logged and forwarded. */
export interface Target {
  /** Canonical absolute path; starts with `/`, holds only unreserved, sub-delims, `:`, `@` and upper-case escapes. */
  readonly path: string;
  /** Empty, or the query with its leading `?`, exactly as received. */
  readonly query: string;
}

/** Why a target is refused: what was seen, for the log. */
export interface TargetFault {
  readonly seen: string;
  readonly wanted: string;
}

/** Raw origin-form request target → canonical target, or why it has no single reading. */
export function canonicalTarget(_raw: string): Result<Target, TargetFault> {
  return err({ seen: "", wanted: "" });
}
