import type { HeaderBlock } from "./headers.ts";

/** Where the bytes of a body go. */
export interface BodySink {
  /** Takes a chunk; false asks the source to pause until it is resumed. The sink owns the chunk from here on. */
  onBody(chunk: Buffer): boolean;
  /** Trailers as the client sent them, or null for none. */
  onBodyEnd(trailers: HeaderBlock | null): void;
  /** The body ends before its end: the client went away, took too long, sent too much or broke the framing. */
  onBodyFailure(reason: BodyFailure): void;
}

export type BodyFailure = "client_closed" | "body_timeout" | "request_timeout" | "body_too_large" | "request_malformed";

/** Announced length of a message without Content-Length whose body is chunked. */
export const CHUNKED = -1;

/** The body of a request as its transport offers it; nothing is read before it is asked for. */
export interface RequestBody {
  /** Content-Length in bytes, 0 for none, CHUNKED where the length is not known. */
  readonly announcedBytes: number;
  /** Lets the bytes flow into `sink`, at most `bytesMax` of them. At most once. */
  start(sink: BodySink, bytesMax: number): void;
  pause(): void;
  resume(): void;
  /**
   * From now on the body may stand still this long, and no minimum rate holds: it belongs to a stream that goes both ways.
   * `answered`: its answer has begun, so that the request's own time is over, too.
   */
  setPatience(idleTimeoutMs: number, answered: boolean): void;
}

export const EMPTY_BODY: RequestBody = {
  announcedBytes: 0,
  start: (sink) => sink.onBodyEnd(null),
  pause: () => {},
  resume: () => {},
  setPatience: () => {},
};

/** Bytes that may be held at once, by all who share it. */
export class ByteBudget {
  readonly bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  /** False, and nothing taken, where they would be too many. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** `overloaded`: the budget is spent. */
export type CollectFailure = BodyFailure | "overloaded";

/**
 * Reads a whole body into memory, at most `bytesMax` bytes. What it holds meanwhile counts in `budget`, by what has
 * arrived: an announced length alone costs the client nothing, and would keep others out.
 */
export function collectBody(body: RequestBody, bytesMax: number, budget: ByteBudget): Promise<Buffer | CollectFailure> {
  if (body.announcedBytes > bytesMax) return Promise.resolve("body_too_large");
  return new Promise((resolve) => {
    body.start(new Collector(body.announcedBytes > 0 ? body.announcedBytes : bytesMax, budget, resolve), bytesMax);
  });
}

const GROWTH_BYTES_MIN = 4 * 1024;
const NO_BYTES = Buffer.alloc(0);

class Collector implements BodySink {
  readonly #lengthMax: number;
  readonly #budget: ByteBudget;
  readonly #resolve: (collected: Buffer | CollectFailure) => void;
  /**
   * One buffer that grows: a buffer kept for each chunk would cost a hundred times the bytes of a body that a hostile
   * client sends in chunks of one byte.
   */
  #bytes = NO_BYTES;
  #length = 0;
  #settled = false;

  constructor(lengthMax: number, budget: ByteBudget, resolve: (collected: Buffer | CollectFailure) => void) {
    this.#lengthMax = lengthMax;
    this.#budget = budget;
    this.#resolve = resolve;
  }

  onBody(chunk: Buffer): boolean {
    if (this.#settled) return true;
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length && !this.#grow(length)) {
      this.#settle("overloaded");
      return true;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  #grow(length: number): boolean {
    const size = Math.max(length, Math.min(this.#lengthMax, Math.max(GROWTH_BYTES_MIN, 2 * length)));
    if (!this.#budget.take(size - this.#bytes.length)) return false;
    const larger = Buffer.allocUnsafe(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return true;
  }

  onBodyEnd(): void {
    this.#settle(this.#bytes.subarray(0, this.#length));
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#settle(failure);
  }

  #settle(collected: Buffer | CollectFailure): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#budget.release(this.#bytes.length);
    this.#bytes = NO_BYTES;
    this.#resolve(collected);
  }
}
