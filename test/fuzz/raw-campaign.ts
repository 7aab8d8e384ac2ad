import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { count, cuts, type Disagreement, messagesIn, type Tally } from "./codec-campaign.ts";
import { outcomeOf, requestsDiffer } from "./compare.ts";
import { requests } from "./grammar.ts";
import { Connection, llhttpServer } from "./llhttp.ts";
import { split } from "./memory-socket.ts";
import { readRequests } from "./ours.ts";
import { caseSeed, Random } from "./random.ts";

export interface RawServer {
  readonly port: number;
  /** What was read from the client that has this local port. */
  readonly byPort: Map<number, Connection>;
  close(): void;
}

/** llhttp behind a real socket, where node feeds it straight from the network. */
export async function startRawLlhttp(): Promise<RawServer> {
  const { server, connections } = llhttpServer();
  const byPort = new Map<number, Connection>();
  server.prependListener("connection", (socket) => {
    const connection = new Connection();
    connections.set(socket, connection);
    byPort.set(socket.remotePort ?? 0, connection);
  });
  server.on("clientError", (_error, socket) => {
    // In a later turn: what was read before the fault is still on its way up.
    setImmediate(() => setImmediate(() => socket.destroy()));
  });
  server.on("connect", (_message, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    byPort,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Writes the reads one by one and reads everything until the other side closes. */
export async function converse(port: number, reads: readonly string[]): Promise<number> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  const localPort = socket.localPort ?? 0;
  for (const read of reads) {
    if (!socket.writable) break;
    socket.write(Buffer.from(read, "latin1"));
    await turn();
  }
  socket.end();
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return localPort;
}

/** `size` connections with requests over the loopback, each in a few writes. */
export async function rawBatch(
  tally: Tally,
  server: RawServer,
  seed: number,
  from: number,
  size: number,
): Promise<void> {
  const run = async (index: number): Promise<void> => {
    const random = new Random(caseSeed(seed, index));
    const bytes = requests(random);
    const reads = split(bytes, cuts(random, bytes.length).slice(0, 6));
    const port = await converse(server.port, reads);
    const reading = server.byPort.get(port)?.reading() ?? { messages: [], end: "no connection", partial: false };
    server.byPort.delete(port);
    const whole = readRequests([bytes]);
    tally.cases++;
    tally.messages += messagesIn(whole);
    const what = requestsDiffer(whole, reading);
    count(tally, "raw sockets", what === null ? outcomeOf(whole, reading) : "DISAGREE");
    if (what !== null)
      tally.disagreements.push({ kind: "raw sockets", seed, index, what, bytes } satisfies Disagreement);
  };
  await Promise.all(Array.from({ length: size }, (_, at) => run(from + at)));
}
