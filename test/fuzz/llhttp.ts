import { createServer, type IncomingMessage, request, type Server } from "node:http";
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

class ReadingSocket extends MemorySocket {
  readonly collected: Collected[] = [];
  failure: string | null = null;

  reading(): Reading {
    const whole = this.collected.findIndex(({ complete }) => !complete);
    const messages: Message[] = whole < 0 ? this.collected : this.collected.slice(0, whole);
    return { messages, end: this.failure, partial: whole >= 0 };
  }
}

function linesOf(message: IncomingMessage): string[] {
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

const collectedOf = new WeakMap<object, ReadingSocket>();

/** A strict node:http server that notes on each of its connections what it read there. */
export function llhttpServer(): Server {
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: HEAD_BYTES_MAX,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 1 << 30,
  });
  server.maxHeadersCount = 0;
  const onRequest = (message: IncomingMessage, response: { end(): unknown }): void => {
    const into = collectedOf.get(message.socket);
    if (into === undefined) throw new Error("a request from nowhere");
    collect(into.collected, `${message.method} ${message.url}`, message, () => response.end());
  };
  server.on("request", onRequest);
  server.on("checkContinue", onRequest);
  server.on("checkExpectation", (message, response) => {
    onRequest(message, response);
    const into = collectedOf.get(message.socket);
    if (into !== undefined) into.failure ??= "expectation";
  });
  server.on("connect", (message: IncomingMessage) => {
    const into = collectedOf.get(message.socket);
    into?.collected.push({ start: `CONNECT ${message.url}`, headers: linesOf(message), body: "", complete: true });
    if (into !== undefined) into.failure ??= "connect";
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const into = collectedOf.get(socket);
    // Not destroyed: that would take the requests back that were read before the fault.
    if (into !== undefined) into.failure ??= error.code ?? "error";
  });
  return server;
}

/** Requests as llhttp reads them, for many connections at once: what they cost is mostly the turns of the event loop. */
export async function readRequestsAll(server: Server, connections: readonly (readonly string[])[]): Promise<Reading[]> {
  const sockets = connections.map((reads) => {
    const socket = new ReadingSocket();
    collectedOf.set(socket, socket);
    socket.on("error", () => {});
    server.emit("connection", socket);
    for (const read of reads) if (socket.failure === null && !socket.destroyed) socket.receive(read);
    return socket;
  });
  await turn();
  await turn();
  const readings = sockets.map((socket) => socket.reading());
  for (const socket of sockets) socket.destroy();
  return readings;
}

export interface ResponseReads {
  readonly method: string;
  readonly reads: readonly string[];
  readonly ends: boolean;
}

/** Responses as llhttp reads them; informational ones come first. */
export async function readResponsesAll(cases: readonly ResponseReads[]): Promise<Reading[]> {
  const sockets = cases.map(({ method }) => {
    const socket = new ReadingSocket();
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
      const headers = linesOf({ rawHeaders } as IncomingMessage);
      socket.collected.push({ start: String(statusCode), headers, body: "", complete: true });
    });
    sent.on("response", (message) => collect(socket.collected, String(message.statusCode), message, () => {}));
    sent.on("upgrade", () => {
      socket.failure ??= "upgrade";
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      socket.failure ??= error.code ?? "error";
    });
    sent.end();
    return socket;
  });
  await turn();
  for (const [at, { reads }] of cases.entries()) {
    for (const read of reads) if (sockets[at]?.destroyed === false) sockets[at].receive(read);
  }
  await turn();
  for (const [at, { ends }] of cases.entries()) if (ends && sockets[at]?.destroyed === false) sockets[at].receiveEnd();
  await turn();
  await turn();
  const readings = sockets.map((socket) => socket.reading());
  for (const socket of sockets) socket.destroy();
  return readings;
}
