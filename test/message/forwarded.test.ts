import { describe, expect, test } from "vitest";
import { type Address, parseAddress } from "../../src/message/address.ts";
import { clientAddressOf } from "../../src/message/forwarded.ts";
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
  return result.ok ? result.value.text : `error: ${result.error}`;
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

  test.each([
    "",
    "unknown",
    "198.51.100.4,",
    ",",
    "010.0.0.1",
    "127.1",
    "1.2.3.4:",
    "[1.2.3.4",
    "fe80::1%eth0",
    "a\tb",
  ])("'%s' has no reading where it counts", (line) => {
    expect(clientOf(line)).toMatch(/^error: /);
  });

  test("a malformed entry behind a trusted hop is an error, and so is an endless chain", () => {
    expect(clientOf("junk, 10.0.0.3")).toBe("error: X-Forwarded-For entry 'junk'");
    expect(clientOf(Array.from({ length: 100 }, () => "10.0.0.3").join(","))).toContain("more than 32");
  });
});
