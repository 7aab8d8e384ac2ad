/**
 * One long body over mutual TLS, a process of its own: `node bench/proxy/transfer-client.ts JSON`. It prints one JSON
 * object: what arrived at the other end, and what it cost the proxy.
 */
import { createHash, type Hash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { OnReadOpts } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { coreBusySeconds, cpuSeconds } from "./process-usage.ts";

export interface TransferSettings {
  readonly port: number;
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string };
  readonly direction: "download" | "upload";
  readonly path: string;
  /** How many are to arrive. */
  readonly bytes: number;
  /** What an upload is made of, from its beginning and as often as it takes. */
  readonly sourceFile: string;
  /** Whether a download is hashed: it costs more than all the rest. */
  readonly hash: boolean;
  /** Whose CPU time is read before and after. */
  readonly pids: readonly number[];
  readonly core: number;
}

/** What came out at the other end. */
export interface Received {
  readonly bytes: number;
  readonly sha256: string | null;
}

export interface TransferResult extends Received {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Time in which something else ran on the core. */
  readonly foreignSeconds: number;
}

const READ_BUFFER_BYTES = 256 * 1024;
const WRITE_BYTES = 64 * 1024;
const SILENCE_TIMEOUT_MS = 30_000;
const TEXT_BYTES_MAX = 1024;
const NOTHING = Buffer.alloc(0);

/** One answer: its head, then as many bytes as that announces. */
class AnswerReader {
  bytes = 0;
  /** The body, where it is short enough to be looked at. */
  text = "";
  readonly #hash: Hash | null;
  readonly #onEnd: () => void;
  #head: string | null = "";
  #expected = 0;

  constructor(hash: Hash | null, onEnd: () => void) {
    this.#hash = hash;
    this.#onEnd = onEnd;
  }

  read(chunk: Buffer): void {
    const body = this.#head === null ? chunk : this.#readHead(chunk, this.#head);
    this.bytes += body.length;
    this.#hash?.update(body);
    if (this.#expected <= TEXT_BYTES_MAX) this.text += body.toString("latin1");
    if (this.#head !== null || this.bytes < this.#expected) return;
    if (this.bytes > this.#expected) fail("more bytes than announced");
    this.#onEnd();
  }

  /** Gives what of `chunk` belongs to the body. */
  #readHead(chunk: Buffer, before: string): Buffer {
    const head = before + chunk.toString("latin1");
    const end = head.indexOf("\r\n\r\n");
    this.#head = end < 0 ? head : null;
    if (end < 0) return NOTHING;
    const length = /^content-length: *(\d+)/im.exec(head.slice(0, end))?.[1];
    if (!head.startsWith("HTTP/1.1 200 ") || length === undefined) fail(`unexpected answer: ${head.slice(0, end)}`);
    this.#expected = Number(length);
    return chunk.subarray(end + 4 - before.length);
  }
}

async function transfer(settings: TransferSettings): Promise<TransferResult> {
  const { direction, path, bytes, pids, core, hash } = settings;
  const digest = direction === "download" && hash ? createHash("sha256") : null;
  const ended = Promise.withResolvers<void>();
  const answer = new AnswerReader(digest, ended.resolve);
  const socket = await open(settings, (chunk) => answer.read(chunk));
  const cpuBefore = cpuSeconds(pids);
  const busyBefore = coreBusySeconds(core);
  const startedMs = performance.now();
  const method = direction === "download" ? "GET" : "PUT";
  const length = direction === "download" ? "" : `Content-Length: ${bytes}\r\n`;
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: orders.example.org\r\n${length}\r\n`);
  if (direction === "upload") send(socket, readFileSync(settings.sourceFile), bytes);
  await ended.promise;
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = cpuSeconds(pids) - cpuBefore;
  const busy = coreBusySeconds(core) - busyBefore;
  const received: Received =
    direction === "download" ? { bytes: answer.bytes, sha256: digest?.digest("hex") ?? null } : JSON.parse(answer.text);
  return { ...received, seconds, cpuSeconds: cpu, foreignSeconds: Math.max(0, busy - cpu) };
}

/** Writes as long as the socket takes it. */
function send(socket: TLSSocket, source: Buffer, bytes: number): void {
  let sent = 0;
  const more = () => {
    let flowing = true;
    while (sent < bytes && flowing) {
      const at = sent % source.length;
      const end = Math.min(at + WRITE_BYTES, source.length, at + bytes - sent);
      flowing = socket.write(source.subarray(at, end));
      sent += end - at;
    }
  };
  socket.on("drain", more);
  more();
}

function open(settings: TransferSettings, onBytes: (chunk: Buffer) => void): Promise<TLSSocket> {
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  const onread: OnReadOpts = {
    buffer,
    callback: (length) => {
      onBytes(buffer.subarray(0, length));
      return true;
    },
  };
  const { ca, certificate, key } = settings.tls;
  const options: ConnectionOptions & { onread: OnReadOpts } = {
    host: "127.0.0.1",
    port: settings.port,
    ca,
    cert: certificate,
    key,
    ciphers: "TLS_AES_128_GCM_SHA256",
    minVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    onread,
  };
  return new Promise((resolve) => {
    const socket = connect(options, () => resolve(socket));
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => fail("the proxy closed the connection"));
    socket.setTimeout(SILENCE_TIMEOUT_MS, () => fail("nothing moves"));
  });
}

function fail(text: string): never {
  process.stderr.write(`transfer: ${text}\n`);
  process.exit(1);
}

process.stdout.write(JSON.stringify(await transfer(JSON.parse(process.argv[2] ?? ""))));
process.exit(0);
