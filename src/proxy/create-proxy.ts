import type { Socket } from "node:net";
import { LingerRoom } from "../http1/linger.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ListenerSettings, Snapshot, UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { Deadlines } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { createUpstream, upstreamKey } from "../upstream/create-upstream.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Beside } from "./beside.ts";
import type { ClientSession, SessionHost } from "./client-session.ts";
import { Http1Session } from "./http1-session.ts";
import { Http2Session } from "./http2-session.ts";
import { LongLived } from "./long-lived.ts";
import type { ProxyServer } from "./proxy.ts";

export interface ProxyDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly memory: MemoryBudget;
  /** Start of every decision id; differs between processes. */
  readonly idPrefix: string;
  /** 0 to 1, for checks that enforce a share. */
  readonly random?: () => number;
  /** Those of all connections, swept four times a second; who passes them may sweep them too. */
  readonly deadlines?: Deadlines;
}

export function createProxy(snapshot: Snapshot, deps: ProxyDeps): ProxyServer {
  return new Core(snapshot, deps);
}

/** What all connections share: the snapshot of the moment, the pools, the deadlines. */
class Core implements ProxyServer, SessionHost {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly memory: MemoryBudget;
  readonly random: () => number;
  snapshot: Snapshot;
  readonly #idPrefix: string;
  readonly deadlines: Deadlines;
  readonly longLived: LongLived;
  readonly #sweeper: NodeJS.Timeout;
  readonly #sessions = new Set<ClientSession>();
  readonly #pools = new Map<string, Upstream>();
  readonly #poolKeys = new WeakMap<UpstreamSettings, string>();
  #lastId = 0;
  #draining = false;
  #onDrained: (() => void) | null = null;
  readonly lingerRoom = new LingerRoom();
  beside: Beside | null = null;
  guard: Beside | null = null;
  requestsBegun = 0;
  requestsInFlight = 0;

  constructor(snapshot: Snapshot, deps: ProxyDeps) {
    this.snapshot = snapshot;
    this.clock = deps.clock;
    this.telemetry = deps.telemetry;
    this.memory = deps.memory;
    this.random = deps.random ?? Math.random;
    this.#idPrefix = deps.idPrefix;
    this.deadlines = deps.deadlines ?? new Deadlines(deps.clock);
    this.longLived = new LongLived({
      clock: deps.clock,
      deadlines: this.deadlines,
      random: this.random,
      snapshot: () => this.snapshot,
      defer: setImmediate,
    });
    this.#sweeper = setInterval(() => this.deadlines.sweep(), DEFAULTS.sweepIntervalMs);
    this.#sweeper.unref();
  }

  get connectionsOpen(): number {
    return this.#sessions.size;
  }

  nextId(): string {
    this.#lastId++;
    return `${this.#idPrefix}-${this.#lastId.toString(36)}`;
  }

  swap(snapshot: Snapshot): void {
    // Their keys may be gone, and the memory is another's from here on.
    const kept = new Set(snapshot.authenticators.values());
    for (const authenticator of this.snapshot.authenticators.values()) {
      if (!kept.has(authenticator)) authenticator.forget?.();
    }
    this.snapshot = snapshot;
    const wanted = new Set([...snapshot.upstreams.values()].map((settings) => this.#keyOf(settings)));
    for (const [key, pool] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      pool.retire();
    }
    for (const session of this.#sessions) this.#bringUpToDate(session);
    this.longLived.swapped();
  }

  /**
   * A listener is the same while its name or its address is. A connection of one that is gone ends with its request, for
   * nothing says any more whom it may trust and where its requests go.
   */
  #bringUpToDate(session: ClientSession): void {
    const { listeners } = this.snapshot;
    const { name, address } = session.listener;
    const listener =
      listeners.find((one) => one.name === name) ??
      listeners.find((one) => JSON.stringify(one.address) === JSON.stringify(address));
    if (listener === undefined) session.drain();
    else if (listener !== session.listener) session.adopt(listener);
  }

  /** The pool of an upstream as `snapshot` has it: a request that began before a reload keeps its upstream. */
  poolOf(snapshot: Snapshot, name: string): Upstream {
    const settings = snapshot.upstreams.get(name);
    if (settings === undefined) throw new Error(`upstream '${name}' is not in the snapshot`);
    const key = this.#keyOf(settings);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = createUpstream(settings, this.clock, this.deadlines);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #keyOf(settings: UpstreamSettings): string {
    let key = this.#poolKeys.get(settings);
    if (key === undefined) {
      key = upstreamKey(settings);
      this.#poolKeys.set(settings, key);
    }
    return key;
  }

  serve(socket: Socket, facts: ConnectionFacts, listener: ListenerSettings): void {
    // Gone between its handshake and here: there will be no `close` to end a session by.
    if (socket.destroyed) return;
    const session =
      facts.protocol === "h2"
        ? new Http2Session(this, socket, facts, listener, this.deadlines)
        : new Http1Session(this, socket, facts, listener, this.deadlines);
    this.#sessions.add(session);
    if (!this.memory.connections.enter(session, session.restingBytes)) {
      session.abort("memory_connections");
      return;
    }
    // The policy may have changed during its handshake.
    this.#bringUpToDate(session);
    if (this.#draining) session.drain();
  }

  onSessionClosed(session: ClientSession): void {
    this.#sessions.delete(session);
    this.memory.connections.leave(session);
    if (this.#sessions.size === 0) this.#onDrained?.();
  }

  drain(): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions) session.drain();
    this.longLived.leave(false);
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.longLived.leave(true);
    for (const session of this.#sessions) session.abort("drained");
    for (const pool of this.#pools.values()) pool.close();
  }
}
