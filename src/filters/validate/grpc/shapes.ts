import { CALL_SHAPES, type CallProtocol, type CallShape } from "../../../bodies/call-shape.ts";
import type { MethodType } from "../../../protobuf/types.ts";

/** Media types by which this method may be called. Connect has others for streams than for the rest. */
export function typesOf(method: MethodType, protocols: readonly CallProtocol[]): readonly string[] {
  const isStream = method.clientStreaming || method.serverStreaming;
  return [...CALL_SHAPES].flatMap(([type, { protocol, isFramed }]) => {
    if (!protocols.includes(protocol)) return [];
    return protocol !== "connect" || isFramed === isStream ? [type] : [];
  });
}

/** The header that says how messages are compressed; of a body that is one message it is HTTP's own. */
export function encodingHeader({ protocol, isFramed }: CallShape): string {
  if (protocol !== "connect") return "grpc-encoding";
  return isFramed ? "connect-content-encoding" : "content-encoding";
}
