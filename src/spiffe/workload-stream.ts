import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect as connectSocket } from "node:net";
import { DEFAULTS } from "../support/defaults.ts";

/** Whom a stream of the agent's answers tells. After `onEnd` nothing comes any more. */
export interface StreamListener {
  onMessage(message: Buffer): void;
  /** In words, without anything that was sent. */
  onEnd(text: string): void;
}

/** Closes it; `onEnd` is not called then. */
export type CloseStream = () => void;

/** Calls of the Workload API whose answers go on until they end. */
export type WorkloadMethod = "FetchX509SVID" | "FetchX509Bundles" | "FetchJWTBundles";

export type OpenWorkloadStream = (socketPath: string, method: WorkloadMethod, listener: StreamListener) => CloseStream;

const HEAD_BYTES = 5;
const EMPTY_MESSAGE = Buffer.alloc(HEAD_BYTES);

/** Statuses that an agent gives, https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const STATUSES: Readonly<Record<string, string>> = {
  "0": "the agent ended the stream",
  "3": "INVALID_ARGUMENT: the agent takes this for no request of a workload",
  "7": "PERMISSION_DENIED: the agent has no identity for this process",
  "12": "UNIMPLEMENTED: no SPIFFE Workload API listens there",
  "14": "UNAVAILABLE: the agent cannot answer now",
};

/**
 * A call of the SPIFFE Workload API: gRPC over a Unix socket, in the clear, one message for each change until it ends.
 * Node's HTTP/2 is loaded with the first stream: most policies ask no agent.
 */
export const openWorkloadStream: OpenWorkloadStream = (socketPath, method, listener) => {
  const reader = new MessageReader();
  let session: ClientHttp2Session | null = null;
  let isOver = false;
  const close = (): void => {
    isOver = true;
    session?.destroy();
  };
  const end = (text: string): void => {
    if (isOver) return;
    close();
    listener.onEnd(text);
  };
  const begin = ({ connect }: typeof import("node:http2")): void => {
    if (isOver) return;
    const created = connect("http://localhost", {
      createConnection: () => connectSocket(socketPath),
      maxSessionMemory: 16,
      maxSendHeaderBlockLength: 4096,
    });
    session = created;
    created.on("error", (error: NodeJS.ErrnoException) => end(socketText(error)));
    created.on("close", () => end("the agent closed the connection"));
    const stream = created.request({
      ":method": "POST",
      ":path": `/SpiffeWorkloadAPI/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      // Without it an agent refuses: whoever can be made to send requests elsewhere cannot set it.
      "workload.spiffe.io": "true",
    });
    follow(stream, reader, { onMessage: (message) => !isOver && listener.onMessage(message), onEnd: end });
    stream.end(EMPTY_MESSAGE);
  };
  import("node:http2").then(begin, () => end("HTTP/2 cannot be loaded"));
  return close;
};

function follow(stream: ClientHttp2Stream, reader: MessageReader, { onMessage, onEnd }: StreamListener): void {
  const told = (headers: Readonly<Record<string, unknown>>): void => {
    const status = headers["grpc-status"];
    if (typeof status === "string") onEnd(STATUSES[status] ?? `gRPC status ${status.slice(0, 8)}`);
  };
  stream.on("response", (headers) => {
    if (headers[":status"] !== 200) onEnd(`HTTP status ${headers[":status"]}`);
    else told(headers);
  });
  stream.on("trailers", told);
  stream.on("data", (chunk: Buffer) => {
    for (const message of reader.read(chunk)) onMessage(message);
    if (reader.fault !== null) onEnd(reader.fault);
  });
  stream.on("error", (error: NodeJS.ErrnoException) => onEnd(socketText(error)));
  stream.on("close", () => onEnd("the agent ended the stream"));
}

function socketText(error: NodeJS.ErrnoException): string {
  // A stream that ends with its session says so, and the session's own error is what helps.
  const { code }: NodeJS.ErrnoException = error.cause instanceof Error ? error.cause : error;
  return code === "ENOENT" || code === "ECONNREFUSED" ? `no agent listens there (${code})` : `${code ?? "an error"}`;
}

/** Bytes → messages, each behind its length (gRPC over HTTP/2, Length-Prefixed-Message). */
export class MessageReader {
  fault: string | null = null;
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (this.fault === null && this.#rest.length >= HEAD_BYTES) {
      const length = this.#rest.readUInt32BE(1);
      if (this.#rest[0] !== 0) this.fault = "a compressed message, which nobody asked for";
      else if (length > DEFAULTS.workloadMessageBytesMax) this.fault = `a message of ${length} bytes`;
      else if (this.#rest.length < HEAD_BYTES + length) break;
      else {
        messages.push(this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + length));
        this.#rest = this.#rest.subarray(HEAD_BYTES + length);
      }
    }
    if (this.fault !== null) this.#rest = Buffer.alloc(0);
    return messages;
  }
}
