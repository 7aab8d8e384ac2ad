import { mediaTypeOf } from "./media-type.ts";

/** Protocols by which methods of Protocol Buffers are called. */
export type CallProtocol = "grpc" | "grpcWeb" | "connect";

/** How a call brings its messages, and gets its answers. */
export interface CallShape {
  readonly protocol: CallProtocol;
  readonly isJson: boolean;
  /** Messages have a prefix each; else the body is one message. */
  readonly isFramed: boolean;
  /** The whole body is base64. */
  readonly isText: boolean;
}

const shape = (protocol: CallProtocol, options: Partial<CallShape> = {}): CallShape => {
  return { protocol, isJson: false, isFramed: true, isText: false, ...options };
};

/**
 * By media type: PROTOCOL-HTTP2.md and PROTOCOL-WEB.md of gRPC, and connectrpc.com/docs/protocol. `+json` and other
 * encodings of gRPC are not among them: nobody says how their messages are read.
 */
export const CALL_SHAPES: ReadonlyMap<string, CallShape> = new Map([
  ["application/grpc", shape("grpc")],
  ["application/grpc+proto", shape("grpc")],
  ["application/grpc-web", shape("grpcWeb")],
  ["application/grpc-web+proto", shape("grpcWeb")],
  ["application/grpc-web-text", shape("grpcWeb", { isText: true })],
  ["application/grpc-web-text+proto", shape("grpcWeb", { isText: true })],
  ["application/proto", shape("connect", { isFramed: false })],
  ["application/json", shape("connect", { isFramed: false, isJson: true })],
  ["application/connect+proto", shape("connect")],
  ["application/connect+json", shape("connect", { isJson: true })],
]);

/** Null where the media type, a value of Content-Type, is none of theirs. */
export function callShapeOf(type: string | undefined): CallShape | null {
  if (type === undefined) return null;
  return CALL_SHAPES.get(type) ?? CALL_SHAPES.get(mediaTypeOf(type)?.type ?? "") ?? null;
}
