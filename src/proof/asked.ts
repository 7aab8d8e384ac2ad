import { isValidHost } from "../http1/head.ts";
import type { Exchange } from "../message/exchange.ts";
import { toldBy } from "../message/forwarded.ts";

/** By what name and in which way the client asked for the service: what it signs, and what no header of its own can move. */
export interface Asked {
  readonly scheme: "http" | "https";
  /** In lower case, without the scheme's own port (RFC 9421 section 2.2.3). */
  readonly authority: string;
}

const PROTOS: ReadonlyMap<string, Asked["scheme"]> = new Map([
  ["http", "http"],
  ["ws", "http"],
  ["https", "https"],
  ["wss", "https"],
]);

/**
 * Where a trusted proxy ended the client's TLS or changed the host, its word counts as far as the listener believes it:
 * the client knows nothing of the name by which the proxy asks us.
 */
export function askedOf({ connection, forwarding, headers, authority }: Exchange): Asked {
  const proto = forwarding === null ? undefined : toldBy(forwarding, headers, "x-forwarded-proto");
  const scheme = PROTOS.get(proto?.toLowerCase() ?? "") ?? (connection.secure ? "https" : "http");
  const told = forwarding?.trustsHost === true ? toldBy(forwarding, headers, "x-forwarded-host") : undefined;
  const host = told !== undefined && isValidHost(told) ? told : authority;
  return { scheme, authority: withoutUsualPort(host.toLowerCase(), scheme) };
}

/** RFC 3986 section 6.2.3: an empty port, and the one that the scheme has anyway, say nothing. */
export function withoutUsualPort(authority: string, scheme: Asked["scheme"]): string {
  return authority.replace(scheme === "https" ? /:(?:443)?$/ : /:(?:80)?$/, "");
}
