import { isIP, isIPv4, isIPv6 } from "node:net";
import { isUri, isUriReference } from "../../schema/formats/uri.ts";

/** What a well-known format of strings asks, by its number in `buf.validate.StringRules`. */
export interface StringFormat {
  readonly name: string;
  readonly detail: string;
  readonly test: (text: string) => boolean;
}

/** The expression of the HTML standard, as protovalidate has it. */
const EMAIL_NAME = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const TRIMMED_UUID = /^[0-9a-fA-F]{32}$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;
const FQN = /^[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*$/;
const PORT = /^(?:0|[1-9]\d{0,4})$/;
const PREFIX_LENGTH = /^(?:0|[1-9]\d{0,2})$/;
const NAME_CHARACTERS_MAX = 253;

function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 0 || !EMAIL_NAME.test(text.slice(0, at))) return false;
  return text
    .slice(at + 1)
    .split(".")
    .every((label) => LABEL.test(label));
}

/** A dot at the end is allowed; the last label is not all digits. */
function isHostname(text: string): boolean {
  if (text.length > NAME_CHARACTERS_MAX) return false;
  const labels = (text.endsWith(".") ? text.slice(0, -1) : text).split(".");
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
}

/** `version`: 4, 6, or 0 for either. A zone is allowed. */
function isAddress(text: string, version: number): boolean {
  const found = isIP(text);
  return found !== 0 && (version === 0 || found === version) && !text.endsWith("%");
}

/** An address and how many of its bits count; `isNetwork`: the other bits are zero. */
function isPrefix(text: string, version: number, isNetwork: boolean): boolean {
  const slash = text.lastIndexOf("/");
  const [address, length] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash < 0 || address.includes("%") || !isAddress(address, version) || !PREFIX_LENGTH.test(length)) return false;
  const bits = isIPv4(address) ? 32 : 128;
  if (Number(length) > bits) return false;
  return !isNetwork || (bitsOf(address) & ((1n << BigInt(bits - Number(length))) - 1n)) === 0n;
}

function bitsOf(address: string): bigint {
  if (isIPv4(address)) return address.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const low = dotted === null ? 0n : bitsOf(dotted[2] ?? "");
  const text = dotted === null ? address : `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function isHostAndPort(text: string): boolean {
  const at = text.lastIndexOf(":");
  if (at < 0 || !PORT.test(text.slice(at + 1)) || Number(text.slice(at + 1)) > 0xffff) return false;
  const host = text.slice(0, at);
  if (host.startsWith("[")) return host.endsWith("]") && isIPv6(host.slice(1, -1));
  return isHostname(host) || isIPv4(host);
}

const format = (name: string, detail: string, test: (text: string) => boolean): StringFormat => {
  return { name, detail: `expected ${detail}`, test };
};

export const STRING_FORMATS: ReadonlyMap<number, StringFormat> = new Map([
  [12, format("email", "an email address", isEmail)],
  [13, format("hostname", "a hostname", isHostname)],
  [14, format("ip", "an IP address", (text) => isAddress(text, 0))],
  [15, format("ipv4", "an IPv4 address", isIPv4)],
  [16, format("ipv6", "an IPv6 address", (text) => isAddress(text, 6))],
  [17, format("uri", "a URI", isUri)],
  [18, format("uri_ref", "a URI reference", isUriReference)],
  [21, format("address", "a hostname or IP address", (text) => isHostname(text) || isAddress(text, 0))],
  [22, format("uuid", "a UUID", (text) => UUID.test(text))],
  [26, format("ip_with_prefixlen", "an IP address with a prefix length", (text) => isPrefix(text, 0, false))],
  [27, format("ipv4_with_prefixlen", "an IPv4 address with a prefix length", (text) => isPrefix(text, 4, false))],
  [28, format("ipv6_with_prefixlen", "an IPv6 address with a prefix length", (text) => isPrefix(text, 6, false))],
  [29, format("ip_prefix", "an IP prefix", (text) => isPrefix(text, 0, true))],
  [30, format("ipv4_prefix", "an IPv4 prefix", (text) => isPrefix(text, 4, true))],
  [31, format("ipv6_prefix", "an IPv6 prefix", (text) => isPrefix(text, 6, true))],
  [32, format("host_and_port", "a host and a port", isHostAndPort)],
  [33, format("tuuid", "a UUID without dashes", (text) => TRIMMED_UUID.test(text))],
  [35, format("ulid", "a ULID", (text) => ULID.test(text))],
  [37, format("protobuf_fqn", "a name with its package", (text) => FQN.test(text))],
  [
    38,
    format(
      "protobuf_dot_fqn",
      "a name with its package and a dot in front",
      (text) => text.startsWith(".") && FQN.test(text.slice(1)),
    ),
  ],
]);

/** `well_known_regex`; strict, which is usual, or not. */
export const KNOWN_PATTERNS: Readonly<Record<number, readonly [name: string, strict: RegExp, loose: RegExp]>> = {
  1: ["header_name", /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/, /^[^\0\n\r]+$/],
  2: ["header_value", /^[^\0-\x08\n-\x1f\x7f]*$/, /^[^\0\n\r]*$/],
};
