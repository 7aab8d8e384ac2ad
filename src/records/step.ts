import type { Phase } from "../decision/phases.ts";
import type { Denial, Place, Verdict } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { excerpt } from "../support/excerpt.ts";

/** One line of an explanation: a phase, or one check in it. */
export interface Step {
  readonly phase: Phase;
  readonly check: string;
  /** `pass`, `deny`, `audit`: it would deny, but is not enforced; `info` for what is no check. */
  readonly result: "pass" | "deny" | "audit" | "info";
  /** `file:line:column`, or null where the policy has no line for it. */
  readonly place: string | null;
  readonly saw: string;
  readonly wanted: string | null;
  /** Microseconds from the step before, waiting included; absent where nobody took the time. */
  readonly us?: number;
}

/** A check, as far as steps tell of it. */
export interface ToldCheck {
  readonly name: string;
  readonly phase: Phase;
  readonly place: Place;
  readonly enforcePercent: number;
  explain(exchange: Exchange): string;
}

export function placeText(place: Place | null): string | null {
  return place === null ? null : `${place.file}:${place.line}:${place.column}`;
}

export function checkStep(check: ToldCheck, verdict: Verdict, enforced: boolean, exchange: Exchange): Step {
  const { phase, name } = check;
  if (verdict === null) {
    const saw = check.explain(exchange);
    return { phase, check: name, result: "pass", place: placeText(check.place), saw, wanted: null };
  }
  const place = placeText(verdict.place ?? check.place);
  const isShare = check.enforcePercent > 0 && check.enforcePercent < 100;
  const wanted = isShare ? `${verdict.wanted} (enforced for ${check.enforcePercent} % of callers)` : verdict.wanted;
  return { phase, check: name, result: enforced ? "deny" : "audit", place, saw: verdict.seen, wanted };
}

/** Where several were asked and each said no, a step for each. */
export function partSteps({ phase, name }: ToldCheck, verdict: Verdict): Step[] {
  if (verdict === null || verdict.parts.length < 2) return [];
  return verdict.parts.map(({ name: part, denial, caller }) => ({
    phase,
    check: `${name} ${part}`,
    result: "info",
    place: placeText(denial?.place ?? null),
    saw: partText(denial, caller),
    wanted: null,
  }));
}

function partText(denial: Denial | null, caller: string | undefined): string {
  if (caller !== undefined) return `knows ${JSON.stringify(excerpt(caller, 128))}`;
  return denial === null ? "no credentials for it" : `${denial.seen}; wanted ${denial.wanted}`;
}

/** A denial of the pipeline's own, which no check made: the method, the forwarding headers, the match. */
export function ownDenialStep(denial: Pick<Denial, "reason" | "seen" | "wanted"> & { place: string | null }): Step {
  const phase: Phase = /^(?:route_not_found|method_not_allowed|version_\w+)$/.test(denial.reason) ? "match" : "admit";
  return {
    phase,
    check: denial.reason,
    result: "deny",
    place: denial.place,
    saw: denial.seen,
    wanted: denial.wanted,
  };
}
