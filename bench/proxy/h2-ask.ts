import { connect as connectH2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Answer } from "./correctness.ts";
import type { World } from "./world.ts";

export interface H2Request {
  readonly path: string;
  readonly token: string | null;
  readonly localAddress: string;
}

const ANSWER_TIMEOUT_MS = 5_000;

/** One request on a connection of its own, as the load has it; the head of the answer as text. */
export function askH2(request: H2Request, world: World, port: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: "127.0.0.1", port, localAddress: request.localAddress });
    const secure = connectTls({ socket, servername: "localhost", ca: world.ca, ALPNProtocols: ["h2"] });
    let head = "";
    let body = "";
    let status: number | undefined;
    const session = connectH2("https://orders.example.org", { createConnection: () => secure });
    const finish = () => {
      session.destroy();
      secure.destroy();
      resolve({ outcome: status ?? "handshake", head, body });
    };
    socket.on("error", (error) => secure.destroy(error));
    secure.on("error", finish);
    session.on("error", finish);
    session.setTimeout(ANSWER_TIMEOUT_MS, finish);
    const authorization = request.token === null ? {} : { authorization: `Bearer ${request.token}` };
    const stream = session.request({
      ":authority": "orders.example.org",
      ":path": request.path,
      "user-agent": "bench",
      accept: "application/json",
      ...authorization,
    });
    stream.on("response", (headers) => {
      status = headers[":status"];
      head = Object.entries(headers)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join("\r\n");
    });
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      body += text;
    });
    stream.on("error", finish);
    stream.on("close", finish);
  });
}
