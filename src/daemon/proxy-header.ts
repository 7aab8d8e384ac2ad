import { isIPv4, isIPv6 } from "node:net";
import { type Address, parseAddress, UNIX_PEER } from "../message/address.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { crc32c } from "./crc32c.ts";

/**
 * The header that a proxy writes before everything else on a connection, to say for whom it speaks: PROXY protocol,
 * versions 1 and 2 (HAProxy's proxy-protocol.txt). Read strictly, for what it says decides whose address is judged.
 */
export interface ProxyHeader {
  /** Who connected to the proxy; null where it speaks for itself (LOCAL, as for health checks) or does not say. */
  readonly client: Address | null;
  /** Bytes of the header; what follows belongs to TLS or HTTP. */
  readonly bytes: number;
}

/** Why bytes can never become a header. `missing`: they are something else, as a TLS hello from a client. */
export class ProxyHeaderFault {
  readonly kind: "missing" | "invalid";
  readonly seen: string;

  constructor(kind: "missing" | "invalid", seen: string) {
    this.kind = kind;
    this.seen = seen;
  }
}

const V1_START = Buffer.from("PROXY ");
const V2_START = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V2_HEAD_BYTES = 16;
/** The longest line there is, with CR LF: `PROXY UNKNOWN` and two full IPv6 addresses with ports. */
const V1_BYTES_MAX = 107;

/** Reads the header that `buffer` begins with; null where more bytes are needed. */
export function readProxyHeader(buffer: Buffer): ProxyHeader | ProxyHeaderFault | null {
  if (startsLike(buffer, V2_START)) return buffer.length < V2_HEAD_BYTES ? null : readV2(buffer);
  if (startsLike(buffer, V1_START)) return buffer.length < V1_START.length ? null : readV1(buffer);
  return new ProxyHeaderFault("missing", "bytes that are no PROXY header");
}

/** Whether `buffer` is `start`, or the beginning of one, so far as it goes. */
function startsLike(buffer: Buffer, start: Buffer): boolean {
  const bytes = Math.min(buffer.length, start.length);
  return buffer.compare(start, 0, bytes, 0, bytes) === 0;
}

function invalid(seen: string): ProxyHeaderFault {
  return new ProxyHeaderFault("invalid", seen);
}

// ---- version 1: one line of text ---------------------------------------------------------------------------------

const V1_LINE = /^PROXY (TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;

function readV1(buffer: Buffer): ProxyHeader | ProxyHeaderFault | null {
  const text = buffer.toString("latin1", 0, V1_BYTES_MAX);
  // The line ends at the first of either: a bare one is a line's end to some readers and none to others.
  const end = text.search(/[\r\n]/);
  if (end < 0) return text.length < V1_BYTES_MAX ? null : invalid("v1 line of more than 107 bytes");
  if (text[end] === "\n") return invalid("v1 line that ends in a bare LF");
  if (end + 1 === text.length) return end + 1 < V1_BYTES_MAX ? null : invalid("v1 line of more than 107 bytes");
  if (text[end + 1] !== "\n") return invalid("bare CR in a v1 line");
  const client = readV1Line(text.slice(0, end));
  return client instanceof ProxyHeaderFault ? client : { client, bytes: end + 2 };
}

function readV1Line(line: string): Address | null | ProxyHeaderFault {
  // The protocol tells receivers to ignore whatever stands behind UNKNOWN.
  if (line === "PROXY UNKNOWN" || line.startsWith("PROXY UNKNOWN ")) return null;
  const match = V1_LINE.exec(line);
  if (match === null) return invalid("malformed v1 line");
  const [, family, source = "", destination = "", sourcePort, destinationPort] = match;
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  if (!isAddress(source) || !isAddress(destination)) return invalid(`v1 ${family} line with another kind of address`);
  if (Number(sourcePort) > 65_535 || Number(destinationPort) > 65_535) return invalid("v1 port above 65535");
  return parseAddress(source) ?? invalid("v1 source address");
}

// ---- version 2: binary -------------------------------------------------------------------------------------------

const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const UNIX_STREAM = 0x31;

/** Bytes of both addresses and ports. Datagrams are missing on purpose: none can stand behind a stream. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [UNSPECIFIED, 0],
  [TCP_OVER_IPV4, 12],
  [TCP_OVER_IPV6, 36],
  [UNIX_STREAM, 216],
]);

function readV2(buffer: Buffer): ProxyHeader | ProxyHeaderFault | null {
  const command = buffer.readUInt8(12);
  const family = buffer.readUInt8(13);
  const bytes = V2_HEAD_BYTES + buffer.readUInt16BE(14);
  if (command !== LOCAL && command !== PROXY) return invalid("v2 header of another version or command");
  // Before the bytes have come: whoever announces too many need not send them.
  if (bytes > DEFAULTS.proxyHeaderBytesMax)
    return invalid(`v2 header of more than ${DEFAULTS.proxyHeaderBytesMax} bytes`);
  const addressBytes = ADDRESS_BYTES.get(family);
  if (command === PROXY && addressBytes === undefined) return invalid("v2 header of an unknown address family");
  if (buffer.length < bytes) return null;
  // What stands behind LOCAL is to be thrown away, the family included.
  if (command === LOCAL) return { client: null, bytes };
  const extensionsAt = V2_HEAD_BYTES + (addressBytes ?? 0);
  if (extensionsAt > bytes) return invalid("v2 header too short for its addresses");
  const fault = checkExtensions(buffer.subarray(0, bytes), extensionsAt);
  if (fault !== null) return fault;
  return { client: readV2Source(buffer, family), bytes };
}

function readV2Source(buffer: Buffer, family: number): Address | null {
  if (family === UNIX_STREAM) return UNIX_PEER;
  if (family === TCP_OVER_IPV4) return parseAddress(buffer.subarray(16, 20).join("."));
  if (family !== TCP_OVER_IPV6) return null;
  return parseAddress(buffer.toString("hex", 16, 32).replace(/.{4}(?=.)/g, "$&:"));
}

const CRC32C_TYPE = 0x03;

/** Walks the type-length-value vectors to the header's very end; only the checksum means something to us. */
function checkExtensions(header: Buffer, from: number): ProxyHeaderFault | null {
  let at = from;
  while (at < header.length) {
    if (at + 3 > header.length) return invalid("v2 extension cut by the end of the header");
    const valueAt = at + 3;
    const end = valueAt + header.readUInt16BE(at + 1);
    if (end > header.length) return invalid("v2 extension longer than the header");
    if (header[at] === CRC32C_TYPE && !hasChecksum(header, valueAt, end)) return invalid("v2 checksum does not hold");
    at = end;
  }
  return null;
}

/** The checksum is made over the whole header with its own four bytes as zeros. */
function hasChecksum(header: Buffer, at: number, end: number): boolean {
  if (end - at !== 4) return false;
  const blank = Buffer.from(header);
  blank.fill(0, at, end);
  return crc32c(blank) === header.readUInt32BE(at);
}
