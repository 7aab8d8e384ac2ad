import { parseAddress } from "../message/address.ts";
import { err, ok, type Result } from "../support/result.ts";

/** An IP prefix without host bits; an IPv4-mapped IPv6 prefix is the IPv4 prefix. */
export interface Prefix {
  readonly family: 4 | 6;
  /** Most significant first, as unsigned 32-bit integers; one for IPv4, four for IPv6. */
  readonly words: readonly number[];
  readonly length: number;
}

const MAPPED_BITS = 96;

/**
 * `10.0.0.0/8`, `2001:db8::/32`, or an address alone for its /32 or /128 → prefix, or what is wrong with it. Bits behind
 * the length are a fault, or where that is asked for cut off.
 */
export function parsePrefix(text: string, cutsHostBits = false): Result<Prefix, string> {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return err(`'${text}' is not an IP prefix; expected one like 192.0.2.0/24 or 2001:db8::/32`);
  const { family, w0, w1, w2, w3 } = address;
  const words = family === 4 ? [w0] : [w0, w1, w2, w3];
  const width = 32 * words.length;
  if (slash < 0) return ok({ family, words, length: width });
  // A length of a mapped address counts the 96 bits before the IPv4 address too.
  const skipped = family === 4 && text.includes(":") ? MAPPED_BITS : 0;
  const digits = text.slice(slash + 1);
  const length = /^(?:0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) - skipped : -1;
  if (length < 0 || length > width) {
    return err(`'${text}' has no valid length; expected /${skipped} to /${skipped + width}`);
  }
  const network = words.map((word, index) => (word & maskOf(length - 32 * index)) >>> 0);
  if (cutsHostBits || network.every((word, index) => word === words[index])) {
    return ok({ family, words: network, length });
  }
  return err(`'${text}' has bits set behind its length; expected ${wordsToText(network)}/${length}`);
}

/** The highest `bits` bits of a word; all where there are more, none where there are fewer than one. */
export function maskOf(bits: number): number {
  if (bits >= 32) return 0xffffffff;
  return bits <= 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
}

function wordsToText(words: readonly number[]): string {
  const halves = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const [high = 0, low = 0] = halves;
  if (words.length === 1) return [high >>> 8, high & 0xff, low >>> 8, low & 0xff].join(".");
  const text = halves.map((half) => half.toString(16)).join(":");
  return parseAddress(text)?.text ?? text;
}
