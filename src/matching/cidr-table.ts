import type { Address } from "../message/address.ts";

/** A set of IP prefixes, immutable, built once; IPv4-mapped IPv6 prefixes count as IPv4. */
export interface CidrTable {
  readonly size: number;
  has(address: Address): boolean;
}
