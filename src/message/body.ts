import type { Charge } from "../memory/account.ts";
import { GrowingBytes } from "./growing-bytes.ts";
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

/** `memory_bodies`: there is no room to hold it. The last two are of a body that was compressed. */
export type BodyFailure =
  | "client_closed"
  | "body_timeout"
  | "request_timeout"
  | "body_too_large"
  | "request_malformed"
  | "memory_bodies"
  | "content_encoding_invalid"
  | "body_inflates_too_much";

/** Announced length of a message without Content-Length whose body is chunked. */
export const CHUNKED = -1;

/** The body of a request as its transport offers it; nothing is read before it is asked for. */
export interface RequestBody {
  /** Content-Length in bytes, 0 for none, CHUNKED where the length is not known. */
  readonly announcedBytes: number;
  /** Bytes of it that have come. */
  readonly bytes: number;
  /**
   * True where there is one and its method has none (RFC 9110 section 9.3.1): some servers leave it unread, as the next
   * request. It is refused, and nothing is read behind it, unless `accept` says that the service reads it.
   */
  readonly isStray: boolean;
  /** There is one, its method has none, and a route has accepted it. */
  readonly isKept: boolean;
  /** It is as good as that of any other method. */
  accept(): void;
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
  bytes: 0,
  isStray: false,
  isKept: false,
  accept: () => {},
  start: (sink) => sink.onBodyEnd(null),
  pause: () => {},
  resume: () => {},
  setPatience: () => {},
};

/** One that its method does not have, where only that is asked. */
export const STRAY_BODY: RequestBody = { ...EMPTY_BODY, isStray: true };

/** A body that is here whole, or why it never will be. */
export type Collected = Buffer | BodyFailure;

/**
 * Reads a whole body into memory, at most `bytesMax` bytes; a promise only where it is not all here. What it holds counts
 * in `charge`, by what has arrived: an announced length alone costs the client nothing, and would keep others out. A body
 * that is here whole stays charged.
 */
export function collectBody(body: RequestBody, bytesMax: number, charge: Charge): Collected | Promise<Collected> {
  if (body.announcedBytes > bytesMax) return "body_too_large";
  const collector = new Collector(body.announcedBytes > 0 ? body.announcedBytes : bytesMax, charge);
  body.start(collector, bytesMax);
  if (collector.collected !== null) return collector.collected;
  return new Promise((resolve) => {
    collector.onCollected = resolve;
  });
}

/** What a body may keep of the read that brought it, by its own length. */
const WHOLE_FACTOR_MAX = 2;

class Collector implements BodySink {
  /** Null until it is known. */
  collected: Collected | null = null;
  onCollected: ((collected: Collected) => void) | null = null;
  readonly #bytes: GrowingBytes;
  readonly #lengthMax: number;
  readonly #charge: Charge;
  /** Null but for a body that came in one piece. */
  #whole: Buffer | null = null;

  constructor(lengthMax: number, charge: Charge) {
    this.#lengthMax = lengthMax;
    this.#bytes = new GrowingBytes(lengthMax, charge);
    this.#charge = charge;
  }

  onBody(chunk: Buffer): boolean {
    if (this.collected !== null || this.#takeWhole(chunk)) return true;
    const first = this.#whole;
    this.#whole = null;
    const hasRoom = (first === null || this.#bytes.add(first)) && this.#bytes.add(chunk);
    if (!hasRoom) this.#settle("memory_bodies");
    return true;
  }

  /** A body that comes in one piece is not copied, where little else would stay with it. */
  #takeWhole(chunk: Buffer): boolean {
    const { byteLength } = chunk.buffer;
    if (chunk.length !== this.#lengthMax || this.#whole !== null || this.#bytes.length > 0) return false;
    if (byteLength > WHOLE_FACTOR_MAX * chunk.length || !this.#charge.hold(byteLength)) return false;
    this.#whole = chunk;
    return true;
  }

  onBodyEnd(): void {
    this.#settle(this.#whole ?? this.#bytes.take());
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#settle(failure);
  }

  #settle(collected: Collected): void {
    if (this.collected !== null) return;
    this.collected = collected;
    if (typeof collected === "string") this.#charge.release();
    this.#bytes.take();
    this.#whole = null;
    this.onCollected?.(collected);
  }
}
