import { Denial } from "../decision/verdict.ts";
import { type BanFacts, describeBan } from "../filters/bans/ban-facts.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import type { Step } from "../records/step.ts";

interface Judged {
  readonly snapshot: Snapshot;
  readonly route: Route | null;
  readonly exchange: Exchange;
}

/**
 * The bans that look at a request without a check of their own: those of guesses, where somebody is asked who the caller is,
 * and all that count how it was refused. Who is banned now only the process knows: `postern bans list`.
 */
export function banSteps({ snapshot, route, exchange }: Judged, outcome: unknown): Step[] {
  const isAsked = route?.checks.some(({ name }) => name === "authenticate") === true;
  const template = route?.template ?? "";
  const reason = outcome instanceof Denial ? outcome.reason : null;
  return (snapshot.bans?.facts ?? []).flatMap((facts) => {
    const counts = reason !== null && facts.on.has(reason);
    const score = facts.isSuspicion ? (exchange.detected?.score ?? 0) : 0;
    if (!counts && score === 0 && !(facts.isOfGuesses && isAsked)) return [];
    const told = score > 0 ? `this request counts ${score}: ` : counts ? "this denial counts: " : "";
    const saw = `${told}${describeBan(facts, exchange, template)}`;
    return [stepOf(facts, saw)];
  });
}

function stepOf({ place }: BanFacts, saw: string): Step {
  const { file, line, column } = place;
  return { phase: "respond", check: "ban", result: "info", place: `${file}:${line}:${column}`, saw, wanted: null };
}
