import { type Address, clientKey } from "../message/address.ts";
import type { Rate } from "../support/units.ts";
import { type Gcra, gcraOf } from "./rate/gcra.ts";
import type { RateTable } from "./rate/rate-table.ts";

export interface HandshakeRate {
  readonly rate: Rate;
  readonly table: RateTable;
}

/**
 * How often TLS handshakes begin, of one address and of all: a client asks with one packet for some hundred microseconds of
 * asymmetric cryptography. An address that is over its own rate uses nothing of the rate of all.
 */
export class HandshakeGate {
  readonly #perAddress: Counted | null;
  readonly #all: Counted | null;

  constructor(perAddress: HandshakeRate | null, all: HandshakeRate | null) {
    this.#perAddress = perAddress && counted(perAddress);
    this.#all = all && counted(all);
  }

  /** Counts one more, or says which rate is used up. `isMany`: the peer speaks for many clients, so only the rate of all holds. */
  take(peer: Address, isMany: boolean): "address_handshakes_rate" | "handshakes_rate" | null {
    if (this.#perAddress !== null && !isMany && !take(this.#perAddress, String(clientKey(peer)))) {
      return "address_handshakes_rate";
    }
    return this.#all === null || take(this.#all, "") ? null : "handshakes_rate";
  }
}

interface Counted {
  readonly table: RateTable;
  readonly gcra: Gcra;
}

function counted({ rate, table }: HandshakeRate): Counted {
  return { table, gcra: gcraOf(rate) };
}

function take({ table, gcra }: Counted, key: string): boolean {
  table.hash.copy(table.prefix(key));
  return table.take(gcra.intervalMs, gcra.toleranceMs) > 0;
}
