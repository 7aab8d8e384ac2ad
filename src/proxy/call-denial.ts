import { type CallShape, callShapeOf } from "../bodies/call-shape.ts";
import { frameOf } from "../bodies/message-frames.ts";
import { REASONS } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { HeaderBlock } from "../message/headers.ts";
import { queryValues } from "../message/query.ts";
import type { Route } from "../policy/snapshot.ts";
import { callEndLines, isGrpcCall } from "./grpc.ts";
import { BAD_REQUEST, badRequestOf, base64 } from "./status-details.ts";

/** A refusal as the protocol of the call has it, before what every answer says. */
export interface CallDenial {
  readonly status: number;
  readonly headers: HeaderBlock;
  readonly lines: string;
  readonly body: Buffer;
}

const GRPC_HEADERS = new HeaderBlock(["content-type"], ["application/grpc"]);
const CONNECT_HEADERS = new HeaderBlock(["content-type", "cache-control"], ["application/json", "no-store"]);
const NO_BODY = Buffer.alloc(0);
/** Of a frame that ends an answer: of gRPC-Web its trailers, of Connect its end-stream message. */
export const TRAILERS_FLAG = 0x80;
export const END_STREAM_FLAG = 2;

/** By the status of gRPC: Connect's word, and the status of HTTP that goes with it (connectrpc.com/docs/protocol). */
const CONNECT_CODES: Readonly<Record<number, readonly [code: string, status: number]>> = {
  1: ["canceled", 499],
  2: ["unknown", 500],
  3: ["invalid_argument", 400],
  4: ["deadline_exceeded", 504],
  5: ["not_found", 404],
  7: ["permission_denied", 403],
  8: ["resource_exhausted", 429],
  12: ["unimplemented", 501],
  13: ["internal", 500],
  14: ["unavailable", 503],
  16: ["unauthenticated", 401],
};
const UNKNOWN = ["unknown", 500] as const;

/**
 * How the client reads an answer; null where it is no call. A body of application/json may be anybody's: a client of Connect
 * says that it is one, or the route is for these.
 */
export function calledAs(exchange: Exchange, route: Pick<Route, "checks"> | null): CallShape | null {
  const { method, headers, target } = exchange;
  if (isGrpcCall(exchange)) return GRPC;
  const isConnect =
    headers.get("connect-protocol-version") !== undefined ||
    (route?.checks.some(({ refusals }) => refusals === "connect") ?? false);
  if (method === "GET") return isConnect || isConnectQuery(target.query) ? CONNECT : null;
  const shape = method === "POST" ? callShapeOf(headers.get("content-type")) : null;
  if (shape === null || shape.protocol === "grpc") return null;
  return shape.isJson && !shape.isFramed && !isConnect ? null : shape;
}

const GRPC: CallShape = { protocol: "grpc", isJson: false, isFramed: true, isText: false };
const CONNECT: CallShape = { protocol: "connect", isJson: true, isFramed: false, isText: false };

function isConnectQuery(query: string): boolean {
  return query.includes("connect=v1") && queryValues(query, "connect").includes("v1");
}

export function callDenial(denial: Denial, id: string, shape: CallShape): CallDenial {
  if (shape.protocol === "grpc")
    return { status: 200, headers: GRPC_HEADERS, lines: callEndLines(denial, id), body: NO_BODY };
  if (shape.protocol === "grpcWeb") {
    // In the body: of headers a page of another origin sees only those that it was granted.
    const body = endFrame(denial, id, shape);
    const type = shape.isText ? "application/grpc-web-text+proto" : "application/grpc-web+proto";
    return { status: 200, headers: new HeaderBlock(["content-type"], [type]), lines: "", body };
  }
  const { reason } = denial;
  if (shape.isFramed) {
    const type = shape.isJson ? "application/connect+json" : "application/connect+proto";
    return {
      status: 200,
      headers: new HeaderBlock(["content-type"], [type]),
      lines: "",
      body: endFrame(denial, id, shape),
    };
  }
  const [, status] = CONNECT_CODES[REASONS[reason].grpcStatus] ?? UNKNOWN;
  const lines = `x-postern-reason: ${reason}\r\nx-postern-id: ${id}\r\n`;
  return { status, headers: CONNECT_HEADERS, lines, body: Buffer.from(JSON.stringify(connectError(denial))) };
}

/** What ends an answer whose frames have begun, or one without any. */
export function endFrame(denial: Denial, id: string, shape: CallShape): Buffer {
  if (shape.protocol === "grpcWeb") {
    const frame = frameOf(TRAILERS_FLAG, Buffer.from(callEndLines(denial, id), "latin1"));
    return shape.isText ? Buffer.from(frame.toString("base64"), "latin1") : frame;
  }
  const metadata = { "x-postern-reason": [denial.reason], "x-postern-id": [id] };
  return frameOf(END_STREAM_FLAG, Buffer.from(JSON.stringify({ error: connectError(denial), metadata })));
}

function connectError(denial: Denial) {
  const { grpcStatus, text } = REASONS[denial.reason];
  const [code] = CONNECT_CODES[grpcStatus] ?? UNKNOWN;
  const details = badRequestOf(denial);
  const error = { code, message: text };
  return details === null ? error : { ...error, details: [{ type: BAD_REQUEST, value: base64(details) }] };
}
