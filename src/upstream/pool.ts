import type { Socket } from "node:net";
import { ClientConnection, type ConnectionOwner } from "../http1/client-connection.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines } from "../support/deadlines.ts";
import { type Dial, Dialer, type DialOwner } from "./dial.ts";
import type { AcquireFailure, Acquirer, Upstream } from "./upstream.ts";
import { WaitingLine } from "./waiting-line.ts";

/**
 * HTTP/1.1 connections to one upstream, at most `connectionsMax` of them; what is beyond waits in a bounded queue. The
 * one used last is used next, so that in quiet times the others age out before the service closes them.
 */
export class Pool implements Upstream, ConnectionOwner, DialOwner {
  readonly settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #dialer: Dialer;
  readonly #idle: ClientConnection[] = [];
  readonly #open = new Set<ClientConnection>();
  readonly #dials = new Set<Dial>();
  readonly #line: WaitingLine;
  #retired = false;

  constructor(settings: UpstreamSettings, clock: Clock, deadlines: Deadlines) {
    this.settings = settings;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#dialer = new Dialer(settings, clock, deadlines);
    this.#line = new WaitingLine(settings.connectTimeoutMs, (one) => this.#onImpatient(one), clock, deadlines);
  }

  acquire(acquirer: Acquirer, fresh = false): void {
    const connection = fresh ? undefined : this.#takeIdle();
    if (connection !== undefined) acquirer.onConnection(connection);
    else if (this.#hasRoom) this.#dial(acquirer);
    else if (!this.#line.isFull) this.#line.join(acquirer);
    else acquirer.onAcquireFailure("upstream_overloaded", `${this.settings.connectionsMax} connections busy`);
  }

  cancel(acquirer: Acquirer): void {
    this.#line.leave(acquirer);
    for (const dial of this.#dials) if (dial.acquirer === acquirer) dial.acquirer = null;
  }

  retire(): void {
    this.#retired = true;
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

  onDialed(dial: Dial, socket: Socket): void {
    this.#dials.delete(dial);
    const connection = new ClientConnection(socket, this, this.#clock, this.#deadlines);
    this.#open.add(connection);
    if (dial.acquirer === null) this.onReusable(connection);
    else dial.acquirer.onConnection(connection);
  }

  onDialFailed(dial: Dial, failure: AcquireFailure, detail: string): void {
    this.#dials.delete(dial);
    dial.acquirer?.onAcquireFailure(failure, detail);
    this.#serveWaiting();
  }

  onReusable(connection: ClientConnection): void {
    const next = this.#line.next();
    if (next !== undefined) next.onConnection(connection);
    else if (this.#retired) connection.abort();
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
    if (!this.#hasRoom) return;
    const next = this.#line.next();
    if (next !== undefined) this.#dial(next);
  }

  #onImpatient(acquirer: Acquirer): void {
    acquirer.onAcquireFailure("upstream_overloaded", `no free connection in ${this.settings.connectTimeoutMs} ms`);
  }
}
