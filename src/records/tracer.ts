import type { Verdict } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { checkStep, partSteps, type Step, type ToldCheck } from "./step.ts";

/** What a request is looked at by while somebody waits for one: each check, as it has its say. */
export class Trace {
  readonly exchange: Exchange;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly steps: Step[] = [];
  #atMs: number;

  constructor(exchange: Exchange, clock: Pick<Clock, "monotonicMs">) {
    this.exchange = exchange;
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  onCheck(check: ToldCheck, verdict: Verdict, enforced: boolean): void {
    const nowMs = this.#clock.monotonicMs();
    const us = Math.round((nowMs - this.#atMs) * 10_000) / 10;
    if (this.steps.length < DEFAULTS.traceStepsMax) {
      this.steps.push(...partSteps(check, verdict), { ...checkStep(check, verdict, enforced, this.exchange), us });
    }
    // What telling took is nobody's.
    this.#atMs = this.#clock.monotonicMs();
  }
}

/** What somebody waits for. */
interface Armed {
  readonly ticket: string;
  readonly untilMs: number;
  /** The request that was met; null while none was. */
  foundId: string | null;
  meets(exchange: Exchange): boolean;
}

/**
 * One trace at a time: from when it is armed until a request meets it, or its time is over, each request is looked at, which
 * costs it some microseconds. It outlives policies.
 */
export class Tracer {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #armed: Armed | null = null;
  #count = 0;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Null where another one waits. */
  arm(meets: Armed["meets"], forMs: number): string | null {
    if (this.#waiting !== null) return null;
    this.#count++;
    const untilMs = this.#clock.monotonicMs() + Math.min(forMs, DEFAULTS.traceMsMax);
    this.#armed = { ticket: `trace-${this.#count}`, untilMs, foundId: null, meets };
    return this.#armed.ticket;
  }

  /** What became of a trace: the id of the request that met it, `waiting`, or `over`. */
  state(ticket: string): { readonly id: string } | "waiting" | "over" {
    if (this.#armed?.ticket !== ticket) return "over";
    if (this.#armed.foundId !== null) return { id: this.#armed.foundId };
    return this.#waiting === null ? "over" : "waiting";
  }

  /** Nobody waits any more. */
  disarm(ticket: string): void {
    if (this.#armed?.ticket === ticket) this.#armed = null;
  }

  begin(exchange: Exchange): Trace | null {
    return this.#armed === null || this.#waiting === null ? null : new Trace(exchange, this.#clock);
  }

  /** The steps of a request that is over and is the one that somebody waits for; undefined for any other. */
  take({ exchange, steps }: Trace, id: string): readonly Step[] | undefined {
    const armed = this.#waiting;
    if (armed === null || !armed.meets(exchange)) return undefined;
    armed.foundId = id;
    return steps;
  }

  get #waiting(): Armed | null {
    const armed = this.#armed;
    return armed === null || armed.foundId !== null || this.#clock.monotonicMs() >= armed.untilMs ? null : armed;
  }
}
