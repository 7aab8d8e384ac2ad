import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Address, parseAddress, UNKNOWN_CLIENT } from "./address.ts";
import type { HeaderBlock } from "./headers.ts";

/** `[2001:db8::1]` or `192.0.2.1`, with a port that some proxies add, or a bare IPv6 address. */
const WITH_PORT = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15}))(?::\d{1,5})?$/;

function parseHop(text: string): Address | null {
  const match = WITH_PORT.exec(text);
  return parseAddress(match?.[1] ?? match?.[2] ?? text);
}

/** An entry without an address: RFC 7239 section 6 has `unknown`, nginx writes `unix:` for a peer of a Unix socket. */
const WITHOUT_ADDRESS = /^(?:unknown|unix:.*)$/i;

/** Trusted proxies before us, as far as a request tells of them. */
export interface Forwarding {
  /** How many of them stand between us and the client; each may have added a word to what it forwards. */
  readonly hops: number;
  /** X-Forwarded-Host and -Port are believed, too. */
  readonly trustsHost: boolean;
}

/** Who asks, and through how many trusted proxies. */
export interface ForwardedClient {
  readonly address: Address;
  readonly hops: number;
}

/**
 * The client's address as the trusted proxies before us tell it in X-Forwarded-For. Only to be called where `peer`
 * itself is trusted. Walked from the right: each trusted hop vouches for the entry to its left, and the first one that
 * is not trusted is the client. What stands further left the client wrote itself, and nobody reads it. Empty elements are
 * no entries (RFC 9110 section 5.6.1). An entry that says that no address is known ends the walk, for nobody can tell
 * whether to believe it further: its client has none. The error is what was seen, where an entry that counts is
 * malformed or the walk is longer than `forwardedHopsMax`.
 */
export function clientAddressOf(
  peer: Address,
  headers: HeaderBlock,
  trusted: (address: Address) => boolean,
): Result<ForwardedClient, string> {
  const list = headers.list("x-forwarded-for") ?? "";
  let client = peer;
  let hops = 0;
  let end = list.length;
  for (let elements = 0; end >= 0; elements++) {
    if (elements === DEFAULTS.forwardedHopsMax) return err(`more than ${DEFAULTS.forwardedHopsMax} trusted hops`);
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    const text = list.slice(comma + 1, end).trim();
    end = comma;
    if (text === "") continue;
    hops++;
    const address = WITHOUT_ADDRESS.test(text) ? UNKNOWN_CLIENT : parseHop(text);
    if (address === null) return err(`X-Forwarded-For entry '${excerpt(text)}'`);
    client = address;
    if (address === UNKNOWN_CLIENT || !trusted(address)) break;
  }
  return ok({ address: client, hops: Math.max(1, hops) });
}

/** The part of X-Forwarded-For that trusted proxies wrote: from the client's address, where it has one, to the right end. */
export function trustedChain(headers: HeaderBlock, client: Address): string {
  const hops: string[] = [];
  for (const text of (headers.list("x-forwarded-for") ?? "").split(",").reverse()) {
    const entry = text.trim();
    if (entry === "") continue;
    const address = hops.length < DEFAULTS.forwardedHopsMax ? parseHop(entry) : null;
    if (address === null) break;
    hops.push(address.text);
    if (address.text === client.text) break;
  }
  return hops.reverse().join(", ");
}

/**
 * What the trusted proxies say in a header to which each adds a word, or which one of them sets: the word of the proxy that
 * the client came to, never one further left, which would be the client's own. Undefined where they say nothing.
 */
export function toldBy({ hops }: Forwarding, headers: HeaderBlock, name: string): string | undefined {
  const list = headers.list(name);
  if (list === undefined) return undefined;
  const words = list.split(",").flatMap((word) => word.trim() || []);
  return words.at(-Math.min(hops, words.length)) ?? "";
}
