import { ClientConnection, type ConnectionOwner } from "../../src/http1/client-connection.ts";
import { LingerRoom } from "../../src/http1/linger.ts";
import { ServerConnection } from "../../src/http1/server-connection.ts";
import type { ServerHandler } from "../../src/http1/server-handler.ts";
import type { ServerLimits } from "../../src/http1/server-limits.ts";
import { SocketReads } from "../../src/http1/socket-reads.ts";
import { Charge } from "../../src/memory/account.ts";
import { NOBODY, unlimitedMemory } from "../../src/memory/budget.ts";
import type { HeaderBlock } from "../../src/message/headers.ts";
import type { ClientFailure, ClientResponse, ResponseHandler, ServerRequest } from "../../src/message/stream.ts";
import { Deadlines } from "../../src/support/deadlines.ts";
import { MemorySocket } from "./memory-socket.ts";
import type { Message, Reading } from "./reading.ts";

export const clock = { monotonicMs: () => 1, wallMs: () => 0 };
export const limits: ServerLimits = {
  headBytesMax: 32 * 1024,
  headersCountMax: 100,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 65_000,
  requestTimeoutMs: Number.POSITIVE_INFINITY,
  bodyBytesPerSecondMin: 0,
  bodyGraceMs: 5_000,
  bodyProgressTimeoutMs: 30_000,
  writeTimeoutMs: 30_000,
  requestsPerConnectionMax: Number.POSITIVE_INFINITY,
  connectionAgeMaxMs: Number.POSITIVE_INFINITY,
};
const times = { writeTimeoutMs: 1e6, responseTimeoutMs: 1e6, streamIdleTimeoutMs: 1e6 };

const linesOf = (headers: HeaderBlock): string[] =>
  headers.names.map((name, at) => `${name}: ${headers.values[at] ?? ""}`);

/** Requests as our server side reads them, from these reads. */
export function readRequests(reads: readonly string[]): Reading {
  const messages: Message[] = [];
  let end: string | null = null;
  let open = false;
  const handler: ServerHandler<ServerConnection> = {
    onRequest: (connection: ServerConnection, { method, target, headers, body, upgrade }: ServerRequest) => {
      const chunks: string[] = [];
      const stray = body.isStray;
      open = true;
      body.start(
        {
          onBody: (chunk) => chunks.push(chunk.toString("latin1")) > 0,
          onBodyEnd: () => {
            open = false;
            messages.push({
              start: `${method} ${target}`,
              headers: linesOf(headers),
              body: chunks.join(""),
              upgrade: upgrade !== null,
              stray,
            });
            connection.startResponse(200, "", 0);
            connection.endResponse("");
          },
          onBodyFailure: (reason) => {
            end ??= reason;
            connection.abort();
          },
        },
        Number.POSITIVE_INFINITY,
      );
    },
    onFault: (connection, { reason }) => {
      end ??= reason;
      connection.startResponse(400, "", 0);
      connection.endResponse("");
    },
    onDrain: () => {},
    onClose: () => {},
    lingerRoom: new LingerRoom(),
  };
  const socket = new MemorySocket();
  const charge = (): Charge => new Charge(unlimitedMemory().bodies, NOBODY);
  const connection = new ServerConnection(socket, limits, handler, clock, new Deadlines(clock), charge);
  for (const read of reads) if (!socket.destroyed) socket.receive(read);
  if (end === null && socket.writableEnded) end = "closed";
  const partial = open || !connection.idle;
  socket.destroy();
  return { messages, end, partial };
}

/** One response as our client side reads it; informational ones come first in `messages`. */
export function readResponse(method: string, pieces: readonly string[], ends: boolean): Reading {
  const messages: Message[] = [];
  let end: string | null = null;
  let current: ClientResponse | null = null;
  let body = "";
  const handler: ResponseHandler = {
    onInformational: (status, headers) => messages.push({ start: String(status), headers: linesOf(headers), body: "" }),
    onResponse: (response) => {
      current = response;
    },
    onResponseBody: (chunk) => {
      body += chunk.toString("latin1");
    },
    onResponseEnd: () => {
      if (current === null) throw new Error("an end without a response");
      messages.push({ start: String(current.status), headers: linesOf(current.headers), body });
      end ??= "complete";
    },
    onReadEnd: () => true,
    onFailure: (failure: ClientFailure, detail) => {
      end ??= `${failure}: ${detail}`;
    },
    onUpstreamDrain: () => {},
    onUpgrade: () => {
      end ??= "upgraded";
    },
  };
  const owner: ConnectionOwner = { onReusable: () => {}, onUpgraded: () => {}, onClosed: () => {} };
  const socket = new MemorySocket();
  const reads = new SocketReads();
  const connection = new ClientConnection(socket, reads, limits, owner, clock, new Deadlines(clock));
  const request = {
    method,
    target: "/",
    authority: "a",
    lines: "",
    bodyBytes: 0,
    upgrade: false,
    acceptsTrailers: false,
  };
  connection.begin(handler, request, times);
  connection.flush();
  for (const piece of pieces) {
    if (socket.destroyed) break;
    const bytes = Buffer.from(piece, "latin1");
    reads.sink(bytes);
    // As the next read of any socket would: what was kept without a copy is lost.
    bytes.fill("!");
  }
  if (ends && !socket.destroyed) socket.receiveEnd();
  socket.destroy();
  return { messages, end, partial: end === null };
}
