import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { OverloadWatch } from "../../limits/overload/overload-watch.ts";
import type { PressureRules, Priority } from "../../limits/overload/pressure.ts";
import { clientKey } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";

/** The policy's `overload`: one for all of its routes. */
export interface Overload extends PressureRules {
  readonly place: Place;
  readonly enforcePercent: number;
  readonly watch: OverloadWatch;
}

/**
 * Refuses what cannot be served. It knows the route, and not yet the caller: it stands before everything that costs anything, so
 * clients are told apart by address.
 */
export function shed({ watch, place }: Overload, priority: Priority, { clientAddress }: Exchange): Verdict {
  if (watch.level === 0 || !watch.sheds(priority, clientKey(clientAddress))) return CONTINUE;
  const memory = Math.round(watch.memoryShare * 100);
  const seen = `level ${watch.level.toFixed(2)}: events wait ${Math.round(watch.delayMs)} ms, ${memory} % of the memory is held`;
  const headers: readonly HeaderLine[] = [["retry-after", String(watch.retrySeconds())]];
  return new Denial("overloaded", place, seen, `less to do, or a priority above '${priority}'`, headers);
}

/** For `explain`. */
export function describeShedding({ loopDelayMsMax, memoryShareMax }: Overload, priority: Priority): string {
  if (priority === "critical") return "priority critical: never shed";
  const memory = `${Math.round(memoryShareMax * 100)} % of the memory is held`;
  return `priority ${priority}: shed while events wait more than ${loopDelayMsMax} ms or ${memory}; scope process`;
}
