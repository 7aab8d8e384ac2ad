import type { BodyFailure } from "../message/body.ts";

export interface BodyPaceLimits {
  /** For a whole request, from its first byte to its body's last. */
  readonly requestTimeoutMs: number;
  /** 0 for none. */
  readonly bodyBytesPerSecondMin: number;
  readonly bodyGraceMs: number;
  readonly bodyProgressTimeoutMs: number;
}

/**
 * How long the client's body may keep us waiting. Every byte buys time at the minimum rate, up to what a body may stand
 * still: neither a byte now and then nor a fast beginning keeps a slow body alive. Gives deadlines on the monotonic
 * clock, in milliseconds; one per connection.
 */
export class BodyPace {
  readonly #limits: BodyPaceLimits;
  /** The minimum rate, turned over. */
  readonly #msPerByte: number;
  #endsMs = Number.POSITIVE_INFINITY;
  /** What the client had left when it was paused. */
  #creditMs = 0;
  /** How long a body that belongs to a stream of both ways may stand still; null for others. */
  #patienceMs: number | null = null;

  constructor(limits: BodyPaceLimits) {
    this.#limits = limits;
    const rate = limits.bodyBytesPerSecondMin;
    this.#msPerByte = rate === 0 ? Number.POSITIVE_INFINITY : 1000 / rate;
  }

  /** A request with a body began. */
  begin(startedMs: number): void {
    this.#endsMs = startedMs + this.#limits.requestTimeoutMs;
    this.#patienceMs = null;
  }

  /** From now on its body is read. */
  start(nowMs: number): number {
    return Math.min(nowMs + (this.#patienceMs ?? this.#limits.bodyGraceMs), this.#endsMs);
  }

  /** So many bytes of it came before the deadline. */
  progress(deadlineMs: number, bytes: number, nowMs: number): number {
    if (this.#patienceMs !== null) return this.start(nowMs);
    const earnedMs = deadlineMs + bytes * this.#msPerByte;
    return Math.min(earnedMs, nowMs + this.#limits.bodyProgressTimeoutMs, this.#endsMs);
  }

  /** We stop reading; the client cannot be blamed for a service that does not read. */
  pause(deadlineMs: number, nowMs: number): void {
    this.#creditMs = deadlineMs - nowMs;
  }

  resume(nowMs: number): number {
    if (this.#patienceMs !== null) return this.start(nowMs);
    return Math.min(nowMs + this.#creditMs, this.#endsMs);
  }

  /**
   * The body belongs to a stream that goes both ways, where nobody knows whose turn it is: it may stand still this long,
   * at whatever rate. Once there is an answer, the time for the whole request is over as well.
   */
  setPatience(patienceMs: number, answered: boolean): void {
    this.#patienceMs = patienceMs;
    if (answered) this.#endsMs = Number.POSITIVE_INFINITY;
  }

  /** Bytes of the answer went out: a stream that goes both ways is alive while either side speaks. */
  answer(deadlineMs: number, nowMs: number): number {
    return this.#patienceMs === null ? deadlineMs : this.start(nowMs);
  }

  /** Why a deadline that has passed was missed. */
  failure(nowMs: number): BodyFailure {
    return nowMs < this.#endsMs ? "body_timeout" : "request_timeout";
  }
}
