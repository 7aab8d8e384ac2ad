import { Backoff } from "../calls/backoff.ts";
import type { ResourceFault, ResourceOutcome, ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, type Result } from "../support/result.ts";
import { type CloseStream, openWorkloadStream, type WorkloadMethod } from "./workload-stream.ts";

/** Who takes what an agent says. */
export interface FollowerListener {
  /** Takes it whole, or not at all: whether it is news, or why it cannot be used. The next one waits for it. */
  onMessage(message: Buffer): Result<boolean, string> | Promise<Result<boolean, string>>;
  /** Something of the follower is another now. */
  onChange(): void;
}

/**
 * One call of the Workload API that stays open and brings each change; when it ends, it is opened again with growing
 * pauses.
 */
export class WorkloadFollower {
  readonly tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  /** Of the last answer that could be used; null before. */
  freshAtMs: number | null = null;
  /** The last one. */
  fault: ResourceFault | null = null;
  /** The stream is open, and its newest answer could be used. */
  isCurrent = false;
  readonly #socketPath: string;
  readonly #method: WorkloadMethod;
  readonly #world: ResourceWorld;
  readonly #listener: FollowerListener;
  readonly #backoff: Backoff;
  #taking: Promise<void> = Promise.resolve();
  #isRunning = false;
  #close: CloseStream | null = null;
  #cancelRetry: (() => void) | null = null;
  #cancelDeadline: (() => void) | null = null;

  constructor(socketPath: string, method: WorkloadMethod, world: ResourceWorld, listener: FollowerListener) {
    this.#socketPath = socketPath;
    this.#method = method;
    this.#world = world;
    this.#listener = listener;
    this.#backoff = new Backoff(DEFAULTS.workloadRetryMsMin, DEFAULTS.workloadRetryMsMax, world.random);
  }

  start(): void {
    this.#isRunning = true;
    this.#connect();
  }

  close(): void {
    this.#isRunning = false;
    this.#cancelRetry?.();
    this.#cancelDeadline?.();
    this.#close?.();
    this.#close = null;
  }

  /** The first answer of a call of its own, as `read` has it in words. */
  tryOnce(read: (message: Buffer) => Result<string, string>): Promise<Result<string, string>> {
    return new Promise((resolve) => {
      const settle = (result: Result<string, string>): void => {
        cancel();
        close();
        resolve(result);
      };
      const cancel = this.#world.timers.after(DEFAULTS.workloadAnswerMs, () => settle(err("no answer")));
      const close = openWorkloadStream(this.#socketPath, this.#method, {
        onMessage: (message) => settle(read(message)),
        onEnd: (text) => settle(err(text)),
      });
    });
  }

  #connect(): void {
    this.#cancelRetry = null;
    this.#close = openWorkloadStream(this.#socketPath, this.#method, {
      onMessage: (message) => {
        this.#cancelDeadline?.();
        this.#backoff.succeeded();
        this.#taking = this.#taking.then(() => this.#take(message));
      },
      onEnd: (text) => this.#onEnd(text),
    });
    this.#cancelDeadline = this.#world.timers.after(DEFAULTS.workloadAnswerMs, () => {
      this.#close?.();
      this.#onEnd(`no answer within ${DEFAULTS.workloadAnswerMs} ms`);
    });
  }

  async #take(message: Buffer): Promise<void> {
    if (!this.#isRunning) return;
    const taken = await this.#listener.onMessage(message);
    // A stream that ended meanwhile has told so, and what it said last is still the newest.
    this.isCurrent = taken.ok && this.#close !== null;
    if (!taken.ok) return this.#failed("unusable", taken.error);
    this.freshAtMs = this.#world.clock.wallMs();
    this.tries[taken.value ? "ok" : "unchanged"]++;
    this.#listener.onChange();
  }

  #onEnd(text: string): void {
    this.#cancelDeadline?.();
    this.#close = null;
    this.isCurrent = false;
    this.#failed("failed", text);
    this.#cancelRetry = this.#world.timers.after(this.#backoff.failed(), () => this.#connect());
  }

  #failed(outcome: "failed" | "unusable", text: string): void {
    this.tries[outcome]++;
    this.fault = { text, atMs: this.#world.clock.wallMs() };
    this.#listener.onChange();
  }
}
