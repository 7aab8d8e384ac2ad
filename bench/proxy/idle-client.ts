/**
 * Clients that connect, ask once and stay, a process of its own: `node bench/proxy/idle-client.ts JSON`. It prints one
 * line of JSON when all are connected, and holds them until it is ended.
 */
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";

export interface IdleClientSettings {
  readonly port: number;
  readonly ca: string;
  /** The request as it goes on the wire. */
  readonly request: string;
  /** With this every answer must end. */
  readonly body: string;
  readonly connections: number;
}

export interface Held {
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Connections that are being opened at a time. */
const OPENING = 16;
/** A client address has some 28,000 ports; so many connections come from each. */
const CONNECTIONS_PER_ADDRESS = 2_500;
const ANSWER_TIMEOUT_MS = 10_000;

const settings: IdleClientSettings = JSON.parse(process.argv[2] ?? "");
/** What keeps the sockets from being collected. */
const held: TLSSocket[] = [];
const latenciesMs: number[] = [];

/** Gives the socket when its request has been answered. */
function openOne(at: number): Promise<TLSSocket> {
  return new Promise((resolve) => {
    const options: ConnectionOptions & { localAddress: string } = {
      host: "127.0.0.1",
      port: settings.port,
      localAddress: `127.0.0.${20 + Math.floor(at / CONNECTIONS_PER_ADDRESS)}`,
      servername: "localhost",
      ca: settings.ca,
      ciphers: "TLS_AES_128_GCM_SHA256",
      minVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
    };
    const socket = connect(options, () => socket.write(settings.request, "latin1"));
    let text = "";
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail(`connection ${at} is not answered`));
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (!text.endsWith(settings.body)) return;
      if (!text.startsWith("HTTP/1.1 200 ")) fail(`unexpected answer: ${text}`);
      socket.setTimeout(0);
      text = "";
      resolve(socket);
    });
    socket.on("error", (error) => fail(`connection ${at} failed: ${error.message}`));
    socket.on("close", () => fail(`the proxy closed connection ${at}`));
  });
}

function fail(text: string): never {
  process.stderr.write(`idle client: ${text}\n`);
  process.exit(1);
}

let next = 0;
async function openInTurn(): Promise<void> {
  while (next < settings.connections) {
    const startedMs = performance.now();
    held.push(await openOne(next++));
    latenciesMs.push(performance.now() - startedMs);
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: OPENING }, openInTurn));
latenciesMs.sort((a, b) => a - b);
const percentile = (share: number) => latenciesMs[Math.floor((latenciesMs.length - 1) * share)] ?? Number.NaN;
const result: Held = {
  seconds: (performance.now() - startedMs) / 1000,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
