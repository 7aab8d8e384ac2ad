import type { Phase } from "../decision/phases.ts";
import type { Verdict } from "../decision/verdict.ts";
import { TRACE_FLAGS } from "../message/trace-context.ts";
import type { FinishedRequest } from "../records/make-facts.ts";
import type { ToldCheck } from "../records/step.ts";
import type { Clock } from "../support/clock.ts";
import { requestSpans } from "./request-spans.ts";
import type { CalledService, RequestTrace, SpanFacts, SpanSink } from "./traced-request.ts";

/** What it is recorded by. */
export interface SpanRecording {
  readonly clock: Clock;
  readonly sink: SpanSink;
  readonly facts: SpanFacts;
  spanId(): string;
  /** Whether a denial that was not sampled is recorded all the same. */
  takesDenial(): boolean;
}

/** Who looks on as a request is judged. */
export interface CheckObserver {
  onCheck(check: ToldCheck, verdict: Verdict, enforced: boolean): void;
}

/** A request that has its place in a trace, whether it is recorded or not. */
export class RequestSpan {
  readonly #recording: SpanRecording;
  readonly #trace: RequestTrace;
  /** Monotonic milliseconds of the last check of each phase; null where nobody looks on. */
  #phases: Map<Phase, number> | null = null;

  constructor(recording: SpanRecording, trace: RequestTrace) {
    this.#recording = recording;
    this.#trace = trace;
  }

  get #isSampled(): boolean {
    return (this.#trace.flags & TRACE_FLAGS.sampled) !== 0;
  }

  /** Who is told of the checks, beside `other`; that one alone where nothing is recorded. */
  observer<T extends CheckObserver>(other: T | null): T | CheckObserver | null {
    if (!this.#isSampled) return other;
    const phases = new Map<Phase, number>();
    this.#phases = phases;
    return {
      onCheck: (check, verdict, enforced) => {
        phases.set(check.phase, this.#recording.clock.monotonicMs());
        other?.onCheck(check, verdict, enforced);
      },
    };
  }

  /**
   * The request is over, at `endedMs` of the monotonic clock. `called`: null where nothing was forwarded. What is recorded though it was
   * not sampled, as a denial, counts as sampled from here on.
   */
  finish(finished: FinishedRequest, called: CalledService | null, endedMs: number): void {
    const { sink, clock, facts } = this.#recording;
    if (!this.#isSampled && (finished.reason === null || !this.#recording.takesDenial())) return;
    if (!sink.takes(called === null ? 1 : 2)) return;
    finished.exchange.isTraceSampled = true;
    // All times are told from one moment: what passes until they are told would put the beginning behind the first phase.
    const offsetMs = clock.wallMs() - clock.monotonicMs();
    const wallOf = (monotonicMs: number): number => offsetMs + monotonicMs;
    const phases = this.#phases ?? NO_PHASES;
    const spanId = this.#recording.spanId();
    finished.exchange.spanId = spanId;
    const endMs = wallOf(endedMs);
    sink.add(requestSpans({ trace: this.#trace, spanId, finished, called, phases, endMs, wallOf }, facts));
  }
}

const NO_PHASES: ReadonlyMap<Phase, number> = new Map();
