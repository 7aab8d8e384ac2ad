/**
 * The service that takes long bodies, a process of its own: `node bench/proxy/upload-origin.ts PORT`. It reads each body
 * whole before it answers, where nginx would answer at once and throw the body away.
 */
import { createHash, type Hash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import type { Received } from "./transfer-client.ts";
import { BODY, ECHO_PATH, SAMPLE_BYTES } from "./world.ts";

class Connection {
  readonly #socket: Socket;
  #head = "";
  #left = 0;
  #bytes = 0;
  /** Only of short bodies: of a gigabyte it would cost more than all the rest. */
  #hash: Hash | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("error", () => socket.destroy());
  }

  #read(bytes: Buffer): void {
    if (this.#left > 0) {
      this.#readBody(bytes);
      return;
    }
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#head.slice(0, end);
    const rest = Buffer.from(this.#head.slice(end + 4), "latin1");
    this.#head = "";
    this.#begin(head, rest);
  }

  #begin(head: string, rest: Buffer): void {
    const [, method = "", path = ""] = /^(\S+) (\S+) /.exec(head) ?? [];
    const header = (name: string) => new RegExp(`^${name}: *(.*?) *$`, "im").exec(head)?.[1] ?? "";
    if (method === "GET") {
      const seen = ["x-forwarded-for", "x-forwarded-proto", "authorization", "host"].map(header).join("|");
      this.#answer(path === ECHO_PATH ? seen : BODY);
      return;
    }
    this.#left = Number(header("content-length"));
    this.#bytes = 0;
    this.#hash = this.#left <= SAMPLE_BYTES ? createHash("sha256") : null;
    this.#readBody(rest);
  }

  #readBody(bytes: Buffer): void {
    this.#left -= bytes.length;
    this.#bytes += bytes.length;
    this.#hash?.update(bytes);
    if (this.#left > 0) return;
    const received: Received = { bytes: this.#bytes, sha256: this.#hash?.digest("hex") ?? null };
    this.#answer(JSON.stringify(received));
  }

  #answer(body: string): void {
    this.#socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
}

const server = createServer({ noDelay: true }, (socket) => new Connection(socket));
server.listen(Number(process.argv[2]), "127.0.0.1");
