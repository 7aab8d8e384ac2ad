import { gunzipSync, inflateSync } from "node:zlib";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** Codings of single messages, by the names that gRPC and Connect have for them. */
export const MESSAGE_CODINGS: ReadonlySet<string> = new Set(["gzip", "deflate"]);

export type InflateFault = "content_encoding_invalid" | "body_inflates_too_much" | "body_too_large";

/**
 * Inflates the messages of one call, each at once. A kilobyte can hold a megabyte, so that beyond a first stretch all of them
 * together may hold only so many times the bytes that came.
 */
export class MessageInflater {
  readonly #open: typeof gunzipSync;
  readonly #bytesMax: number;
  readonly #ratioMax: number;
  #cameBytes = 0;
  #inflatedBytes = 0;

  /** `coding`: one of `MESSAGE_CODINGS`. `bytesMax`: of one message. */
  constructor(coding: string, bytesMax: number, ratioMax: number) {
    this.#open = coding === "gzip" ? gunzipSync : inflateSync;
    this.#bytesMax = bytesMax;
    this.#ratioMax = ratioMax;
  }

  inflate(message: Buffer): Result<Buffer, InflateFault> {
    this.#cameBytes += message.length;
    const left = Math.max(DEFAULTS.inflatedFreeBytes, this.#ratioMax * this.#cameBytes) - this.#inflatedBytes;
    const most = Math.min(left, this.#bytesMax);
    if (most <= 0) return err("body_inflates_too_much");
    try {
      const inflated = this.#open(message, { maxOutputLength: most });
      this.#inflatedBytes += inflated.length;
      return ok(inflated);
    } catch (error) {
      if (!(error instanceof RangeError)) return err("content_encoding_invalid");
      return err(most === this.#bytesMax ? "body_too_large" : "body_inflates_too_much");
    }
  }
}
