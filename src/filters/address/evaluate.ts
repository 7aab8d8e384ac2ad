import { CONTINUE, type Denial, ListDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Address } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { AddressList } from "../address-list.ts";
import type { Check } from "../filter.ts";

export interface AddressRules {
  /** Null: whoever is not denied may ask. */
  readonly allow: readonly AddressList[] | null;
  readonly deny: readonly AddressList[];
  /** Whom `deny` does not meet. */
  readonly except: readonly AddressList[];
}

/**
 * Judges the address that sent the request: the peer's, or what trusted proxies say of it. The peer of a Unix socket
 * has no address, so it is in no list: `deny` does not meet it, `allow` does not either.
 */
export class AddressCheck implements Check {
  readonly name = "address";
  readonly phase = "admit";
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #rules: AddressRules;

  constructor(rules: AddressRules, place: Place, enforcePercent: number) {
    this.place = place;
    this.enforcePercent = enforcePercent;
    this.#rules = rules;
  }

  evaluate({ clientAddress }: Exchange): Verdict {
    const { allow, deny, except } = this.#rules;
    const denying = listWith(deny, clientAddress);
    if (denying !== null && listWith(except, clientAddress) === null) {
      return this.#refuse(clientAddress, denying.name, `an address that is not in ${denying.name}`);
    }
    if (allow === null || listWith(allow, clientAddress) !== null) return CONTINUE;
    return this.#refuse(clientAddress, "allow", "an address in allow");
  }

  explain({ clientAddress }: Exchange): string {
    const { allow, deny, except } = this.#rules;
    const lists = [...deny, ...except, ...(allow ?? [])].map(({ name, table }) => {
      const range = table.rangeOf(clientAddress);
      return range === null ? `not in ${name} (${table.size})` : `in ${name} (${table.size}) by ${range}`;
    });
    return `${clientAddress.text}: ${lists.join(", ")}`;
  }

  #refuse(seen: Address, list: string, wanted: string): Denial {
    return new ListDenial("address_denied", this.place, seen.text, wanted, list);
  }
}

/** The first that has it. */
function listWith(lists: readonly AddressList[], address: Address): AddressList | null {
  for (const list of lists) if (list.table.has(address)) return list;
  return null;
}
