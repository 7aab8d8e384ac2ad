import type { UpstreamSettings } from "../policy/snapshot.ts";
import { hostPort } from "../support/host-port.ts";

/** What the service is asked by where nobody names a host: HTTP/1.1 and HTTP/2 want one. */
export function ownAuthority({ address }: UpstreamSettings): string {
  return address.type === "unix" ? "localhost" : hostPort(address.host, address.port);
}
