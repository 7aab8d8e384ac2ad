import { DEFAULTS } from "../support/defaults.ts";
import type { FrameOutput } from "./frame-output.ts";
import { WINDOW_BYTES, WINDOW_MAX } from "./wire.ts";

/** A stream with something to send. */
export interface Sender {
  /** Puts one frame's worth into the output. */
  sendSome(): SendResult;
}

/**
 * `done`: nothing is left; `more`: it may go on when its turn comes again; `blocked`: it waits for its own window, and
 * will ask again; `starved`: it waits for the connection's.
 */
export type SendResult = "done" | "more" | "blocked" | "starved";

/** Whose turn it is to send on one connection: one frame each, as long as window and socket have room (RFC 9113 section 5.2). */
export class SendQueue {
  /** What the peer lets us send on the whole connection. */
  window = WINDOW_BYTES;
  readonly #output: FrameOutput;
  readonly #waiting = new Set<Sender>();
  /** Those that wait for the connection's window. */
  readonly #starved = new Set<Sender>();
  #isRunning = false;

  constructor(output: FrameOutput) {
    this.#output = output;
  }

  get hasRoom(): boolean {
    return !this.#output.congested && this.#output.bytes < DEFAULTS.h2OutputBytesMax;
  }

  /** `sender` has something to send: now, or when it is its turn. */
  send(sender: Sender): void {
    this.#waiting.add(sender);
    this.run();
  }

  forget(sender: Sender): void {
    this.#waiting.delete(sender);
    this.#starved.delete(sender);
  }

  /** Adds to the connection's window; false where it becomes larger than one may be. */
  widen(bytes: number): boolean {
    this.window += bytes;
    if (this.window > WINDOW_MAX) return false;
    for (const sender of this.#starved) this.#waiting.add(sender);
    this.#starved.clear();
    this.run();
    return true;
  }

  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // A set goes on to what is added meanwhile: who comes again comes last.
    for (const sender of this.#waiting) {
      if (!this.hasRoom) break;
      this.#waiting.delete(sender);
      const result = sender.sendSome();
      if (result === "more") this.#waiting.add(sender);
      else if (result === "starved") this.#starved.add(sender);
    }
    this.#isRunning = false;
  }
}
