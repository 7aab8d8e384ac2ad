import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Client } from "../memory/account.ts";

/**
 * An IP address, parsed once. IPv4-mapped IPv6 (`::ffff:192.0.2.1`) is the IPv4 address, so that one written form
 * cannot walk round a rule for the other.
 */
export interface Address {
  /** Canonical text: dotted quad or RFC 5952. */
  readonly text: string;
  readonly family: 4 | 6;
  /** The bits, most significant word first, as unsigned 32-bit integers; IPv4 uses `w0` only. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/** Text → address, or null. Only what `net.isIP` accepts: ipaddr.js alone would read `010.0.0.1` as 8.0.0.1. */
export function parseAddress(text: string): Address | null {
  if (isIP(text) === 0 || text.includes("%")) return null;
  // ipaddr.js takes `::192.0.2.1` for `::ffff:192.0.2.1`; it is another address, long out of use (RFC 4291 2.5.5.1).
  if (/^::\d+\./.test(text)) return null;
  const parsed = ipaddr.process(text);
  const bytes = parsed.toByteArray();
  const word = (at: number): number =>
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>>
    0;
  if (parsed.kind() === "ipv4") return { text: parsed.toString(), family: 4, w0: word(0), w1: 0, w2: 0, w3: 0 };
  return {
    text: (parsed as ipaddr.IPv6).toRFC5952String(),
    family: 6,
    w0: word(0),
    w1: word(4),
    w2: word(8),
    w3: word(12),
  };
}

/** Stands for the peer of a Unix socket, which has no IP address; it is in no CIDR. */
export const UNIX_PEER: Address = { text: "unix", family: 6, w0: 0, w1: 0, w2: 0, w3: 0 };

/** Stands for a client of whom a trusted proxy says that it knows no IP address. */
export const UNKNOWN_CLIENT: Address = { text: "unknown", family: 6, w0: 0, w1: 0, w2: 0, w3: 0 };

/** Whether it is in no CIDR, and stands for many. */
export function isAddressless(address: Address): boolean {
  return address === UNIX_PEER || address === UNKNOWN_CLIENT;
}

/** What one client is counted by. An IPv6 client by its /64: within it there are more addresses than anybody could count. */
export function clientKey({ family, w0, w1 }: Address): number | string {
  return family === 4 ? w0 : `${w0}:${w1}`;
}

/** Who holds memory. `isProxy`: it speaks for many clients, as those do who have no address. */
export function clientOf(address: Address, isProxy = false): Client {
  return { key: clientKey(address), isMany: isProxy || isAddressless(address) };
}

/** One address of IPv4 as it is; of IPv6 the network of `prefix` bits (1 to 128), as in 2001:db8::/64. */
export function networkText(address: Address, prefix: number): string {
  if (address.family === 4 || isAddressless(address)) return address.text;
  const words = [address.w0, address.w1, address.w2, address.w3].map((word, at) => {
    const bits = Math.min(32, Math.max(0, prefix - at * 32));
    return bits === 0 ? 0 : (word & (-1 << (32 - bits))) >>> 0;
  });
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  return `${new ipaddr.IPv6(groups).toRFC5952String()}/${prefix}`;
}
