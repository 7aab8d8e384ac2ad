import { Duplex } from "node:stream";
import type { BodyFailure, BodySink } from "../message/body.ts";

/** The stream, as far as a tunnel through it needs it. */
export interface TunnelHost {
  /** Sends bytes; `taken` is called when they are on their way. */
  writeTunnel(bytes: Buffer, taken: () => void): void;
  /** Nothing more will be sent; `done` is called when the end is on its way. */
  endTunnel(done: () => void): void;
  /** Both ways are over, in good order or not. */
  closeTunnel(): void;
  /** The tunnel takes more again. */
  resumeTunnel(): void;
}

/** What RFC 8441 makes of a stream: a connection for another protocol, both ways. */
export class StreamTunnel extends Duplex implements BodySink {
  readonly #host: TunnelHost;

  constructor(host: TunnelHost) {
    super({ allowHalfOpen: true });
    this.#host = host;
  }

  override _read(): void {
    this.#host.resumeTunnel();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#host.writeTunnel(bytes, taken);
  }

  override _final(done: () => void): void {
    this.#host.endTunnel(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#host.closeTunnel();
    done(error);
  }

  // What the client sends (BodySink).

  onBody(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  onBodyEnd(): void {
    this.push(null);
  }

  onBodyFailure(_failure: BodyFailure): void {
    this.destroy();
  }
}
