import { connect, type NetConnectOpts, type Socket } from "node:net";
import { ClientConnection, type ConnectionOwner } from "../http1/client-connection.ts";
import type { ClientStream } from "../message/stream.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";

export type AcquireFailure = "upstream_connect_failed" | "upstream_connect_timeout" | "upstream_overloaded";

/** Who waits for a connection to the service. */
export interface Acquirer {
  onConnection(connection: ClientStream): void;
  onAcquireFailure(failure: AcquireFailure, detail: string): void;
}

/**
 * Connections to one upstream, at most `connectionsMax` of them; what is beyond waits in a bounded queue. The one used
 * last is used next, so that in quiet times the others age out before the service closes them.
 */
export class Pool implements ConnectionOwner {
  readonly settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #idle: ClientConnection[] = [];
  readonly #open = new Set<ClientConnection>();
  readonly #connecting = new Set<Connecting>();
  readonly #waiting = new Map<Acquirer, Timed>();
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, deadlines: Deadlines) {
    this.settings = settings;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  /** Calls back at once where a connection is idle. `fresh` asks for one that has carried nothing yet. */
  acquire(acquirer: Acquirer, fresh = false): void {
    const connection = fresh ? undefined : this.#takeIdle();
    if (connection !== undefined) acquirer.onConnection(connection);
    else if (this.#open.size + this.#connecting.size < this.settings.connectionsMax) this.#connect(acquirer);
    else if (this.#waiting.size < DEFAULTS.upstreamQueueMax) this.#wait(acquirer);
    else acquirer.onAcquireFailure("upstream_overloaded", `${this.settings.connectionsMax} connections busy`);
  }

  /** The acquirer no longer wants one. */
  cancel(acquirer: Acquirer): void {
    this.#stopWaiting(acquirer);
    for (const connecting of this.#connecting) if (connecting.acquirer === acquirer) connecting.acquirer = null;
  }

  /** No new use; idle connections close now, busy ones after their answer. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.abort();
  }

  /** Destroys every connection. */
  close(): void {
    this.retire();
    for (const connecting of this.#connecting) connecting.socket.destroy();
    for (const connection of this.#open) connection.abort();
  }

  #takeIdle(): ClientConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || !connection.closed) return connection;
    }
  }

  #wait(acquirer: Acquirer): void {
    const timed: Timed = {
      deadlineMs: this.#clock.monotonicMs() + this.settings.connectTimeoutMs,
      onDeadline: () => {
        this.#stopWaiting(acquirer);
        acquirer.onAcquireFailure("upstream_overloaded", `no free connection in ${this.settings.connectTimeoutMs} ms`);
      },
    };
    this.#waiting.set(acquirer, timed);
    this.#deadlines.add(timed);
  }

  #stopWaiting(acquirer: Acquirer): void {
    const timed = this.#waiting.get(acquirer);
    if (timed !== undefined) this.#deadlines.remove(timed);
    this.#waiting.delete(acquirer);
  }

  #connect(acquirer: Acquirer): void {
    const socket = connect(socketOptions(this.settings));
    const connecting: Connecting = {
      acquirer,
      socket,
      deadlineMs: this.#clock.monotonicMs() + this.settings.connectTimeoutMs,
      onDeadline: () => fail("upstream_connect_timeout", `no connection in ${this.settings.connectTimeoutMs} ms`),
    };
    const settle = (): boolean => {
      this.#deadlines.remove(connecting);
      return this.#connecting.delete(connecting);
    };
    const fail = (failure: AcquireFailure, detail: string): void => {
      if (!settle()) return;
      socket.destroy();
      connecting.acquirer?.onAcquireFailure(failure, detail);
      this.#serveWaiting();
    };
    this.#connecting.add(connecting);
    this.#deadlines.add(connecting);
    socket.once("error", (error: NodeJS.ErrnoException) => fail("upstream_connect_failed", error.code ?? "error"));
    socket.once("close", () => fail("upstream_connect_failed", "closed"));
    socket.once("connect", () => {
      if (!settle()) return;
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      this.#onConnected(socket, connecting.acquirer);
    });
  }

  #onConnected(socket: Socket, acquirer: Acquirer | null): void {
    const connection = new ClientConnection(socket, this, this.#clock, this.#deadlines);
    this.#open.add(connection);
    if (acquirer === null) this.onReusable(connection);
    else acquirer.onConnection(connection);
  }

  onReusable(connection: ClientConnection): void {
    const next = first(this.#waiting);
    if (next !== undefined) {
      this.#stopWaiting(next);
      next.onConnection(connection);
    } else if (this.#retired) connection.abort();
    else {
      connection.deadlineMs = this.#clock.monotonicMs() + this.settings.idleTimeoutMs;
      this.#idle.push(connection);
    }
  }

  /** Counted no longer: WebSockets that last for hours must not keep plain requests from the service. */
  onUpgraded(connection: ClientConnection): void {
    this.#open.delete(connection);
    this.#serveWaiting();
  }

  onClosed(connection: ClientConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#serveWaiting();
  }

  #serveWaiting(): void {
    const next = first(this.#waiting);
    if (next === undefined || this.#open.size + this.#connecting.size >= this.settings.connectionsMax) return;
    this.#stopWaiting(next);
    this.#connect(next);
  }
}

interface Connecting extends Timed {
  acquirer: Acquirer | null;
  readonly socket: Socket;
}

function socketOptions(settings: UpstreamSettings): NetConnectOpts {
  const address = settings.address;
  return address.type === "unix"
    ? { path: address.path }
    : { host: address.host, port: address.port, noDelay: true, keepAlive: true };
}

function first<K>(map: ReadonlyMap<K, unknown>): K | undefined {
  for (const key of map.keys()) return key;
  return undefined;
}
