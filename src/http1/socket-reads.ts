import type { OnReadOpts } from "node:net";

/** What one read of a socket may bring, as Node asks for it. */
const READ_BYTES_MAX = 16 * 1024;

/**
 * Every socket to a service reads into this one buffer. A buffer for each read, as streams make it, costs more than
 * reading the answer's head does.
 */
const shared = Buffer.allocUnsafeSlow(READ_BYTES_MAX);

/**
 * The reads of one socket, past its stream: give `onread` to `net.connect` or `tls.connect`. Bytes are good until
 * `sink` returns, for the next read of any socket overwrites them; who keeps some copies them. False from `sink` pauses
 * the socket.
 */
export class SocketReads {
  readonly onread: OnReadOpts;
  sink: (bytes: Buffer) => boolean = () => false;

  constructor() {
    this.onread = { buffer: shared, callback: (length) => this.sink(shared.subarray(0, length)) };
  }
}
