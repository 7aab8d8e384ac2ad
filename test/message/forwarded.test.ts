import { describe, expect, test } from "vitest";
import { buildCidrTable } from "../../src/matching/cidr-table.ts";
import { type Address, parseAddress, UNKNOWN_CLIENT } from "../../src/message/address.ts";
import { clientAddressOf, toldBy, trustedChain } from "../../src/message/forwarded.ts";
import { createHeaders } from "../fixtures/route-context.ts";

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`'${text}' is no address`);
  return parsed;
}

const trusted = (one: Address): boolean => one.text.startsWith("10.") || one.text === "2001:db8::1";

function clientOf(...lines: string[]): string {
  const headers = createHeaders(lines.map((line) => ["x-forwarded-for", line]));
  const result = clientAddressOf(address("10.0.0.1"), headers, trusted);
  return result.ok ? result.value.address.text : `error: ${result.error}`;
}

/** How many trusted proxies stand before us. */
function hopsOf(line: string): number {
  const result = clientAddressOf(address("10.0.0.1"), createHeaders([["x-forwarded-for", line]]), trusted);
  return result.ok ? result.value.hops : -1;
}

describe("the client's address", () => {
  test("without the header it is the peer's", () => {
    expect(clientOf()).toBe("10.0.0.1");
  });

  test("it is the first from the right that is not trusted, whatever the client wrote before it", () => {
    expect(clientOf("198.51.100.4")).toBe("198.51.100.4");
    expect(clientOf("127.0.0.1, 10.9.9.9, 198.51.100.4, 10.0.0.3")).toBe("198.51.100.4");
    expect(clientOf("127.0.0.1", "198.51.100.4", "10.0.0.3")).toBe("198.51.100.4");
    expect(clientOf("<script>, , garbage, 198.51.100.4")).toBe("198.51.100.4");
  });

  test("where every hop is trusted it is the leftmost", () => {
    expect(clientOf("10.0.0.9, 2001:db8::1")).toBe("10.0.0.9");
  });

  test("ports and brackets that proxies add are read", () => {
    expect(clientOf("198.51.100.4:1234")).toBe("198.51.100.4");
    expect(clientOf("[2001:DB8::7]:443")).toBe("2001:db8::7");
    expect(clientOf("2001:db8::7")).toBe("2001:db8::7");
    expect(clientOf("::ffff:198.51.100.4")).toBe("198.51.100.4");
  });

  test.each(["010.0.0.1", "127.1", "1.2.3.4:", "[1.2.3.4", "fe80::1%eth0", "a\tb"])(
    "'%s' has no reading where it counts",
    (line) => {
      expect(clientOf(line)).toMatch(/^error: /);
    },
  );

  test("a malformed entry behind a trusted hop is an error, and so is an endless chain", () => {
    expect(clientOf("junk, 10.0.0.3")).toBe("error: X-Forwarded-For entry 'junk'");
    expect(clientOf(Array.from({ length: 100 }, () => "10.0.0.3").join(","))).toContain("more than 32");
  });

  test.each([
    ["198.51.100.4,", "198.51.100.4", 1],
    ["junk, 198.51.100.4, , 10.0.0.3,,", "198.51.100.4", 2],
    ["", "10.0.0.1", 1],
    [" , ,", "10.0.0.1", 1],
  ])("empty elements of '%s' are no entries", (line, client, hops) => {
    expect([clientOf(line), hopsOf(line)]).toEqual([client, hops]);
  });

  test.each(["unknown", "Unknown, 10.0.0.3", "unix:", "10.0.0.9, unix:/run/app.sock, 10.0.0.3", "127.0.0.1, unknown"])(
    "'%s' ends the walk with a client of whom no address is known, and nothing further left is believed",
    (line) => {
      expect(clientOf(line)).toBe("unknown");
      const table = buildCidrTable(["0.0.0.0/0", "::/0"]);
      expect(table.ok && table.value.has(UNKNOWN_CLIENT)).toBe(false);
    },
  );

  test("more elements than there may be hops are an error, be they empty", () => {
    expect(clientOf(",".repeat(100))).toContain("more than 32");
  });
});

describe("the chain that trusted proxies wrote", () => {
  test.each([
    ["6.6.6.6, 198.51.100.4, , 10.0.0.3", "198.51.100.4", "198.51.100.4, 10.0.0.3"],
    ["6.6.6.6, unknown, 10.0.0.3", "unknown", "10.0.0.3"],
    ["unix:", "unknown", ""],
  ])("of '%s' with client %s is '%s'", (line, client, chain) => {
    const who = client === "unknown" ? UNKNOWN_CLIENT : address(client);
    expect(trustedChain(createHeaders([["x-forwarded-for", line]]), who)).toBe(chain);
  });
});

describe("what trusted proxies say in a list", () => {
  test.each([
    [1, "https", "https"],
    [1, "https,http", "http"],
    [2, "https,http", "https"],
    [2, "evil, https,, http", "https"],
    [2, "https", "https"],
    [2, " ,", ""],
  ])("through %d of them, '%s' is '%s'", (hops, line, word) => {
    const headers = createHeaders([["x-forwarded-proto", line]]);
    expect(toldBy({ hops, trustsHost: false }, headers, "x-forwarded-proto")).toBe(word);
  });
});
