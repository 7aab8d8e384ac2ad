import type { Socket } from "node:net";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ListenerSettings, Snapshot } from "../policy/snapshot.ts";
import type { Beside } from "./beside.ts";

/** The data path as the daemon sees it: give it sockets, swap its snapshot, drain it. */
export interface ProxyServer {
  /** Who judges requests once more, by another policy; null for nobody. */
  beside: Beside | null;
  /** Who does so for a policy that has just come into force; null for nobody. */
  guard: Beside | null;
  /** The snapshot that requests which begin now will keep. */
  readonly snapshot: Snapshot;
  /** Ever. */
  readonly requestsBegun: number;
  readonly requestsInFlight: number;
  readonly connectionsOpen: number;
  swap(snapshot: Snapshot): void;
  /** Serves `facts.protocol` on a connected socket (after TLS) until it closes. */
  serve(socket: Socket, facts: ConnectionFacts, listener: ListenerSettings): void;
  /** Idle connections close now, busy ones after their answer; resolves when none is left. */
  drain(): Promise<void>;
  /** Destroys every connection, client and upstream side. */
  close(): void;
}
