import { type FrameHandler, FrameReader, frameOf } from "../../../bodies/message-frames.ts";
import { Denial } from "../../../decision/verdict.ts";
import type { Charge } from "../../../memory/account.ts";
import type { BodyFailure, BodySink, RequestBody } from "../../../message/body.ts";
import { ChangedBody } from "../../../message/changed-body.ts";
import type { HeaderBlock } from "../../../message/headers.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { type Call, type GrpcRules, MessageSequence } from "./rules.ts";

const STOP = { isStop: true } as const;
type Stop = typeof STOP;

/**
 * A stream of messages as what goes on in their place: inflated, and without fields that nobody declared. Whoever watches it
 * sees, and the service gets, the same. What is to be refused passes as it came, for the watch to refuse.
 */
export class ChangedMessages extends ChangedBody implements BodySink, FrameHandler<Stop> {
  readonly #sequence: MessageSequence;
  readonly #charge: Charge;
  readonly #reader: FrameReader<Stop> = new FrameReader(this);
  #sink: BodySink | null = null;
  #wantsMore = true;
  #isOver = false;
  /** Nobody can say where the next message begins: all from there on passes as it comes. */
  #passes = false;

  /** `charge`: what it keeps of a message that is not whole is held there. */
  constructor(inner: RequestBody, rules: GrpcRules, call: Call, charge: Charge) {
    super(inner);
    this.#sequence = new MessageSequence(rules, call);
    this.#charge = charge;
  }

  start(sink: BodySink, bytesMax: number): void {
    this.#sink = sink;
    this.inner.start(this, bytesMax);
  }

  /** Nobody reads it any more. */
  stop(): void {
    this.#isOver = true;
    this.#charge.release();
  }

  // ---- what comes (BodySink) -------------------------------------------------------------------------------------

  onBody(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    this.#wantsMore = true;
    if (this.#passes) this.#emit(chunk);
    else if (this.#reader.take(chunk) === STOP) {
      this.#passes = true;
      this.#emit(this.#reader.takeOpen());
      this.#emit(chunk.subarray(this.#reader.stoppedAt));
    }
    const { heldBytes } = this.#reader;
    if (heldBytes < DEFAULTS.keptBytesMin) this.#charge.release();
    else if (!this.#charge.hold(heldBytes)) this.onBodyFailure("memory_bodies");
    return this.#wantsMore;
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#isOver) return;
    if (!this.#passes) this.#emit(this.#reader.takeOpen());
    this.stop();
    this.#sink?.onBodyEnd(trailers);
  }

  onBodyFailure(failure: BodyFailure): void {
    if (this.#isOver) return;
    this.stop();
    this.#sink?.onBodyFailure(failure);
  }

  // ---- its messages (FrameHandler) -------------------------------------------------------------------------------

  onFrame(flags: number, bytes: number): Stop | boolean {
    return this.#sequence.prefixFault(flags, bytes) === null ? true : STOP;
  }

  onMessage(flags: number, message: Buffer): null {
    const found = this.#sequence.judge(flags, message);
    const isChanged = !(found instanceof Denial) && found.isChanged;
    this.#emit(isChanged ? frameOf(0, found.message) : frameOf(flags, message));
    return null;
  }

  #emit(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#isOver && this.#sink?.onBody(bytes) === false) this.#wantsMore = false;
  }
}
