import type { Socket } from "node:net";
import { ClientConnection, type ConnectionOwner } from "../http1/client-connection.ts";
import type { SocketReads } from "../http1/socket-reads.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Dial, Dialer, type DialOwner } from "./dial.ts";
import { FairShare } from "./fair-share.ts";
import type { AcquireFailure, Acquirer, Upstream } from "./upstream.ts";
import { WaitingLine } from "./waiting-line.ts";

/**
 * HTTP/1.1 connections to one upstream, at most `connectionsMax` of them; what is beyond waits in a bounded queue. The
 * one used last is used next, so that in quiet times the others age out before the service closes them.
 */
export class Pool implements Upstream, ConnectionOwner, DialOwner, Timed {
  readonly settings: UpstreamSettings;
  /** When to look again for a connection to reclaim; finite while somebody waits. */
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #dialer: Dialer;
  readonly #idle: ClientConnection[] = [];
  readonly #open = new Set<ClientConnection>();
  /** Taken from their clients, and not closed yet. */
  readonly #leaving = new Set<ClientConnection>();
  readonly #dials = new Set<Dial>();
  readonly #line: WaitingLine;
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, deadlines: Deadlines) {
    this.settings = settings;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#dialer = new Dialer(settings, clock, deadlines);
    this.#line = new WaitingLine(settings.connectTimeoutMs, (one) => this.#onImpatient(one), clock, deadlines);
    deadlines.add(this);
  }

  acquire(acquirer: Acquirer, fresh = false): void {
    const connection = fresh ? undefined : this.#takeIdle();
    if (connection !== undefined) handOver(connection, acquirer);
    else if (this.#hasRoom) this.#dial(acquirer);
    else if (!this.#line.isFull) this.#wait(acquirer);
    else acquirer.onAcquireFailure("upstream_overloaded", `${this.settings.connectionsMax} connections busy`);
  }

  cancel(acquirer: Acquirer): void {
    this.#line.leave(acquirer);
    for (const dial of this.#dials) if (dial.acquirer === acquirer) dial.acquirer = null;
  }

  retire(): void {
    this.#retired = true;
    this.#deadlines.remove(this);
    for (const connection of this.#idle.splice(0)) connection.abort();
  }

  close(): void {
    this.retire();
    for (const dial of this.#dials) dial.abandon();
    for (const connection of this.#open) connection.abort();
  }

  get #hasRoom(): boolean {
    return this.#open.size + this.#dials.size < this.settings.connectionsMax;
  }

  #takeIdle(): ClientConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || !connection.closed) return connection;
    }
  }

  #dial(acquirer: Acquirer): void {
    this.#dials.add(this.#dialer.dial(this, acquirer));
  }

  #wait(acquirer: Acquirer): void {
    this.#line.join(acquirer);
    this.#reclaim();
  }

  onDeadline(): void {
    this.#reclaim();
  }

  /** One who waits gets the connection when its socket has closed. */
  #reclaim(): void {
    const nowMs = this.#clock.monotonicMs();
    while (this.#leaving.size < this.#line.length) {
      const share = new FairShare(this.#open);
      const waiter = share.next(this.#line.waiting);
      const victim = waiter === undefined ? undefined : share.reclaim(this.#open, waiter, nowMs);
      if (victim === undefined) break;
      victim.holder = "";
      this.#leaving.add(victim);
      victim.yield();
    }
    this.deadlineMs = this.#line.length === 0 ? Number.POSITIVE_INFINITY : nowMs + DEFAULTS.slowClientYieldMs;
  }

  /** Who is next leaves the line. */
  #nextWaiting(): Acquirer | undefined {
    if (this.#line.length === 0) return undefined;
    const next = new FairShare(this.#open).next(this.#line.waiting);
    if (next !== undefined) this.#line.leave(next);
    return next;
  }

  onDialed(dial: Dial, socket: Socket, reads: SocketReads): void {
    this.#dials.delete(dial);
    const connection = new ClientConnection(socket, reads, this.settings, this, this.#clock, this.#deadlines);
    this.#open.add(connection);
    if (dial.acquirer === null) this.onReusable(connection);
    else handOver(connection, dial.acquirer);
  }

  onDialFailed(dial: Dial, failure: AcquireFailure, detail: string): void {
    this.#dials.delete(dial);
    dial.acquirer?.onAcquireFailure(failure, detail);
    this.#serveWaiting();
  }

  isAwaited({ acquirer }: Dial): boolean {
    return acquirer !== null || this.#line.length > 0;
  }

  onReusable(connection: ClientConnection): void {
    connection.holder = "";
    const next = this.#nextWaiting();
    if (next !== undefined) handOver(connection, next);
    else if (this.#retired || connection.restMsMax <= 0) connection.abort();
    else {
      connection.deadlineMs = this.#clock.monotonicMs() + Math.min(this.settings.idleTimeoutMs, connection.restMsMax);
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
    this.#leaving.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#serveWaiting();
  }

  #serveWaiting(): void {
    if (!this.#hasRoom) return;
    const next = this.#nextWaiting();
    if (next !== undefined) this.#dial(next);
  }

  #onImpatient(acquirer: Acquirer): void {
    acquirer.onAcquireFailure("upstream_overloaded", `no free connection in ${this.settings.connectTimeoutMs} ms`);
  }
}

function handOver(connection: ClientConnection, acquirer: Acquirer): void {
  connection.holder = acquirer.client;
  acquirer.onConnection(connection);
}
