import type { HeadFault } from "../http1/head.ts";
import type { LingerRoom } from "../http1/linger.ts";
import type { ServerRequest } from "../message/stream.ts";
import type { Http2CloseReason } from "./close-reason.ts";
import type { StreamConnection } from "./server-stream.ts";
import type { Http2Unjudged } from "./unjudged.ts";

/** What a session tells its owner. */
export interface Http2Handler {
  readonly lingerRoom: LingerRoom;
  onRequest(stream: StreamConnection, request: ServerRequest): void;
  /** The request has no valid reading. */
  onFault(stream: StreamConnection, fault: HeadFault, startedMs: number): void;
  /** A request came that nobody is asked about. */
  onUnjudged(why: Http2Unjudged): void;
  /** Once, when the connection is gone and every stream was told so. `seen`: what was wrong, empty for nothing. */
  onClose(reason: Http2CloseReason, seen: string): void;
}
