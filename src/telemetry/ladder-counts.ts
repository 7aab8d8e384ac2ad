import type { CheckName, Denial } from "../decision/verdict.ts";
import { networkText } from "../message/address.ts";
import type { Exchange } from "../message/exchange.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { TopCounts } from "../support/top-counts.ts";
import { labelText } from "./cells.ts";
import type { RequestRecord } from "./request-record.ts";

/** What a check that does not enforce, or not for everybody, would have denied. */
export class StepCounts {
  readonly check: string;
  /** As the policy has it, `routes[2].authorize`. */
  readonly rule: string;
  total = 0;
  readonly reasons: TopCounts = new TopCounts(DEFAULTS.ladderReasonsMax);
  readonly routes: TopCounts = new TopCounts(DEFAULTS.ladderRoutesMax);
  readonly callers: TopCounts = new TopCounts(DEFAULTS.ladderCallersMax);

  constructor({ name, place }: CheckName) {
    this.check = name;
    this.rule = place.path;
  }
}

/** A denial that was not enforced, to somebody of whom it is the first. */
export interface FirstDenial {
  readonly check: CheckName;
  readonly denial: Denial;
  readonly caller: string;
}

/**
 * Who would have been denied by which check: only those of the policy in force are counted, so that there are as many as it
 * has. They keep their counts while it changes around them.
 */
export class LadderCounts {
  #steps: ReadonlyMap<string, StepCounts> = new Map();

  follow(checks: readonly CheckName[]): void {
    const steps = new Map<string, StepCounts>();
    for (const check of checks.slice(0, DEFAULTS.ladderChecksMax)) {
      const key = keyOf(check);
      steps.set(key, this.#steps.get(key) ?? new StepCounts(check));
    }
    this.#steps = steps;
  }

  of(check: CheckName): StepCounts | null {
    return this.#steps.get(keyOf(check)) ?? null;
  }

  get steps(): Iterable<StepCounts> {
    return this.#steps.values();
  }

  /** Gives what nobody was told yet of this caller, of some of the checks at least. */
  count({ exchange, route }: RequestRecord): readonly FirstDenial[] {
    const firsts: FirstDenial[] = [];
    const caller = callerText(exchange);
    for (const [at, denial] of (exchange.audited ?? []).entries()) {
      const check = exchange.auditedBy?.[at];
      const step = check === undefined ? null : this.of(check);
      if (check === undefined || step === null) continue;
      step.total++;
      step.reasons.note(denial.reason);
      step.routes.note(route);
      if (step.callers.note(caller)) firsts.push({ check, denial, caller });
    }
    return firsts;
  }
}

/** Who it is, for people: its principal, or the address that it comes from, of IPv6 the network of 64 bits. */
export function callerText({ principal, clientAddress }: Exchange): string {
  const isKnown = principal !== null && principal.type !== "anonymous";
  return labelText(isKnown ? principal.key : networkText(clientAddress, 64));
}

function keyOf({ name, place: { file, path } }: CheckName): string {
  return `${name} ${file}:${path}`;
}
