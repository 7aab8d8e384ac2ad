import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { MemorySocket } from "./memory-socket.ts";
import { type Message, type Reading, trimBlanks } from "./reading.ts";

/** What llhttp makes of bytes, by way of node:http with its strict parser and nothing else in between. */

const HEAD_BYTES_MAX = 256 * 1024;

interface Collected {
  readonly start: string;
  readonly headers: readonly string[];
  body: string;
  complete: boolean;
}

/** What came of one connection so far. */
export class Connection {
  readonly collected: Collected[] = [];
  failure: string | null = null;

  reading(): Reading {
    const whole = this.collected.findIndex(({ complete }) => !complete);
    const messages: Message[] = whole < 0 ? this.collected : this.collected.slice(0, whole);
    return { messages, end: this.failure, partial: whole >= 0 };
  }
}

function linesOf(message: { readonly rawHeaders: readonly string[] }): string[] {
  const lines: string[] = [];
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    lines.push(`${message.rawHeaders[at]?.toLowerCase()}: ${trimBlanks(message.rawHeaders[at + 1] ?? "")}`);
  }
  return lines;
}

function collect(into: Collected[], start: string, message: IncomingMessage, onEnd: () => void): void {
  const collected: Collected = { start, headers: linesOf(message), body: "", complete: false };
  into.push(collected);
  message.on("data", (chunk: Buffer) => {
    collected.body += chunk.toString("latin1");
  });
  message.on("error", () => {});
  message.on("end", () => {
    collected.complete = message.complete;
    onEnd();
  });
}

export interface LlhttpServer {
  readonly server: Server;
  /** Where what is read from this socket is noted; to be set before its first byte is read. */
  readonly connections: WeakMap<object, Connection>;
}

/** A strict node:http server that notes what it reads and answers every request with an empty 200. */
export function llhttpServer(): LlhttpServer {
  const connections = new WeakMap<object, Connection>();
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: HEAD_BYTES_MAX,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 1 << 30,
  });
  server.maxHeadersCount = 0;
  server.prependListener("connection", destroyLater);
  const of = (socket: object): Connection => {
    const connection = connections.get(socket);
    if (connection === undefined) throw new Error("a socket from nowhere");
    return connection;
  };
  const onRequest = (message: IncomingMessage, response: ServerResponse): void => {
    collect(of(message.socket).collected, `${message.method} ${message.url}`, message, () => response.end());
  };
  server.on("request", onRequest);
  server.on("checkContinue", (message, response) => {
    // Without it node closes behind the answer, and never sees what comes next.
    response.writeContinue();
    onRequest(message, response);
  });
  server.on("checkExpectation", (message, response) => {
    onRequest(message, response);
    // An empty list expects nothing (RFC 9110 section 5.6.1); it is node, not llhttp, that takes it for something.
    if (trimBlanks(message.headers.expect ?? "") !== "") of(message.socket).failure ??= "expectation";
  });
  server.on("connect", (message: IncomingMessage) => {
    const connection = of(message.socket);
    connection.collected.push({ start: `CONNECT ${message.url}`, headers: linesOf(message), body: "", complete: true });
    connection.failure ??= "connect";
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // Not destroyed: that would take the requests back that were read before the fault.
    of(socket).failure ??= error.code ?? "error";
  });
  return { server, connections };
}

/**
 * Where node destroys a socket in the middle of a read, as it does behind a fault or HTTP/2's preface, it takes back the
 * requests that llhttp has read whole before. They are let up first.
 */
function destroyLater(socket: Duplex): void {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    setImmediate(() => setImmediate(() => destroy(error)));
    return socket;
  };
}

/** Requests as llhttp reads them, for many connections at once: what they cost is mostly the turns of the event loop. */
export async function readRequestsAll(
  { server, connections }: LlhttpServer,
  cases: readonly (readonly string[])[],
): Promise<Reading[]> {
  const sockets = cases.map((reads) => {
    const socket = new MemorySocket();
    const connection = new Connection();
    connections.set(socket, connection);
    socket.on("error", () => {});
    server.emit("connection", socket);
    for (const read of reads) if (connection.failure === null && !socket.destroyed) socket.receive(read);
    return { socket, connection };
  });
  await turn();
  await turn();
  for (const { socket } of sockets) socket.destroy();
  return sockets.map(({ connection }) => connection.reading());
}

export interface ResponseReads {
  readonly method: string;
  readonly reads: readonly string[];
  readonly ends: boolean;
}

/** Responses as llhttp reads them; informational ones come first. */
export async function readResponsesAll(cases: readonly ResponseReads[]): Promise<Reading[]> {
  const sockets = cases.map((made) => ({ ...made, ...expectResponse(made.method) }));
  await turn();
  for (const { socket, reads } of sockets) for (const read of reads) if (!socket.destroyed) socket.receive(read);
  await turn();
  for (const { socket, ends } of sockets) if (ends && !socket.destroyed) socket.receiveEnd();
  await turn();
  await turn();
  for (const { socket } of sockets) socket.destroy();
  return sockets.map(({ connection }) => connection.reading());
}

/** A node:http client that has sent its request and waits. */
function expectResponse(method: string): { readonly socket: MemorySocket; readonly connection: Connection } {
  const socket = new MemorySocket();
  const connection = new Connection();
  socket.on("error", () => {});
  const sent = request({
    createConnection: () => socket,
    method,
    path: "/",
    headers: { host: "a" },
    insecureHTTPParser: false,
    maxHeaderSize: HEAD_BYTES_MAX,
  });
  sent.maxHeadersCount = 0;
  sent.on("information", ({ statusCode, rawHeaders }) => {
    connection.collected.push({
      start: String(statusCode),
      headers: linesOf({ rawHeaders }),
      body: "",
      complete: true,
    });
  });
  sent.on("response", (message) => collect(connection.collected, String(message.statusCode), message, () => {}));
  sent.on("upgrade", () => {
    connection.failure ??= "upgrade";
  });
  sent.on("error", (error: NodeJS.ErrnoException) => {
    connection.failure ??= error.code ?? "error";
  });
  sent.end();
  return { socket, connection };
}
