import fc from "fast-check";
import { expect, test } from "vitest";
import { GeoDatabases } from "../../src/addresses/geo.ts";
import { Mmdb } from "../../src/addresses/mmdb.ts";
import { type Address, parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import { atOnce } from "../../src/support/turns.ts";
import { mmdb, type Said } from "../fixtures/mmdb.ts";

const COUNTRIES: Readonly<Record<string, Said>> = {
  "192.0.2.0/24": { country: { iso_code: "DE", names: { en: "Germany" } }, continent: { code: "EU" } },
  "198.51.100.0/25": { country: { iso_code: "US" }, continent: { code: "NA" } },
  "2001:db8::/32": { country: { iso_code: "FR" }, continent: { code: "EU" } },
};

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

function open(bytes: Buffer): Mmdb {
  const database = atOnce(Mmdb.open(bytes));
  if (!database.ok) throw new Error(database.error);
  return database.value;
}

const fault = (bytes: Buffer): string => {
  const database = atOnce(Mmdb.open(bytes));
  return database.ok ? "" : database.error;
};

test.each([24, 28, 32] as const)("records of %d bits", (recordBits) => {
  const geo = new GeoDatabases(open(mmdb(COUNTRIES, { recordBits })), null);
  const countries = ["192.0.2.1", "::ffff:192.0.2.255", "198.51.100.127", "198.51.100.128", "2001:db8::1", "10.0.0.1"];
  expect(countries.map((text) => geo.country(address(text)))).toEqual(["DE", "DE", "US", null, "FR", null]);
  expect(geo.continent(address("2001:db8:ffff::"))).toBe("EU");
  expect(geo.country(UNIX_PEER)).toBeNull();
  expect(geo.asn(address("192.0.2.1"))).toBeNull();
});

test("a database of IPv4 alone knows nothing of IPv6", () => {
  const geo = new GeoDatabases(open(mmdb({ "0.0.0.0/1": { country: { iso_code: "DE" } } }, { ipVersion: 4 })), null);
  expect(["127.0.0.1", "128.0.0.1", "::1"].map((text) => geo.country(address(text)))).toEqual(["DE", null, null]);
});

test("networks, and records that are flat", () => {
  const records = {
    "192.0.2.0/24": { autonomous_system_number: 64496, autonomous_system_organization: "Example" },
    "198.51.100.0/24": { asn: "AS64500", as_name: "Other", country: "AT", country_code: "AT", continent_code: "EU" },
    "203.0.113.0/24": { autonomous_system_organization: "", country: { iso_code: "not a code" } },
  };
  const database = open(mmdb(records));
  const geo = new GeoDatabases(database, database);
  const of = (text: string) => [geo.asn(address(text)), geo.network(address(text)), geo.country(address(text))];
  expect(of("192.0.2.9")).toEqual(["AS64496", "Example", null]);
  expect(of("198.51.100.9")).toEqual(["AS64500", "Other", "AT"]);
  expect(of("203.0.113.9")).toEqual([null, null, null]);
  expect([database.type, database.builtSeconds]).toEqual(["Test-Country", 1_790_000_000]);
});

test("what is no database, or no whole one, says so", () => {
  const bytes = mmdb(COUNTRIES);
  expect(fault(Buffer.from("192.0.2.0/24\n"))).toBe(
    "is no MaxMind database, or is cut off: it has no metadata at its end",
  );
  expect(fault(bytes.subarray(0, bytes.length - 100))).toMatch(/^is /);
  expect(fault(mmdb(COUNTRIES, { metadata: { binary_format_major_version: 3 } }))).toBe(
    "is of another format than MaxMind DB 2",
  );
  expect(fault(mmdb(COUNTRIES, { metadata: { node_count: 1_000_000 } }))).toBe(
    "is damaged: its tree is longer than the file",
  );
  expect(fault(mmdb(COUNTRIES, { metadata: { record_size: 26 } }))).toBe(
    "is damaged: its metadata says what cannot be",
  );
  expect(fault(mmdb({ "192.0.2.0/24": "DE" }))).toBe("is damaged: a record that is no map");
});

test("a map that holds itself, and one that unfolds to millions of values, are damage", () => {
  // A map of one member `a` whose value points to the map itself.
  const loop = Buffer.from([0xe1, 0x41, 0x61, 0x20, 0x00]);
  const bytes = mmdb({ "192.0.2.0/24": { a: { b: 1 } } });
  const at = bytes.indexOf(Buffer.from([0xe1, 0x41, 0x61]));
  loop.copy(bytes, at);
  expect(fault(bytes)).toBe("is damaged: a record that is too large");
});

test("no damage throws, whatever bytes are others", () => {
  const whole = mmdb({ ...COUNTRIES, "203.0.113.0/24": { asn: "AS1", list: ["a".repeat(300), true, 7] } });
  const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(whole);
      for (const { at, to } of changes) bytes[at] = to;
      const database = atOnce(Mmdb.open(bytes));
      if (!database.ok) return;
      const geo = new GeoDatabases(database.value, database.value);
      for (const text of ["192.0.2.1", "203.0.113.7", "2001:db8::1", "::", "255.255.255.255"]) {
        geo.country(address(text));
        geo.network(address(text));
      }
    }),
    { numRuns: 2_000 },
  );
});
