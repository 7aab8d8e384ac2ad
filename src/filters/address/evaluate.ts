import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { CidrTable } from "../../matching/cidr-table.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Check } from "../filter.ts";

export interface AddressRules {
  /** Null: whoever is not denied may ask. */
  readonly allow: CidrTable | null;
  readonly deny: CidrTable | null;
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
  readonly #allow: CidrTable | null;
  readonly #deny: CidrTable | null;

  constructor(rules: AddressRules, place: Place, enforcePercent: number) {
    this.place = place;
    this.enforcePercent = enforcePercent;
    this.#allow = rules.allow;
    this.#deny = rules.deny;
  }

  evaluate({ clientAddress }: Exchange): Verdict {
    if (this.#deny?.has(clientAddress)) return this.#refuse(clientAddress.text, "an address that is not in deny");
    if (this.#allow === null || this.#allow.has(clientAddress)) return CONTINUE;
    return this.#refuse(clientAddress.text, "an address in allow");
  }

  explain({ clientAddress }: Exchange): string {
    const lists = [
      ...(this.#deny === null ? [] : [`${this.#deny.has(clientAddress) ? "in" : "not in"} deny (${this.#deny.size})`]),
      ...(this.#allow === null
        ? []
        : [`${this.#allow.has(clientAddress) ? "in" : "not in"} allow (${this.#allow.size})`]),
    ];
    return `${clientAddress.text}: ${lists.join(", ")}`;
  }

  #refuse(seen: string, wanted: string): Denial {
    return new Denial("address_denied", this.place, seen, wanted);
  }
}
