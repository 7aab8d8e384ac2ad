import type { Reason } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import type { HttpProtocol } from "../message/connection.ts";
import type { Exchange } from "../message/exchange.ts";

/** Everything that is told about one request, once, when it is over. */
export interface RequestRecord {
  /** Id of the decision: in the answer's problem document and in the log line. */
  readonly id: string;
  readonly listener: string;
  /** The route's template; `unmatched` where none matched. */
  readonly route: string;
  readonly protocol: HttpProtocol;
  readonly policyHash: string;
  /** Of a request that could not be read, with an empty method. */
  readonly exchange: Exchange;
  /** Address of the socket's peer or, where trusted, what it forwarded. */
  readonly clientAddress: string;
  /** Status that the client got; 499 where it went away before; of a gRPC call that was denied the reason's, not 200. */
  readonly status: number;
  /** gRPC status of a call that postern itself ended; null for anything else. */
  readonly grpcStatus: number | null;
  /** Null where the service's answer went to the client whole. */
  readonly reason: Reason | null;
  readonly denial: Denial | null;
  /** Milliseconds from the first byte of the head to the verdict. */
  readonly decisionMs: number;
  /** Milliseconds from forwarding to the service's head; negative where nothing was forwarded. */
  readonly upstreamMs: number;
  readonly durationMs: number;
  readonly requestBodyBytes: number;
  readonly responseBodyBytes: number;
}
