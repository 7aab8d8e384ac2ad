import type { Clock } from "../support/clock.ts";

/** What is known of the frames of one connection. */
export interface FramesSoFar {
  /** A head has begun that is not whole. */
  readonly isInHead: boolean;
  /** How much has come whole. */
  readonly finished: number;
}

/** When the frame or head that has begun must be here: a head may take as long as one over HTTP/1.1, in however many frames. */
export class HeadWatch {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  deadlineMs: number = Number.POSITIVE_INFINITY;
  /** How much had come whole when the last read was over. */
  #finished = 0;

  constructor(timeoutMs: number, clock: Clock) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** A read is over; `isWaiting`: its last frame is not whole. */
  onRead({ isInHead, finished }: FramesSoFar, isWaiting: boolean): void {
    // Where much comes, each read may end in the middle of a frame: of another one, as long as frames end in between.
    const isNew = finished !== this.#finished || this.deadlineMs === Number.POSITIVE_INFINITY;
    this.#finished = finished;
    if (!isInHead && !isWaiting) this.deadlineMs = Number.POSITIVE_INFINITY;
    else if (isNew) this.deadlineMs = this.#clock.monotonicMs() + this.#timeoutMs;
  }
}
