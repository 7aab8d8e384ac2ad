import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Address, parseAddress } from "./address.ts";
import type { HeaderBlock } from "./headers.ts";

/** `[2001:db8::1]` or `192.0.2.1`, with a port that some proxies add, or a bare IPv6 address. */
const WITH_PORT = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15}))(?::\d{1,5})?$/;

function parseHop(text: string): Address | null {
  const match = WITH_PORT.exec(text);
  return parseAddress(match?.[1] ?? match?.[2] ?? text);
}

/**
 * The client's address as the trusted proxies before us tell it in X-Forwarded-For. Only to be called where `peer`
 * itself is trusted. Walked from the right: each trusted hop vouches for the entry to its left, and the first one that
 * is not trusted is the client. What stands further left the client wrote itself, and nobody reads it. The error is
 * what was seen, where an entry that counts is malformed or the walk is longer than `forwardedHopsMax`.
 */
export function clientAddressOf(
  peer: Address,
  headers: HeaderBlock,
  trusted: (address: Address) => boolean,
): Result<Address, string> {
  const list = headers.list("x-forwarded-for");
  if (list === undefined) return ok(peer);
  let client = peer;
  let end = list.length;
  for (let hop = 0; end >= 0; hop++) {
    if (hop === DEFAULTS.forwardedHopsMax) return err(`more than ${DEFAULTS.forwardedHopsMax} trusted hops`);
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    const text = list.slice(comma + 1, end).trim();
    const address = parseHop(text);
    if (address === null) return err(`X-Forwarded-For entry '${excerpt(text)}'`);
    client = address;
    if (!trusted(address)) break;
    end = comma;
  }
  return ok(client);
}

/** The part of X-Forwarded-For that trusted proxies wrote: from the client's address to the right end. */
export function trustedChain(headers: HeaderBlock, client: Address): string {
  const hops: string[] = [];
  for (const text of (headers.list("x-forwarded-for") ?? "").split(",").reverse()) {
    const address = hops.length < DEFAULTS.forwardedHopsMax ? parseHop(text.trim()) : null;
    if (address === null) break;
    hops.push(address.text);
    if (address.text === client.text) return hops.reverse().join(", ");
  }
  return client.text;
}
