import { domainToASCII } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FORMAT_NAMES, formatOf } from "../../../src/schema/formats/index.ts";
import { decodePunycode, encodePunycode } from "../../../src/schema/formats/punycode.ts";

const holds = (name: string, value: string): boolean => {
  const format = formatOf(name, "2020-12");
  if (format === null) throw new Error(`no format ${name}`);
  return format.test(value);
};

describe("formats", () => {
  test.each([
    [
      "date",
      ["2024-02-29", "2000-02-29", "0000-01-01"],
      ["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "24-1-1", "2024-01-01\n"],
    ],
    [
      "date-time",
      [
        "2024-01-01T00:00:00Z",
        "2024-01-01t00:00:00.123456789123z",
        "2024-01-01 10:00:00+05:30",
        "1998-12-31T15:59:60-08:00",
        "2016-12-31T23:59:60.5Z",
      ],
      [
        "2024-01-01T00:00:00",
        "2024-01-01T24:00:00Z",
        "2024-01-01T23:59:60+01:00",
        "2024-01-01T10:00:00+05",
        "2024-01-01T10:00:00,5Z",
        "2024-02-30T00:00:00Z",
      ],
    ],
    [
      "time",
      ["00:00:00Z", "01:29:60+01:30", "00:29:60-23:30"],
      ["23:59:60+01:00", "12:00:00", "12:00Z", "12:00:00Z ", "1২:00:00Z"],
    ],
    [
      "duration",
      ["P1Y2M3DT4H5M6S", "P2W", "PT0S", "P1M2D"],
      ["P", "PT", "P1Y2D", "P1W1D", "PT1H2S", "P-1D", "PT0.5S", "P1D\n", "p1d"],
    ],
    [
      "email",
      [
        "a@b.co",
        "first.last+tag@sub.example.com",
        '"joe bloggs"@example.com',
        '"a\\"@b"@example.com',
        "joe@[127.0.0.1]",
        "joe@[IPv6:::1]",
        "a@xn--9n2bp8q.xn--9t4b11yi5a",
      ],
      [
        "a",
        "@b.co",
        "a@",
        ".a@b.co",
        "a.@b.co",
        "a..b@c.de",
        "a b@c.de",
        "ä@b.co",
        "a@b_c.de",
        "a@[127.0.0.300]",
        "a@[evil]",
        `${"a".repeat(65)}@b.co`,
        '"a\n"@b.co',
        "a@b.co\n",
        "a@b@c.de",
      ],
    ],
    [
      "idn-email",
      ["실례@실례.테스트", "δοκιμή@example.com", "a@b.co"],
      ["실례", "a@-b.co", "\ud800@b.co", `${"é".repeat(33)}@b.co`],
    ],
    [
      "hostname",
      [
        "example.com",
        "localhost",
        "1host",
        "a--b.com",
        "r3---sn-abc.example.com",
        "xn--9n2bp8q.xn--9t4b11yi5a",
        "a".repeat(63),
      ],
      [
        "",
        ".",
        "a.",
        ".a",
        "-a.com",
        "a-.com",
        "a_b.com",
        "a..b",
        "a".repeat(64),
        "xn--X",
        "xn--a",
        "XN--aa---o47jg78q",
        "пример.рф",
        "a.com\n",
        `${"a".repeat(63)}.`.repeat(4).slice(0, -1),
      ],
    ],
    [
      "idn-hostname",
      ["실례.테스트", "bücher.example", "пример。рф", "l·l.cat", "ßς", "بي‌بي", "क्‍ष", "xn--bcher-kva.example"],
      [
        "",
        "a..b",
        "Bücher.example",
        "a·l.cat",
        "-é",
        "é-",
        "éé--é",
        "〮실례",
        "a\u200db",
        "0ا",
        "aא",
        "א0٠",
        "\ud800",
        "é".repeat(64),
        "☃.example",
        "a\u0301",
      ],
    ],
    [
      "ipv4",
      ["127.0.0.1", "255.255.255.255"],
      ["127.0.0.256", "127.0.0", "127.1", "0x7f.0.0.1", "01.2.3.4", "1.2.3.4/24", "1.2.3.4 "],
    ],
    [
      "ipv6",
      ["::", "::1", "2001:db8::7", "::ffff:192.0.2.1"],
      ["fe80::1%eth0", "1::2::3", "[::1]", "12345::", "::ffff:01.2.3.4", ":::1", "1:2:3:4:5:6:7"],
    ],
    [
      "uri",
      [
        "http://example.com/a?b=c#d",
        "mailto:a@b.co",
        "urn:isbn:1",
        "ldap://[2001:db8::7]/c=GB?one",
        "http://[v1.fe]:80/",
        "file:///etc/hosts",
        "a:",
        "http://u:p@h:/",
      ],
      [
        "/a",
        "//h/a",
        "a",
        "1a:b",
        "http://a b",
        "http://a/%4",
        "http://a/%zz",
        "http://[::1",
        "http://[::1]x/",
        "http://h:8a/",
        "http://a@b@c/",
        "http://ä/",
        "http://a/\\",
        'http://a/"',
        "http://a/#a#b",
        "http:/[::1]",
        "http://a\n",
      ],
    ],
    [
      "uri-reference",
      ["", "/a", "//h/a", "a/b:c", "./a:b", "?q", "#f", "http://h"],
      ["1:b", ":a", "a\\b", "/%", "/ä", "#a#b"],
    ],
    [
      "iri",
      ["http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://h/\u{1f600}", "http://h/?\ue000"],
      ["/π", "http://h/\ue000", "http://h/\ud800", "http://h/\u0085"],
    ],
    ["iri-reference", ["πîx", "//ƒøø/", "#ƒ"], ["#\\", "a b", "\ufffe"]],
    [
      "uuid",
      ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000"],
      [
        "123e4567e89b12d3a456426614174000",
        "{123e4567-e89b-12d3-a456-426614174000}",
        "123e4567-e89b-12d3-a456-42661417400g",
      ],
    ],
    [
      "uri-template",
      ["", "/a/{b}", "{?x,y*}", "{+a.b:3}", "{%41}", "a%41"],
      ["{", "}", "{}", "{a", "a}", "{{a}}", "{a,}", "{a:0}", "{a:10000}", "{a..b}", "{a b}", "a b", "%4"],
    ],
    ["json-pointer", ["", "/", "/a~0b~1c/0", "/ä"], ["a", "#", "#/a", "/~2", "/~"]],
    [
      "relative-json-pointer",
      ["0", "1/a", "2#", "0/", "10", "0+1", "1-12/a", "0-0"],
      ["", "01", "-1", "1#a", "a", "/a", "0##", "0+01", "0+", "0+1#", "0+1-1"],
    ],
    ["regex", ["^[a-z]+$", "(?<n>a)\\k<n>", "\\p{L}"], ["(", "a{2,1}", "\\Z", "[b-a]", "(?P<n>a)"]],
    [
      "byte",
      ["", "aGVsbG8=", "aGVsbG8h", "aA=="],
      ["a", "aGVsbG8", "aGVs bG8=", "aGVsbG9=", "aB==", "====", "aGVsbG8_", "aA==aA=="],
    ],
    ["base64url", ["", "aGVsbG8", "aGVsbG8=", "_-8", "aA", "aA=="], ["a", "aGVsb", "aGVsbG8+", "a=A=", "aA===", "a b"]],
    ["binary", ["", "\0\ud800"], []],
    ["password", ["", "x"], []],
  ] as const)("%s", (name, right, wrong) => {
    for (const value of right) expect([name, value, holds(name, value)]).toEqual([name, value, true]);
    for (const value of wrong) expect([name, value, holds(name, value)]).toEqual([name, value, false]);
  });

  test.each([
    [
      "int32",
      ["0", "-0", "2147483647", "-2147483648", "1.0", "1e3", "2147483647.000", "120e-1"],
      ["2147483648", "-2147483649", "1.5", "1e-1", "1e10", "1e999999999999"],
    ],
    [
      "int64",
      [
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775807.0",
        "922337203685477580700e-2",
        "0e99999",
        "0.00",
      ],
      ["9223372036854775808", "-9223372036854775809", "1e19", "0.5", "9223372036854775807.5"],
    ],
    ["float", ["3.4028234e38", "-1.5", "1e-300"], ["3.5e38", "-1e39"]],
    ["double", ["1.7976931348623157e308", "0"], ["1e309", "-1e400"]],
  ] as const)("%s, by the spelling of a number", (name, right, wrong) => {
    expect(formatOf(name, "2020-12")?.kind).toBe("number");
    for (const value of right) expect([name, value, holds(name, value)]).toEqual([name, value, true]);
    for (const value of wrong) expect([name, value, holds(name, value)]).toEqual([name, value, false]);
  });

  test("none that nobody knows; older names where they were in use", () => {
    expect(formatOf("colour", "2020-12")).toBeNull();
    expect(formatOf("constructor", "2020-12")).toBeNull();
    expect(formatOf("host-name", "2020-12")).toBeNull();
    expect(formatOf("host-name", "draft-04")?.test("a.b")).toBe(true);
    expect(FORMAT_NAMES.every((name) => formatOf(name, "openapi-3.0") !== null)).toBe(true);
  });
});

describe("formats hold against what a client can send", () => {
  test("texts that nobody writes at such a length do not fit; URIs and base64 do", () => {
    const long: Readonly<Record<string, string>> = {
      "uri-template": "{a}".repeat(30_000),
      "json-pointer": "/a".repeat(40_000),
      "relative-json-pointer": `0${"/a".repeat(40_000)}`,
      duration: `P${"1".repeat(70_000)}Y`,
      time: `00:00:00.${"1".repeat(70_000)}Z`,
      "date-time": `2024-01-01T00:00:00.${"1".repeat(70_000)}Z`,
      regex: "a".repeat(9_000),
    };
    for (const [name, text] of Object.entries(long)) expect([name, holds(name, text)]).toEqual([name, false]);
    for (const name of ["uri", "uri-reference", "iri", "iri-reference"])
      expect([name, holds(name, `data:,${"a%20".repeat(30_000)}`)]).toEqual([name, true]);
    for (const name of ["byte", "base64url", "binary", "password"])
      expect([name, holds(name, "AAAA".repeat(30_000))]).toEqual([name, true]);
  });

  test("none throws, whatever the text", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({
        unit: fc.constantFrom(...'aA1.-@:/[]{}"\\%?#~+,()*$^|Pé\u0301\u200c\ud800TZ0\u3002'),
        maxLength: 40,
      }),
      fc.string({ unit: fc.constantFrom("xn--", "a", "9", "-", "."), maxLength: 12 }),
    );
    fc.assert(
      fc.property(hostile, (value) => {
        for (const name of FORMAT_NAMES) expect(typeof holds(name, value)).toBe("boolean");
      }),
      { numRuns: 1000 },
    );
  });

  test("none takes more than linear time on a long hostile text", () => {
    const pieces = ["a", "a.", "1", "a-", "%41", "{a}", "(?i:[a])", "é", "xn--a.", "~0", "[::1]", '"', "P1Y", "="];
    for (const name of FORMAT_NAMES) {
      for (const piece of pieces) {
        for (const start of ["", "http://", "1e"]) {
          const long = start + piece.repeat(100_000 / piece.length);
          const began = process.cpuUsage().user;
          holds(name, long);
          // A quadratic one would take seconds.
          expect([name, piece, start, process.cpuUsage().user - began < 500_000]).toEqual([name, piece, start, true]);
        }
      }
    }
  });

  test("Punycode is that of the platform, and comes back", () => {
    const label = fc.string({
      unit: fc.constantFrom(..."abz09äöüßéñçабвгдειλ한글漢字ひ"),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(label, (text) => {
        const points = [...text].map((char) => char.codePointAt(0) ?? 0);
        const encoded = encodePunycode(points);
        expect(decodePunycode(encoded)).toEqual(points);
        if (points.some((point) => point > 127)) expect(domainToASCII(text)).toBe(`xn--${encoded}`);
      }),
    );
  });

  test("a host name that passes is one to the platform, too", () => {
    const name = fc.string({ unit: fc.constantFrom(..."abz09-.äßé·한ひא٠۰ا"), minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(name, (text) => {
        // The platform takes a last label of digits for an address.
        if (holds("idn-hostname", text) && !/(?:^|\.)\d+$/.test(text))
          expect([text, domainToASCII(text)]).not.toEqual([text, ""]);
      }),
      { numRuns: 3000 },
    );
  });
});
