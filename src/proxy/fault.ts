import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { ServerStream } from "../message/stream.ts";
import { isGrpcType } from "./grpc.ts";
import { denialResponse, grpcDenialResponse } from "./respond.ts";
import type { TransactionDeps } from "./transaction-deps.ts";

/** A message from which no exchange came. */
export interface Fault {
  readonly reason: Reason;
  readonly seen: string;
  /** Monotonic milliseconds at the message's first byte. */
  readonly startedMs: number;
  /** Of the request, as far as it could be read: a gRPC call is answered as one. Empty where nothing is known. */
  readonly contentType: string;
}

/** Answers what could not be read, and reports it. */
export function answerFault(deps: TransactionDeps, facts: ConnectionFacts, stream: ServerStream, fault: Fault): void {
  const { clock, snapshot, telemetry } = deps;
  const { reason } = fault;
  telemetry.requestStarted();
  const id = deps.nextId();
  const denial = new Denial(reason, null, fault.seen, "one valid reading");
  const toResponse = isGrpcType(fault.contentType) ? grpcDenialResponse : denialResponse;
  const response = toResponse(denial, id, snapshot.rewriteResponse, facts.secure, null, clock.wallMs());
  stream.startResponse(response.status, response.lines, response.body.length);
  stream.writeBody(response.body);
  const durationMs = clock.monotonicMs() - fault.startedMs;
  telemetry.requestFinished({
    id,
    listener: facts.listener,
    route: "unmatched",
    protocol: facts.protocol,
    policyHash: snapshot.hash,
    exchange: null,
    clientAddress: facts.peer.text,
    status: response.status,
    reason,
    denial,
    decisionMs: durationMs,
    upstreamMs: -1,
    durationMs,
    requestBodyBytes: 0,
    responseBodyBytes: response.body.length,
  });
  stream.endResponse("");
}
