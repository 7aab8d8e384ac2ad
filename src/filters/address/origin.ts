import type { Reason } from "../../decision/reason.ts";
import { CONTINUE, ListDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Address } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Geo } from "../../message/geo.ts";
import type { AddressList } from "../address-list.ts";
import type { Check } from "../filter.ts";

/** What an address without a country or network counts as. */
export const UNKNOWN = "unknown";

export type OriginKind = "countries" | "networks";

export interface OriginRules {
  readonly kind: OriginKind;
  readonly deny: ReadonlySet<string>;
  /** Null: whoever is not denied may ask. */
  readonly allow: ReadonlySet<string> | null;
  /** Whom the rules do not meet. */
  readonly except: readonly AddressList[];
}

const REASON_OF: Readonly<Record<OriginKind, Reason>> = { countries: "country_denied", networks: "network_denied" };

/** Judges where the client's address is, or whose it is, by the databases of the policy. */
export class OriginCheck implements Check {
  readonly name = "address";
  readonly phase = "admit";
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #rules: OriginRules;
  readonly #geo: Geo;

  constructor(rules: OriginRules, geo: Geo, place: Place, enforcePercent: number) {
    this.#rules = rules;
    this.#geo = geo;
    this.place = place;
    this.enforcePercent = enforcePercent;
  }

  evaluate({ clientAddress }: Exchange): Verdict {
    const { kind, deny, allow, except } = this.#rules;
    const origin = this.#originOf(clientAddress);
    const isDenied = deny.has(origin);
    if (!isDenied && (allow === null || allow.has(origin))) return CONTINUE;
    if (except.some(({ table }) => table.has(clientAddress))) return CONTINUE;
    const wanted = isDenied ? `an address that is not of ${origin}` : `an address of ${kind}.allow`;
    const seen = `${clientAddress.text}, ${origin}`;
    return new ListDenial(REASON_OF[kind], this.place, seen, wanted, isDenied ? origin : `${kind}.allow`);
  }

  explain({ clientAddress }: Exchange): string {
    const { kind, deny, allow, except } = this.#rules;
    const origin = this.#originOf(clientAddress);
    const parts = [`${deny.has(origin) ? "in" : "not in"} ${kind}.deny (${deny.size})`];
    if (allow !== null) parts.push(`${allow.has(origin) ? "in" : "not in"} ${kind}.allow (${allow.size})`);
    const list = except.find(({ table }) => table.has(clientAddress));
    if (list !== undefined) parts.push(`in ${list.name}`);
    return `${clientAddress.text}: ${origin}, ${parts.join(", ")}`;
  }

  #originOf(address: Address): string {
    return (this.#rules.kind === "countries" ? this.#geo.country(address) : this.#geo.asn(address)) ?? UNKNOWN;
  }
}
