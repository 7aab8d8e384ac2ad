import type { CidrTable } from "../matching/cidr-table.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ListenerSettings, TlsSettings } from "../policy/snapshot.ts";
import type { TransactionDeps } from "./transaction-deps.ts";

/** One client connection, whatever it speaks. */
export interface ClientSession {
  readonly listener: ListenerSettings;
  /**
   * A new policy's word on the listener, for the requests that follow. A connection whose certificate was judged by other
   * CAs or another revocation list ends with its current requests: a revoked client must not live on keep-alive.
   */
  adopt(listener: ListenerSettings): void;
  /** No further request; closes when those under way are answered. */
  drain(): void;
  abort(): void;
}

/** What all sessions share. */
export interface SessionHost extends TransactionDeps {
  requestsInFlight: number;
  onSessionClosed(session: ClientSession): void;
}

/** Null where the peer is not one of the listener's trusted proxies. */
export function trustedProxiesOf({ trustedProxies }: ListenerSettings, { peer }: ConnectionFacts): CidrTable | null {
  return trustedProxies?.has(peer) === true ? trustedProxies : null;
}

export function sameTrust(a: TlsSettings | null, b: TlsSettings | null): boolean {
  if (a === null || b === null) return a === b;
  const same = (one: Buffer | null, other: Buffer | null) => Buffer.compare(one ?? NOTHING, other ?? NOTHING) === 0;
  return a.clientCertificate === b.clientCertificate && same(a.clientCa, b.clientCa) && same(a.clientCrl, b.clientCrl);
}

const NOTHING = Buffer.alloc(0);
