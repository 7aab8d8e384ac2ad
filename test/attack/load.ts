import { connect } from "node:net";

/**
 * Kept-alive connections that each ask as fast as they are answered, until standard input ends. Then one line of JSON:
 * how many requests were sent, and how many answers of each status came.
 */
const PORT = Number(process.argv[2]);
const CONNECTIONS = 8;
const ORDER = '{"sku":"a1","quantity":3}';

const head = (line: string, more = ""): string => `${line} HTTP/1.1\r\nHost: soak.example\r\n${more}\r\n`;
const KEY = "X-Api-Key: pk_0123456789abcdef0123456789\r\n";
const post = (body: string): string =>
  `${head("POST /orders", `${KEY}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`)}${body}`;
const REQUESTS: readonly string[] = [
  head("GET /public"),
  head("GET /orders/1", KEY),
  head("GET /orders/2", "X-Api-Key: wrong\r\n"),
  head("GET /nothing/here"),
  post(ORDER),
  post("{}"),
];

const statuses: Record<string, number> = {};
let sent = 0;
let open = 0;
let stopping = false;

function run(at: number): void {
  const socket = connect(PORT, "127.0.0.1");
  let turn = at;
  let text = "";
  open++;
  const ask = (): void => {
    if (stopping) {
      socket.end();
      return;
    }
    sent++;
    socket.write(REQUESTS[turn++ % REQUESTS.length] ?? "");
  };
  socket.on("connect", ask);
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (end < 0 || text.length < end + 4 + length) return;
    const status = text.slice(9, 12);
    statuses[status] = (statuses[status] ?? 0) + 1;
    text = "";
    ask();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    open--;
    if (!stopping) run(at);
    else if (open === 0) process.stdout.write(`${JSON.stringify({ sent, statuses })}\n`, () => process.exit(0));
  });
}

for (let at = 0; at < CONNECTIONS; at++) run(at);
process.stdin.resume().on("end", () => {
  stopping = true;
});
