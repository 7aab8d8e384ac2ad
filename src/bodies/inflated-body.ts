import type { Transform } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Charge } from "../memory/account.ts";
import { type BodyFailure, type BodySink, CHUNKED, EMPTY_BODY, type RequestBody } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** A content coding (RFC 9110 section 8.4.1) that is inflated. */
export interface Coding {
  open(): Transform;
  /** What its state may take up. */
  readonly bytes: number;
}

const GZIP: Coding = { open: () => createGunzip(), bytes: 64 * 1024 };

/** A window of 8 MiB, beyond which no reader of this coding need go (RFC 9659 section 3). */
const ZSTD_WINDOW_LOG_MAX = 23;

const ZSTD: Coding = {
  open: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }),
  bytes: 2 ** ZSTD_WINDOW_LOG_MAX + 512 * 1024,
};

/** By the names that Content-Encoding has for them. */
export const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ["gzip", GZIP],
  ["x-gzip", GZIP],
  ["deflate", { open: () => createInflate(), bytes: 64 * 1024 }],
  ["br", { open: () => createBrotliDecompress(), bytes: 16 * 1024 * 1024 }],
  ["zstd", ZSTD],
]);

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
 * not take them stops the client. A kilobyte can hold a gigabyte, so that beyond a first stretch only so many times the
 * bytes that came are let out; and the reader's own bound holds for what came as for what comes out.
 */
export class InflatedBody implements RequestBody, BodySink {
  readonly announcedBytes = CHUNKED;
  readonly #inner: RequestBody;
  readonly #coding: Coding;
  readonly #ratioMax: number;
  readonly #charge: Charge;
  #stream: Transform | null = null;
  #sink: BodySink | null = null;
  #bytesMax = 0;
  #cameBytes = 0;
  #inflatedBytes = 0;
  #trailers: HeaderBlock | null = null;
  #isOver = false;

  /** `charge`: what its state takes up is held there while it is read. */
  constructor(inner: RequestBody, coding: Coding, ratioMax: number, charge: Charge) {
    this.#inner = inner;
    this.#coding = coding;
    this.#ratioMax = ratioMax;
    this.#charge = charge;
  }

  get bytes(): number {
    return this.#inner.bytes;
  }

  get isStray(): boolean {
    return this.#inner.isStray;
  }

  get isKept(): boolean {
    return this.#inner.isKept;
  }

  accept(): void {
    this.#inner.accept();
  }

  start(sink: BodySink, bytesMax: number): void {
    this.#sink = sink;
    this.#bytesMax = bytesMax;
    if (!this.#charge.hold(this.#coding.bytes)) {
      this.#fail("memory_bodies");
      return;
    }
    const stream = this.#coding.open();
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => this.#onInflated(bytes));
    stream.on("drain", () => this.#inner.resume());
    stream.on("error", () => this.#fail("content_encoding_invalid"));
    stream.on("end", () => this.#onInflatedEnd(stream));
    this.#inner.start(this, bytesMax);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  setPatience(idleTimeoutMs: number, answered: boolean): void {
    this.#inner.setPatience(idleTimeoutMs, answered);
  }

  /** Nobody reads it any more. */
  stop(): void {
    this.#isOver = true;
    this.#stream?.destroy();
    this.#charge.release();
  }

  // ---- what comes (BodySink) -------------------------------------------------------------------------------------

  onBody(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    this.#cameBytes += chunk.length;
    return this.#stream?.write(chunk) ?? true;
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#isOver) return;
    this.#trailers = trailers;
    this.#stream?.end();
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#fail(failure);
  }

  // ---- what comes out --------------------------------------------------------------------------------------------

  #onInflated(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#inflatedBytes += bytes.length;
    const ratioBytesMax = Math.max(DEFAULTS.inflatedFreeBytes, this.#ratioMax * this.#cameBytes);
    if (this.#inflatedBytes > this.#bytesMax) this.#fail("body_too_large");
    else if (this.#inflatedBytes > ratioBytesMax) this.#fail("body_inflates_too_much");
    else if (this.#sink?.onBody(bytes) === false) this.#stream?.pause();
  }

  #onInflatedEnd(stream: Transform & { readonly bytesWritten?: number }): void {
    if (this.#isOver) return;
    // What stands behind the end of the compressed bytes is somebody's, and nobody would see it.
    if ((stream.bytesWritten ?? 0) !== this.#cameBytes) {
      this.#fail("content_encoding_invalid");
      return;
    }
    this.stop();
    this.#sink?.onBodyEnd(this.#trailers);
  }

  #fail(failure: BodyFailure): void {
    if (this.#isOver) return;
    this.stop();
    this.#sink?.onBodyFailure(failure);
  }
}
