import { REASONS } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { CallOutcome } from "../message/taken.ts";
import { badRequestOf, statusDetails } from "./status-details.ts";

/** `application/grpc`, `application/grpc+proto`; gRPC-Web is another protocol, with its status in the body. */
const GRPC = /^application\/grpc(?:[+;\s]|$)/i;

/**
 * Whether the request is a gRPC call, so that a bare HTTP status would tell its caller nothing but UNKNOWN. gRPC is a POST
 * over HTTP/2: what else says its type is a client that would have a denial look like a success. The method of a request
 * that cannot be read is not known.
 */
export function isGrpcCall({ connection, method, headers }: Exchange): boolean {
  if (connection.protocol !== "h2" || (method !== "POST" && method !== "")) return false;
  return GRPC.test(headers.get("content-type") ?? "");
}

/** All of these protocols, and more that only begin alike. */
const CALLS = /^application\/(?:grpc|connect)/i;

/** At a glance, whether an answer may tell how a call of any of these protocols went: most have nothing to do with them. */
export function mayEndCall(headers: HeaderBlock): boolean {
  return CALLS.test(headers.get("content-type") ?? "") || headers.get("grpc-status") !== undefined;
}

/** Whether the head of an answer is that of a gRPC call, or of one in gRPC-Web that is over with it. */
export function isGrpcAnswer(headers: HeaderBlock): boolean {
  return GRPC.test(headers.get("content-type") ?? "") || headers.get("grpc-status") !== undefined;
}

/** What a head or trailers say of a call; `unknown` where they say nothing. */
export function outcomeIn(headers: HeaderBlock | null): CallOutcome {
  const status = headers?.get("grpc-status");
  if (status === undefined) return "unknown";
  return status.trim() === "0" ? "ok" : "failed";
}

/**
 * The end of a call that postern itself ends: the status that fits the reason, its public text, and for support the
 * reason and the decision's id, which callers find in the call's metadata; of a message what is wrong with it.
 */
export function callEndLines(denial: Denial, id: string): string {
  const { reason } = denial;
  const { grpcStatus, text } = REASONS[reason];
  const badRequest = badRequestOf(denial);
  const details =
    badRequest === null ? "" : `grpc-status-details-bin: ${statusDetails(grpcStatus, text, badRequest)}\r\n`;
  return `grpc-status: ${grpcStatus}\r\ngrpc-message: ${percentEncoded(text)}\r\nx-postern-reason: ${reason}\r\nx-postern-id: ${id}\r\n${details}`;
}

/** As grpc-message has it: UTF-8, and percent-encoded what is not printable ASCII, and `%` itself. */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, (run) => {
    let encoded = "";
    for (const byte of Buffer.from(run, "utf8")) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return encoded;
  });
}
