import { createHash } from "node:crypto";
import { isValidHost } from "../../http1/head.ts";
import { type Address, isAddressless } from "../../message/address.ts";
import { CERTIFICATE_LINES, type CertificateLines } from "../../message/certificate-lines.ts";
import type { ClientCertificate, ConnectionFacts } from "../../message/connection.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import { withoutCookies } from "../../message/cookies.ts";
import type { Exchange } from "../../message/exchange.ts";
import { type Forwarding, toldBy, trustedChain } from "../../message/forwarded.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import type { Principal } from "../../message/principal.ts";
import { readOffer } from "../../message/sub-protocols.ts";
import { isForbiddenTrailer } from "../../message/trailers.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { RequestRules } from "../filter.ts";
import { PASSES, WITHHELD } from "./header-fate.ts";
import { identityWriter } from "./identity.ts";
import type { Passage } from "./passage.ts";
import { visible } from "./visible.ts";

/**
 * Headers of a request as the client sent them → header lines for the service: `name: value\r\n` each, to be written
 * as latin1. Without Host and without framing (Content-Length, Transfer-Encoding, Connection): `forward` writes those.
 */
export type RequestRewrite = (headers: HeaderBlock, exchange: Exchange) => string;

/** A route's rules → its rewrite, once. */
export function buildRequestRewrite(rules: RequestRules, passage: Passage): RequestRewrite {
  const { setHeaders, identity, clientCertificate } = rules;
  const tellCertificate = clientCertificate.length === 0 ? null : certificateTeller(clientCertificate);
  const setLines = setHeaders.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const writeIdentity = identity.length === 0 ? null : identityWriter(identity);
  const writeLines = (headers: HeaderBlock): string => clientLines(headers, passage);
  return (headers, exchange) => {
    const lines = headers.linesBy(writeLines);
    exchange.withheld = headers.withheld;
    const told = tellCertificate === null ? "" : tellCertificate(exchange.certificate);
    const added = lines + addedLines(exchange) + told + setLines + exchange.serviceLines;
    return writeIdentity === null ? added : added + writeIdentity(exchange);
  };
}

/** Lines of a certificate that proves something; made once a connection. */
function certificateTeller(formats: readonly CertificateLines[]): (certificate: ClientCertificate | null) => string {
  const known = new WeakMap<ClientCertificate, string>();
  return (certificate) => {
    if (certificate === null || certificate.untrusted !== null) return "";
    let lines = known.get(certificate);
    if (lines === undefined) {
      lines = formats.map((format) => CERTIFICATE_LINES[format](certificate)).join("");
      known.set(certificate, lines);
    }
    return lines;
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
  const offer = passage.hidesProtocolTokens ? readOffer(headers) : null;
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
    if (passage.cookies !== null && name === "cookie") {
      const left = withoutCookies(values[at] ?? "", passage.cookies);
      if (left !== "") lines += `cookie: ${left}\r\n`;
    } else if (offer !== null && name === "sec-websocket-protocol") {
      // Its lines are one list, of which a token may stand in another line than the word before it.
      if (names.indexOf(name) === at && offer.protocols.length > 0)
        lines += `${name}: ${offer.protocols.join(", ")}\r\n`;
    } else lines += `${name}: ${values[at]}\r\n`;
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
  // A service that asks whether there is a principal must not find one of a caller that nobody knows.
  if (principal === null || principal.type === "anonymous") return forwardedLines(exchange);
  let lines = linesOfPrincipal.get(principal);
  if (lines === undefined) {
    lines = principalLines(principal);
    linesOfPrincipal.set(principal, lines);
  }
  return forwardedLines(exchange) + lines;
}

function forwardedLines(exchange: Exchange): string {
  const { connection, clientAddress, forwarding } = exchange;
  // Behind a trusted proxy the chain is each request's own.
  if (forwarding !== null) return proxiedLines(exchange, forwarding);
  const known = linesOfConnection.get(connection);
  if (known !== undefined && known.authority === exchange.authority) return known.lines;
  // A copy: what was cut out of a head would keep the whole head as long as the connection lives.
  const authority = Buffer.from(exchange.authority, "latin1").toString("latin1");
  const chain = isAddressless(clientAddress) ? "" : clientAddress.text;
  const lines = serializeForwarded(chain, clientAddress, connection.secure ? "https" : "http", authority);
  linesOfConnection.set(connection, { authority, lines });
  return lines;
}

function proxiedLines(exchange: Exchange, forwarding: Forwarding): string {
  const { connection, clientAddress, headers } = exchange;
  const hops = [trustedChain(headers, clientAddress), isAddressless(connection.peer) ? "" : connection.peer.text];
  const chain = hops.filter((hop) => hop !== "").join(", ");
  // A trusted proxy may have ended the client's TLS.
  const proto = toldProto(exchange, forwarding) ?? (connection.secure ? "https" : "http");
  const host = forwarding.trustsHost ? toldHost(exchange, forwarding) : null;
  const port = forwarding.trustsHost ? toldPort(exchange, forwarding) : null;
  const portLine = port === null ? "" : `x-forwarded-port: ${port}\r\n`;
  return serializeForwarded(chain, clientAddress, proto, host ?? exchange.authority) + portLine;
}

/** What proxies call the two; a WebSocket's scheme is that of its handshake. */
const PROTOS: ReadonlyMap<string, "http" | "https"> = new Map([
  ["http", "http"],
  ["ws", "http"],
  ["https", "https"],
  ["wss", "https"],
]);

function toldProto(exchange: Exchange, forwarding: Forwarding): "http" | "https" | null {
  const told = toldBy(forwarding, exchange.headers, "x-forwarded-proto");
  const proto = told === undefined ? null : (PROTOS.get(told.toLowerCase()) ?? null);
  if (told !== undefined && proto === null) noteUnread(exchange, "x-forwarded-proto");
  return proto;
}

function toldHost(exchange: Exchange, forwarding: Forwarding): string | null {
  const told = toldBy(forwarding, exchange.headers, "x-forwarded-host");
  if (told === undefined || isValidHost(told)) return told ?? null;
  noteUnread(exchange, "x-forwarded-host");
  return null;
}

function toldPort(exchange: Exchange, forwarding: Forwarding): string | null {
  const told = toldBy(forwarding, exchange.headers, "x-forwarded-port");
  if (told === undefined || (/^[1-9]\d{0,4}$/.test(told) && Number(told) <= 65_535)) return told ?? null;
  noteUnread(exchange, "x-forwarded-port");
  return null;
}

/** A proxy's word that is none: what stands in its place may be the less safe one, which the log line shows. */
function noteUnread(exchange: Exchange, name: string): void {
  exchange.withheld = [...(exchange.withheld ?? []), name];
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
  if (isAddressless(client)) return "unknown";
  return client.family === 6 ? `"[${client.text}]"` : client.text;
}

function principalLines(principal: Principal): string {
  const id = `x-postern-principal: ${visibleId(principal.id)}\r\n`;
  const authenticator = `x-postern-authenticator: ${visible(principal.authenticator)}\r\n`;
  const scopes = scopesValue(principal.scopes);
  return scopes === "" ? id + authenticator : `${id}${authenticator}x-postern-scopes: ${scopes}\r\n`;
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
