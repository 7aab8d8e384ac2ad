import { createServer, type Server, type Socket } from "node:net";
import type { ListenAddress } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { codeOf } from "./unix-socket.ts";

export interface OpenSocketsHandlers {
  onConnection(socket: Socket): void;
  /** One more than `connectionsMax`; closed already. */
  onDrop(peer: string): void;
  /** Accepting failed (EMFILE): one client's trouble. */
  onError(code: string): void;
  /** This machine has no such address family; the other one is listened on. */
  onFamilyMissing(host: string, code: string): void;
}

/** Names of the machine itself, one in each family: where clients that know only `localhost` may come. */
const LOCALHOST = ["127.0.0.1", "::1"] as const;

const NO_FAMILY: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT"]);

/** What a listener's address stands for: one listening socket, or for `localhost` one in each family. */
export class OpenSockets {
  readonly #handlers: OpenSocketsHandlers;
  readonly #localhost: readonly string[];
  readonly #servers: Server[] = [];
  #connectionsMax = Number.POSITIVE_INFINITY;
  #connections = 0;

  constructor(handlers: OpenSocketsHandlers, localhost: readonly string[] = LOCALHOST) {
    this.#localhost = localhost;
    this.#handlers = handlers;
  }

  /** `host:port` or the path of what is bound; the port is the real one where the policy says 0. */
  get boundTo(): string {
    const [first] = this.#servers;
    const address = first?.address() ?? null;
    if (address === null || typeof address === "string") return address ?? "";
    return address.family === "IPv6" ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
  }

  get isUnix(): boolean {
    return typeof this.#servers[0]?.address() === "string";
  }

  /** Errors in the words of the system. `fd`: the inherited socket that the address means. */
  async open(address: ListenAddress, fd: number | undefined): Promise<Result<null, string>> {
    const backlog = DEFAULTS.listenBacklog;
    if (address.type === "unix") return this.#listen({ path: address.path, backlog });
    if (address.type === "fd") return this.#listen({ fd, backlog });
    if (address.host !== "localhost") return this.#listen({ host: address.host, port: address.port, backlog });
    const missing: [string, string][] = [];
    for (const host of this.#localhost) {
      const port = this.#servers.length === 0 ? address.port : Number(this.boundTo.split(":").at(-1));
      const listening = await this.#listen({ host, port, backlog });
      if (listening.ok) continue;
      if (!NO_FAMILY.has(listening.error)) {
        this.close();
        return listening;
      }
      missing.push([host, listening.error]);
    }
    const [first] = missing;
    if (first !== undefined && missing.length === this.#localhost.length) return err(first[1]);
    for (const [host, code] of missing) this.#handlers.onFamilyMissing(host, code);
    return ok(null);
  }

  set connectionsMax(most: number) {
    this.#connectionsMax = most;
    for (const server of this.#servers) server.maxConnections = most;
  }

  close(): void {
    for (const server of this.#servers) if (server.listening) server.close();
  }

  async #listen(options: object): Promise<Result<null, string>> {
    // A client may close its side while its last answer is on the way; what that means, the codecs say.
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    server.on("connection", (socket) => this.#accept(socket));
    server.on("drop", (data) => this.#handlers.onDrop(data?.remoteAddress ?? ""));
    const listening = await listenOn(server, options);
    if (!listening.ok) return listening;
    server.on("error", (error) => this.#handlers.onError(codeOf(error)));
    this.#servers.push(server);
    return ok(null);
  }

  /** Node counts for each server; the limit is that of all. */
  #accept(socket: Socket): void {
    if (this.#servers.length > 1) {
      if (this.#connections >= this.#connectionsMax) {
        const peer = socket.remoteAddress ?? "";
        socket.on("error", () => {});
        socket.destroy();
        this.#handlers.onDrop(peer);
        return;
      }
      this.#connections++;
      socket.once("close", () => this.#connections--);
    }
    this.#handlers.onConnection(socket);
  }
}

function listenOn(server: Server, options: object): Promise<Result<null, string>> {
  return new Promise((resolve) => {
    const onError = (error: Error): void => resolve(err(codeOf(error)));
    server.once("error", onError);
    server.listen(options, () => {
      server.off("error", onError);
      resolve(ok(null));
    });
  });
}
