import { Denial } from "../decision/verdict.ts";
import type { Principal } from "../message/principal.ts";
import type { GuardSettings, Snapshot } from "../policy/snapshot.ts";
import type { AsItCame, Beside, Judged } from "../proxy/beside.ts";
import type { Outcome } from "../proxy/pipeline.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { COUNTED, NOT_OF_THE_POLICY } from "./beside.ts";
import { type RequestFacts, Trials } from "./trial.ts";

/** Why a policy gives way to the one before. */
export interface Tripped {
  /** Callers that it denied something that the policy before would have allowed. */
  readonly denied: number;
  /** All that were known. */
  readonly callers: number;
  /** The first such denial. */
  readonly first: Denial;
}

export interface SwapTrialsDeps {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Does `work` after what else is waiting. */
  readonly defer: (work: () => void) => void;
  /** Once. */
  readonly onTripped: (why: Tripped) => void;
}

interface Waiting {
  readonly facts: RequestFacts;
  readonly denial: Denial;
}

/**
 * Judges what a new policy denies by the policy before it, and counts callers, not requests: who is denied by both is of no
 * account, who shows no good credential counts for nobody, and whoever has one counts once, however often it asks.
 */
export class SwapTrials implements Beside {
  readonly #trials: Trials;
  readonly #before: Snapshot;
  readonly #settings: GuardSettings;
  readonly #deps: SwapTrialsDeps;
  readonly #callers = new Set<string>();
  readonly #denied = new Set<string>();
  readonly #waiting: Waiting[] = [];
  /** Of those that wait, requests of nobody the new policy knows. */
  #strangersWaiting = 0;
  #allowanceMs: number = DEFAULTS.candidateBurstMs;
  #earnedMs: number;
  #first: Denial | null = null;
  #isOver = false;

  constructor(before: Snapshot, settings: GuardSettings, deps: SwapTrialsDeps) {
    this.#trials = new Trials(before, false);
    this.#before = before;
    this.#settings = settings;
    this.#deps = deps;
    this.#earnedMs = deps.clock.monotonicMs();
  }

  draws(): boolean {
    return !this.#isOver;
  }

  offer({ exchange, snapshot }: Judged, outcome: Outcome, asItCame: AsItCame): void {
    if (this.#isOver || snapshot === this.#before) return;
    const caller = callerOf(exchange.principal);
    if (!(outcome instanceof Denial)) {
      if (caller !== null) this.#note(caller);
      return;
    }
    if (NOT_OF_THE_POLICY.has(outcome.reason) || COUNTED.has(outcome.reason)) return;
    if (caller !== null && this.#denied.has(caller)) return;
    if (!this.#hasRoomFor(caller)) return;
    this.#waiting.push({ facts: this.#trials.factsOf(exchange, asItCame), denial: outcome });
    if (caller === null) this.#strangersWaiting++;
    if (this.#waiting.length === 1) this.#deps.defer(() => this.#judgeOne());
  }

  /** Strangers can be any number, and keep no caller from being judged. */
  #hasRoomFor(caller: string | null): boolean {
    if (this.#waiting.length >= DEFAULTS.guardWaitingMax) return false;
    return caller !== null || this.#strangersWaiting < DEFAULTS.guardWaitingMax / 2;
  }

  #judgeOne(): void {
    const next = this.#waiting.shift();
    if (next === undefined || this.#isOver) return;
    const isStranger = callerOf(next.facts.principal) === null;
    if (isStranger) this.#strangersWaiting--;
    if (!isStranger || this.#earns()) this.#judge(next);
    if (this.#waiting.length > 0) this.#deps.defer(() => this.#judgeOne());
  }

  /** Whether some time is left for strangers. */
  #earns(): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const earned = (nowMs - this.#earnedMs) * DEFAULTS.candidateCpuShare;
    this.#earnedMs = nowMs;
    this.#allowanceMs = Math.min(DEFAULTS.candidateBurstMs, this.#allowanceMs + earned);
    return this.#allowanceMs > 0;
  }

  #judge({ facts, denial }: Waiting): void {
    const beganMs = this.#deps.clock.monotonicMs();
    const said = this.#trials.judge(facts);
    this.#allowanceMs -= this.#deps.clock.monotonicMs() - beganMs;
    if (typeof said === "string" || said.denial !== null) return;
    const caller = callerOf(facts.principal) ?? callerOf(said.principal);
    if (caller === null || !this.#note(caller)) return;
    this.#denied.add(caller);
    this.#first ??= denial;
    const [denied, callers] = [this.#denied.size, this.#callers.size];
    if (denied < this.#settings.callersMin || denied <= callers * this.#settings.share) return;
    this.#isOver = true;
    this.#deps.onTripped({ denied, callers, first: this.#first });
  }

  /** False where no more of them can be told apart. */
  #note(caller: string): boolean {
    if (this.#callers.has(caller)) return true;
    if (this.#callers.size >= DEFAULTS.guardCallersMax) return false;
    this.#callers.add(caller);
    return true;
  }
}

function callerOf(principal: Principal | null): string | null {
  return principal === null || principal.type === "anonymous" ? null : principal.key;
}
