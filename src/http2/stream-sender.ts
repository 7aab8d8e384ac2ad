import type { FrameOutput } from "./frame-output.ts";
import type { Sender, SendQueue, SendResult } from "./send-queue.ts";
import { FLAG, FRAME, FRAME_BYTES_MAX, WINDOW_MAX } from "./wire.ts";

/** The connection, as far as what a stream sends concerns it. */
export interface SenderHost {
  readonly output: FrameOutput;
  readonly queue: SendQueue;
  /** A DATA frame of so many bytes went out, which the peer will acknowledge. */
  onSent(bytes: number): void;
}

/** The stream whose frames are sent. */
export interface SenderOwner {
  /** Its id; taken no later than now, for heads must go out in the order of their ids. */
  idToSend(): number;
  /** So many bytes went out and some are left: the peer takes what it is sent. */
  onSendProgress(bytes: number): void;
  /** All data so far is on its way. */
  onSendDrained(): void;
  /** The last frame is on its way. */
  onSendEnded(): void;
}

/** One stream's sending half: head, data, end, as the windows let them through (RFC 9113 section 5.2). */
export class StreamSender implements Sender {
  /** The last frame has gone out. */
  ended = false;
  /** The head has gone out. */
  begun = false;
  /** What the peer lets us send; below zero where its SETTINGS took back what was sent already. */
  window: number;
  readonly #host: SenderHost;
  readonly #owner: SenderOwner;
  #head: Buffer | null = null;
  #chunks: Buffer[] = [];
  /** Bytes of data that wait. */
  waitingBytes = 0;
  #ending = false;
  /** The trailers' block, where there are any. */
  #trailers: Buffer | null = null;
  #stopped = false;

  constructor(host: SenderHost, owner: SenderOwner, window: number) {
    this.#host = host;
    this.#owner = owner;
    this.window = window;
  }

  /** A head waits, or went out. */
  get hasHead(): boolean {
    return this.begun || this.#head !== null;
  }

  /** Nothing goes out any more. */
  get isOver(): boolean {
    return this.ended || this.#stopped;
  }

  /** Data waits. */
  get isBacklogged(): boolean {
    return this.#chunks.length > 0;
  }

  /** Nothing goes out before `flush`. `block`: of the final head. */
  start(block: Buffer): void {
    this.#head = block;
  }

  write(chunk: Buffer): void {
    if (this.#stopped) return;
    this.#chunks.push(chunk);
    this.waitingBytes += chunk.length;
  }

  /** What was given is all; `trailers`: a block, or null for none. */
  end(trailers: Buffer | null): void {
    this.#ending = true;
    this.#trailers = trailers;
  }

  flush(): void {
    if (!this.isOver) this.#host.queue.send(this);
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#chunks = [];
    this.waitingBytes = 0;
    this.#host.queue.forget(this);
  }

  /** Adds to the window; false where it becomes larger than one may be. */
  widen(bytes: number): boolean {
    this.window += bytes;
    if (this.window > WINDOW_MAX) return false;
    if (this.window > 0 && this.isBacklogged) this.flush();
    return true;
  }

  sendSome(): SendResult {
    if (this.isOver) return "done";
    if (this.#head !== null) {
      const endStream = this.#isLast;
      this.#host.output.addHeaders(this.#owner.idToSend(), this.#head, endStream);
      this.#head = null;
      this.begun = true;
      if (endStream) return this.#onEnded();
    }
    if (this.#chunks.length > 0) {
      const result = this.#sendData();
      if (result !== "done") return result;
      // Whoever heard that there is room may have written again.
      if (this.#chunks.length > 0) return "more";
    }
    if (!this.#ending || this.isOver) return "done";
    const id = this.#owner.idToSend();
    if (this.#trailers === null) this.#host.output.add(FRAME.data, FLAG.endStream, id);
    else this.#host.output.addHeaders(id, this.#trailers, true);
    return this.#onEnded();
  }

  /** Nothing comes after what is sent now. */
  get #isLast(): boolean {
    return this.#ending && this.#chunks.length === 0 && this.#trailers === null;
  }

  /** One DATA frame. `done`: no data is left. */
  #sendData(): SendResult {
    const { output, queue } = this.#host;
    const first = this.#chunks[0];
    if (first === undefined) return "done";
    const size = Math.min(first.length, FRAME_BYTES_MAX, this.window);
    if (size <= 0) return "blocked";
    if (queue.window <= 0) return "starved";
    const part = first.subarray(0, Math.min(size, queue.window));
    this.window -= part.length;
    queue.window -= part.length;
    this.waitingBytes -= part.length;
    if (part.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(part.length);
    const isLast = this.#isLast;
    output.add(FRAME.data, isLast ? FLAG.endStream : 0, this.#owner.idToSend(), part);
    this.#host.onSent(part.length);
    if (isLast) return this.#onEnded();
    if (this.#chunks.length > 0) {
      this.#owner.onSendProgress(part.length);
      return "more";
    }
    this.#owner.onSendDrained();
    return "done";
  }

  #onEnded(): SendResult {
    this.ended = true;
    this.#owner.onSendEnded();
    return "done";
  }
}
