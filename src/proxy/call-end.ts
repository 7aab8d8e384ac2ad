import { type CallShape, callShapeOf } from "../bodies/call-shape.ts";
import { MESSAGE_CODINGS, MessageInflater } from "../bodies/inflated-message.ts";
import { parseJson } from "../bodies/json.ts";
import { type FrameHandler, FrameReader } from "../bodies/message-frames.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { CallOutcome } from "../message/taken.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { END_STREAM_FLAG, TRAILERS_FLAG } from "./call-denial.ts";

const COMPRESSED_FLAG = 1;
const GRPC_STATUS = /^grpc-status:[ \t]*(\d+)[ \t]*\r?$/im;

/**
 * Sees the frames of an answer of gRPC-Web, or of a stream of Connect, go by, whose last one says how the call went. Of the
 * others nothing is kept.
 */
export class CallEnd implements FrameHandler<never> {
  outcome: CallOutcome = "unknown";
  readonly shape: CallShape;
  readonly #coding: string | null;
  readonly #reader: FrameReader<never> = new FrameReader<never>(this);
  /** Of base64: what does not make a quantum yet. */
  #rest = "";

  private constructor(shape: CallShape, headers: HeaderBlock) {
    this.shape = shape;
    this.#coding = headers.get(shape.protocol === "connect" ? "connect-content-encoding" : "grpc-encoding") ?? null;
  }

  /** Null where the answer has no such end. */
  static of(headers: HeaderBlock): CallEnd | null {
    const shape = callShapeOf(headers.get("content-type"));
    return shape === null || !shape.isFramed || shape.protocol === "grpc" ? null : new CallEnd(shape, headers);
  }

  /** What is written now is a frame of its own. */
  get isBetween(): boolean {
    return this.outcome === "unknown" && this.#reader.openBytes === 0 && this.#rest === "";
  }

  take(chunk: Buffer): void {
    if (!this.shape.isText) {
      this.#reader.take(chunk);
      return;
    }
    const text = this.#rest + chunk.toString("latin1");
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    // Each flush of the service may be padded for itself.
    for (const [part] of text.slice(0, whole).matchAll(/[^=]+={0,2}/g)) this.#reader.take(Buffer.from(part, "base64"));
  }

  onFrame(flags: number, bytes: number): boolean {
    const end = this.shape.protocol === "grpcWeb" ? TRAILERS_FLAG : END_STREAM_FLAG;
    return (flags & end) !== 0 && bytes <= DEFAULTS.callEndBytesMax;
  }

  onMessage(flags: number, message: Buffer): null {
    const plain = (flags & COMPRESSED_FLAG) === 0 ? message : this.#inflated(message);
    if (plain !== null) this.outcome = this.shape.protocol === "grpcWeb" ? ofTrailers(plain) : ofEndStream(plain);
    return null;
  }

  #inflated(message: Buffer): Buffer | null {
    if (this.#coding === null || !MESSAGE_CODINGS.has(this.#coding)) return null;
    const inflated = new MessageInflater(this.#coding, DEFAULTS.callEndBytesMax, DEFAULTS.inflationMax).inflate(
      message,
    );
    return inflated.ok ? inflated.value : null;
  }
}

function ofTrailers(bytes: Buffer): CallOutcome {
  const status = GRPC_STATUS.exec(bytes.toString("latin1"))?.[1];
  return status === undefined ? "unknown" : Number(status) === 0 ? "ok" : "failed";
}

function ofEndStream(bytes: Buffer): CallOutcome {
  const parsed = parseJson(bytes);
  if (!parsed.ok || typeof parsed.value !== "object" || parsed.value === null) return "unknown";
  return "error" in parsed.value ? "failed" : "ok";
}
