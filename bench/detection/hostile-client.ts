import { Agent, request } from "node:http";
import { HOSTILE_TEXTS } from "../../test/detection/hostile-texts.ts";

/** Sends texts that are costly to search, one after the other on each connection, until its standard input ends. */
const [port = "", connections = "1"] = process.argv.slice(2);
const bodies = Object.values(HOSTILE_TEXTS).map((text) => Buffer.from(JSON.stringify({ text })));
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const headers = { "content-type": "application/json", "user-agent": "bench", accept: "*/*" };

function send(at: number): void {
  const body = bodies[at % bodies.length] ?? Buffer.alloc(0);
  const options = { host: "127.0.0.1", port, agent, method: "POST", path: "/texts", localAddress: "127.0.0.2" };
  const asked = request({ ...options, headers: { ...headers, "content-length": body.length } }, (answer) => {
    if (answer.statusCode !== 200) throw new Error(`a text was answered with ${answer.statusCode}`);
    answer.resume().on("end", () => send(at + 1));
  });
  asked.end(body);
}

for (let connection = 0; connection < Number(connections); connection++) send(connection);
process.stdin.resume().on("end", () => process.exit());
