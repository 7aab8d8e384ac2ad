import { Denial } from "../decision/verdict.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import type { AsItCame, Beside, Judged } from "../proxy/beside.ts";
import { OwnAnswer } from "../proxy/own-page.ts";
import type { Outcome, Subject } from "../proxy/pipeline.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type CandidateCounts, COUNTED_REASONS, type Difference } from "../telemetry/candidate-counts.ts";
import { callerText } from "../telemetry/ladder-counts.ts";
import { isSameAnswer, judgeAnswers, judgesAnswers, SeenAnswer } from "./answer-trial.ts";
import { LiveEnd } from "./live-end.ts";
import type { AnswerSubject } from "./rehearsed-answer.ts";
import { endTrial, type RequestFacts, Trials, type TrialVerdict, UNANSWERED } from "./trial.ts";

export interface BesideDeps {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Does `work` after what else is waiting. */
  readonly defer: (work: () => void) => void;
  /** The first of a kind. */
  readonly onDifference: (difference: Difference) => void;
}

interface Waiting {
  readonly facts: RequestFacts;
  readonly judged: Omit<Difference, "candidate" | "candidateRoute" | "candidatePlace">;
  /** The verdict in force is one that the candidate cannot be compared with. */
  readonly isCounted: boolean;
  /** As the policy in force judged it; its service is asked where it has let it through. */
  readonly live: AnswerSubject;
  readonly isForwarded: boolean;
  readonly end: LiveEnd;
}

/**
 * Judges a sample of requests by a candidate, each when it is decided and in a turn of its own, for no more than a share of the
 * processor's time. Requests that find nothing left of it, or too many before them, are counted and left out, so that no client
 * makes it do more or hold more.
 */
export class CandidateTrials implements Beside {
  readonly counts: CandidateCounts;
  readonly #trials: Trials;
  readonly #share: number;
  readonly #cpuShare: number;
  readonly #deps: BesideDeps;
  readonly #beganMs: number;
  readonly #waiting: (() => void)[] = [];
  /** Answers that go by now. */
  #answersSeen = 0;
  /** Time that it may take now. */
  #allowanceMs: number = DEFAULTS.candidateBurstMs;
  #earnedMs: number;

  /** `share` and `cpuShare`: 0 to 1. */
  constructor(
    snapshot: Snapshot,
    counts: CandidateCounts,
    { share, cpuShare }: { readonly share: number; readonly cpuShare: number },
    deps: BesideDeps,
  ) {
    this.counts = counts;
    // Of a sample no count is right.
    this.#trials = new Trials(snapshot, share >= 1);
    counts.untried = this.#trials.untried;
    this.#share = share;
    this.#cpuShare = cpuShare;
    this.#deps = deps;
    this.#beganMs = deps.clock.monotonicMs();
    this.#earnedMs = this.#beganMs;
  }

  draws(): boolean {
    return this.#deps.random() < this.#share;
  }

  offer({ id, exchange, route, snapshot, shares }: Judged, outcome: Outcome, asItCame: AsItCame): void {
    if (this.#waiting.length >= DEFAULTS.candidateWaitingMax) {
      this.counts.results.crowded++;
      return;
    }
    const denial = outcome instanceof Denial ? outcome : null;
    if (denial !== null && NOT_OF_THE_POLICY.has(denial.reason)) return;
    const judged = {
      id,
      method: exchange.method,
      route: route?.template ?? (outcome instanceof OwnAnswer ? "own page" : "unmatched"),
      live: denial?.reason ?? "allow",
      livePlace: denial?.place ?? null,
      caller: callerText(exchange),
    };
    const isCounted = denial !== null && COUNTED.has(denial.reason) && !COUNTED_REASONS.has(denial.reason);
    const end = new LiveEnd();
    exchange.take(end);
    const next: Waiting = {
      facts: this.#trials.factsOf(exchange, asItCame),
      judged,
      isCounted,
      live: { snapshot, exchange, route, shares },
      isForwarded: denial === null && !(outcome instanceof OwnAnswer),
      end,
    };
    this.#queue(() => this.#spend(() => this.#compare(next)));
  }

  #queue(work: () => void): void {
    this.#waiting.push(work);
    if (this.#waiting.length === 1) this.#deps.defer(() => this.#judgeOne());
  }

  /** One a turn, so that requests are not held up by more than one judgement. */
  #judgeOne(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#deps.defer(() => this.#judgeOne());
  }

  #spend(judge: () => void): void {
    const { results } = this.counts;
    const beganMs = this.#deps.clock.monotonicMs();
    const earned = (beganMs - this.#earnedMs) * this.#cpuShare;
    this.#earnedMs = beganMs;
    this.#allowanceMs = Math.min(DEFAULTS.candidateBurstMs, this.#allowanceMs + earned);
    if (this.#allowanceMs <= 0) {
      results.budget++;
      return;
    }
    try {
      judge();
    } catch {
      // A defect of ours, which some request sets off, is of no account to those in force.
      this.#unknown(FAULT);
    }
    const spentMs = this.#deps.clock.monotonicMs() - beganMs;
    this.counts.spentMs += spentMs;
    this.#allowanceMs -= spentMs;
  }

  #compare({ facts, judged, isCounted, live, isForwarded, end }: Waiting): void {
    const said = isCounted ? "a verdict that counts requests" : this.#trials.begin(facts);
    if (typeof said === "string") {
      this.#unknown(said);
      return;
    }
    const { subject } = said;
    const isAnswered = isForwarded && said.denial === null && facts.upgrade === null;
    if (isAnswered) follow(subject, live, end);
    else endTrial(subject, UNANSWERED);
    const candidate = said.denial?.reason ?? "allow";
    const difference = { ...judged, candidate, candidateRoute: said.route, candidatePlace: said.denial?.place ?? null };
    if (COUNTED_REASONS.has(candidate) || COUNTED_REASONS.has(judged.live)) {
      this.#compareCounted(said, difference);
      return;
    }
    if (candidate !== judged.live) this.#differs(difference);
    else if (isAnswered && judgesAnswers(live.route, subject.route)) this.#seeAnswer(difference, live, subject, end);
    else this.counts.results.same++;
  }

  #differs(difference: Difference): void {
    if (this.counts.differs(difference, this.#deps.clock.wallMs())) this.#deps.onDifference(difference);
  }

  #unknown(why: string): void {
    this.counts.results.unknown++;
    this.counts.unknown.note(why);
  }

  /** Both let the request through: what they make of its answer is compared, once all of it went by. */
  #seeAnswer(difference: Difference, live: AnswerSubject, candidate: AnswerSubject, end: LiveEnd): void {
    if (this.#answersSeen >= DEFAULTS.candidateAnswersMax) {
      this.counts.results.crowded++;
      return;
    }
    this.#answersSeen++;
    const seen = new SeenAnswer();
    live.exchange.watchers ??= [];
    live.exchange.watchers.push(seen);
    end.whenOver(() => {
      this.#answersSeen--;
      this.#queue(() =>
        this.#spend(
          () => void this.#compareAnswers(difference, seen, live, candidate).catch(() => this.#unknown(FAULT)),
        ),
      );
    });
  }

  async #compareAnswers(
    difference: Difference,
    seen: SeenAnswer,
    live: AnswerSubject,
    candidate: AnswerSubject,
  ): Promise<void> {
    const both = await judgeAnswers(seen, live, candidate, this.#deps.clock);
    if (typeof both === "string") return this.#unknown(both);
    const [old, next] = [both.live.denial, both.candidate.denial];
    if ((old?.reason ?? null) !== (next?.reason ?? null)) {
      this.#differs({
        ...difference,
        live: old?.reason ?? "allow",
        candidate: next?.reason ?? "allow",
        livePlace: old?.place ?? null,
        candidatePlace: next?.place ?? null,
      });
    } else if (old === null && !isSameAnswer(both)) this.#differs({ ...difference, candidate: ANOTHER_ANSWER });
    else this.counts.results.same++;
  }

  /**
   * Which of a key's requests are too many is chance, as soon as two count that did not begin together: so those that each refuses
   * are counted, and not compared one by one.
   */
  #compareCounted({ isCounted, looksBackMs }: TrialVerdict, difference: Difference): void {
    const { results } = this.counts;
    const isYoung = this.#deps.clock.monotonicMs() - this.#beganMs < looksBackMs;
    if (!isCounted || isYoung) {
      this.#unknown(isCounted ? "what was counted before it began" : "a limit that is not tried");
      return;
    }
    results.counted++;
    this.counts.refuses(difference);
  }
}

const FAULT = "what postern itself failed to judge";

/** What is said of an answer that both let through, and that its client would get with other fields, values or headers. */
const ANOTHER_ANSWER = "another_answer";

/** The candidate's limits hold what they took for as long as the request lasts, and see its answer. */
function follow(candidate: Subject, live: AnswerSubject, end: LiveEnd): void {
  const { taken, onOver, watchers } = candidate.exchange;
  if (watchers !== null) {
    live.exchange.watchers ??= [];
    live.exchange.watchers.push(...watchers);
  }
  if (taken === null && onOver === null) endTrial(candidate, UNANSWERED);
  else end.whenOver((facts) => endTrial(candidate, facts));
}

/** Of the connection, the memory or a fault of ours: no other policy changes them. */
export const NOT_OF_THE_POLICY: ReadonlySet<string> = new Set([
  "client_closed",
  "client_read_timeout",
  "body_timeout",
  "request_timeout",
  "memory_bodies",
  "memory_streams",
  "proof_window_full",
  "internal_error",
]);

/** What only counting or asking says, as a candidate must not. */
export const COUNTED: ReadonlySet<string> = new Set([
  "banned",
  "attempts_exceeded",
  "verification_overloaded",
  "introspection_unavailable",
  "proof_replayed",
  "keys_unavailable",
  "decision_denied",
  "decision_unavailable",
  "limit_key_missing",
  "plan_missing",
  "rate_limited",
  "bandwidth_exceeded",
  "quota_exceeded",
  "budget_exceeded",
  "distinct_exceeded",
  "limit_store_unavailable",
  "concurrency_limited",
  "concurrency_full",
  "queue_timeout",
  "overloaded",
]);
