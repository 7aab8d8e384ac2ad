import { expect, test } from "vitest";
import { buildCidrTable } from "../../src/matching/cidr-table.ts";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";

function table(...prefixes: string[]): (address: string) => boolean {
  const built = buildCidrTable(prefixes);
  if (!built.ok) throw new Error(built.error.map((problem) => problem.text).join("; "));
  return (text) => {
    const address = parseAddress(text);
    if (address === null) throw new Error(`${text} is no address`);
    return built.value.has(address);
  };
}

function problems(...prefixes: string[]): readonly { text: string; index: number }[] {
  const built = buildCidrTable(prefixes);
  return built.ok ? [] : built.error;
}

test("a prefix holds its first and last address and not their neighbours", () => {
  const has = table("192.0.2.64/26", "2001:db8:0:10::/60");
  expect(["192.0.2.63", "192.0.2.64", "192.0.2.127", "192.0.2.128"].map(has)).toEqual([false, true, true, false]);
  expect(
    ["2001:db8:0:f:ffff:ffff:ffff:ffff", "2001:db8:0:10::", "2001:db8:0:1f:ffff::", "2001:db8:0:20::"].map(has),
  ).toEqual([false, true, true, false]);
});

test("an address alone is the prefix of itself", () => {
  const has = table("203.0.113.7", "2001:db8::7");
  expect(["203.0.113.6", "203.0.113.7", "203.0.113.8"].map(has)).toEqual([false, true, false]);
  expect(["2001:db8::6", "2001:db8::7", "2001:db8::8"].map(has)).toEqual([false, true, false]);
});

test("a v4-mapped IPv6 address does not walk round an IPv4 prefix, nor the other way round", () => {
  const dotted = table("10.0.0.0/8");
  const mapped = table("::ffff:10.0.0.0/104", "::ffff:c000:201");
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203", "0:0:0:0:0:ffff:0a01:0203"]) {
    expect(dotted(address)).toBe(true);
    expect(mapped(address)).toBe(true);
  }
  expect(mapped("192.0.2.1")).toBe(true);
  expect(mapped("11.0.0.1")).toBe(false);
});

test("/0 holds its whole family and nothing of the other", () => {
  const v4 = table("0.0.0.0/0");
  const v6 = table("::/0");
  expect(["0.0.0.0", "127.0.0.1", "255.255.255.255", "::ffff:1.2.3.4"].map(v4)).toEqual([true, true, true, true]);
  expect(["::", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"].map(v6)).toEqual([true, true, true]);
  expect(["::1", "2001:db8::1"].map(v4)).toEqual([false, false]);
  expect(["1.2.3.4", "::ffff:1.2.3.4"].map(v6)).toEqual([false, false]);
});

test("prefixes inside others, beside others and written twice change nothing", () => {
  const has = table(
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.0.0.0/8",
    "11.0.0.0/8",
    "10.1.2.3",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8::1",
  );
  expect(["9.255.255.255", "10.1.2.3", "10.255.255.255", "11.0.0.0", "12.0.0.0"].map(has)).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(["2001:db8:2::", "2001:db8:1::1", "2001:db9::"].map(has)).toEqual([true, true, false]);
});

test("one word of an IPv6 address may hold whole prefixes and beginnings of longer ones", () => {
  const has = table("2001:db8::/33", "2001:db8:8000::/64", "2001:db8:ffff:ffff::1", "::1", "::/127");
  expect(["2001:db8::", "2001:db8:7fff:ffff::", "2001:db8:8000:0:1::", "2001:db8:8000:1::"].map(has)).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(["2001:db8:ffff:ffff::1", "2001:db8:ffff:ffff::2", "::", "::1", "::2"].map(has)).toEqual([
    true,
    false,
    true,
    true,
    false,
  ]);
});

test("an empty table holds nothing", () => {
  const has = table();
  expect(["0.0.0.0", "::", "127.0.0.1"].map(has)).toEqual([false, false, false]);
});

test("the peer of a Unix socket is in no table, though its bits are those of ::", () => {
  const built = buildCidrTable(["::/0", "0.0.0.0/0", "::"]);
  expect(built.ok && built.value.has(UNIX_PEER)).toBe(false);
});

test("bits behind the length are a problem that names the right prefix", () => {
  expect(problems("10.0.0.1/8")).toEqual([
    { index: 0, text: "'10.0.0.1/8' has bits set behind its length; expected 10.0.0.0/8" },
  ]);
  expect(problems("192.0.2.255/25", "2001:db8::1/32").map((problem) => problem.text)).toEqual([
    "'192.0.2.255/25' has bits set behind its length; expected 192.0.2.128/25",
    "'2001:db8::1/32' has bits set behind its length; expected 2001:db8::/32",
  ]);
  expect(problems("::ffff:10.0.0.1/104")[0]?.text).toContain("expected 10.0.0.0/8");
});

test("every wrong prefix is reported, with its index", () => {
  const texts = [
    "10.0.0.0/8",
    "",
    "nonsense",
    "10.0.0.0/33",
    "2001:db8::/129",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/-1",
  ];
  const more = [
    "010.0.0.1",
    "10.0.0",
    "0x7f.1",
    "2130706433",
    "fe80::1%eth0",
    "::ffff:10.0.0.0/95",
    "10.0.0.0/8/8",
    " 10.0.0.1",
  ];
  expect(problems(...texts, ...more).map((problem) => problem.index)).toEqual(
    Array.from({ length: 15 }, (_, at) => at + 1),
  );
});

test("100,000 prefixes build in seconds and know their size", () => {
  const prefixes = Array.from({ length: 100_000 }, (_, at) => `${1 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}.0/24`);
  const built = buildCidrTable(prefixes);
  expect(built.ok && built.value.size).toBe(100_000);
});
