import type { Charge } from "../memory/account.ts";
import { type BodyFailure, type BodySink, EMPTY_BODY, type RequestBody } from "../message/body.ts";
import { ChangedBody } from "../message/changed-body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { Coding } from "./codings.ts";
import { Inflation, type InflationFailure, type InflationSink } from "./inflation.ts";

/** A body that was read whole, to be read once more. */
export function bodyOf(bytes: Buffer): RequestBody {
  const start = (sink: BodySink): void => {
    sink.onBody(bytes);
    sink.onBodyEnd(null);
  };
  return { ...EMPTY_BODY, announcedBytes: bytes.length, bytes: bytes.length, start };
}

/**
 * A compressed body as what it holds: whoever reads it, whole or as it streams, gets the inflated bytes, and whoever does
 * not take them stops the client. The reader's own bound holds for what came as for what comes out.
 */
export class InflatedBody extends ChangedBody implements BodySink, InflationSink {
  readonly #coding: Coding;
  readonly #ratioMax: number;
  readonly #charge: Charge;
  #inflation: Inflation | null = null;
  #sink: BodySink | null = null;
  #trailers: HeaderBlock | null = null;
  #isOver = false;

  /** `charge`: what its state takes up is held there while it is read. */
  constructor(inner: RequestBody, coding: Coding, ratioMax: number, charge: Charge) {
    super(inner);
    this.#coding = coding;
    this.#ratioMax = ratioMax;
    this.#charge = charge;
  }

  start(sink: BodySink, bytesMax: number): void {
    this.#sink = sink;
    if (!this.#charge.hold(this.#coding.bytes)) {
      this.#fail("memory_bodies");
      return;
    }
    this.#inflation = new Inflation(this.#coding, this.#ratioMax, bytesMax, this);
    this.inner.start(this, bytesMax);
  }

  override pause(): void {
    this.#inflation?.pause();
  }

  override resume(): void {
    this.#inflation?.resume();
  }

  /** Nobody reads it any more. */
  stop(): void {
    this.#isOver = true;
    this.#inflation?.stop();
    this.#charge.release();
  }

  // ---- what comes (BodySink) -------------------------------------------------------------------------------------

  onBody(chunk: Buffer): boolean {
    return this.#isOver || (this.#inflation?.write(chunk) ?? true);
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#isOver) return;
    this.#trailers = trailers;
    this.#inflation?.end();
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#fail(failure);
  }

  // ---- what comes out (InflationSink) --------------------------------------------------------------------------------------------

  onInflated(bytes: Buffer): boolean {
    return this.#sink?.onBody(bytes) ?? true;
  }

  onInflatedEnd(): void {
    this.stop();
    this.#sink?.onBodyEnd(this.#trailers);
  }

  onInflationFailure(failure: InflationFailure): void {
    this.#fail(failure);
  }

  onInflationDrain(): void {
    this.inner.resume();
  }

  #fail(failure: BodyFailure): void {
    if (this.#isOver) return;
    this.stop();
    this.#sink?.onBodyFailure(failure);
  }
}
