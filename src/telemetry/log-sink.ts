import { write, writeSync } from "node:fs";
import { DEFAULTS } from "../support/defaults.ts";

/** Where finished log lines go. */
export interface LogSink {
  /** Takes one line with its newline. Never throws and never waits. */
  write(line: string): void;
  /** Starts writing what is held back. */
  flush(): void;
  /** Resolves when everything is written, or after `logCloseTimeoutMs` with a reader that does not read. */
  close(): Promise<void>;
  /** Writes what is held back before returning: for the way out of a crash. */
  flushSync(): void;
  readonly linesDropped: number;
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
export function createLogSink(file: SinkFile): LogSink {
  return new BufferedSink(file);
}

const NEWLINE = 0x0a;

class BufferedSink implements LogSink {
  linesDropped = 0;
  readonly #file: SinkFile;
  #held = "";
  /** The piece that is being written, from `#offset` on. */
  #piece: Buffer | null = null;
  #offset = 0;
  #broken = false;
  #timer: NodeJS.Timeout | null = null;
  #drained: (() => void) | null = null;

  constructor(file: SinkFile) {
    this.#file = file;
  }

  write(line: string): void {
    if (this.#broken || this.#held.length + (this.#piece?.length ?? 0) + line.length > DEFAULTS.logPendingBytesMax) {
      this.linesDropped++;
      return;
    }
    this.#held += line;
    if (this.#held.length >= DEFAULTS.logWriteBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), DEFAULTS.logFlushIntervalMs).unref();
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#piece !== null || this.#held === "") return;
    this.#piece = Buffer.from(this.#held);
    this.#held = "";
    this.#offset = 0;
    this.#writePiece();
  }

  close(): Promise<void> {
    this.flush();
    if (this.#piece === null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DEFAULTS.logCloseTimeoutMs);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  flushSync(): void {
    const held = Buffer.from(this.#held);
    const data = this.#piece === null ? held : Buffer.concat([this.#piece.subarray(this.#offset), held]);
    this.#held = "";
    this.#broken = true;
    try {
      for (let at = 0; at < data.length; ) at += this.#file.writeSync(data, at);
    } catch {
      // The way out of a crash: there is no one left to tell, and waiting for a reader could take for ever.
    }
  }

  #writePiece(): void {
    const piece = this.#piece;
    if (piece === null || this.#broken) return;
    this.#file.write(piece, this.#offset, (error, bytes) => {
      if (error === null || error === undefined) this.#written(piece, bytes);
      else if (error.code === "EAGAIN") setTimeout(() => this.#writePiece(), DEFAULTS.logRetryMs).unref();
      else this.#fail(error.code, piece);
    });
  }

  #written(piece: Buffer, bytes: number): void {
    this.#offset += bytes;
    if (this.#offset < piece.length) {
      this.#writePiece();
      return;
    }
    this.#piece = null;
    this.flush();
    if (this.#piece === null) this.#drained?.();
  }

  /** A full disk may have room again; a reader that is gone stays gone. Serving goes on, and the metric tells. */
  #fail(code: string | undefined, piece: Buffer): void {
    this.#broken = code === "EPIPE" || code === "EBADF";
    for (const byte of piece.subarray(this.#offset)) if (byte === NEWLINE) this.linesDropped++;
    this.#piece = null;
    if (this.#broken) this.#held = "";
    this.#drained?.();
  }
}
