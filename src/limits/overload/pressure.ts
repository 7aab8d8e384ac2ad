import { DEFAULTS } from "../../support/defaults.ts";

/** How much a route matters when not everything can be served, the least first. Closed, for it is a metric label. */
export const PRIORITIES = ["low", "normal", "high", "critical"] as const;

export type Priority = (typeof PRIORITIES)[number];

export interface PressureRules {
  /** So long may events wait for the thread, in milliseconds; Infinity for not looked at. */
  readonly loopDelayMsMax: number;
  /** Share of the memory that the process may hold; Infinity for not looked at. */
  readonly memoryShareMax: number;
}

/**
 * How much too much there is to do, from 0 to 3: up to 1 it is a share of what matters least that is shed, up to 2 all of that
 * and a share of what matters normally, up to 3 also what matters more. What is critical is never shed. It climbs while
 * something is over its bound, the faster the further, falls slowly once everything is well below, and stands between the two,
 * so that it does not swing.
 */
export class Pressure {
  readonly #rules: PressureRules;
  /** Delays of the last looks: one long turn is no overload. */
  readonly #delays: number[] = [];
  level = 0;

  constructor(rules: PressureRules) {
    this.#rules = rules;
  }

  /** Least delay of the last looks, in milliseconds: what no event could avoid. */
  get delayMs(): number {
    return this.#delays.length < DEFAULTS.overloadLooks ? 0 : Math.min(...this.#delays);
  }

  look(delayMs: number, memoryShare: number): void {
    this.#delays.push(delayMs);
    if (this.#delays.length > DEFAULTS.overloadLooks) this.#delays.shift();
    const { loopDelayMsMax, memoryShareMax } = this.#rules;
    const delay = this.delayMs / loopDelayMsMax;
    const memory = memoryShare / memoryShareMax;
    if (delay > 1) this.level = Math.min(PRIORITIES.length - 1, this.level + climb(delay));
    // Shedding frees what requests take, and not what connections do: it must never become all there is.
    else if (memory > 1)
      this.level = Math.max(this.level, Math.min(DEFAULTS.overloadMemoryLevelMax, this.level + climb(1)));
    else if (delay < 0.5 && memory < DEFAULTS.overloadMemoryCalm)
      this.level = Math.max(0, this.level - DEFAULTS.overloadFall);
  }

  /** Of the requests of this priority, the share that is shed. */
  shareOf(priority: Priority): number {
    if (priority === "critical") return 0;
    return Math.max(0, Math.min(1, this.level - PRIORITIES.indexOf(priority)));
  }
}

function climb(times: number): number {
  return DEFAULTS.overloadClimb * Math.min(4, times);
}
