import type { Result } from "../../support/result.ts";

/** An item without what frames it: bytes of JSON, or an event's fields, which are a value already. */
export type Item = { readonly json: Buffer } | { readonly value: object };

/** How the items of one body are told apart, in pieces wherever they are cut. */
export interface Framing {
  /** Where the item that is being read ends, behind its delimiter; -1 where that has not come. Sees each byte once. */
  end(bytes: Buffer, from: number): number;
  /** All bytes of an item → the item; null for none, as of a blank line. `isCut`: the body ended in place of its delimiter. */
  read(bytes: Buffer, isCut: boolean): Result<Item | null, string>;
}
