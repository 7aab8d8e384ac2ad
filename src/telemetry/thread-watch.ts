import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { HOLDERS, type Hold, type Holder, type ThreadHolds } from "../support/thread-holds.ts";
import type { EventLog } from "./event-log.ts";
import { createRateGate } from "./rate-gate.ts";

/** The event loop's own measurement: src/cli has the real one. */
export interface LoopDelay {
  /** Longest stretch without an event handled since the last call, milliseconds; 0 where there was none. */
  takeMaxMs(): number;
  stop(): void;
}

/** Stretches that one kind of work held the thread. */
export interface HeldCells {
  count: number;
  seconds: number;
}

/** Looks that the longest stretch is given for. */
const LOOKS = Math.ceil(DEFAULTS.threadWindowMs / DEFAULTS.threadLookMs);

/**
 * Sees what holds the thread: work that notes itself at once and by name, the rest by the event loop's own measurement,
 * every few seconds. Requests pay a comparison, an idle process a timer.
 */
export class ThreadWatch {
  readonly held: Readonly<Record<Holder, HeldCells>>;
  readonly #log: EventLog;
  readonly #gate: () => number | null;
  readonly #delay: LoopDelay;
  readonly #holds: ThreadHolds;
  #timer: NodeJS.Timeout | null = null;
  readonly #longest: number[] = [];
  /** Longest hold with a name since the last look. */
  #namedMs = 0;

  constructor(holds: ThreadHolds, delay: LoopDelay, clock: Clock, log: EventLog) {
    const cells = HOLDERS.map((by) => [by, { count: 0, seconds: 0 }] as const);
    this.held = Object.fromEntries(cells) as Record<Holder, HeldCells>;
    this.#log = log;
    this.#delay = delay;
    this.#gate = createRateGate(clock, 1);
    this.#holds = holds;
  }

  /** From now on somebody waits for the thread; what came before, as the first load of a policy, held up nobody. */
  start(): void {
    this.#delay.takeMaxMs();
    this.#holds.watch(DEFAULTS.threadHeldMs, (hold) => {
      this.#namedMs = Math.max(this.#namedMs, hold.ms);
      this.#count(hold);
    });
    this.#timer = setInterval(() => this.look(), DEFAULTS.threadLookMs);
    this.#timer.unref();
  }

  /** Longest stretch of the last minute in which no event was handled. */
  get longestMs(): number {
    return Math.max(0, ...this.#longest);
  }

  look(): void {
    const maxMs = this.#delay.takeMaxMs();
    this.#longest.push(Math.max(maxMs, this.#namedMs));
    if (this.#longest.length > LOOKS) this.#longest.shift();
    // What was noted is most of a turn of the loop, or something else held it as well.
    if (maxMs >= DEFAULTS.threadHeldMs && maxMs > 2 * this.#namedMs)
      this.#count({ by: "unknown", detail: "", ms: maxMs });
    this.#namedMs = 0;
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#delay.stop();
  }

  #count({ by, detail, ms }: Hold): void {
    const cells = this.held[by];
    cells.count++;
    cells.seconds += ms / 1000;
    const suppressed = this.#gate();
    if (suppressed === null) return;
    const fields = { by, detail: detail === "" ? undefined : detail, ms: Math.round(ms), suppressed };
    this.#log.warn("thread_held", "no request was handled for a while", fields);
  }
}
