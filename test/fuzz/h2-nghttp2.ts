import { performServerHandshake, type ServerHttp2Stream, type ServerSessionOptions } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";
import { fieldLines, type H2Reading, readOutput, type StreamReading } from "./h2-reading.ts";
import { MemorySocket } from "./memory-socket.ts";

/** What nghttp2 makes of bytes, by way of node:http2 with nothing else in between. */

/** As little as node will have of limits of its own; those of our side stand in its settings. */
const OPTIONS: ServerSessionOptions & { readonly strictSingleValueFields: boolean } = {
  settings: { enableConnectProtocol: true, maxHeaderListSize: 1 << 20 },
  maxHeaderListPairs: 1_000,
  maxSessionMemory: 100,
  maxSettings: 1_000,
  strictSingleValueFields: false,
};

class Session {
  readonly socket = new MemorySocket();
  readonly streams = new Map<number, StreamReading>();
  end: string | null = null;
  #gone = false;

  constructor() {
    this.socket.on("error", () => {});
    const session = performServerHandshake(this.socket, OPTIONS);
    session.on("stream", (stream, _headers, flags, raw: readonly string[]) => this.#onStream(stream, flags, raw));
    session.on("error", (error) => {
      this.end ??= error.message;
    });
    session.on("goaway", () => {
      // node closes the session then, whatever may still come.
      this.#gone = true;
    });
    session.on("close", () => {
      this.end ??= "closed";
    });
  }

  /** nghttp2's words on the connection's end say more than node's. */
  reading(): H2Reading {
    const { end, said } = readOutput(this.socket.written);
    const streams = new Map([...this.streams].map(([id, one]) => [id, { ...one }]));
    return { streams, end: this.#gone ? GOAWAY : this.end === null ? null : (end ?? this.end), said };
  }

  #onStream(stream: ServerHttp2Stream, _flags: number, raw: readonly string[]): void {
    const names = raw.filter((_, at) => at % 2 === 0);
    const values = raw.filter((_, at) => at % 2 === 1);
    const value = (name: string): string | undefined => values[names.indexOf(name)];
    // As it is written anew: an empty port is none (RFC 3986 section 3.2.3).
    const authority = (value(":authority") ?? value("host"))?.replace(/:$/, "");
    const protocol = value(":protocol");
    const method = protocol === undefined ? value(":method") : `${value(":method")} ${protocol}`;
    const reading: StreamReading = {
      start: `${method} ${authority} ${value(":path") ?? "/"}`,
      headers: fieldLines(names, values),
      body: "",
      trailers: [],
      state: "open",
      left: false,
      isTunnel: protocol !== undefined,
    };
    this.streams.set(stream.id ?? 0, reading);
    stream.on("data", (chunk: Buffer) => {
      reading.body += chunk.toString("latin1");
    });
    stream.on("trailers", (_headers, _flags2, lines: readonly string[]) => {
      const own = [...lines];
      reading.trailers = own.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${own[at + 1]}`] : []));
    });
    stream.on("end", () => {
      if (!stream.aborted && stream.rstCode === 0) reading.state = "whole";
    });
    stream.on("error", ({ message }: Error) => {
      if (reading.state === "open") reading.state = message;
    });
    stream.on("close", () => {
      reading.left = true;
    });
  }
}

export const GOAWAY = "goaway of the client";

/** Requests as nghttp2 reads them, for many connections at once; one piece a turn, or node takes back what it has read. */
export async function readNghttp2All(cases: readonly (readonly string[])[]): Promise<H2Reading[]> {
  const sessions = cases.map((pieces) => ({ session: new Session(), pieces }));
  const longest = Math.max(0, ...cases.map(({ length }) => length));
  for (let at = 0; at < longest; at++) {
    for (const { session, pieces } of sessions) {
      const piece = pieces[at];
      if (piece !== undefined && !session.socket.destroyed) session.socket.receive(piece);
    }
    await turn();
  }
  // node tells of a session's end some turns later.
  for (let turns = 0; turns < 4; turns++) await turn();
  const readings = sessions.map(({ session }) => session.reading());
  for (const { session } of sessions) session.socket.destroy();
  return readings;
}
