import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ServiceProbe } from "../health/service-probe.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { type Address, type AdminPages, type AdminServer, boundTo, close, listen } from "./admin.ts";

export type ProbePages = Pick<AdminPages, "notReady" | "serviceProbes">;

/**
 * Opens the port for probes: whether the process lives and serves, what the policy passes on of the service's own probes, and
 * nothing else, for the kubelet and load balancers, which cannot reach loopback. Whoever can reach it may ask, under any Host.
 * Errors in the words of the system.
 */
export async function openProbes(address: Address, pages: ProbePages): Promise<Result<AdminServer, string>> {
  const server = createServer(
    {
      maxHeaderSize: DEFAULTS.adminHeadBytesMax,
      headersTimeout: DEFAULTS.probeTimeoutMs,
      requestTimeout: DEFAULTS.probeTimeoutMs,
      connectionsCheckingInterval: DEFAULTS.probeTimeoutMs / 2,
    },
    (request, response) => void answer(request, response, pages),
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

async function answer(request: IncomingMessage, response: ServerResponse, pages: ProbePages): Promise<void> {
  response.on("error", () => response.destroy());
  const probe = isLook(request) ? pages.serviceProbes().get(request.url ?? "") : undefined;
  // The service's own time ends the waiting.
  if (probe !== undefined) request.socket.setTimeout(0);
  const [status, text] = probe === undefined ? pageFor(request, pages) : await askService(probe);
  request.socket.setTimeout(DEFAULTS.probeTimeoutMs);
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

type Text = readonly [status: number, text: string];

/**
 * Nothing of the request goes to the service, and of its answer the status alone comes back: its headers and body are for who
 * is let in.
 */
async function askService(probe: ServiceProbe): Promise<Text> {
  const { status } = await probe.ask();
  return [status, `the service: ${status}`];
}

function isLook({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

function pageFor(request: IncomingMessage, pages: ProbePages): Text {
  if (!isLook(request)) return [405, "only GET and HEAD"];
  const [path = "", query = ""] = request.url?.split("?") ?? [];
  switch (path) {
    case "/livez":
    case "/healthz":
      return [200, "ok"];
    case "/readyz": {
      const reasons = pages.notReady();
      // Without names and faults, which are for the admin port.
      const told = query === "verbose" ? [...reasons].map((reason) => `\n${reason}`).join("") : "";
      return reasons.size === 0 ? [200, "ready"] : [503, `not ready${told}`];
    }
    default:
      return [404, "there are /livez and /readyz"];
  }
}
