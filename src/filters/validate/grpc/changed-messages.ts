import { frameOf } from "../../../bodies/message-frames.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Charge } from "../../../memory/account.ts";
import type { BodyFailure, BodySink } from "../../../message/body.ts";
import { ChangedBody } from "../../../message/changed-body.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { HeaderBlock } from "../../../message/headers.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { Steps } from "../../../support/turns.ts";
import { judgeAtOnceOrInLine } from "../held-body.ts";
import { type MessageHandler, OneByOne } from "./one-by-one.ts";
import { type Call, type GrpcRules, MessageSequence } from "./rules.ts";

const STOP = { isStop: true } as const;
type Stop = typeof STOP;

/**
 * A stream of messages as what goes on in their place: inflated, and without fields that nobody declared. Whoever watches it
 * sees, and the service gets, the same. What is to be refused passes as it came, for the watch to refuse. Where the messages of a
 * piece take long, its source waits until all of them went on.
 */
export class ChangedMessages extends ChangedBody implements BodySink, MessageHandler<Stop> {
  readonly #exchange: Exchange;
  readonly #rules: GrpcRules;
  readonly #sequence: MessageSequence;
  readonly #charge: Charge;
  readonly #reader: OneByOne<Stop> = new OneByOne(this);
  /** What came while messages before it were at work; null while none are. */
  #waiting: Buffer[] | null = null;
  /** The body was over before they had done; null before. */
  #ended: { readonly trailers: HeaderBlock | null } | null = null;
  #sink: BodySink | null = null;
  #wantsMore = true;
  #isOver = false;
  /** Nobody can say where the next message begins: all from there on passes as it comes. */
  #passes = false;

  /** `charge`: what it keeps of a message that is not whole is held there. */
  constructor(exchange: Exchange, rules: GrpcRules, call: Call, charge: Charge) {
    super(exchange.body);
    this.#exchange = exchange;
    this.#rules = rules;
    this.#sequence = new MessageSequence(rules, call);
    this.#charge = charge;
  }

  start(sink: BodySink, bytesMax: number): void {
    this.#sink = sink;
    this.inner.start(this, bytesMax);
  }

  override pause(): void {
    this.#wantsMore = false;
    this.inner.pause();
  }

  override resume(): void {
    this.#wantsMore = true;
    if (this.#waiting === null) this.inner.resume();
  }

  /** Nobody reads it any more. */
  stop(): void {
    this.#isOver = true;
    this.#charge.release();
  }

  // ---- what comes (BodySink) -------------------------------------------------------------------------------------

  onBody(chunk: Buffer): boolean {
    if (this.#isOver) return true;
    if (this.#waiting !== null) {
      this.#waiting.push(chunk);
      this.#hold();
      return false;
    }
    this.#wantsMore = true;
    const wantsMore = this.#take(chunk);
    if (this.#waiting === null && this.#ended !== null) this.onBodyEnd(this.#ended.trailers);
    return wantsMore;
  }

  #take(chunk: Buffer): boolean {
    // A sink that takes a message may have more come at once, which belongs behind the others of this piece.
    this.#waiting = [];
    const changed = judgeAtOnceOrInLine(this.#exchange, this.#rules.hold, chunk.length, this.#change(chunk));
    if (!(changed instanceof Promise)) return this.#takeWaiting();
    changed.then(
      (late) => this.#goOn(late),
      () => this.onBodyFailure("request_malformed"),
    );
    return false;
  }

  /** All of a piece went on. */
  #takeWaiting(): boolean {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    if (this.#isOver) return true;
    if (waiting.length > 0) return this.#take(Buffer.concat(waiting));
    this.#hold();
    return this.#wantsMore;
  }

  *#change(chunk: Buffer): Steps<Verdict> {
    if (this.#passes) {
      this.#emit(chunk);
      return CONTINUE;
    }
    const stopped = yield* this.#reader.take(chunk);
    if (stopped === null) return CONTINUE;
    this.#passes = true;
    this.#emit(this.#reader.takeOpen());
    this.#emit(stopped.rest);
    return CONTINUE;
  }

  /** All of a piece went on, or its turn never came. */
  #goOn(late: Verdict): void {
    if (this.#isOver) return;
    if (late !== CONTINUE) {
      this.onBodyFailure(late.reason === "client_closed" ? "client_closed" : "memory_bodies");
      return;
    }
    const wantsMore = this.#takeWaiting();
    if (this.#waiting !== null) return;
    if (this.#ended !== null) this.onBodyEnd(this.#ended.trailers);
    else if (wantsMore) this.inner.resume();
  }

  #hold(): void {
    const waiting = this.#waiting?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    const bytes = this.#reader.heldBytes + waiting;
    if (bytes < DEFAULTS.keptBytesMin) this.#charge.release();
    else if (!this.#charge.hold(bytes)) this.onBodyFailure("memory_bodies");
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#isOver) return;
    if (this.#waiting !== null) {
      this.#ended = { trailers };
      return;
    }
    if (!this.#passes) this.#emit(this.#reader.takeOpen());
    this.stop();
    this.#sink?.onBodyEnd(trailers);
  }

  onBodyFailure(failure: BodyFailure): void {
    if (this.#isOver) return;
    this.stop();
    this.#sink?.onBodyFailure(failure);
  }

  // ---- its messages (MessageHandler) -----------------------------------------------------------------------------

  onFrame(flags: number, bytes: number): Stop | boolean {
    return this.#sequence.prefixFault(flags, bytes) === null ? true : STOP;
  }

  *onMessage(flags: number, message: Buffer): Steps<null> {
    const found = yield* this.#sequence.judge(flags, message);
    const isChanged = !(found instanceof Denial) && found.isChanged;
    this.#emit(isChanged ? frameOf(0, found.message) : frameOf(flags, message));
    return null;
  }

  #emit(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#isOver && this.#sink?.onBody(bytes) === false) this.#wantsMore = false;
  }
}
