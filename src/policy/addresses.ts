import { isIP } from "node:net";
import { parseAddress } from "../message/address.ts";
import { err, ok, type Result } from "../support/result.ts";
import { parseSocketPath } from "../support/socket-path.ts";
import type { ListenAddress, UpstreamSettings } from "./snapshot.ts";

interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8443`, `[::1]:8443`, `localhost:8443`, `unix:/run/postern.sock` → where to listen. */
export function parseListenAddress(text: string): Result<ListenAddress, string> {
  if (text.startsWith("fd:"))
    return err("socket activation (fd:) is not supported yet; expected host:port or unix:/path");
  if (text.startsWith("unix:")) return unixAddress(text);
  const parsed = parseLocalHostPort(text);
  return parsed.ok ? ok({ type: "tcp", ...parsed.value }) : parsed;
}

/** An address of this machine: an IP address or `localhost`; other names could resolve to anything. */
export function parseLocalHostPort(text: string): Result<HostPort, string> {
  const parsed = splitHostPort(text);
  if (parsed === null || (parsed.host !== "localhost" && isIP(parsed.host) === 0)) {
    return err("expected an IP address and a port, as in 127.0.0.1:8443 or [::1]:8443");
  }
  return ok(parsed);
}

export type UpstreamScheme = "http" | "https" | "h2c" | "unix";

export interface UpstreamAddress {
  readonly scheme: UpstreamScheme;
  readonly address: UpstreamSettings["address"];
}

/** `http://127.0.0.1:3000`, `https://app:3443`, `h2c://app:3000`, `unix:/run/orders.sock` → the service. */
export function parseUpstreamAddress(text: string): Result<UpstreamAddress, string> {
  if (text.startsWith("unix:")) {
    const path = unixAddress(text);
    return path.ok ? ok({ scheme: "unix", address: path.value }) : path;
  }
  const [, scheme = "", authority = ""] = /^(https?|h2c):\/\/([^/?#@\s]+)\/?$/i.exec(text) ?? [];
  const lower = scheme.toLowerCase();
  const isTls = lower === "https";
  const parsed = splitHostPort(authority) ?? splitHostPort(`${authority}:${isTls ? 443 : 80}`);
  if (parsed === null || parsed.port === 0 || !isHost(parsed.host)) {
    return err("expected http://host:port, https://, h2c:// or unix:/path, as in http://127.0.0.1:3000");
  }
  return ok({ scheme: isTls ? "https" : lower === "h2c" ? "h2c" : "http", address: { type: "tcp", ...parsed } });
}

/** What a certificate can be issued to: an IP address or a DNS name, in lower case. */
export function parseServerName(text: string): Result<string, string> {
  const name = text.toLowerCase();
  return isHost(name) ? ok(name) : err("expected a host name or an IP address, as in orders.internal");
}

/** What a request names as its host: a name or an IP address, and a port or none. In lower case. */
export function parseAuthority(text: string): Result<string, string> {
  const lower = text.toLowerCase();
  const host = splitHostPort(lower)?.host ?? /^\[([0-9a-f:.]+)\]$/.exec(lower)?.[1] ?? lower;
  return isHost(host) && (host === lower || isIP(host) !== 6 || lower.startsWith("["))
    ? ok(lower)
    : err("expected a host, and a port or none, as in orders.example.org or 127.0.0.1:3000");
}

function unixAddress(text: string): Result<{ readonly type: "unix"; readonly path: string }, string> {
  const path = parseSocketPath(text.slice("unix:".length));
  return path.ok ? ok({ type: "unix", path: path.value }) : path;
}

function splitHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) return null;
  if (match?.[1] !== undefined && isIP(host) !== 6) return null;
  return { host: host.toLowerCase(), port };
}

/** An IP address or a DNS name; a name that ends in a number is neither (0x7f.1, 127.1: RFC 3696 section 2). */
function isHost(host: string): boolean {
  if (isIP(host) !== 0) return true;
  return (
    host.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(host) &&
    !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host)
  );
}

/** Whether only this machine reaches the host: 127.0.0.0/8, ::1 (also as mapped IPv4) or `localhost`. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const address = parseAddress(host);
  if (address === null) return false;
  if (address.family === 4) return address.w0 >>> 24 === 127;
  return address.w0 === 0 && address.w1 === 0 && address.w2 === 0 && address.w3 === 1;
}

/** Whether a socket cannot listen on one while another listens on the other. Port 0 asks for any free one. */
export function collide(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return isAnyHost(a.host) || isAnyHost(b.host) || isSameHost(a.host, b.host);
}

/** Whether a connection to `target` arrives at a socket that listens on `listening`. */
export function reaches(target: HostPort, listening: HostPort): boolean {
  if (target.port !== listening.port) return false;
  if (isSameHost(target.host, listening.host)) return true;
  return isAnyHost(listening.host) && (isLoopback(target.host) || isAnyHost(target.host));
}

function isAnyHost(host: string): boolean {
  const canonical = canonicalHost(host);
  return canonical === "0.0.0.0" || canonical === "::";
}

/** `localhost` is 127.0.0.1 and ::1: a listener takes both, and a connection may go to either. */
function isSameHost(a: string, b: string): boolean {
  const own = canonicalHost(a);
  const other = canonicalHost(b);
  const isLocal = (host: string): boolean => host === "localhost" || host === "127.0.0.1" || host === "::1";
  return own === other || ((own === "localhost" || other === "localhost") && isLocal(own) && isLocal(other));
}

function canonicalHost(host: string): string {
  return parseAddress(host)?.text ?? host;
}
