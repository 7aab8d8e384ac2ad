/**
 * The load generator: keep-alive connections, one request in flight on each, every answer checked. It runs as a
 * process of its own (`node bench/proxy/load.ts FILE`) and prints one JSON object. wrk and h2load cannot show a client
 * certificate, and a generator written for one fixed request costs less than they do.
 */
import { readFileSync } from "node:fs";
import { connect as connectTcp, type OnReadOpts, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { coreBusySeconds, cpuSeconds } from "./process-usage.ts";

export interface LoadSettings {
  readonly port: number;
  /** PEM; null: plain TCP. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string } | null;
  /** The request as it goes on the wire. */
  readonly request: string;
  /** Content-Length that every answer must have; null where each says it, or comes in chunks. */
  readonly bodyBytes: number | null;
  readonly connections: number;
  readonly warmUpMs: number;
  /** At least so many answers before the measured period, unless they take many times `warmUpMs`. */
  readonly warmUpAnswers: number;
  /** Longer where answers are few. */
  readonly measureMs: number;
  /** Requests per second over all connections; null: as fast as answers come. */
  readonly ratePerSecond: number | null;
  /** Whose CPU time is read at both ends of the measured period. */
  readonly pids: readonly number[];
  /** The core that those processes have to themselves. */
  readonly core: number;
}

export interface LoadResult {
  /** Answered within the measured period. */
  readonly requests: number;
  /** Answered at all: while warming up, too. */
  readonly answered: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Time in which something else ran on the core. */
  readonly foreignSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const READ_BUFFER_BYTES = 16 * 1024;
/** Latencies are counted in bins of 1 µs; the last bin takes everything beyond 200 ms. */
const LATENCY_BINS = 200_000;
const PACE_TICK_MS = 1;
const WARM_UP_PERIODS_MAX = 10;
/**
 * Fewer make no figure: a proxy that takes 15 ms for a request works on all connections before it answers any, so that the CPU of 32
 * requests may fall into a period that saw the end of two.
 */
const MEASURED_ANSWERS = 500;
const MEASURE_PERIODS_MAX = 10;
/** From full speed to a set rate. */
const SETTLE_MS = 1_000;

const CHUNKS_END = "0\r\n\r\n";

export class Generator {
  readonly #settings: LoadSettings;
  readonly #request: Buffer;
  readonly #bins = new Uint32Array(LATENCY_BINS);
  readonly #connections: Connection[] = [];
  readonly #idle: Connection[] = [];
  #requests = 0;
  #answers = 0;
  #measuring = false;
  /** What a connection does that has its answer. */
  #goOn: (connection: Connection) => void = () => {};
  #stopped = false;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    this.#request = Buffer.from(settings.request, "latin1");
  }

  get answers(): number {
    return this.#answers;
  }

  async run(): Promise<LoadResult> {
    const { ratePerSecond, measureMs, pids, core } = this.#settings;
    // As fast as answers come, even before a set rate: what warms a program up is what it has done, not time.
    await this.start();
    await this.warmUp();
    if (ratePerSecond !== null) {
      this.#goOn = (connection) => void this.#idle.push(connection);
      this.#pace(ratePerSecond);
      await elapsed(SETTLE_MS);
    }
    const cpuBefore = cpuSeconds(pids);
    const busyBefore = coreBusySeconds(core);
    const startedMs = performance.now();
    this.#measuring = true;
    const measureEndMs = startedMs + MEASURE_PERIODS_MAX * measureMs;
    do await elapsed(measureMs);
    while (this.#requests < MEASURED_ANSWERS && performance.now() < measureEndMs);
    this.#measuring = false;
    const seconds = (performance.now() - startedMs) / 1000;
    const cpu = cpuSeconds(pids) - cpuBefore;
    const busy = coreBusySeconds(core) - busyBefore;
    this.stop();
    return {
      requests: this.#requests,
      answered: this.#answers,
      seconds,
      cpuSeconds: cpu,
      foreignSeconds: Math.max(0, busy - cpu),
      p50Ms: this.#percentileMs(0.5),
      p99Ms: this.#percentileMs(0.99),
    };
  }

  /** Asks on every connection, again and again, as fast as answers come. */
  async start(): Promise<void> {
    for (let at = 0; at < this.#settings.connections; at++) {
      this.#connections.push(await Connection.open(this.#settings, this.#request, (c, ms) => this.#answered(c, ms)));
    }
    this.#goOn = (connection) => connection.send();
    for (const connection of this.#connections) connection.send();
  }

  async warmUp(): Promise<void> {
    const { warmUpMs, warmUpAnswers } = this.#settings;
    const enough = this.#answers + warmUpAnswers;
    const endMs = performance.now() + WARM_UP_PERIODS_MAX * warmUpMs;
    do await elapsed(warmUpMs);
    while (this.#answers < enough && performance.now() < endMs);
  }

  stop(): void {
    this.#stopped = true;
    for (const connection of this.#connections) connection.close();
  }

  #answered(connection: Connection, latencyMs: number): void {
    this.#answers++;
    if (this.#measuring) {
      this.#requests++;
      const bin = Math.min(LATENCY_BINS - 1, Math.floor(latencyMs * 1000));
      this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    }
    this.#goOn(connection);
  }

  /** Sends what is due on connections that are free; what finds none waits for the next tick. */
  #pace(ratePerSecond: number): void {
    const startedMs = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      if (this.#stopped) clearInterval(timer);
      const due = Math.floor(((performance.now() - startedMs) * ratePerSecond) / 1000);
      while (sent < due && !this.#stopped) {
        const connection = this.#idle.shift();
        if (connection === undefined) return;
        connection.send();
        sent++;
      }
    }, PACE_TICK_MS);
  }

  #percentileMs(share: number): number {
    let left = Math.ceil(this.#requests * share);
    for (let bin = 0; bin < LATENCY_BINS; bin++) {
      left -= this.#bins[bin] ?? 0;
      if (left <= 0) return (bin + 0.5) / 1000;
    }
    return Number.NaN;
  }
}

/** One keep-alive connection with at most one request in flight. */
class Connection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #bodyBytes: number | null;
  readonly #onAnswer: (connection: Connection, latencyMs: number) => void;
  #sentMs = 0;
  #pending = "";
  #tail = "";
  #isChunked = false;

  static open(
    settings: LoadSettings,
    request: Buffer,
    onAnswer: (connection: Connection, latencyMs: number) => void,
  ): Promise<Connection> {
    return new Promise((resolve) => {
      let connection: Connection;
      const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
      const onread: OnReadOpts = {
        buffer,
        callback: (length) => {
          connection.read(buffer.toString("latin1", 0, length));
          return true;
        },
      };
      const socket = openSocket(settings, onread, () => resolve(connection));
      connection = new Connection(socket, request, settings.bodyBytes, onAnswer);
    });
  }

  private constructor(
    socket: Socket,
    request: Buffer,
    bodyBytes: number | null,
    onAnswer: (connection: Connection, latencyMs: number) => void,
  ) {
    this.#socket = socket;
    this.#request = request;
    this.#bodyBytes = bodyBytes;
    this.#onAnswer = onAnswer;
    socket.setNoDelay(true);
    socket.on("error", (error) => fail(`connection failed: ${error.message}`));
    socket.on("end", () => fail("the proxy closed a connection"));
  }

  send(): void {
    this.#sentMs = performance.now();
    this.#socket.write(this.#request);
  }

  read(received: string): void {
    const text = this.#pending + received;
    // Chunks have no end that is known before: only the last bytes are looked at until it is there.
    this.#tail = (this.#tail + received).slice(-CHUNKS_END.length);
    if (this.#isChunked && this.#tail !== CHUNKS_END) {
      this.#pending = text;
      return;
    }
    const headEnd = text.indexOf("\r\n\r\n");
    const bodyBytes = headEnd < 0 ? 0 : (this.#bodyBytes ?? this.#announced(text, headEnd));
    if (headEnd < 0 || text.length < headEnd + 4 + bodyBytes) {
      this.#pending = text;
      return;
    }
    this.#pending = "";
    this.#isChunked = false;
    if (!text.startsWith("200", 9)) fail(`unexpected answer: ${text.slice(0, headEnd)}`);
    if (text.length !== headEnd + 4 + bodyBytes) fail(`unexpected bytes after an answer: ${text.slice(0, headEnd)}`);
    this.#onAnswer(this, performance.now() - this.#sentMs);
  }

  /** Bytes behind the head; beyond all that can be, while chunks go on. */
  #announced(text: string, headEnd: number): number {
    const head = text.slice(0, headEnd);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) return Number(length);
    this.#isChunked = true;
    return this.#tail === CHUNKS_END ? text.length - headEnd - 4 : Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#socket.removeAllListeners("end");
    this.#socket.destroy();
  }
}

function openSocket(settings: LoadSettings, onread: OnReadOpts, onConnect: () => void): Socket {
  const { port, tls } = settings;
  if (tls === null) return connectTcp({ host: "127.0.0.1", port, onread }, onConnect);
  const options: ConnectionOptions & { onread: OnReadOpts } = {
    host: "127.0.0.1",
    port,
    ca: tls.ca,
    cert: tls.certificate,
    key: tls.key,
    // One cipher for all contestants: what is compared is the proxy, not AES-128 with AES-256.
    ciphers: "TLS_AES_128_GCM_SHA256",
    minVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    onread,
  };
  return connectTls(options, onConnect);
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(text: string): never {
  process.stderr.write(`load: ${text}\n`);
  process.exit(1);
}

if (import.meta.main) {
  const settings: LoadSettings = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
  process.stdout.write(JSON.stringify(await new Generator(settings).run()));
  process.exit(0);
}
