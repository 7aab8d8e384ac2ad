import type { Address } from "./address.ts";

/** What databases say of an address; null where none does, as of private and reserved ones. */
export interface Geo {
  /** Whether there is a database for it. */
  knows(kind: "countries" | "networks"): boolean;
  /** Two letters (ISO 3166-1), as in DE. */
  country(address: Address): string | null;
  /** Two letters, as in EU. */
  continent(address: Address): string | null;
  /** Number of the autonomous system that it is announced by, as in AS64496. */
  asn(address: Address): string | null;
  /** Who that system belongs to. */
  network(address: Address): string | null;
}
