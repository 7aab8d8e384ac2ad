import { once } from "node:events";
import { METHODS } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { buildRequestRewrite } from "../../src/filters/request/evaluate.ts";
import { Passage } from "../../src/filters/request/passage.ts";
import { WITHOUT_BODY } from "../../src/message/method.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { NO_REQUEST_RULES } from "../../src/policy/no-rules.ts";
import { onClose, startProxy, type TestProxy } from "../fixtures/proxy.ts";
import { count, cuts, messagesIn, type Tally } from "./codec-campaign.ts";
import { requests } from "./grammar.ts";
import { Connection, llhttpServer } from "./llhttp.ts";
import { split } from "./memory-socket.ts";
import { readRequests } from "./ours.ts";
import { caseSeed, Random } from "./random.ts";
import type { Message } from "./reading.ts";

/** A proxy before a service that is llhttp, with real sockets between all three. */
export interface Lane {
  readonly proxy: TestProxy;
  /** What the service reads, on whichever connection, in the order of arrival. */
  readonly service: Connection;
}

const RULES = { ...NO_REQUEST_RULES, keepCredentials: true };
const rewriteRequest = buildRequestRewrite(RULES, new Passage(RULES, []));

export async function startLane(): Promise<Lane> {
  const service = new Connection();
  const { server, connections } = llhttpServer();
  server.prependListener("connection", (socket) => connections.set(socket, service));
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onClose(() => {
    server.close();
    server.closeAllConnections();
  });
  const upstreamPort = (server.address() as AddressInfo).port;
  return { proxy: await startProxy({ upstreamPort, route: { rewriteRequest } }), service };
}

const FORBIDDEN = /^(?:TRACE|TRACK|CONNECT)$/;
/** In any other spelling these are refused, too. */
const KNOWN = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|TRACK|CONNECT)$/i;

const isForbidden = (method: string): boolean =>
  FORBIDDEN.test(method) || (KNOWN.test(method) && method !== method.toUpperCase());

interface Expected {
  /** Messages that get an answer, forwarded or denied. */
  readonly answered: number;
  /** What the service must see: everything that is not denied, in its canonical form. */
  readonly forwarded: readonly Message[];
}

function expected(messages: readonly Message[]): Expected {
  const forwarded: Message[] = [];
  for (const [at, message] of messages.entries()) {
    const [method = "", raw = ""] = message.start.split(" ");
    const target = canonicalTarget(raw);
    // No route here keeps it, and nothing behind it is read.
    if (message.stray === true) return { answered: at + 1, forwarded };
    // No upgrade here is a WebSocket handshake, and every other is refused.
    if (!isForbidden(method) && target.ok && message.upgrade !== true) {
      // A method that llhttp does not know is forwarded, and llhttp refuses it.
      if (!METHODS.includes(method)) continue;
      forwarded.push({ ...message, start: `${method} ${target.value.path}${target.value.query}` });
    } else if (message.headers.some((line) => isUnknown(line, method) || isAwaited(line, message))) {
      // A denial ends the connection where a body of unknown length, or one that waits to be asked for, would follow.
      return { answered: at + 1, forwarded };
    }
  }
  return { answered: messages.length, forwarded };
}

/** An empty chunked body of a method without one is none. */
const isUnknown = (line: string, method: string): boolean =>
  line.startsWith("transfer-encoding:") && !WITHOUT_BODY.has(method);
const isAwaited = (line: string, message: Message): boolean => message.body !== "" && line.startsWith("expect:");

/** Lines that postern writes itself. */
const WRITTEN = /^(?:host|connection|content-length|transfer-encoding|x-forwarded-\w+|forwarded): /;

function forwardedDiffers(wanted: readonly Message[], seen: readonly Message[]): string | null {
  for (const [at, message] of wanted.entries()) {
    const other = seen[at];
    if (other === undefined) return `request ${at + 1} does not reach the service`;
    if (other.start !== message.start) return `request ${at + 1}: '${message.start}' arrives as '${other.start}'`;
    if (other.body !== message.body) return `request ${at + 1}: the body differs`;
    let next = 0;
    for (const line of other.headers) {
      if (WRITTEN.test(line)) continue;
      next = message.headers.indexOf(line, next) + 1;
      if (next === 0) return `request ${at + 1}: the service sees a header that the client did not send`;
    }
  }
  return seen.length > wanted.length ? `${seen.length - wanted.length} requests more than were sent` : null;
}

/** One connection's requests through the proxy. */
async function forward(lane: Lane, reads: readonly string[], finished: number): Promise<readonly Message[]> {
  const { proxy, service } = lane;
  proxy.records.length = 0;
  const socket = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  for (const read of reads) {
    if (!socket.writable) break;
    socket.write(Buffer.from(read, "latin1"));
    if (reads.length > 1) await turn();
  }
  const deadline = performance.now() + 5_000;
  while (proxy.records.length < finished && performance.now() < deadline) await turn();
  socket.destroy();
  while (proxy.proxy.connectionsOpen > 0 && performance.now() < deadline) await turn();
  await turn();
  // What arrives later is found by the next case, which did not send it.
  return service.collected.splice(0).filter(({ complete }) => complete);
}

/** `size` connections one after the other on each lane. */
export async function forwardBatch(
  tally: Tally,
  lanes: readonly Lane[],
  seed: number,
  from: number,
  size: number,
): Promise<void> {
  const run = async (lane: Lane, index: number): Promise<void> => {
    const random = new Random(caseSeed(seed, index));
    const bytes = requests(random);
    const ours = readRequests([bytes]);
    const reads = random.chance(0.5) ? [bytes] : split(bytes, cuts(random, bytes.length).slice(0, 4));
    const { answered, forwarded: wanted } = expected(ours.messages);
    const seen = await forward(lane, reads, answered);
    tally.cases++;
    tally.messages += messagesIn(ours);
    const what = forwardedDiffers(wanted, seen);
    count(tally, "forwarded", what === null ? (wanted.length > 0 ? "both accept" : "both refuse") : "DISAGREE");
    if (what !== null) tally.disagreements.push({ kind: "forwarded", seed, index, what, bytes });
  };
  await Promise.all(
    lanes.map(async (lane, at) => {
      for (let index = from + at; index < from + size; index += lanes.length) await run(lane, index);
    }),
  );
}
