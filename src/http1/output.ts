import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { reasonPhrase } from "../support/http-status.ts";

/** Above this, copying pieces together costs more than a second system call. */
const COMBINE_BYTES_MAX = 32 * 1024;
const PIECES_KEPT_MAX = 17;

const SCRATCH_BYTES = 8 * 1024;
/** Pieces are put together here where the system takes them at once: memory that was just used is still in the caches. */
let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * Collects what one event makes of a message and writes it at once: head and body in one TLS record and one system call
 * is the largest single saving on the data path (one write instead of two is about 3 µs a request).
 */
export class Output {
  readonly #socket: Socket;
  /** The first `#count` are to be written; the list stays, for one that grows anew takes room for 17. */
  readonly #pieces: (string | Buffer)[] = [];
  #count = 0;
  #bytes = 0;
  /** A socket of TLS keeps what it was given until it is sent. */
  readonly #mayTakeAtOnce: boolean;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#mayTakeAtOnce = (socket as Partial<TLSSocket>).encrypted !== true;
  }

  /** Strings hold one byte a character (latin1). */
  add(piece: string | Buffer): void {
    this.#pieces[this.#count++] = piece;
    this.#bytes += piece.length;
  }

  /** Writes what was added; false where the socket asks to wait for `drain`. */
  flush(): boolean {
    const count = this.#count;
    if (count === 0) return true;
    const pieces = this.#pieces;
    const bytes = this.#bytes;
    const only = pieces[0];
    const isClosed = this.#socket.destroyed || this.#socket.writableEnded;
    if (isClosed || (count === 1 && only !== undefined)) {
      this.#clear();
      return isClosed || only === undefined ? true : this.#write(only);
    }
    if (bytes <= COMBINE_BYTES_MAX) {
      const usesScratch = this.#mayTakeAtOnce && bytes <= SCRATCH_BYTES;
      const combined = usesScratch ? scratch.subarray(0, bytes) : Buffer.allocUnsafe(bytes);
      combine(pieces, count, combined);
      this.#clear();
      const flowing = this.#socket.write(combined);
      // Some of it waits in the socket, whose memory this now is.
      if (usesScratch && this.#socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
      return flowing;
    }
    const taken = pieces.slice(0, count);
    this.#clear();
    this.#socket.cork();
    let flowing = true;
    for (const piece of taken) flowing = this.#write(piece) && flowing;
    this.#socket.uncork();
    return flowing;
  }

  /** What was written is not kept, and many pieces leave no long list. */
  #clear(): void {
    const pieces = this.#pieces;
    if (this.#count > PIECES_KEPT_MAX) pieces.length = 0;
    else for (let at = 0; at < this.#count; at++) pieces[at] = "";
    this.#count = 0;
    this.#bytes = 0;
  }

  #write(piece: string | Buffer): boolean {
    return typeof piece === "string" ? this.#socket.write(piece, "latin1") : this.#socket.write(piece);
  }
}

function combine(pieces: readonly (string | Buffer)[], count: number, buffer: Buffer): void {
  let at = 0;
  for (let index = 0; index < count; index++) {
    const piece = pieces[index] ?? "";
    if (typeof piece === "string") buffer.write(piece, at, "latin1");
    else piece.copy(buffer, at);
    at += piece.length;
  }
}

/** One chunk of a chunked body (RFC 9112 section 7.1). */
export function addChunk(output: Output, chunk: Buffer): void {
  output.add(`${chunk.length.toString(16)}\r\n`);
  output.add(chunk);
  output.add("\r\n");
}

/** The end of a chunked body, with `trailers` as whole lines. */
export function addLastChunk(output: Output, trailers: string): void {
  output.add(trailers === "" ? "0\r\n\r\n" : `0\r\n${trailers}\r\n`);
}

const STATUS_LINES = new Map<number, string>();

/** `HTTP/1.1 200 OK` with its line end; at most 900 of them are ever made. */
export function statusLine(status: number): string {
  let line = STATUS_LINES.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
    STATUS_LINES.set(status, line);
  }
  return line;
}
