import { createHash } from "node:crypto";
import type { Address } from "../../message/address.ts";
import type { ConnectionFacts } from "../../message/connection.ts";
import type { Exchange } from "../../message/exchange.ts";
import { trustedChain } from "../../message/forwarded.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import type { Principal } from "../../message/principal.ts";
import { isForbiddenTrailer } from "../../message/trailers.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { RequestRules } from "../filter.ts";
import { namedByConnection } from "./connection-options.ts";
import { PASSES, WITHHELD } from "./header-fate.ts";
import type { Passage } from "./passage.ts";

/**
 * Headers of a request as the client sent them → header lines for the service: `name: value\r\n` each, to be written
 * as latin1. Without Host and without framing (Content-Length, Transfer-Encoding, Connection): `forward` writes those.
 */
export type RequestRewrite = (headers: HeaderBlock, exchange: Exchange) => string;

/** A route's rules → its rewrite, once. */
export function buildRequestRewrite({ setHeaders }: RequestRules, passage: Passage): RequestRewrite {
  const setLines = setHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const writeLines = (headers: HeaderBlock): string => clientLines(headers, passage);
  return (headers, exchange) => {
    const lines = headers.linesBy(writeLines);
    exchange.withheld = headers.withheld;
    return lines + addedLines(exchange) + setLines;
  };
}

/**
 * Trailers of a request → lines for the service. What may not stand in the header may not come after the body either: a
 * service that merges the two would believe it, and no check has seen it.
 */
export function buildRequestTrailerRewrite(passage: Passage): (trailers: HeaderBlock) => string {
  return ({ names, values }) =>
    names
      .map((name, at) => (passage.lets(name) && !isForbiddenTrailer(name) ? `${name}: ${values[at]}\r\n` : ""))
      .join("");
}

function clientLines(headers: HeaderBlock, passage: Passage): string {
  const { names, values } = headers;
  const named = namedByConnection(headers);
  let withheld: string[] | null = null;
  let lines = "";
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? "";
    const fate = passage.fateOf(name);
    if (fate === WITHHELD) {
      withheld ??= [];
      withheld.push(name);
    }
    if (fate !== PASSES || named?.has(name)) continue;
    lines += `${name}: ${values[at]}\r\n`;
  }
  headers.withheld = withheld;
  return lines;
}

/** What the last request of a connection got; most connections carry requests of one client for one authority. */
interface ConnectionLines {
  readonly authority: string;
  readonly lines: string;
}

const linesOfConnection = new WeakMap<ConnectionFacts, ConnectionLines>();
const linesOfPrincipal = new WeakMap<Principal, string>();

function addedLines(exchange: Exchange): string {
  const { principal } = exchange;
  if (principal === null) return forwardedLines(exchange);
  let lines = linesOfPrincipal.get(principal);
  if (lines === undefined) {
    lines = principalLines(principal);
    linesOfPrincipal.set(principal, lines);
  }
  return forwardedLines(exchange) + lines;
}

function forwardedLines(exchange: Exchange): string {
  const { connection, clientAddress } = exchange;
  // Behind a trusted proxy the chain is each request's own.
  if (clientAddress !== connection.peer) return proxiedLines(exchange);
  const known = linesOfConnection.get(connection);
  if (known !== undefined && known.authority === exchange.authority) return known.lines;
  // A copy: what was cut out of a head would keep the whole head as long as the connection lives.
  const authority = Buffer.from(exchange.authority, "latin1").toString("latin1");
  const chain = isUnix(clientAddress) ? "" : clientAddress.text;
  const lines = serializeForwarded(chain, clientAddress, connection.secure ? "https" : "http", authority);
  linesOfConnection.set(connection, { authority, lines });
  return lines;
}

function proxiedLines(exchange: Exchange): string {
  const { connection, clientAddress, authority, headers } = exchange;
  const chain = trustedChain(headers, clientAddress);
  const peer = isUnix(connection.peer) ? "" : `, ${connection.peer.text}`;
  // A trusted proxy may have ended the client's TLS; anything but one of the two words is not from it.
  const told = headers.count("x-forwarded-proto") === 1 ? headers.get("x-forwarded-proto") : undefined;
  const proto = told === "http" || told === "https" ? told : connection.secure ? "https" : "http";
  return serializeForwarded(chain + peer, clientAddress, proto, authority);
}

function serializeForwarded(chain: string, client: Address, proto: string, authority: string): string {
  const xff = chain === "" ? "" : `x-forwarded-for: ${chain}\r\n`;
  const forwarded = `forwarded: for=${forwardedNode(client)};proto=${proto}`;
  // HTTP/1.0 knows no Host.
  if (authority === "") return `${xff}x-forwarded-proto: ${proto}\r\n${forwarded}\r\n`;
  const host = visible(authority);
  const quotedHost = host.replace(/["\\]/g, "\\$&");
  return `${xff}x-forwarded-proto: ${proto}\r\nx-forwarded-host: ${host}\r\n${forwarded};host="${quotedHost}"\r\n`;
}

/** RFC 7239 section 6: IPv6 in brackets and quotes. */
function forwardedNode(client: Address): string {
  if (isUnix(client)) return "unknown";
  return client.family === 6 ? `"[${client.text}]"` : client.text;
}

function isUnix(address: Address): boolean {
  return address.text === "unix";
}

function principalLines(principal: Principal): string {
  const id = `x-postern-principal: ${visibleId(principal.id)}\r\n`;
  const authenticator = `x-postern-authenticator: ${visible(principal.authenticator)}\r\n`;
  const scopes = scopesValue(principal.scopes);
  return scopes === "" ? id + authenticator : `${id}${authenticator}x-postern-scopes: ${scopes}\r\n`;
}

/**
 * Percent-encodes (as UTF-8) whatever is not visible ASCII, and `%` itself, so that `sub` can neither inject a line
 * nor be mistaken for another.
 */
function visible(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]+/g, (run) => {
    let encoded = "";
    for (const byte of Buffer.from(run, "utf8")) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return encoded;
  });
}

/** An id that is too long or no valid Unicode becomes its hash: cut or repaired it could equal somebody else's. */
function visibleId(id: string): string {
  const text = visible(id);
  if (id.isWellFormed() && text.length <= DEFAULTS.principalHeaderBytesMax) return text;
  return `sha256:${createHash("sha256").update(id, "utf16le").digest("hex")}`;
}

/** As many whole scopes as fit: a service that misses one refuses, and none is ever cut into another. */
function scopesValue(scopes: ReadonlySet<string>): string {
  let value = "";
  for (const scope of scopes) {
    const next = value === "" ? visible(scope) : `${value} ${visible(scope)}`;
    if (next.length > DEFAULTS.scopesHeaderBytesMax) break;
    value = next;
  }
  return value;
}
