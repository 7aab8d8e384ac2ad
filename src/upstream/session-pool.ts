import type { Socket } from "node:net";
import { ClientSession, type SessionOwner } from "../http2/client-session.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Dial, Dialer, type DialOwner } from "./dial.ts";
import type { AcquireFailure, Acquirer, Upstream } from "./upstream.ts";
import { WaitingLine } from "./waiting-line.ts";

/**
 * HTTP/2 sessions to one upstream. One carries all requests as long as the service allows it more streams; only then
 * comes another, at most `connectionsMax` of them, and what is beyond waits in a bounded queue.
 */
export class SessionPool implements Upstream, SessionOwner, DialOwner {
  readonly settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #dialer: Dialer;
  /** Those that may take new streams. */
  readonly #live = new Set<ClientSession>();
  /** Those that only finish what they have begun. */
  readonly #leaving = new Set<ClientSession>();
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

  /** A session that is going away takes no new streams, so none needs to be asked for afresh. */
  acquire(acquirer: Acquirer): void {
    const session = this.#sessionWithRoom();
    if (session !== null) acquirer.onConnection(session.openStream());
    else if (this.#line.isFull) acquirer.onAcquireFailure("upstream_overloaded", "every stream is busy");
    else {
      this.#line.join(acquirer);
      this.#dialIfNeeded();
    }
  }

  cancel(acquirer: Acquirer): void {
    this.#line.leave(acquirer);
  }

  retire(): void {
    this.#retired = true;
    for (const session of this.#live) session.retire();
  }

  close(): void {
    this.#retired = true;
    for (const dial of this.#dials) dial.abandon();
    for (const session of [...this.#live, ...this.#leaving]) session.destroy();
  }

  #sessionWithRoom(): ClientSession | null {
    for (const session of this.#live) if (session.hasRoom) return session;
    return null;
  }

  #dialIfNeeded(): void {
    let coming = this.#dials.size;
    for (const session of this.#live) if (!session.isSettled) coming++;
    if (this.#line.length <= coming * DEFAULTS.upstreamStreamsMax) return;
    if (this.#live.size + this.#leaving.size + this.#dials.size >= this.settings.connectionsMax) return;
    this.#dials.add(this.#dialer.dial(this, null));
  }

  onDialed(dial: Dial, socket: Socket): void {
    this.#dials.delete(dial);
    const scheme = this.settings.tls === null ? "http" : "https";
    const session = new ClientSession(socket, scheme, this.settings, this, this.#clock, this.#deadlines);
    this.#live.add(session);
    this.onRoom(session);
    if (this.#retired) session.retire();
  }

  /** Those who wait for this service wait in vain, unless another connection of it is alive or on its way. */
  onDialFailed(dial: Dial, failure: AcquireFailure, detail: string): void {
    this.#dials.delete(dial);
    if (this.#live.size + this.#dials.size > 0) return;
    // As many as there are now: who comes back at once begins a new attempt.
    for (let left = this.#line.length; left > 0; left--) this.#line.next()?.onAcquireFailure(failure, detail);
  }

  isAwaited(): boolean {
    return this.#line.length > 0;
  }

  onRoom(session: ClientSession): void {
    while (session.hasRoom) {
      const next = this.#line.next();
      if (next === undefined) return;
      next.onConnection(session.openStream());
    }
    if (this.#line.length > 0) this.#dialIfNeeded();
  }

  onGone(session: ClientSession): void {
    if (this.#live.delete(session)) this.#leaving.add(session);
    if (this.#line.length > 0) this.#dialIfNeeded();
  }

  onClosed(session: ClientSession): void {
    this.#leaving.delete(session);
    if (this.#line.length > 0) this.#dialIfNeeded();
  }

  #onImpatient(acquirer: Acquirer): void {
    const { connectTimeoutMs } = this.settings;
    if (this.#dials.size > 0 && this.#live.size === 0) {
      acquirer.onAcquireFailure("upstream_connect_timeout", `no connection in ${connectTimeoutMs} ms`);
    } else acquirer.onAcquireFailure("upstream_overloaded", `no free stream in ${connectTimeoutMs} ms`);
  }
}
