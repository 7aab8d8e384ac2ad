import type { Socket } from "node:net";
import type { Http1CloseReason } from "../http1/close-reason.ts";
import type { HeadFault } from "../http1/head.ts";
import { ServerConnection } from "../http1/server-connection.ts";
import type { ServerHandler } from "../http1/server-handler.ts";
import { Charge } from "../memory/account.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ServerRequest } from "../message/stream.ts";
import type { ListenerSettings } from "../policy/snapshot.ts";
import type { Deadlines } from "../support/deadlines.ts";
import { ClientSession, type SessionHost } from "./client-session.ts";
import type { Transaction } from "./transaction.ts";

/** One HTTP/1.1 connection of a client: its requests get a transaction each, one after the other. */
export class Http1Session extends ClientSession implements ServerHandler<ServerConnection> {
  readonly #connection: ServerConnection;
  #current: Transaction | null = null;

  constructor(
    host: SessionHost,
    socket: Socket,
    facts: ConnectionFacts,
    listener: ListenerSettings,
    deadlines: Deadlines,
  ) {
    super(host, facts, listener);
    const bodies = (): Charge => new Charge(host.memory.bodies, this.client);
    this.#connection = new ServerConnection(socket, listener, this, host.clock, deadlines, bodies);
  }

  override drain(): void {
    this.#connection.drain();
  }

  override abort(reason: Http1CloseReason): void {
    this.#connection.end(reason);
  }

  override giveWay(): boolean {
    return this.#connection.giveWay("memory_connections");
  }

  onRequest(connection: ServerConnection, request: ServerRequest): void {
    this.#current = this.begin(connection, request);
    this.#current.run();
  }

  override onFinished(transaction: Transaction): void {
    super.onFinished(transaction);
    if (this.#current === transaction) this.#current = null;
  }

  onFault(connection: ServerConnection, fault: HeadFault, startedMs: number): void {
    this.#current = this.refuse(connection, fault, startedMs);
    this.#current.run();
  }

  onDrain(_connection: ServerConnection): void {
    this.#current?.onClientDrain();
  }

  onClose(connection: ServerConnection, reason: Http1CloseReason): void {
    this.#current?.onClientClosed(connection.writeTimedOut ? "client_read_timeout" : "client_closed");
    this.host.telemetry.http1ConnectionClosed(this.facts.listener, reason);
    this.host.onSessionClosed(this);
  }
}
