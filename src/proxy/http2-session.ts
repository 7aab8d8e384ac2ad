import type { Socket } from "node:net";
import type { HeadFault } from "../http1/head.ts";
import type { Http2CloseReason } from "../http2/close-reason.ts";
import type { Http2Handler } from "../http2/server-handler.ts";
import { ServerSession } from "../http2/server-session.ts";
import type { StreamConnection } from "../http2/server-stream.ts";
import type { Http2Unjudged } from "../http2/unjudged.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ServerRequest } from "../message/stream.ts";
import type { ListenerSettings } from "../policy/snapshot.ts";
import type { Deadlines } from "../support/deadlines.ts";
import { ClientSession, type SessionHost } from "./client-session.ts";

/** One HTTP/2 connection of a client: each of its streams gets a transaction of its own. */
export class Http2Session extends ClientSession implements Http2Handler {
  readonly #session: ServerSession;

  constructor(
    host: SessionHost,
    socket: Socket,
    facts: ConnectionFacts,
    listener: ListenerSettings,
    deadlines: Deadlines,
  ) {
    super(host, facts, listener);
    const carrier = {
      secure: facts.secure,
      anyScheme: this.trustedProxies !== null,
      unix: listener.address.type === "unix",
    };
    const memory = { budget: host.memory, client: this.client };
    this.#session = new ServerSession(socket, carrier, listener, this, host.clock, deadlines, memory);
  }

  override drain(): void {
    this.#session.drain();
  }

  override abort(reason: Http2CloseReason): void {
    this.#session.abort(reason);
  }

  override giveWay(): boolean {
    return this.#session.giveWay();
  }

  onRequest(stream: StreamConnection, request: ServerRequest): void {
    const transaction = this.begin(stream, request);
    stream.owner = transaction;
    transaction.run();
  }

  onFault(stream: StreamConnection, fault: HeadFault, startedMs: number): void {
    const transaction = this.refuse(stream, fault, startedMs);
    stream.owner = transaction;
    transaction.run();
  }

  onUnjudged(why: Http2Unjudged): void {
    this.host.telemetry.http2RequestUnjudged(this.facts.listener, why);
  }

  onClose(reason: Http2CloseReason, seen: string): void {
    this.host.telemetry.http2SessionClosed(this.facts.listener, reason, this.facts.peer.text, seen);
    this.host.onSessionClosed(this);
  }
}
