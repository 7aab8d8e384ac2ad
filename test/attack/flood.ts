import { connect, type Socket } from "node:net";

/**
 * One client that asks so many times a second over 32 connections, whatever it is answered, until standard input ends.
 * Then one line of JSON: how many requests it sent, and how many answers of each status came.
 */
const [PORT = 0, PER_SECOND = 0] = process.argv.slice(2).map(Number);
const CONNECTIONS = 32;
const TICK_MS = 10;
/** What a connection may have unanswered: beyond it the flood has nowhere to go. */
const UNANSWERED_MAX = 64;

const statuses: Record<string, number> = {};
let sent = 0;

class Attacker {
  #socket: Socket;
  #unanswered = 0;
  #text = "";

  constructor() {
    this.#socket = this.#open();
  }

  ask(): void {
    if (this.#unanswered >= UNANSWERED_MAX || this.#socket.connecting) return;
    this.#unanswered++;
    sent++;
    this.#socket.write("GET /work HTTP/1.1\r\nHost: flood.example\r\n\r\n");
  }

  #open(): Socket {
    this.#unanswered = 0;
    const socket = connect({ port: PORT, host: "127.0.0.1", localAddress: "127.0.2.1" });
    socket.on("data", (chunk) => {
      const seen = this.#text + chunk.toString("latin1");
      for (const [, status = ""] of seen.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        this.#unanswered--;
      }
      // A status line may be cut by the end of a read; what was counted is not looked at again.
      const last = seen.lastIndexOf("HTTP/1.1 ");
      this.#text = last >= 0 && seen.length - last < 13 ? seen.slice(last) : seen.slice(-8).replace(/.*\d/s, "");
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#text = "";
      this.#socket = this.#open();
    });
    return socket;
  }
}

const attackers = Array.from({ length: CONNECTIONS }, () => new Attacker());
let turn = 0;
setInterval(() => {
  for (let at = 0; at < (PER_SECOND * TICK_MS) / 1000; at++) attackers[turn++ % CONNECTIONS]?.ask();
}, TICK_MS);
process.stdin.resume().on("end", () => {
  process.stdout.write(`${JSON.stringify({ sent, statuses })}\n`, () => process.exit(0));
});
