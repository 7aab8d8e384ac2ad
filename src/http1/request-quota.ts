export interface QuotaLimits {
  readonly requestsPerConnectionMax: number;
  readonly connectionAgeMaxMs: number;
}

/** How many requests a connection may carry, and how old it may be when the last one comes. */
export class RequestQuota {
  readonly #limits: QuotaLimits;
  readonly #bornMs: number;
  #requests = 0;

  constructor(limits: QuotaLimits, nowMs: number) {
    this.#limits = limits;
    this.#bornMs = nowMs;
  }

  /** Counts a request; true where it is the connection's last. */
  take(startedMs: number): boolean {
    this.#requests++;
    const { requestsPerConnectionMax, connectionAgeMaxMs } = this.#limits;
    return this.#requests >= requestsPerConnectionMax || startedMs - this.#bornMs > connectionAgeMaxMs;
  }
}
