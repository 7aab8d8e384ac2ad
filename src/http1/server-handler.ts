import type { ServerRequest } from "../message/stream.ts";
import type { Http1CloseReason } from "./close-reason.ts";
import type { HeadFault } from "./head.ts";
import type { LingerRoom } from "./linger.ts";

/** What a connection tells its owner. Per connection there is at most one request at a time. */
export interface ServerHandler<Connection> {
  readonly lingerRoom: LingerRoom;
  onRequest(connection: Connection, request: ServerRequest): void;
  /** The request has no valid reading; its answer is the connection's last. */
  onFault(connection: Connection, fault: HeadFault, startedMs: number): void;
  /** The client takes more bytes again. */
  onDrain(connection: Connection): void;
  /** Once, when the socket is gone, whatever the reason. */
  onClose(connection: Connection, reason: Http1CloseReason): void;
}
