import { DEFAULTS } from "../support/defaults.ts";
import type { JsonBytes } from "../support/json-bytes.ts";
import { LineBuffer } from "./line-buffer.ts";

/**
 * Lines of the log that wait for whoever writes them, within a bound. Nobody waits for room: a line that finds none is dropped,
 * counted, and told once lines are written again.
 */
export abstract class Backlog {
  linesDropped = 0;
  /** As bytes at once: texts that wait would outlive their requests, which costs the collector more than the writing. */
  protected readonly waiting: LineBuffer;
  /** Of what was taken from there and is not written yet. */
  protected bytesUnderWay = 0;
  protected isClosed = false;
  #droppedUntold = 0;
  #tell: ((linesDropped: number) => void) | null = null;

  constructor(slabBytes: number) {
    this.waiting = new LineBuffer(slabBytes);
  }

  /** A line waits. */
  protected abstract added(): void;

  write(line: string): void {
    if (!this.#hasRoom(line.length)) return;
    this.waiting.addText(line);
    this.added();
  }

  writeBytes({ bytes, length }: JsonBytes): void {
    if (!this.#hasRoom(length)) return;
    this.waiting.addBytes(bytes, length);
    this.added();
  }

  onRecovered(tell: (linesDropped: number) => void): void {
    this.#tell = tell;
  }

  /** Lines are written again, if ever they were not. */
  protected tellDropped(): void {
    const dropped = this.#droppedUntold;
    this.#droppedUntold = 0;
    if (dropped > 0) this.#tell?.(dropped);
  }

  #hasRoom(bytes: number): boolean {
    if (!this.isClosed && this.waiting.bytes + this.bytesUnderWay + bytes <= DEFAULTS.logPendingBytesMax) return true;
    this.linesDropped++;
    this.#droppedUntold++;
    return false;
  }
}
