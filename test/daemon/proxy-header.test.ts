import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../../src/daemon/crc32c.ts";
import { type ProxyHeader, ProxyHeaderFault, readProxyHeader } from "../../src/daemon/proxy-header.ts";
import { UNIX_PEER } from "../../src/message/address.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { proxyV2 } from "../fixtures/proxy-protocol.ts";

const read = (text: string | Buffer) => readProxyHeader(typeof text === "string" ? Buffer.from(text, "latin1") : text);

function header(text: string | Buffer): ProxyHeader {
  const result = read(text);
  if (result === null || result instanceof ProxyHeaderFault) throw new Error(`no header: ${JSON.stringify(result)}`);
  return result;
}

const clientOf = (text: string | Buffer): string | undefined => header(text).client?.text;

describe("version 1", () => {
  test("names an IPv4 client", () => {
    const line = "PROXY TCP4 203.0.113.7 10.0.0.1 51000 443\r\n";
    expect(header(`${line}GET / HTTP/1.1\r\n`)).toMatchObject({ client: { text: "203.0.113.7" }, bytes: line.length });
  });

  test("names an IPv6 client, and one that is IPv4 in disguise as what it is", () => {
    expect(clientOf("PROXY TCP6 2001:db8::7 2001:db8::1 51000 443\r\n")).toBe("2001:db8::7");
    expect(clientOf("PROXY TCP6 ::ffff:203.0.113.7 ::1 51000 443\r\n")).toBe("203.0.113.7");
  });

  test("names nobody with UNKNOWN, whatever stands behind it", () => {
    expect(header("PROXY UNKNOWN\r\n").client).toBeNull();
    expect(header("PROXY UNKNOWN ffff::1 ::1 1 2\r\n").client).toBeNull();
  });

  test("takes a line of 107 bytes and none of 108", () => {
    const line = (length: number) => `${"PROXY UNKNOWN ".padEnd(length - 2, "x")}\r\n`;
    expect(header(line(107)).bytes).toBe(107);
    expect(read(line(108))).toMatchObject({ kind: "invalid" });
    expect(read("PROXY UNKNOWN ".padEnd(107, "x"))).toMatchObject({ kind: "invalid" });
  });

  const malformed = {
    "a bare LF": "PROXY TCP4 203.0.113.7 10.0.0.1 51000 443\nGET / HTTP/1.1\r\n",
    "a bare CR": "PROXY TCP4 203.0.113.7 10.0.0.1 51000 443\r \r\n",
    "a bare LF before another line": "PROXY UNKNOWN\nPROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "two spaces": "PROXY TCP4  203.0.113.7 10.0.0.1 51000 443\r\n",
    "a space at the end": "PROXY TCP4 203.0.113.7 10.0.0.1 51000 443 \r\n",
    "a tab": "PROXY TCP4\t203.0.113.7 10.0.0.1 51000 443\r\n",
    "lower case": "PROXY tcp4 203.0.113.7 10.0.0.1 51000 443\r\n",
    "an IPv6 address as TCP4": "PROXY TCP4 2001:db8::7 10.0.0.1 51000 443\r\n",
    "an IPv4 address as TCP6": "PROXY TCP6 203.0.113.7 ::1 51000 443\r\n",
    "octal digits": "PROXY TCP4 0203.0.113.7 10.0.0.1 51000 443\r\n",
    "three octets": "PROXY TCP4 203.0.113 10.0.0.1 51000 443\r\n",
    "a zone": "PROXY TCP6 fe80::1%eth0 ::1 51000 443\r\n",
    "a port above 65535": "PROXY TCP4 203.0.113.7 10.0.0.1 65536 443\r\n",
    "a port with a leading zero": "PROXY TCP4 203.0.113.7 10.0.0.1 051000 443\r\n",
    "a signed port": "PROXY TCP4 203.0.113.7 10.0.0.1 +1 443\r\n",
    "no ports": "PROXY TCP4 203.0.113.7 10.0.0.1\r\n",
    datagrams: "PROXY UDP4 203.0.113.7 10.0.0.1 51000 443\r\n",
    "UNKNOWN with a letter more": "PROXY UNKNOWNS\r\n",
    nothing: "PROXY \r\n",
  };
  for (const [name, line] of Object.entries(malformed)) {
    test(`refuses ${name}`, () => expect(read(line)).toMatchObject({ kind: "invalid" }));
  }
});

describe("version 2", () => {
  const ipv4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0xc7, 0x38, 0x01, 0xbb]);

  test("names an IPv4, an IPv6 and a Unix client", () => {
    expect(clientOf(proxyV2(0x21, 0x11, ipv4))).toBe("203.0.113.7");
    const ipv6 = Buffer.alloc(36);
    ipv6.set([0x20, 0x01, 0x0d, 0xb8], 0);
    ipv6[15] = 7;
    expect(clientOf(proxyV2(0x21, 0x21, ipv6))).toBe("2001:db8::7");
    expect(header(proxyV2(0x21, 0x31, Buffer.alloc(216))).client).toBe(UNIX_PEER);
  });

  test("an IPv4 client in an IPv6 header is the IPv4 client", () => {
    const mapped = Buffer.concat([Buffer.alloc(10), Buffer.from([255, 255, 203, 0, 113, 7]), Buffer.alloc(20)]);
    expect(clientOf(proxyV2(0x21, 0x21, mapped))).toBe("203.0.113.7");
  });

  test("names nobody with LOCAL, whatever family and bytes stand behind it", () => {
    expect(header(proxyV2(0x20, 0x00, Buffer.alloc(0)))).toEqual({ client: null, bytes: 16 });
    expect(header(proxyV2(0x20, 0x11, ipv4))).toEqual({ client: null, bytes: 28 });
    expect(header(proxyV2(0x20, 0xff, Buffer.from("rubbish")))).toEqual({ client: null, bytes: 23 });
  });

  test("names nobody with an unspecified family", () => {
    expect(header(proxyV2(0x21, 0x00, Buffer.alloc(0))).client).toBeNull();
  });

  test("skips extensions that fill the header exactly", () => {
    const alpn = Buffer.from([0x01, 0, 2, 0x68, 0x32]);
    const empty = Buffer.from([0x04, 0, 0]);
    expect(header(proxyV2(0x21, 0x11, Buffer.concat([ipv4, alpn, empty])))).toMatchObject({ bytes: 36 });
  });

  test("believes a checksum that holds and no other", () => {
    const withSum = (sum: number) => {
      const extension = Buffer.from([0x03, 0, 4, 0, 0, 0, 0]);
      extension.writeUInt32BE(sum, 3);
      return proxyV2(0x21, 0x11, Buffer.concat([ipv4, extension]));
    };
    const sum = crc32c(withSum(0));
    expect(clientOf(withSum(sum))).toBe("203.0.113.7");
    expect(read(withSum(sum ^ 1))).toMatchObject({ kind: "invalid" });
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  });

  const long = Buffer.alloc(DEFAULTS.proxyHeaderBytesMax + 1);
  const lies: Record<string, Buffer> = {
    "version 1 in the binary form": proxyV2(0x11, 0x11, ipv4),
    "version 3": proxyV2(0x31, 0x11, ipv4),
    "an unknown command": proxyV2(0x22, 0x11, ipv4),
    "an unknown family": proxyV2(0x21, 0x41, ipv4),
    "datagrams over a stream": proxyV2(0x21, 0x12, ipv4),
    "fewer bytes than the addresses take": proxyV2(0x21, 0x11, ipv4.subarray(0, 11)),
    "an IPv4 length for IPv6 addresses": proxyV2(0x21, 0x21, ipv4),
    "an extension one byte longer than the header": proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 0, 1])])),
    "an extension that wraps around": proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 255, 255, 0])])),
    "half an extension": proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 0])])),
    "a checksum of three bytes": proxyV2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([3, 0, 3, 0, 0, 0])])),
    "more than we take": proxyV2(0x21, 0x11, long),
    "more than we take, in LOCAL": proxyV2(0x20, 0x00, long),
  };
  for (const [name, bytes] of Object.entries(lies)) {
    test(`refuses ${name}`, () => expect(read(bytes)).toMatchObject({ kind: "invalid" }));
  }

  test("refuses too long a header by its length alone, before its bytes come", () => {
    expect(read(proxyV2(0x21, 0x11, long).subarray(0, 16))).toMatchObject({ kind: "invalid" });
  });
});

describe("what is no header", () => {
  const others = [
    "GET / HTTP/1.1\r\n",
    "PUT / HTTP/1.1\r\n",
    "\x16\x03\x01\x02",
    "\r\n\r\nGET /",
    "proxy TCP4",
    "PROXYTCP",
  ];
  for (const text of others) {
    test(`${JSON.stringify(text)} is missing one`, () => expect(read(text)).toMatchObject({ kind: "missing" }));
  }
});

test("any beginning of a header waits for more, and the whole is read the same", () => {
  const headers = [
    Buffer.from("PROXY TCP6 2001:db8::7 2001:db8::1 51000 443\r\n"),
    proxyV2(0x21, 0x11, Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 1, 2, 3, 4, 0x04, 0, 1, 9])),
  ];
  for (const whole of headers) {
    for (let end = 0; end < whole.length; end++) expect(readProxyHeader(whole.subarray(0, end)), `${end}`).toBeNull();
    expect(header(Buffer.concat([whole, Buffer.from("\x16rest")])).bytes).toBe(whole.length);
  }
});

test("no bytes make it throw, and a header never ends behind its bytes", () => {
  const tail = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const start = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from("PROXY "),
    Buffer.from("PROXY TCP4 "),
    proxyV2(0x21, 0x11, Buffer.alloc(0)).subarray(0, 12),
    proxyV2(0x21, 0x21, Buffer.alloc(40)).subarray(0, 20),
  );
  fc.assert(
    fc.property(start, tail, (first, rest) => {
      const bytes = Buffer.concat([first, rest]);
      const result = readProxyHeader(bytes);
      if (result !== null && !(result instanceof ProxyHeaderFault))
        expect(result.bytes).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 2_000 },
  );
});
