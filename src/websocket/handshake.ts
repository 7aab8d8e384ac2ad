import { createHash } from "node:crypto";
import { CONTINUE, Denial, type HeaderLine, type Verdict } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { excerpt } from "../support/excerpt.ts";

/** RFC 6455 section 1.3: what a server adds to the key to show that it understood. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64, and in the only spelling that has no stray bits at the end. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const TOKEN_LIST = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/;
const SEEN_MAX = 64;

/** RFC 6455 section 4.4 and RFC 9110 section 15.5.22: what the client should come back with. */
const VERSION_HINT: readonly HeaderLine[] = [
  ["sec-websocket-version", "13"],
  ["upgrade", "websocket"],
  ["connection", "upgrade"],
];

/**
 * Whether a request that asks for another protocol is a WebSocket handshake as RFC 6455 section 4.2.1 has it (over
 * HTTP/2: RFC 8441 section 5). Other protocols that are offered beside it are passed over: behind them no check looks.
 */
export function judgeHandshake({ method, headers, body, upgrade }: Exchange): Verdict {
  if (upgrade === "upgrade") {
    const asked = headers.list("upgrade");
    if (!hasOption(asked, "websocket")) return refused(`upgrade to ${excerpt(asked ?? "", SEEN_MAX)}`);
    if (!hasOption(headers.list("connection"), "upgrade")) return refused("Upgrade that Connection does not name");
    if (!KEY.test(only(headers, "sec-websocket-key") ?? "")) return invalid("no Sec-WebSocket-Key of 16 bytes");
  } else if (headers.count("sec-websocket-key") > 0) return invalid("Sec-WebSocket-Key over HTTP/2");
  if (method !== "GET") return invalid(`method ${method}`);
  if (body.announcedBytes !== 0) return invalid("a body");
  if (headers.count("sec-websocket-accept") > 0) return invalid("Sec-WebSocket-Accept in a request");
  const protocols = headers.list("sec-websocket-protocol");
  if (protocols !== undefined && !TOKEN_LIST.test(protocols)) return invalid("malformed Sec-WebSocket-Protocol");
  if (only(headers, "sec-websocket-version") === "13") return CONTINUE;
  const seen = `Sec-WebSocket-Version ${excerpt(headers.list("sec-websocket-version") ?? "(absent)", SEEN_MAX)}`;
  return new Denial("websocket_version_unsupported", null, seen, "version 13", VERSION_HINT);
}

function refused(seen: string): Denial {
  return new Denial("upgrade_refused", null, seen, "no upgrade, or one to websocket");
}

function invalid(seen: string): Denial {
  return new Denial("websocket_invalid", null, seen, "a WebSocket handshake (RFC 6455 section 4.1)");
}

/** What a handshake came to. */
export interface Agreement {
  /** Bits of a frame's first byte that the extensions agreed on may use. */
  readonly reservedBits: number;
}

const ALL_RESERVED_BITS = 0x70;
const COMPRESSED_BIT = 0x40;

/**
 * Whether the service's 101 answers this handshake and no other (RFC 6455 section 4.1, the client's last list). Text is
 * what is wrong with it, for the log. `protocols`: what the service was offered, where that is less than the client did.
 */
export function judgeSwitch(
  request: HeaderBlock,
  key: string,
  response: HeaderBlock,
  protocols: readonly string[] = protocolsOf(request),
): Agreement | string {
  if (only(response, "upgrade")?.toLowerCase() !== "websocket") return "101 without 'Upgrade: websocket'";
  if (!hasOption(response.list("connection"), "upgrade")) return "101 without 'Connection: upgrade'";
  if (only(response, "sec-websocket-accept") !== acceptOf(key)) return "Sec-WebSocket-Accept that is not of this key";
  if (response.count("sec-websocket-protocol") > 0) {
    const chosen = only(response, "sec-websocket-protocol") ?? "";
    if (!protocols.includes(chosen)) return "a subprotocol that was not offered";
  }
  const offered = extensionNames(request);
  const accepted = extensionNames(response);
  if (accepted.some((name) => !offered.includes(name))) return "an extension that was not offered";
  return { reservedBits: reservedBits(accepted) };
}

function protocolsOf(request: HeaderBlock): readonly string[] {
  return split(request.list("sec-websocket-protocol"));
}

/** RFC 7692 takes the first reserved bit; what others take is theirs to know. */
function reservedBits(extensions: readonly string[]): number {
  if (extensions.length === 0) return 0;
  return extensions.every((name) => name === "permessage-deflate") ? COMPRESSED_BIT : ALL_RESERVED_BITS;
}

/** The value that a server answers to `key`. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}${KEY_SUFFIX}`).digest("base64");
}

/** The value of a header that may stand there once. */
function only(headers: HeaderBlock, name: string): string | undefined {
  return headers.count(name) === 1 ? headers.get(name) : undefined;
}

function hasOption(list: string | undefined, option: string): boolean {
  return split(list?.toLowerCase()).includes(option);
}

function extensionNames(headers: HeaderBlock): readonly string[] {
  return split(headers.list("sec-websocket-extensions")).map((extension) => extension.split(";", 1)[0]?.trim() ?? "");
}

function split(list: string | undefined): readonly string[] {
  return (list ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
