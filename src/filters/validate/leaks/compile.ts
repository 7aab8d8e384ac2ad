import type { Check, RouteContext } from "../../filter.ts";
import { compileLeaks } from "../../leak-rules.ts";
import type { LeakSettings } from "../../leak-schema.ts";
import type { LongBodies } from "../long-bodies.ts";
import type { SyncPart } from "../parameter-parts.ts";
import { judgeRequest, watchRequest } from "./evaluate.ts";

/** What the rest of `validate` says. */
export interface LeakOptions {
  /** Of `validate`, where `leaks` says nothing of it. */
  readonly enforcePercent: number;
  readonly longBodies: LongBodies;
  /** What becomes of a compressed body. */
  readonly encoding: SyncPart;
}

/** `validate.leaks`: behind all that is judged of a request, for some of it reads bodies whole. Null with a problem. */
export function compileRequestLeaks(
  settings: LeakSettings,
  { enforcePercent, longBodies, encoding }: LeakOptions,
  context: RouteContext,
): Check | null {
  const rules = compileLeaks(settings, ["block", "observe"], {
    problem: (text, ...path) => context.problem(text, "leaks", ...path),
    place: (...path) => context.place("leaks", ...path),
  });
  if (rules === null) return null;
  const { clock } = context;
  return {
    name: "validate",
    phase: "validate",
    place: rules.place,
    enforcePercent: settings.mode ?? enforcePercent,
    late: true,
    evaluate: judgeRequest(rules, rules.acts ? encoding : null, { clock, longBodies, place: rules.place }),
    watch: (exchange) => watchRequest(exchange, rules),
    explain: () => rules.describe(),
  };
}
