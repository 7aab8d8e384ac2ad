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

/**
 * Silent connections that took every place would look like a process that hangs: at the limit one goes, the oldest of the address
 * that has most. Who opens many pushes out its own, and nobody's probe that waits for its answer.
 */
export function giveWay(server: Server): void {
  const byAddress = new Map<string, Set<Socket>>();
  let count = 0;
  const remove = (address: string, socket: Socket): void => {
    const own = byAddress.get(address);
    if (own?.delete(socket) !== true) return;
    count--;
    if (own.size === 0) byAddress.delete(address);
  };
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const own = byAddress.get(address) ?? new Set();
    byAddress.set(address, own.add(socket));
    count++;
    socket.once("close", () => remove(address, socket));
    if (count <= DEFAULTS.probeConnectionsMax) return;
    let [most, its] = [address, own];
    for (const [other, sockets] of byAddress) if (sockets.size > its.size) [most, its] = [other, sockets];
    const [oldest] = its;
    if (oldest === undefined) return;
    remove(most, oldest);
    oldest.destroy();
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
  const ofBody = BODILESS.has(status)
    ? {}
    : { "Content-Type": "text/plain; charset=utf-8", "Content-Length": Buffer.byteLength(body) };
  response.writeHead(status, {
    ...ofBody,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    Connection: "close",
  });
  response.end(request.method === "HEAD" || BODILESS.has(status) ? undefined : body);
}

/** Statuses of answers that end with their head (RFC 9110 sections 15.3.5 and 15.4.5): a length there is no HTTP. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

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
