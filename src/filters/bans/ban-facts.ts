import type { Reason } from "../../decision/reason.ts";
import { Denial, type Place } from "../../decision/verdict.ts";
import type { Ban, BanRule } from "../../limits/bans/ban.ts";
import type { BanTable } from "../../limits/bans/ban-table.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { BanKey } from "./ban-key.ts";

/** One ban of the policy, compiled. */
export interface BanFacts extends BanRule {
  readonly place: Place;
  readonly enforcePercent: number;
  readonly on: ReadonlySet<Reason>;
  /** It counts the scores of what detectors find, and no denials. */
  readonly isSuspicion: boolean;
  readonly key: BanKey;
  /**
   * It is for credentials that were not good, and so shuts out those alone that may be guesses. Any other bans its key, for
   * whatever is asked.
   */
  readonly isOfGuesses: boolean;
  /** As in `20/minute`. */
  readonly timesText: string;
  readonly forText: string;
  readonly table: BanTable;
}

export function bannedDenial(ban: Ban, { place, isOfGuesses }: BanFacts, nowMs: number): Denial {
  const seconds = Math.max(1, Math.ceil((ban.untilMs - nowMs) / 1000));
  const until = new Date(ban.untilMs).toISOString();
  const seen = `${ban.key} is banned by '${ban.ban}' until ${until}, for the ${ordinal(ban.count)} time`;
  const wanted = isOfGuesses ? "credentials that were good here before" : "the end of the ban, or 'postern bans lift'";
  return new Denial("banned", place, seen, wanted, [["retry-after", String(seconds)]]);
}

/** For `explain`: what counts for whom, and what follows. */
export function describeBan(
  { name, on, isSuspicion, key, timesText, forText, growing }: BanFacts,
  exchange: Exchange,
  template: string,
): string {
  const whom = key.compiled?.reader.describe(exchange, template) ?? "account";
  const length = `${forText}${growing ? ", growing" : ""}`;
  const what = isSuspicion ? "the scores of what detectors find" : [...on].join(", ");
  return `'${name}' bans ${whom} for ${length} after more than ${timesText} of ${what}; counted by this process`;
}

function ordinal(count: number): string {
  const tens = count % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${suffix}`;
}
