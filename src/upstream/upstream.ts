import type { ClientStream } from "../message/stream.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Waiter } from "./fair-share.ts";

export type AcquireFailure =
  | "upstream_connect_failed"
  | "upstream_connect_timeout"
  | "upstream_tls_failed"
  | "upstream_overloaded"
  | "overloaded";

/** Who waits for a way to the service. */
export interface Acquirer extends Waiter {
  onConnection(stream: ClientStream): void;
  onAcquireFailure(failure: AcquireFailure, detail: string): void;
}

/** All connections to one service, whatever it speaks. */
export interface Upstream {
  readonly settings: UpstreamSettings;
  /** Calls back at once where it can. `fresh` asks for a connection that no keep-alive race can have ended. */
  acquire(acquirer: Acquirer, fresh?: boolean): void;
  /** The acquirer no longer wants one. */
  cancel(acquirer: Acquirer): void;
  /** No new use; idle connections close now, busy ones after their last answer. */
  retire(): void;
  /** Destroys every connection. */
  close(): void;
}
