import { write, writeSync } from "node:fs";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonBytes } from "../support/json-bytes.ts";
import { systemTimers, type Timers } from "../support/timers.ts";
import { Backlog } from "./backlog.ts";

/** Where finished log lines go. */
export interface LogSink {
  /** Takes one line with its newline. Never throws and never waits. */
  write(line: string): void;
  /** The same, of a line whose bytes are another's afterwards. */
  writeBytes(line: JsonBytes): void;
  /** Starts writing what is held back. */
  flush(): void;
  /** Resolves when everything is written, or after `logCloseTimeoutMs` with a reader that does not read. */
  close(): Promise<void>;
  /** Writes what is held back before returning: for the way out of a crash. */
  flushSync(): void;
  readonly linesDropped: number;
  /** True where it makes words for people of what it gets, so that fields have postern's own names. */
  readonly isForPeople?: boolean;
  /** `tell` hears how many lines were dropped once lines are written again. */
  onRecovered(tell: (linesDropped: number) => void): void;
}

/** The file system as the sink sees it; tests pass one that stalls. */
export interface SinkFile {
  write(data: Buffer, offset: number, done: (error: NodeJS.ErrnoException | null, bytes: number) => void): void;
  writeSync(data: Buffer, offset: number): number;
}

export function fileOf(fd: number): SinkFile {
  return {
    write: (data, offset, done) => write(fd, data, offset, data.length - offset, null, done),
    writeSync: (data, offset) => writeSync(fd, data, offset),
  };
}

/**
 * Collects lines and writes them in pieces, one write at a time and never on the thread that serves: a log reader that
 * stalls must not stall the service. What waits is bounded; lines beyond it are dropped and counted.
 */
export function createLogSink(file: SinkFile, timers: Timers = systemTimers): LogSink {
  return new BufferedSink(file, timers);
}

const NEWLINE = 0x0a;

class BufferedSink extends Backlog implements LogSink {
  readonly #file: SinkFile;
  readonly #timers: Timers;
  /** What is being written: from `#offset` of the one at `#at` on. */
  #pieces: readonly Buffer[] = [];
  #at = 0;
  #offset = 0;
  /** What waits goes on as soon as the piece before it is written. */
  #isDue = false;
  #cancelFlush: (() => void) | null = null;
  #drained: (() => void) | null = null;

  constructor(file: SinkFile, timers: Timers) {
    super(DEFAULTS.logSlabBytes);
    this.#file = file;
    this.#timers = timers;
  }

  protected added(): void {
    if (this.waiting.bytes >= DEFAULTS.logWriteBytes) this.flush();
    else this.#schedule();
  }

  #schedule(): void {
    this.#cancelFlush ??= this.#timers.after(DEFAULTS.logFlushIntervalMs, () => this.flush());
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#isDue = this.bytesUnderWay > 0;
    if (this.#isDue || this.waiting.lines === 0 || this.isClosed) return;
    this.bytesUnderWay = this.waiting.bytes;
    this.#pieces = this.waiting.take();
    this.#at = 0;
    this.#offset = 0;
    this.#writePiece();
  }

  close(): Promise<void> {
    this.flush();
    if (this.bytesUnderWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DEFAULTS.logCloseTimeoutMs);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  flushSync(): void {
    const left = this.#pieces.slice(this.#at).map((piece, at) => (at === 0 ? piece.subarray(this.#offset) : piece));
    const data = Buffer.concat([...left, ...this.waiting.take()]);
    this.isClosed = true;
    try {
      for (let at = 0; at < data.length; ) at += this.#file.writeSync(data, at);
    } catch {
      // The way out of a crash: there is no one left to tell, and waiting for a reader could take for ever.
    }
  }

  /**
   * Whatever is wrong with the other end may pass: a disk has room again, another reader opens the pipe. What is held waits for
   * that within its bound, and is tried again now and then.
   */
  #writePiece(): void {
    const piece = this.#pieces[this.#at];
    if (piece === undefined || this.isClosed) return;
    this.#file.write(piece, this.#offset, (error, bytes) => {
      if (error === null || error === undefined) this.#written(piece, bytes);
      else this.#writeLater(error.code, piece);
    });
  }

  #writeLater(code: string | undefined, piece: Buffer): void {
    const isBusy = code === "EAGAIN";
    // Who opens the pipe next must not begin in the middle of a line.
    if (code === "EPIPE" && this.#offset > 0) this.#offset = piece.lastIndexOf(NEWLINE, this.#offset - 1) + 1;
    if (!isBusy) this.#drained?.();
    this.#timers.after(isBusy ? DEFAULTS.logRetryMs : DEFAULTS.logBrokenRetryMs, () => this.#writePiece());
  }

  #written(piece: Buffer, bytes: number): void {
    this.#offset += bytes;
    if (this.#offset < piece.length) {
      this.#writePiece();
      return;
    }
    this.#at++;
    this.#offset = 0;
    if (this.#at < this.#pieces.length) {
      this.#writePiece();
      return;
    }
    this.waiting.giveBack(this.#pieces);
    this.#pieces = [];
    this.bytesUnderWay = 0;
    this.tellDropped();
    // A write of a few lines costs a change of threads as one of many does.
    if (this.#isDue || this.#drained !== null) this.flush();
    else if (this.waiting.lines > 0) this.#schedule();
    if (this.bytesUnderWay === 0) this.#drained?.();
  }
}
