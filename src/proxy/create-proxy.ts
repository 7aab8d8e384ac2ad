import type { Socket } from "node:net";
import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import { ServerConnection, type ServerHandler, type ServerRequest } from "../http1/server-connection.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ListenerSettings, Snapshot, TlsSettings, UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { Deadlines } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { Pool } from "../upstream/pool.ts";
import { LongLived } from "./long-lived.ts";
import type { ProxyServer } from "./proxy.ts";
import { denialResponse } from "./respond.ts";
import { Transaction, type TransactionDeps, type TransactionOwner } from "./transaction.ts";

export interface ProxyDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Start of every decision id; differs between processes. */
  readonly idPrefix: string;
  /** 0 to 1, for checks that enforce a share. */
  readonly random?: () => number;
}

export function createProxy(snapshot: Snapshot, deps: ProxyDeps): ProxyServer {
  return new Core(snapshot, deps);
}

/** What all connections share: the snapshot of the moment, the pools, the deadlines. */
class Core implements ProxyServer, TransactionDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly random: () => number;
  snapshot: Snapshot;
  readonly #idPrefix: string;
  readonly deadlines: Deadlines;
  readonly longLived: LongLived;
  readonly #sweeper: NodeJS.Timeout;
  readonly #sessions = new Set<Session>();
  readonly #pools = new Map<string, Pool>();
  readonly #poolKeys = new WeakMap<UpstreamSettings, string>();
  #lastId = 0;
  #draining = false;
  #onDrained: (() => void) | null = null;
  requestsInFlight = 0;

  constructor(snapshot: Snapshot, deps: ProxyDeps) {
    this.snapshot = snapshot;
    this.clock = deps.clock;
    this.telemetry = deps.telemetry;
    this.random = deps.random ?? Math.random;
    this.#idPrefix = deps.idPrefix;
    this.deadlines = new Deadlines(deps.clock);
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
    this.snapshot = snapshot;
    const wanted = new Set([...snapshot.upstreams.values()].map((settings) => this.#keyOf(settings)));
    for (const [key, pool] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      pool.retire();
    }
    const listeners = new Map(snapshot.listeners.map((listener) => [listener.name, listener]));
    for (const session of this.#sessions) {
      const listener = listeners.get(session.listener.name);
      if (listener !== undefined) session.adopt(listener);
    }
    this.longLived.swapped();
  }

  /** The pool of an upstream as `snapshot` has it: a request that began before a reload keeps its upstream. */
  poolOf(snapshot: Snapshot, name: string): Pool {
    const settings = snapshot.upstreams.get(name);
    if (settings === undefined) throw new Error(`upstream '${name}' is not in the snapshot`);
    const key = this.#keyOf(settings);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(settings, this.clock, this.deadlines);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Equal settings give equal keys, so that a reload which leaves an upstream alone leaves its connections alone. */
  #keyOf(settings: UpstreamSettings): string {
    let key = this.#poolKeys.get(settings);
    if (key === undefined) {
      key = JSON.stringify(settings);
      this.#poolKeys.set(settings, key);
    }
    return key;
  }

  serve(socket: Socket, facts: ConnectionFacts, listener: ListenerSettings): void {
    const session = new Session(this, facts, listener);
    this.#sessions.add(session);
    session.connection = new ServerConnection(socket, listener, session, this.clock, this.deadlines);
    if (this.#draining) session.connection.drain();
  }

  onSessionClosed(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#onDrained?.();
  }

  drain(): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions) session.connection?.drain();
    this.longLived.leave(false);
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.longLived.leave(true);
    for (const session of this.#sessions) session.connection?.abort();
    for (const pool of this.#pools.values()) pool.close();
  }
}

/** One client connection: hands each of its requests to a transaction. */
class Session implements ServerHandler, TransactionOwner {
  readonly facts: ConnectionFacts;
  listener: ListenerSettings;
  /** Null where the peer is not one of the listener's trusted proxies. */
  trustedProxies: CidrTable | null;
  connection: ServerConnection | null = null;
  readonly #core: Core;
  #current: Transaction | null = null;

  constructor(core: Core, facts: ConnectionFacts, listener: ListenerSettings) {
    this.#core = core;
    this.facts = facts;
    this.listener = listener;
    this.trustedProxies = trustedProxiesOf(listener, facts);
  }

  /**
   * A new policy's word on the listener, for the requests that follow. A connection whose certificate was judged by other
   * CAs or another revocation list ends with its current request: a revoked client must not live on keep-alive.
   */
  adopt(listener: ListenerSettings): void {
    const before = this.listener.tls;
    this.listener = listener;
    this.trustedProxies = trustedProxiesOf(listener, this.facts);
    if (!sameTrust(before, listener.tls)) this.connection?.drain();
  }

  onRequest(connection: ServerConnection, request: ServerRequest): void {
    this.#core.requestsInFlight++;
    this.#core.telemetry.requestStarted();
    const transaction = new Transaction(this.#core, this, connection, request);
    this.#current = transaction;
    transaction.run();
  }

  onFinished(transaction: Transaction): void {
    this.#core.requestsInFlight--;
    if (this.#current === transaction) this.#current = null;
  }

  /** No exchange came of the bytes: answer, close, report. */
  onFault(connection: ServerConnection, reason: Reason, seen: string, startedMs: number): void {
    const { clock, snapshot, telemetry } = this.#core;
    telemetry.requestStarted();
    const id = this.#core.nextId();
    const denial = new Denial(reason, null, seen, "one valid reading");
    const response = denialResponse(denial, id, snapshot.rewriteResponse, this.facts.secure, null, clock.wallMs());
    connection.startResponse(response.status, response.lines, response.body.length);
    connection.writeBody(response.body);
    const durationMs = clock.monotonicMs() - startedMs;
    telemetry.requestFinished({
      id,
      listener: this.listener.name,
      route: "unmatched",
      policyHash: snapshot.hash,
      exchange: null,
      clientAddress: this.facts.peer.text,
      status: response.status,
      reason,
      denial,
      decisionMs: durationMs,
      upstreamMs: -1,
      durationMs,
      requestBodyBytes: 0,
      responseBodyBytes: response.body.length,
    });
    connection.endResponse();
  }

  onDrain(_connection: ServerConnection): void {
    this.#current?.onClientDrain();
  }

  onClose(_connection: ServerConnection): void {
    this.#current?.onClientClosed();
    this.#core.onSessionClosed(this);
  }
}

function trustedProxiesOf({ trustedProxies }: ListenerSettings, { peer }: ConnectionFacts): CidrTable | null {
  return trustedProxies?.has(peer) === true ? trustedProxies : null;
}

function sameTrust(a: TlsSettings | null, b: TlsSettings | null): boolean {
  if (a === null || b === null) return a === b;
  const same = (one: Buffer | null, other: Buffer | null) => Buffer.compare(one ?? NOTHING, other ?? NOTHING) === 0;
  return a.clientCertificate === b.clientCertificate && same(a.clientCa, b.clientCa) && same(a.clientCrl, b.clientCrl);
}

const NOTHING = Buffer.alloc(0);
