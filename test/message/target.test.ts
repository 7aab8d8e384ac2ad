import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalTarget, decodeSegment } from "../../src/message/target.ts";
import { cpuMs } from "../fixtures/cpu-time.ts";

function canonical(raw: string): string {
  const result = canonicalTarget(raw);
  return result.ok ? result.value.path + result.value.query : `refused: ${result.error.seen}`;
}

function isRefused(raw: string): boolean {
  return !canonicalTarget(raw).ok;
}

describe("a path has one canonical form", () => {
  test.each([
    ["/", "/"],
    ["/v1/orders/42", "/v1/orders/42"],
    ["/v1/orders/", "/v1/orders/"],
    ["/~user/a-b_c.d", "/~user/a-b_c.d"],
    ["/a!$&'()*+,=:@b", "/a!$&'()*+,=:@b"],
    ["/.well-known/jwks.json", "/.well-known/jwks.json"],
    ["/...", "/..."],
    ["/a/..b/.c", "/a/..b/.c"],
  ])("%s stays as it is", (raw, wanted) => expect(canonical(raw)).toBe(wanted));

  test.each([
    ["/%41%7a%30%2D%2e%5F%7Euser", "/Az0-._~user"],
    ["/%e2%82%ac", "/%E2%82%AC"],
    ["/%f0%9f%98%80", "/%F0%9F%98%80"],
    ["/a%20b%3b%3a", "/a%20b%3B%3A"],
    ["/%25", "/%25"],
    ["/tree/%40me", "/tree/%40me"],
    ["/foo%2Bbar", "/foo%2Bbar"],
    ["/a%2cb,c", "/a%2Cb,c"],
    ["/foo%3acancel", "/foo%3Acancel"],
    ["/%21%24%26%27%28%29%2a%2b%2c%3d", "/%21%24%26%27%28%29%2A%2B%2C%3D"],
    ["/a|b[c]^d`e{f}", "/a%7Cb%5Bc%5D%5Ed%60e%7Bf%7D"],
  ])(
    "escapes of %s are decoded where the character is unreserved, and upper-cased elsewhere; what URL code leaves raw is escaped",
    (raw, wanted) => expect(canonical(raw)).toBe(wanted),
  );

  test.each([
    ["/a/./b", "/a/b"],
    ["/a/b/../c", "/a/c"],
    ["/a/%2e%2E/c", "/c"],
    ["/a/.%2e/c", "/c"],
    ["/a/%2e", "/a/"],
    ["/a/b/..", "/a/"],
    ["/a/..", "/"],
    ["/.", "/"],
    ["/./a", "/a"],
    ["/a/b/c/../../..", "/"],
  ])("dot segments of %s are resolved", (raw, wanted) => expect(canonical(raw)).toBe(wanted));

  test("an escape is decoded once: %252e%252e is the text %2e%2e, not a dot segment", () => {
    expect(canonical("/a/%252e%252e/b")).toBe("/a/%252e%252e/b");
    expect(canonical("/a%252Fb")).toBe("/a%252Fb");
    expect(decodeSegment("a%252Fb")).toBe("a%2Fb");
  });
});

describe("a path that can be read in two ways is refused", () => {
  test.each([
    ["climbing above the root", "/.."],
    ["climbing above the root, escaped", "/%2e%2e/etc/passwd"],
    ["climbing above the root on the way", "/a/../../a"],
    ["an escaped slash", "/a%2Fb"],
    ["an escaped slash in lower case", "/a%2fb"],
    ["an escaped slash after dots", "/public/..%2fadmin"],
    ["an escaped backslash", "/a%5Cb"],
    ["a backslash", "/a\\b"],
    ["an escaped NUL", "/a%00"],
    ["an escaped line break", "/a%0d%0aX-Admin:%201"],
    ["an escaped tab", "/a%09"],
    ["an escaped DEL", "/a%7F"],
    ["an escaped C1 control", "/a%C2%85"],
    ["a raw NUL", "/a\0b"],
    ["a raw DEL", "/a\x7f"],
    ["a raw line break", "/a\n"],
    ["a blank", "/a b"],
    ["a cut escape", "/a%"],
    ["an escape cut after one digit", "/a%2"],
    ["an escape that is not hexadecimal", "/a%2g"],
    ["an escape in the form of IIS", "/a%u002fb"],
    ["an overlong slash", "/a%c0%afb"],
    ["an overlong dot in three bytes", "/a%e0%80%ae"],
    ["an overlong NUL", "/a%c0%80"],
    ["a surrogate", "/a%ed%a0%80"],
    ["a code point above U+10FFFF", "/a%f4%90%80%80"],
    ["a lone continuation byte", "/a%80"],
    ["a sequence that is cut", "/a%e2%82"],
    ["a sequence that is cut by text", "/a%e2%82z"],
    ["a lead byte before ASCII", "/a%c3%28"],
    ["a byte that is never UTF-8", "/a%ff"],
    ["raw latin-1", "/caf\xe9"],
    ["raw non-ASCII", "/€"],
    ["a double slash at the start", "//evil.example/a"],
    ["a double slash in the middle", "/a//b"],
    ["two slashes at the end", "/a//"],
    ["a double slash behind a dot segment", "/a/..//admin"],
    ["path parameters", "/admin;x=1/users"],
    ["path parameters behind dots", "/public/..;/admin"],
    ["a fragment", "/a#b"],
    ["quotes", '/a"b'],
    ["angle brackets", "/a<b>"],
    ["an absolute form", "http://a/b"],
    ["an asterisk form", "*"],
    ["nothing", ""],
    ["a query alone", "?a=1"],
    ["a blank before the path", " /a"],
  ])("%s", (_, raw) => expect(isRefused(raw)).toBe(true));

  test("the refusal says what and where, and shows no control character", () => {
    expect(canonicalTarget("/a/b%2fc")).toEqual({
      ok: false,
      error: { seen: "%2F at offset 4", wanted: "a path without escaped slashes and backslashes" },
    });
    expect(canonicalTarget("/a\r\nb")).toMatchObject({ error: { seen: "U+000D at offset 2" } });
    expect(canonicalTarget("/a;b")).toMatchObject({ error: { wanted: "a path without ; parameters" } });
    expect(canonicalTarget("/a?x=\x01")).toMatchObject({ error: { seen: "U+0001 at offset 5" } });
  });
});

describe("a query is kept as it is or refused", () => {
  test.each([
    ["/a?%", "?%25"],
    ["/a?x=100%&y=%2", "?x=100%25&y=%252"],
    ["/a?%zz%41", "?%25zz%41"],
    ["/a?path=C:\\x\\y", "?path=C:%5Cx%5Cy"],
    ['/a?query=up{job="a"}', "?query=up{job=%22a%22}"],
    ["/a?q=<x>", "?q=%3Cx%3E"],
  ])("a lone %%, a backslash, quotes and angle brackets of %s are escaped", (raw, query) => {
    expect(canonicalTarget(raw)).toEqual({ ok: true, value: { path: "/a", query } });
    expect(canonicalTarget(`/a${query}`)).toEqual({ ok: true, value: { path: "/a", query } });
  });

  test.each(["/a?", "/a?x=1&y=%2f%00", "/a?a/b?c:d@e;f", "/a?filter[name]=x", "/a?a|b^c{d}`e", "/?x", "/a?%ff"])(
    "%s is kept",
    (raw) => expect(canonical(raw)).toBe(raw),
  );

  test("the query of a path that is rewritten is not", () => {
    expect(canonicalTarget("/%41?b=%41/../c")).toEqual({ ok: true, value: { path: "/A", query: "?b=%41/../c" } });
  });

  test.each(["/a?b#c", "/a?b c", "/a?\t", "/a?é", "/a?\0", "/a?\x7f"])("%j is refused", (raw) =>
    expect(isRefused(raw)).toBe(true),
  );
});

describe("properties", () => {
  const piece = fc.constantFrom(
    ..."/ /a /b. /. /.. . .. ; % %2e %2E %2f %5c %00 %7f %41 %7e %25 %c3%a9 %C3 %A9 %e2%82%ac %ed%a0%80 %20 + : @ ~ ? ?x=1 & [ | \\".split(
      " ",
    ),
  );
  const target = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`),
    fc.string().map((text) => `/${text}`),
    fc.webPath(),
  );

  test("canonical targets are their own canonical form", () => {
    fc.assert(
      fc.property(target, (raw) => {
        const once = canonicalTarget(raw);
        if (once.ok) expect(canonicalTarget(once.value.path + once.value.query)).toEqual(once);
      }),
      { numRuns: 5000 },
    );
  });

  test("a canonical path is absolute, decodes, and holds no dot segment, empty segment or anything refused", () => {
    fc.assert(
      fc.property(target, (raw) => {
        const result = canonicalTarget(raw);
        if (!result.ok) return;
        const { path, query } = result.value;
        expect(path).toMatch(/^(?:\/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})*)+$/);
        expect(path).not.toMatch(/\/\/|\/\.\.?(?:\/|$)|%2F|%5C|%00/);
        for (const segment of path.slice(1).split("/")) expect(decodeSegment(segment)).not.toMatch(/[/\\\0-\x1f\x7f]/);
        const asReceived = raw.includes("?") ? raw.slice(raw.indexOf("?")) : "";
        expect(query).toBe(asReceived.replace(/%(?![0-9A-Fa-f]{2})|[\\"<>]/g, encodeURIComponent));
      }),
      { numRuns: 5000 },
    );
  });

  test("paths that this reads are read the same way by the URL standard", () => {
    fc.assert(
      fc.property(target, (raw) => {
        const result = canonicalTarget(raw);
        if (!result.ok) return;
        const url = new URL(`http://a${raw}`);
        expect(decodeURIComponent(result.value.path)).toBe(decodeURIComponent(url.pathname));
      }),
      { numRuns: 5000 },
    );
  });

  test("every text is read or refused, in time linear to its length", () => {
    for (const unit of ["/a", "/..", "%41", "%e2%82%ac", "/.a", "a"]) {
      const raw = `/${"a/".repeat(20_000)}.${unit.repeat(20_000)}`;
      const started = cpuMs();
      canonicalTarget(raw);
      expect(cpuMs() - started).toBeLessThan(500);
    }
  });
});
