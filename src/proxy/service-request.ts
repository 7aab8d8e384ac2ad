import { CHUNKED } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import { WITHOUT_BODY } from "../message/method.ts";
import { type ClientRequest, type ClientResponse, NO_LENGTH, UNTIL_CLOSE } from "../message/stream.ts";
import { acceptsTrailers } from "../message/trailers.ts";
import type { Route, UpstreamSettings } from "../policy/snapshot.ts";
import { ownAuthority } from "../upstream/own-authority.ts";
import { isGrpcCall } from "./grpc.ts";

/** The request as it goes to the service. `upgradeLines`: the header lines of a WebSocket's handshake; null for none. */
export function serviceRequest(
  exchange: Exchange,
  route: Route,
  settings: UpstreamSettings,
  upgradeLines: string | null,
): ClientRequest {
  const { method, target, upstreamTarget, headers } = exchange;
  const authority = route.targetRewrite?.authority ?? exchange.authority;
  const query = route.rewriteQuery === null ? target.query : route.rewriteQuery(target.query, exchange.version);
  return {
    method,
    target: upstreamTarget === null ? target.path + query : upstreamTarget.path + upstreamTarget.query,
    authority: authority === "" ? ownAuthority(settings) : authority,
    lines: route.rewriteRequest(headers, exchange) + (upgradeLines ?? ""),
    bodyBytes: bodyBytesOf(exchange),
    upgrade: upgradeLines !== null,
    // Where the service speaks HTTP/1.1, TE belongs to its connection, which is ours.
    acceptsTrailers: settings.protocol === "h2" && acceptsTrailers(headers),
  };
}

/**
 * Whether the request's body is read before it gets a connection to the service. A client that announced a length sends
 * without waiting for an answer; of others nobody knows, but where there may be no body, its end is all that comes.
 */
export function isReadAhead({ method, body }: Exchange): boolean {
  return body.announcedBytes > 0 || (body.announcedBytes === CHUNKED && WITHOUT_BODY.has(method));
}

/** A gRPC call, which may wait for its first answer before it sends more; it needs HTTP/2 on the service's side, too. */
export function isOpenCall(exchange: Exchange, { protocol }: UpstreamSettings): boolean {
  return protocol === "h2" && bodyBytesOf(exchange) === CHUNKED && isGrpcCall(exchange);
}

/** Length of the answer's body as the client gets it: bytes, CHUNKED, or NO_LENGTH. */
export function lengthForClient({ status, bodyBytes, announcedBytes }: ClientResponse): number {
  if (bodyBytes === UNTIL_CLOSE) return CHUNKED;
  if (bodyBytes !== 0) return bodyBytes;
  // HEAD and 304 tell the length of what they do not send; 204 has none.
  return status === 204 ? NO_LENGTH : announcedBytes;
}

function bodyBytesOf({ method, collectedBody, body }: Exchange): number {
  if (collectedBody !== null) return collectedBody.length;
  // Over HTTP/2 an end of its own may follow the head, and was read ahead.
  const isNone = body.announcedBytes === CHUNKED && body.bytes === 0 && WITHOUT_BODY.has(method);
  return isNone ? 0 : body.announcedBytes;
}
