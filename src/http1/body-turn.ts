import type { Socket } from "node:net";
import type { Clock } from "../support/clock.ts";
import type { Timed } from "../support/deadlines.ts";
import { BodyPace, type BodyPaceLimits } from "./body-pace.ts";
import { type BodyHost, IncomingBody } from "./incoming-body.ts";

/** The connection, as far as reading a body concerns it. */
export interface TurnHost extends Timed {
  /** 100 Continue: the client waits to be asked. */
  askForBody(): void;
  /** Bytes that came before they were wanted may be read. */
  readKept(): void;
  onBodyRead(): void;
  onBodyBroken(): void;
}

/**
 * Whose turn it is while the body of a connection's request is read: the client's, which has so long for its bytes, or that
 * of whoever takes them. One per connection; each request brings a body of its own.
 */
export class BodyTurn implements BodyHost {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #host: TurnHost;
  readonly #pace: BodyPace;
  #body: IncomingBody | null = null;
  #isOpen = false;
  #isPaused = false;
  #isAwaited = false;

  constructor(socket: Socket, limits: BodyPaceLimits, clock: Clock, host: TurnHost) {
    this.#socket = socket;
    this.#clock = clock;
    this.#host = host;
    this.#pace = new BodyPace(limits);
  }

  /** The last request's; null where it has none. */
  get body(): IncomingBody | null {
    return this.#body;
  }

  /** Somebody wants the bytes that come. */
  get isRead(): boolean {
    return this.#isOpen && this.#body?.wanted === true;
  }

  /** Somebody wants them, and for more than to have the connection free again. */
  get isUsed(): boolean {
    return this.isRead && this.#body?.discarded === false;
  }

  /** `isStray`: its method has none. `isAwaited`: the client waits for 100 Continue. */
  begin(announcedBytes: number, isStray: boolean, isAwaited: boolean, startedMs: number): IncomingBody {
    this.#isAwaited = isAwaited;
    this.#isOpen = true;
    this.#pace.begin(startedMs);
    this.#body = new IncomingBody(announcedBytes, isStray, this);
    return this.#body;
  }

  /** A request without a body. */
  beginNone(): void {
    this.#body = null;
  }

  /** Takes what belongs to the body; gives the offset behind it. */
  feed(buffer: Buffer, at: number): number {
    return this.#body?.wanted ? this.#body.feed(buffer, at) : at;
  }

  /** Whether what is left of the body need not end the connection: nothing, or a little that is read away. */
  skip(): boolean {
    return !this.#isOpen || this.#body?.skip(this.#isAwaited) === true;
  }

  /** What still comes is nobody's body. */
  leave(): void {
    this.#isOpen = false;
  }

  /** The client used up its time. */
  expire(): void {
    if (this.isRead) this.#body?.fail(this.#pace.failure(this.#clock.monotonicMs()));
  }

  /** The client takes our bytes again. */
  onDrain(): void {
    if (this.isRead && !this.#isPaused) this.#host.deadlineMs = this.#pace.start(this.#clock.monotonicMs());
  }

  /** Some of the answer goes out: a stream that goes both ways is alive. */
  onAnswerBytes(): void {
    const host = this.#host;
    if (this.#isClients) host.deadlineMs = this.#pace.answer(host.deadlineMs, this.#clock.monotonicMs());
  }

  /** Its body is read. Where the client does not take its answer, what it sends buys it nothing. */
  get #isClients(): boolean {
    return this.isRead && !this.#isPaused && !this.#socket.writableNeedDrain;
  }

  // ---- what the body says (BodyHost) -------------------------------------------------------------------------------

  onBodyWanted(): void {
    if (this.#isAwaited) this.#host.askForBody();
    this.#isAwaited = false;
    this.resumeReading();
    this.#host.deadlineMs = this.#pace.start(this.#clock.monotonicMs());
    this.#host.readKept();
  }

  onBodyProgress(bytes: number): void {
    const host = this.#host;
    if (this.#isClients) host.deadlineMs = this.#pace.progress(host.deadlineMs, bytes, this.#clock.monotonicMs());
  }

  setBodyPatience(idleTimeoutMs: number, answered: boolean): void {
    this.#pace.setPatience(idleTimeoutMs, answered);
    this.onAnswerBytes();
  }

  pauseReading(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
    if (!this.#isOpen) return;
    this.#pace.pause(this.#host.deadlineMs, this.#clock.monotonicMs());
    this.#host.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resumeReading(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
    if (this.isRead) this.#host.deadlineMs = this.#pace.resume(this.#clock.monotonicMs());
  }

  onBodyDone(): void {
    this.#close();
    this.#host.onBodyRead();
  }

  onBodyFailed(): void {
    this.#close();
    this.#host.onBodyBroken();
  }

  #close(): void {
    this.#isOpen = false;
    if (!this.#socket.writableNeedDrain) this.#host.deadlineMs = Number.POSITIVE_INFINITY;
  }
}
