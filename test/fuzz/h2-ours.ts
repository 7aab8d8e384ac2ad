import { setImmediate as turn } from "node:timers/promises";
import { LingerRoom } from "../../src/http1/linger.ts";
import type { Http2Handler } from "../../src/http2/server-handler.ts";
import { ServerSession } from "../../src/http2/server-session.ts";
import type { StreamConnection } from "../../src/http2/server-stream.ts";
import { NOBODY, unlimitedMemory } from "../../src/memory/budget.ts";
import type { RequestBody } from "../../src/message/body.ts";
import type { ServerRequest } from "../../src/message/stream.ts";
import { Deadlines } from "../../src/support/deadlines.ts";
import { fieldLines, type H2Reading, readOutput, type StreamReading } from "./h2-reading.ts";
import { MemorySocket } from "./memory-socket.ts";
import { clock, limits } from "./ours.ts";

export interface H2Case {
  readonly reads: readonly string[];
  /** Whether each request is answered as soon as it is read; whether bodies pause at every piece until all bytes are here. */
  readonly manner: "never answers" | "answers" | "pauses";
}

/** Requests as our server side reads them, for many connections at once: what it says goes out with the next turn. */
export async function readH2All(cases: readonly H2Case[]): Promise<H2Reading[]> {
  const sessions = cases.map(startSession);
  await turn();
  await turn();
  return sessions.map((finish) => finish());
}

function startSession({ reads, manner }: H2Case): () => H2Reading {
  const streams = new Map<number, StreamReading>();
  const answer = (stream: StreamConnection, status: number): void => {
    if (manner !== "answers") return;
    stream.startResponse(status, "x-a: b\r\n", -1);
    stream.writeBody(Buffer.from("answer"));
    stream.endResponse("x-trailer: c\r\n");
  };
  const note = (stream: StreamConnection, reading: StreamReading): void => {
    streams.set(stream.id, reading);
    stream.owner = {
      onClientDrain: () => {},
      onClientClosed: () => {
        reading.left = true;
      },
    };
  };
  const paused: RequestBody[] = [];
  const handler: Http2Handler = {
    lingerRoom: new LingerRoom(),
    onRequest: (stream, request) => {
      const reading = begun(request);
      note(stream, reading);
      readBody(request, reading, manner === "pauses", () => answer(stream, 200));
      paused.push(request.body);
    },
    onFault: (stream, { reason, headers }) => {
      const contentType = headers.get("content-type") ?? "";
      const nothing = { start: contentType, headers: [], body: "", trailers: [], left: false, isTunnel: false };
      note(stream, { ...nothing, state: reason });
      answer(stream, 400);
    },
    onUnjudged: () => {},
    onClose: () => {},
  };
  const socket = new MemorySocket();
  const session = new ServerSession(
    socket,
    { secure: false, anyScheme: false, unix: false },
    limits,
    handler,
    clock,
    new Deadlines(clock),
    { budget: unlimitedMemory(), client: NOBODY },
  );
  let thrown: string | null = null;
  try {
    for (const read of reads) if (!socket.destroyed) socket.receive(read);
    // Once for what is held, once for the end behind it.
    for (const body of [...paused, ...paused]) body.resume();
  } catch (error) {
    thrown = `throws ${error}`;
  }
  return () => {
    const { end, said } = readOutput(socket.written);
    const reading = { streams: new Map([...streams].map(([id, one]) => [id, { ...one }])), end: thrown ?? end, said };
    session.abort();
    return reading;
  };
}

function begun({ method, authority, target, headers, upgrade }: ServerRequest): StreamReading {
  return {
    start: upgrade === null ? `${method} ${authority} ${target}` : `CONNECT websocket ${authority} ${target}`,
    headers: fieldLines(headers.names, headers.values),
    body: "",
    trailers: [],
    state: upgrade === null ? "open" : "whole",
    left: false,
    isTunnel: upgrade !== null,
  };
}

function readBody(
  { body, upgrade }: ServerRequest,
  reading: StreamReading,
  pauses: boolean,
  onWhole: () => void,
): void {
  if (upgrade !== null) return;
  body.start(
    {
      onBody: (chunk) => {
        reading.body += chunk.toString("latin1");
        return !pauses;
      },
      onBodyEnd: (trailers) => {
        reading.state = "whole";
        reading.trailers = trailers === null ? [] : trailers.names.map((name, at) => `${name}: ${trailers.values[at]}`);
        onWhole();
      },
      onBodyFailure: (reason) => {
        reading.state = reason;
      },
    },
    Number.POSITIVE_INFINITY,
  );
}
