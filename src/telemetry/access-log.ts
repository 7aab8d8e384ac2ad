import { REASONS, type Reason } from "../decision/reason.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Timers } from "../support/timers.ts";
import { AccessLine } from "./access-line.ts";
import { type EventLog, rfc3339 } from "./event-log.ts";
import { LineBudget } from "./line-budget.ts";
import type { LogOutput } from "./log-output.ts";
import { type LogSettings, USUAL_DETAILS } from "./log-settings.ts";
import type { RequestRecord } from "./request-record.ts";

/** Whose fault decides how loud a line is: a client that is refused is everyday, whoever scans the port is no alarm. */
const LEVELS = { client: "info", upstream: "warn", proxy: "error" } as const;

/** Writes a line for each request that the policy wants one for; docs/log-fields.md describes every field. */
export class AccessLog {
  readonly #time: () => string;
  readonly #output: LogOutput;
  readonly #budget: LineBudget;
  #access: LogSettings["access"] = "all";
  #line = new AccessLine();
  #details = USUAL_DETAILS;
  #sampled = "";

  constructor(clock: Clock, timers: Timers, output: LogOutput, log: EventLog) {
    this.#time = rfc3339(clock);
    this.#output = output;
    this.#budget = new LineBudget(clock, timers, DEFAULTS.logDenialsPerSecond, (lines, reasons) =>
      log.warn("lines_left_out", "more requests were refused than get a line", { lines, of: "request", reasons }),
    );
  }

  /** Behind the output's own. */
  follow({ access, more = USUAL_DETAILS }: LogSettings): void {
    this.#access = access;
    this.#details = more;
    this.#line = new AccessLine(this.#output.requestNames, more.fields);
    this.#sampled = more.sampleRatio === 1 ? "" : this.#line.sampled(more.sampleRatio);
    this.#budget.perSecond = more.denialsPerSecond;
  }

  /** Tells what was left out. */
  flush(): void {
    this.#budget.flush();
  }

  write(record: RequestRecord): void {
    if (this.#access === "off") return;
    const tail = record.reason === null ? this.#tailOfServed(record) : this.#tailOfRefused(record.reason, record);
    if (tail === null) return;
    const level = record.reason === null ? "info" : LEVELS[REASONS[record.reason].source];
    this.#output.writeRequest(this.#line.write(record, level, this.#time(), tail));
  }

  /** Null for one that gets no line. */
  #tailOfServed(record: RequestRecord): string | null {
    if (this.#isSlow(record)) return this.#line.slow;
    if (this.#access === "denied") return null;
    const { sampleRatio, sampleSeed } = this.#details;
    if (sampleRatio === 1 || record.status >= 500 || isSuspect(record)) return "";
    return lot(record, sampleSeed) < sampleRatio ? this.#sampled : null;
  }

  #tailOfRefused(reason: Reason, record: RequestRecord): string | null {
    if (!this.#budget.take(reason)) return null;
    return this.#isSlow(record) ? this.#line.slow : "";
  }

  /** A WebSocket lasts as long as its ends like. */
  #isSlow({ durationMs, status }: RequestRecord): boolean {
    return durationMs >= this.#details.slowMs && status !== 101;
  }
}

/** It would have been denied, or something was found in it: told in any case, as what failed is. */
function isSuspect({ exchange: { audited, leaks, detected } }: RequestRecord): boolean {
  return audited !== null || leaks !== null || detected !== null;
}

/**
 * 0 to 1, the same for all requests of one trace, so that those that belong together are told together. By a seed of the process:
 * a trace id is often the client's, who must not know of one that is never drawn.
 */
function lot({ id, exchange: { traceId, requestId } }: RequestRecord, seed: number): number {
  const text = traceId ?? requestId ?? id;
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995) ^ (hash >>> 15);
  // The last step of MurmurHash3 (public domain): all bits of the hash count for all bits of the lot.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
