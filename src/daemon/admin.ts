import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { ServiceProbe } from "../health/service-probe.ts";
import type { AdminSettings } from "../policy/snapshot.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { MetricsFormat } from "../telemetry/long-family.ts";
import { type ActRecord, answerAct, findAct } from "./admin-act.ts";
import { metricsPage } from "./metrics-page.ts";
import type { NotReady } from "./readiness.ts";
import { codeOf } from "./unix-socket.ts";

export type Address = NonNullable<AdminSettings["address"]>;

export interface AdminPages {
  /** Why the process is not to get requests; empty where it serves: listening, not told to end, with what the policy wants. */
  notReady(): ReadonlySet<NotReady>;
  /** A line for each thing that the policy depends on: what is said behind `?verbose`. */
  readiness(): readonly string[];
  /** The same of whether the process lives. */
  liveness(): readonly string[];
  /** Of the service, by path, at the port for probes. */
  serviceProbes(): ReadonlyMap<string, ServiceProbe>;
  /** Names that a request may have in Host besides addresses and `localhost`. */
  hosts(): readonly string[];
  metrics(format: MetricsFormat): Promise<string>;
  /** The same names of the port for metrics. */
  metricsHosts(): readonly string[];
  /** Public keys of `identity.token`; null where the policy has none. */
  identityKeys(): object | null;
  /** What parts of the product show and do here. */
  rooms(): readonly AdminRoom[];
  /** What who asks for an act has to know; null where the policy lets nobody act. */
  token(): Buffer | null;
  acted(record: ActRecord): void;
}

export interface AdminServer {
  readonly boundTo: string;
  close(): Promise<void>;
}

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A browser that was led here must neither read, nor keep, nor run, nor frame what it gets. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
} as const;

const TEXT = "text/plain; charset=utf-8";

interface PageRequest {
  readonly pages: AdminPages;
  /** Behind the `?`. */
  readonly query: string;
  readonly accept: string;
}

type PageOf = (request: PageRequest) => Page | Promise<Page>;

/** What is here beside rooms, by path. */
const OWN_PAGES: ReadonlyMap<string, PageOf> = new Map<string, PageOf>([
  ["/", statusPage],
  ["/metrics", ({ accept, pages }) => metricsPage(accept, pages)],
  ["/livez", liveness],
  ["/readyz", ({ query, pages }) => readiness(pages, query === "verbose")],
  ["/healthz", liveness],
  ["/identity/jwks", identityKeys],
]);

/** Opens the admin port. Errors in the words of the system. */
export function openAdmin(address: Address, pages: AdminPages): Promise<Result<AdminServer, string>> {
  return openPages(
    address,
    (request) => pageFor(request, [address.host, ...pages.hosts()], pages),
    (server) => {
      server.maxConnections = DEFAULTS.adminConnectionsMax;
    },
  );
}

/** Opens a port that answers each request with a page; `bound` says what becomes of connections beyond its number. */
export async function openPages(
  address: Address,
  pageOf: (request: IncomingMessage) => Promise<Page>,
  bound: (server: Server) => void,
): Promise<Result<AdminServer, string>> {
  const server = createServer(
    {
      maxHeaderSize: DEFAULTS.adminHeadBytesMax,
      headersTimeout: DEFAULTS.adminTimeoutMs,
      requestTimeout: DEFAULTS.adminTimeoutMs,
      keepAliveTimeout: DEFAULTS.adminTimeoutMs,
      connectionsCheckingInterval: DEFAULTS.adminTimeoutMs / 5,
    },
    (request, response) => {
      void answer(request, response, pageOf);
    },
  );
  bound(server);
  server.setTimeout(DEFAULTS.adminTimeoutMs);
  const listening = await listen(server, address);
  if (!listening.ok) return listening;
  return ok({ boundTo: boundTo(server), close: () => close(server) });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pageOf: (request: IncomingMessage) => Promise<Page>,
): Promise<void> {
  response.on("error", () => response.destroy());
  const page = await pageOf(request).catch((): Page => ({ status: 500, contentType: TEXT, body: "internal error\n" }));
  const body = Buffer.from(page.body);
  // A body that nobody wants is not read, and the connection ends with the answer.
  response.writeHead(page.status, {
    ...HEADERS,
    ...page.headers,
    ...(hasBody(request) && !request.complete ? { Connection: "close" } : {}),
    "Content-Type": page.contentType,
    "Content-Length": body.length,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function pageFor(request: IncomingMessage, hosts: readonly string[], pages: AdminPages): Promise<Page> {
  if (!isOwnHost(request.headers.host ?? "", hosts)) return text(421, "this host is not served here");
  const [path = "", query = ""] = request.url?.split("?") ?? [];
  const rooms = pages.rooms();
  const act = findAct(path, rooms);
  if (act !== null && request.method === "POST") {
    const { status, body, record } = await answerAct(request, path, act, pages.token());
    pages.acted(record);
    const headers = status === 401 ? { "WWW-Authenticate": 'Bearer realm="postern"' } : {};
    return { ...(typeof body === "string" ? text(status, body) : json(status, body)), headers };
  }
  if (act !== null) return { ...text(405, "only POST"), headers: { Allow: "POST" } };
  const room = rooms.find((one) => one.path === path);
  const pageOf = room === undefined ? OWN_PAGES.get(path) : roomPage(room);
  if (pageOf === undefined) return text(404, pathsText(rooms));
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...text(405, "only GET and HEAD"), headers: { Allow: "GET, HEAD" } };
  }
  return pageOf({ pages, query, accept: request.headers.accept ?? "" });
}

function roomPage(room: AdminRoom): PageOf {
  return async ({ query }) => {
    const shown = await room.show(new URLSearchParams(query));
    return shown.ok ? json(200, shown.value) : text(shown.error.status, shown.error.text);
  };
}

async function statusPage(): Promise<Page> {
  // Nobody pays for the page who does not look at it.
  const { statusPage: made } = await import("./status-page/page.ts");
  return { status: 200, contentType: "text/html; charset=utf-8", ...made() };
}

function liveness({ query, pages }: PageRequest): Page {
  return text(200, ["ok", ...(query === "verbose" ? pages.liveness() : [])].join("\n"));
}

function identityKeys({ pages }: PageRequest): Page {
  const keys = pages.identityKeys();
  if (keys === null) return text(404, "the policy has no 'identity: { token }'");
  return { status: 200, contentType: "application/jwk-set+json", body: `${JSON.stringify(keys)}\n` };
}

function readiness(pages: AdminPages, isVerbose: boolean): Page {
  const isReady = pages.notReady().size === 0;
  const lines = [isReady ? "ready" : "not ready", ...(isVerbose ? pages.readiness() : [])];
  return text(isReady ? 200 : 503, lines.join("\n"));
}

/**
 * DNS rebinding: a page of evil.example makes its own name point to 127.0.0.1 and asks us, with the browser's blessing.
 * Such a request names evil.example, which the policy does not; no one can make a browser send an address that it was not given.
 */
export function isOwnHost(header: string, configured: readonly string[]): boolean {
  const host = header.replace(/:\d{1,5}$/, "").toLowerCase();
  if (host === "localhost" || configured.some((name) => host === name.toLowerCase())) return true;
  return isIP(host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host) !== 0;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

function pathsText(rooms: readonly AdminRoom[]): string {
  const paths = [...rooms.map(({ path }) => path), ...OWN_PAGES.keys()];
  return `there are ${paths.slice(0, -1).join(", ")} and ${paths.at(-1)}`;
}

function json(status: number, body: object): Page {
  return { status, contentType: "application/json", body: `${JSON.stringify(body, null, 2)}\n` };
}

export function text(status: number, body: string): Page {
  return { status, contentType: TEXT, body: `${body}\n` };
}

export function listen(server: Server, address: Address): Promise<Result<null, string>> {
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(err(codeOf(error))));
    server.listen({ host: address.host, port: address.port }, () => {
      // Failing to accept one connection is no end of the process.
      server.on("error", () => {});
      resolve(ok(null));
    });
  });
}

export function boundTo(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") return "";
  return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}

export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
