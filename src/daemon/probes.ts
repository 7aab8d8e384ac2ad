import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { type Address, type AdminServer, boundTo, close, listen } from "./admin.ts";

/**
 * Opens the port for probes: whether the process lives and serves, and nothing else, for the kubelet and load balancers,
 * which cannot reach loopback. Whoever can reach it may ask, under any Host. Errors in the words of the system.
 */
export async function openProbes(address: Address, ready: () => boolean): Promise<Result<AdminServer, string>> {
  const server = createServer(
    {
      maxHeaderSize: DEFAULTS.adminHeadBytesMax,
      headersTimeout: DEFAULTS.probeTimeoutMs,
      requestTimeout: DEFAULTS.probeTimeoutMs,
      connectionsCheckingInterval: DEFAULTS.probeTimeoutMs / 2,
    },
    (request, response) => answer(request, response, ready),
  );
  server.setTimeout(DEFAULTS.probeTimeoutMs);
  giveWay(server);
  const listening = await listen(server, address);
  if (!listening.ok) return listening;
  return ok({ boundTo: boundTo(server), close: () => close(server) });
}

/** Silent connections that took every place would look like a process that hangs: at the limit the oldest goes. */
export function giveWay(server: Server): void {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (sockets.size <= DEFAULTS.probeConnectionsMax) return;
    for (const oldest of sockets) {
      sockets.delete(oldest);
      oldest.destroy();
      return;
    }
  });
}

function answer(request: IncomingMessage, response: ServerResponse, ready: () => boolean): void {
  response.on("error", () => response.destroy());
  const [status, text] = pageFor(request, ready);
  const body = `${text}\n`;
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    Connection: "close",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function pageFor({ method, url }: IncomingMessage, ready: () => boolean): readonly [status: number, text: string] {
  if (method !== "GET" && method !== "HEAD") return [405, "only GET and HEAD"];
  switch (url?.split("?", 1)[0]) {
    case "/healthz":
      return [200, "ok"];
    case "/readyz":
      return ready() ? [200, "ready"] : [503, "not ready"];
    default:
      return [404, "there are /healthz and /readyz"];
  }
}
