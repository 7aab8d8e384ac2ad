import type { Transform } from "node:stream";
import { DEFAULTS } from "../support/defaults.ts";
import type { Coding } from "./codings.ts";

/** Why nothing more comes out. */
export type InflationFailure = "content_encoding_invalid" | "body_too_large" | "body_inflates_too_much";

/** Who gets what comes out. */
export interface InflationSink {
  /** False asks to pause until `resume`. */
  onInflated(bytes: Buffer): boolean;
  onInflatedEnd(): void;
  onInflationFailure(failure: InflationFailure): void;
  /** It takes more again. */
  onInflationDrain(): void;
}

/**
 * Compressed bytes as what they hold, as they come. A kilobyte can hold a gigabyte, so that beyond a first stretch only so
 * many times the bytes that came are let out.
 */
export class Inflation {
  readonly #coding: Coding;
  /** Null until the first byte is here. */
  #stream: (Transform & { readonly bytesWritten?: number }) | null = null;
  #isPaused = false;
  readonly #sink: InflationSink;
  readonly #ratioMax: number;
  readonly #bytesMax: number;
  #cameBytes = 0;
  #inflatedBytes = 0;
  #isOver = false;

  /** `bytesMax`: of what comes out. */
  constructor(coding: Coding, ratioMax: number, bytesMax: number, sink: InflationSink) {
    this.#sink = sink;
    this.#ratioMax = ratioMax;
    this.#bytesMax = bytesMax;
    this.#coding = coding;
  }

  #open(first: number | undefined): Transform {
    const stream = this.#coding.open(first);
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => this.#onInflated(bytes));
    stream.on("drain", () => {
      if (!this.#isOver) this.#sink.onInflationDrain();
    });
    stream.on("error", () => this.#fail("content_encoding_invalid"));
    stream.on("end", () => this.#onEnd());
    if (this.#isPaused) stream.pause();
    return stream;
  }

  /** False asks to wait for `onInflationDrain`. */
  write(chunk: Buffer): boolean {
    if (this.#isOver || chunk.length === 0) return true;
    this.#cameBytes += chunk.length;
    return (this.#stream ?? this.#open(chunk[0])).write(chunk);
  }

  /** More would only wait. */
  get isFull(): boolean {
    return !this.#isOver && this.#stream?.writableNeedDrain === true;
  }

  /** All has come. */
  end(): void {
    if (!this.#isOver) (this.#stream ?? this.#open(undefined)).end();
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isOver) this.#stream?.resume();
  }

  /** Nobody wants to know any more. */
  stop(): void {
    this.#isOver = true;
    this.#stream?.destroy();
  }

  #onInflated(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#inflatedBytes += bytes.length;
    const ratioBytesMax = Math.max(DEFAULTS.inflatedFreeBytes, this.#ratioMax * this.#cameBytes);
    if (this.#inflatedBytes > this.#bytesMax) this.#fail("body_too_large");
    else if (this.#inflatedBytes > ratioBytesMax) this.#fail("body_inflates_too_much");
    else if (!this.#sink.onInflated(bytes)) this.pause();
  }

  #onEnd(): void {
    if (this.#isOver) return;
    // What stands behind the end of the compressed bytes is somebody's, and nobody would see it.
    if ((this.#stream?.bytesWritten ?? 0) !== this.#cameBytes) {
      this.#fail("content_encoding_invalid");
      return;
    }
    this.stop();
    this.#sink.onInflatedEnd();
  }

  #fail(failure: InflationFailure): void {
    if (this.#isOver) return;
    this.stop();
    this.#sink.onInflationFailure(failure);
  }
}
