import type { Worker } from "node:worker_threads";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Timers } from "../../support/timers.ts";
import type { BookAnswer, BookRequest, CountRows, QuotaRows } from "./book-messages.ts";

/** Why the file is of no use now; it is closed. */
export interface BookFailure {
  readonly text: string;
  /** The file can never be used again. */
  readonly isDamaged: boolean;
}

/** What is to be known once, null for nothing. */
type Answered = Result<string | null, BookFailure>;

interface Pending {
  readonly answer: (result: Answered) => void;
  readonly onRows: (rows: CountRows) => void;
}

const NO_ROWS = (): void => {};

/** The thread that has the file, as one asks it. It answers in the order in which it is asked; none of this fails otherwise. */
export class BookWriter {
  readonly #worker: Worker;
  readonly #pending: Pending[] = [];
  /** It does nothing any more; another one is to be started. */
  isOver = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    // It is asked to close; what dies without having been asked has nothing to say.
    worker.unref();
    worker.on("message", (answer: BookAnswer) => this.#onAnswer(answer));
    worker.on("error", (error) => this.#end(`the thread ended: ${error instanceof Error ? error.message : "error"}`));
    worker.on("exit", () => this.#end("the thread ended"));
  }

  /** Starts the thread, whose code is loaded with the first one. */
  static async start(): Promise<BookWriter> {
    const { startBookWorker } = await import("./book-worker.ts");
    return new BookWriter(startBookWorker());
  }

  open(file: string, seedDigest: string, nowMs: number): Promise<Answered> {
    return this.#ask({ kind: "open", file, seedDigest, nowMs });
  }

  /** What the file has of a quota's window; `onRows` gets it in parts. */
  load(identity: string, startMs: number, onRows: (rows: CountRows) => void): Promise<Answered> {
    return this.#ask({ kind: "load", identity, startMs }, onRows);
  }

  write(quotas: readonly QuotaRows[]): Promise<Answered> {
    return this.#ask({ kind: "write", quotas });
  }

  /** Ends it when all that was asked is done; a disk that does not answer holds it no longer than `quotaCloseMs`. */
  async close(timers: Timers): Promise<void> {
    if (this.isOver) return;
    this.#worker.ref();
    const cancel = timers.after(DEFAULTS.quotaCloseMs, () => void this.terminate());
    const exit = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    void this.#ask({ kind: "close" });
    await exit;
    cancel();
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(request: BookRequest, onRows: (rows: CountRows) => void = NO_ROWS): Promise<Answered> {
    if (this.isOver) return Promise.resolve(err({ text: "the thread ended", isDamaged: false }));
    return new Promise((answer) => {
      this.#pending.push({ answer, onRows });
      this.#worker.postMessage(request);
    });
  }

  #onAnswer(answer: BookAnswer): void {
    if (answer.kind === "rows") this.#pending[0]?.onRows(answer.rows);
    else if (answer.kind === "done") this.#pending.shift()?.answer(ok(answer.note));
    else this.#pending.shift()?.answer(err({ text: answer.text, isDamaged: answer.isDamaged }));
  }

  #end(text: string): void {
    this.isOver = true;
    for (const { answer } of this.#pending.splice(0)) answer(err({ text, isDamaged: false }));
  }
}
