import type { Http1CloseReason } from "./close-reason.ts";

export interface QuotaLimits {
  readonly requestsPerConnectionMax: number;
  readonly connectionAgeMaxMs: number;
}

/** How many requests a connection may carry, and how old it may be when the last one comes. */
export class RequestQuota {
  /** Why the connection ends, as far as that is known by now. */
  closeReason: Http1CloseReason = "client";
  readonly #limits: QuotaLimits;
  readonly #bornMs: number;
  #requests = 0;

  constructor(limits: QuotaLimits, nowMs: number) {
    this.#limits = limits;
    this.#bornMs = nowMs;
  }

  get isDrained(): boolean {
    return this.closeReason === "drained";
  }

  /** Counts a request; true where it is the connection's last. */
  take(startedMs: number): boolean {
    this.#requests++;
    const { requestsPerConnectionMax, connectionAgeMaxMs } = this.#limits;
    const isLast = this.#requests >= requestsPerConnectionMax || startedMs - this.#bornMs > connectionAgeMaxMs;
    if (isLast && this.closeReason === "client") this.closeReason = "retired";
    return isLast;
  }

  /** The connection has rested too long. */
  expire(): void {
    this.closeReason = this.#requests === 0 ? "silent" : "idle";
  }
}
