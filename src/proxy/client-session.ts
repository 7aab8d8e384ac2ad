import { Denial } from "../decision/verdict.ts";
import type { HeadFault } from "../http1/head.ts";
import type { LingerRoom } from "../http1/linger.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import type { Client } from "../memory/account.ts";
import type { Holder } from "../memory/yielding-account.ts";
import { clientOf } from "../message/address.ts";
import { EMPTY_BODY } from "../message/body.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ServerRequest, ServerStream } from "../message/stream.ts";
import type { ListenerSettings, TlsSettings } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Transaction, type TransactionOwner } from "./transaction.ts";
import type { TransactionDeps } from "./transaction-deps.ts";

/** One client connection, whatever it speaks: its requests, whom it may trust, and for how long. */
export abstract class ClientSession implements TransactionOwner, Holder {
  readonly facts: ConnectionFacts;
  readonly client: Client;
  listener: ListenerSettings;
  /** Null where the peer is not one of the listener's trusted proxies. */
  trustedProxies: CidrTable | null;
  /** The client's certificate was judged by CAs or a revocation list that are not the listener's any more. */
  outlivedTrust = false;
  protected readonly host: SessionHost;

  constructor(host: SessionHost, facts: ConnectionFacts, listener: ListenerSettings) {
    this.host = host;
    this.facts = facts;
    this.listener = listener;
    this.trustedProxies = trustedProxiesOf(listener, facts);
    this.client = clientOf(facts.peer, this.trustedProxies !== null);
  }

  /** What the connection costs when it is at nothing. */
  get restingBytes(): number {
    return this.facts.secure ? DEFAULTS.memoryTlsConnectionBytes : DEFAULTS.memoryPlainConnectionBytes;
  }

  /** How many of all clients may have what they send read away at length. */
  get lingerRoom(): LingerRoom {
    return this.host.lingerRoom;
  }

  /** A request has come; the transaction is still to be run. */
  protected begin(stream: ServerStream, request: ServerRequest): Transaction {
    this.host.requestsBegun++;
    this.host.requestsInFlight++;
    this.host.telemetry.requestStarted();
    return new Transaction(this.host, this, stream, request);
  }

  /** A request has come that has no valid reading: whoever sent it is judged, and then told so. */
  protected refuse(stream: ServerStream, { reason, seen, headers }: HeadFault, startedMs: number): Transaction {
    const nothing = { method: "", target: "", authority: "", body: EMPTY_BODY, upgrade: null };
    const transaction = this.begin(stream, { ...nothing, headers, startedMs });
    transaction.fault = new Denial(reason, null, seen, "one valid reading");
    return transaction;
  }

  onFinished(_transaction: Transaction): void {
    this.host.requestsInFlight--;
  }

  /**
   * A new policy's word on the listener, for the requests that follow. A connection whose certificate was judged by other
   * CAs or another revocation list ends with its current requests: a revoked client must not live on keep-alive.
   */
  adopt(listener: ListenerSettings): void {
    const before = this.listener.tls;
    this.listener = listener;
    this.trustedProxies = trustedProxiesOf(listener, this.facts);
    if (sameTrust(before, listener.tls)) return;
    this.outlivedTrust = true;
    this.drain();
  }

  /** No further request; closes when those under way are answered. */
  abstract drain(): void;
  /** Ends at once, whatever is under way. */
  abstract abort(reason: "drained" | "memory_connections"): void;
  /** Ends at once where no request is under way. */
  abstract giveWay(): boolean;
}

/** What all sessions share. */
export interface SessionHost extends TransactionDeps {
  requestsBegun: number;
  requestsInFlight: number;
  readonly lingerRoom: LingerRoom;
  onSessionClosed(session: ClientSession): void;
}

function trustedProxiesOf({ trustedProxies }: ListenerSettings, { peer }: ConnectionFacts): CidrTable | null {
  return trustedProxies?.has(peer) === true ? trustedProxies : null;
}

function sameTrust(a: TlsSettings | null, b: TlsSettings | null): boolean {
  if (a === null || b === null) return a === b;
  const same = (one: Buffer | null, other: Buffer | null) => Buffer.compare(one ?? NOTHING, other ?? NOTHING) === 0;
  if (a.clientCertificate !== b.clientCertificate || a.trust?.text !== b.trust?.text) return false;
  return same(a.clientCa, b.clientCa) && same(a.clientCrl, b.clientCrl);
}

const NOTHING = Buffer.alloc(0);
