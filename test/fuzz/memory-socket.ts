import { Socket } from "node:net";

/** A socket without a network: reads are what the test says, writes are kept. */
export class MemorySocket extends Socket {
  written = "";

  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk, encoding }], done);
  }

  override _writev(parts: readonly { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    for (const { chunk, encoding } of parts) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
      this.written += bytes.toString("latin1");
    }
    done();
  }

  override _final(done: () => void): void {
    done();
  }

  /** Gives `bytes` (latin1) as one read, at once. */
  receive(bytes: string): void {
    this.emit("data", Buffer.from(bytes, "latin1"));
  }

  /** The other side has ended. */
  receiveEnd(): void {
    this.emit("end");
  }
}

/** `bytes` in the pieces that end at `cuts`. */
export function split(bytes: string, cuts: readonly number[]): string[] {
  const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.slice(ends[at - 1] ?? 0, end));
}
