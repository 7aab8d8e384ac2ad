import { type Address, isAddressless } from "../message/address.ts";
import type { Geo } from "../message/geo.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Mmdb } from "./mmdb.ts";
import type { MmdbMap, MmdbValue } from "./mmdb-data.ts";

interface Facts {
  readonly country: string | null;
  readonly continent: string | null;
  readonly asn: string | null;
  readonly network: string | null;
}

const NOTHING: Facts = { country: null, continent: null, asn: null, network: null };

/** Where addresses are and whose, by two databases, each of which may be absent. */
export class GeoDatabases implements Geo {
  readonly #countries: FactTable | null;
  readonly #networks: FactTable | null;

  readonly #named: ReadonlySet<string>;

  /** `named`: of which the policy names a file, be it one that could not be read. */
  constructor(countries: Mmdb | null, networks: Mmdb | null, named: readonly string[] = ["countries", "networks"]) {
    this.#named = new Set(named);
    this.#countries = countries === null ? null : new FactTable(countries);
    this.#networks = networks === null ? null : new FactTable(networks);
  }

  knows(kind: "countries" | "networks"): boolean {
    return this.#named.has(kind);
  }

  country(address: Address): string | null {
    return this.#countries?.of(address).country ?? null;
  }

  continent(address: Address): string | null {
    return this.#countries?.of(address).continent ?? null;
  }

  asn(address: Address): string | null {
    return this.#networks?.of(address).asn ?? null;
  }

  network(address: Address): string | null {
    return this.#networks?.of(address).network ?? null;
  }
}

/** Records of a database that were asked for, by where they lie: thousands of addresses share one. */
class FactTable {
  readonly #database: Mmdb;
  readonly #known = new Map<number, Facts>();
  #lastAddress: Address | null = null;
  #lastFacts: Facts = NOTHING;

  constructor(database: Mmdb) {
    this.#database = database;
  }

  of(address: Address): Facts {
    if (address === this.#lastAddress) return this.#lastFacts;
    this.#lastFacts = isAddressless(address) ? NOTHING : this.#at(this.#database.find(address));
    this.#lastAddress = address;
    return this.#lastFacts;
  }

  #at(offset: number): Facts {
    if (offset < 0) return NOTHING;
    const known = this.#known.get(offset);
    if (known !== undefined) return known;
    const record = this.#database.record(offset);
    const facts = record === null ? NOTHING : factsOf(record);
    if (this.#known.size >= DEFAULTS.geoRecordsKeptMax) this.#known.clear();
    this.#known.set(offset, facts);
    return facts;
  }
}

/** MaxMind's and DB-IP's records have maps within, those of IPinfo and others are flat. */
function factsOf(record: MmdbMap): Facts {
  const number = record["autonomous_system_number"];
  const asn = typeof number === "number" ? `AS${number}` : text(record["asn"], /^AS\d{1,10}$/);
  const holder = record["autonomous_system_organization"] ?? record["as_name"] ?? record["organization"];
  return {
    country: code(record["country"], "iso_code") ?? text(record["country_code"], CODE),
    continent: code(record["continent"], "code") ?? text(record["continent_code"], CODE),
    asn,
    network: typeof holder === "string" && holder !== "" ? holder.slice(0, DEFAULTS.geoNameCharsMax) : null,
  };
}

const CODE = /^[A-Z]{2}$/;

function code(value: MmdbValue | undefined, member: string): string | null {
  const inner =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as MmdbMap)[member] : value;
  return text(inner, CODE);
}

function text(value: MmdbValue | undefined, form: RegExp): string | null {
  return typeof value === "string" && form.test(value) ? value : null;
}
