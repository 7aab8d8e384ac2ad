import { type Address, parseAddress } from "../message/address.ts";

/**
 * First and last address of a prefix and its neighbours outside: two sets of prefixes that are not the same differ at one of
 * these of either.
 */
export function edgesOf(prefix: string): readonly string[] {
  const [text = "", length] = prefix.split("/");
  const address = parseAddress(text);
  if (address === null) return [];
  const bits = address.family === 4 ? 32n : 128n;
  const size = 1n << (bits - BigInt(length ?? bits));
  const first = numberOf(address) & ~(size - 1n);
  const numbers = [first, first + size - 1n, first - 1n, first + size];
  const known = numbers.filter((number) => number >= 0n && number < 1n << bits);
  return [...new Set(known)].map((number) => textOf(number, address.family));
}

function numberOf({ family, w0, w1, w2, w3 }: Address): bigint {
  const words = family === 4 ? [w0] : [w0, w1, w2, w3];
  return words.reduce((number, word) => (number << 32n) | BigInt(word), 0n);
}

function textOf(number: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 0xffn)).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((number >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  return groups.join(":");
}
