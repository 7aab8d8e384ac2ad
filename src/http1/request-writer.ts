import type { Socket } from "node:net";
import { CHUNKED } from "../message/body.ts";
import type { ClientRequest } from "../message/stream.ts";
import { addChunk, addLastChunk, Output } from "./output.ts";
import { framingLines } from "./request-framing.ts";

/** Frames the requests of one connection to the service (RFC 9112 sections 3, 6 and 7). */
export class RequestWriter {
  /** All of the request was given. */
  isDone = true;
  /** The service takes no more of it. What it said before may still lie in the socket. */
  hasFailed = false;
  readonly #socket: Socket;
  readonly #output: Output;
  readonly #onFailed: () => void;
  #chunked = false;
  #holdsFailures = false;

  /** `onFailed` is called once, where the service stops taking a request with a body. */
  constructor(socket: Socket, onFailed: () => void) {
    this.#socket = socket;
    this.#output = new Output(socket);
    this.#onFailed = onFailed;
  }

  begin({ method, target, authority, lines, bodyBytes, upgrade }: ClientRequest): void {
    this.isDone = bodyBytes === 0;
    this.#chunked = bodyBytes === CHUNKED;
    if (!this.isDone) this.#holdFailures();
    const framing = framingLines(method, bodyBytes, upgrade);
    this.#output.add(`${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n${lines}${framing}\r\n`);
  }

  write(chunk: Buffer): void {
    if (this.hasFailed) return;
    if (this.#chunked) addChunk(this.#output, chunk);
    else this.#output.add(chunk);
  }

  end(): void {
    if (this.#chunked && !this.hasFailed) addLastChunk(this.#output, "");
    this.isDone = true;
  }

  /** All of the request is with the service, or on its way. */
  get isSent(): boolean {
    return this.isDone && !this.hasFailed;
  }

  /** False where the service has to take some of it first, or takes no more. */
  flush(): boolean {
    return !this.hasFailed && this.#output.flush();
  }

  /**
   * A service may answer and close without reading the body. The write that meets the closed connection fails, and Node
   * destroys a socket with its first failed write, with the answer unread in it. So the failure is kept from the stream:
   * its write never ends, and reading goes on to its own end.
   */
  #holdFailures(): void {
    if (this.#holdsFailures) return;
    this.#holdsFailures = true;
    const socket = this.#socket;
    const write = socket._write.bind(socket);
    const writev = socket._writev?.bind(socket);
    socket._write = (chunk, encoding, done) => write(chunk, encoding, this.#heldFrom(done));
    if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, this.#heldFrom(done));
  }

  #heldFrom(done: (error?: Error | null) => void): (error?: Error | null) => void {
    return (error) => {
      if (error === null || error === undefined || this.#socket.destroyed) done(error);
      else if (!this.hasFailed) {
        this.hasFailed = true;
        this.#onFailed();
      }
    };
  }
}
