// Goal: of an answer's head the client gets what the policy says, and no cache keeps for many what was meant for one.
import { describe, expect, test } from "vitest";
import { responseFilter } from "../../src/filters/response/compile.ts";
import { buildResponseTrailerRewrite } from "../../src/filters/response/evaluate.ts";
import { headOf, type Lines, valuesOf } from "../fixtures/answer-heads.ts";
import { compileFilter, createHeaders } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();
await responseFilter.prepare?.();

describe("allowHeaders", () => {
  const SENT: Lines = [
    ["content-type", "text/csv"],
    ["content-encoding", "gzip"],
    ["content-disposition", "attachment"],
    ["vary", "Accept"],
    ["cache-control", "no-store"],
    ["etag", '"1"'],
    ["x-total", "7"],
    ["x-internal-host", "db-3"],
    ["content-security-policy", "default-src *"],
    ["set-cookie", "a=1"],
  ];

  test("only what it lists leaves, and what says what the body is and how it may be kept", () => {
    const lines = headOf(SENT, { allowHeaders: ["X-Total", "ETag"], securityHeaders: "off" });
    expect(lines.map((line) => line.split(":")[0])).toEqual([
      "content-type",
      "content-encoding",
      "content-disposition",
      "vary",
      "cache-control",
      "etag",
      "x-total",
    ]);
  });

  test("what postern writes stays, in place of what the service said under that name", () => {
    const lines = headOf(SENT, { allowHeaders: [], setHeaders: { "X-Env": "prod" } });
    expect(valuesOf(lines, "x-env")).toEqual(["prod"]);
    expect(valuesOf(lines, "content-security-policy")).toEqual([expect.stringContaining("default-src 'none'")]);
    expect(valuesOf(lines, "x-content-type-options")).toEqual(["nosniff"]);
  });

  test("removeHeaders takes off what it lists, and an empty list lets nothing else through", () => {
    const lines = headOf(SENT, { allowHeaders: ["x-total"], removeHeaders: ["X-Total"], securityHeaders: "off" });
    expect(lines.join()).not.toMatch(/x-total|etag|set-cookie/);
  });

  test("trailers obey it too, and a call's status leaves", () => {
    const { responseRules } = compileFilter(responseFilter, { allowHeaders: ["X-Total"] });
    if (responseRules === null) throw new Error("no rules");
    const sent = createHeaders([
      ["grpc-status", "0"],
      ["x-total", "7"],
      ["x-internal-host", "db-3"],
    ]);
    expect(buildResponseTrailerRewrite(responseRules)(sent)).toBe("grpc-status: 0\r\nx-total: 7\r\n");
  });
});

describe("securityHeaders", () => {
  test("pages are what a page of documentation can live with", () => {
    const lines = headOf([["content-type", "text/html"]], { securityHeaders: "pages" });
    expect(valuesOf(lines, "content-security-policy")[0]).toMatch(
      /default-src 'self'.*style-src 'self' 'unsafe-inline'/,
    );
    expect(valuesOf(lines, "cache-control")).toEqual(["private, no-cache"]);
    expect(valuesOf(lines, "cross-origin-opener-policy")).toEqual(["same-origin"]);
    expect(valuesOf(lines, "referrer-policy")).toEqual(["same-origin"]);
  });

  test("values of the policy stand in place of the profile's, off leaves one out, and the service's own stays", () => {
    const settings = {
      securityHeaders: {
        profile: "pages",
        "Cross-Origin-Opener-Policy": "off",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "Referrer-Policy": "strict-origin",
      },
    };
    const lines = headOf([["referrer-policy", "origin"]], settings);
    expect(valuesOf(lines, "cross-origin-opener-policy")).toEqual([]);
    expect(valuesOf(lines, "strict-transport-security")).toEqual(["max-age=63072000; includeSubDomains"]);
    expect(valuesOf(lines, "referrer-policy")).toEqual(["origin"]);
    expect(valuesOf(lines, "x-frame-options")).toEqual(["DENY"]);
    expect(valuesOf(headOf([], settings, { secure: false }), "strict-transport-security")).toEqual([]);
  });

  test("without a profile they are those of an API", () => {
    const lines = headOf([], { securityHeaders: { "Cross-Origin-Resource-Policy": "cross-origin" } });
    expect(valuesOf(lines, "cross-origin-resource-policy")).toEqual(["cross-origin"]);
    expect(valuesOf(lines, "content-security-policy")[0]).toContain("default-src 'none'");
  });

  test.each([
    [{ securityHeaders: { "Content-Securty-Policy": "x" } }, /did you mean 'Content-Security-Policy'/],
    [{ securityHeaders: { "Referrer-Policy": "a\nb" } }, /visible ASCII on one line/],
    [{ securityHeaders: "page" }, /"api"\|"pages"\|"off"/],
    [
      { removeHeaders: ["X-Internal-*"] },
      "* stands for nothing in the name of a header; expected each by its whole name",
    ],
    [{ allowHeaders: ["*"] }, "* stands for nothing in the name of a header; expected each by its whole name"],
  ])("%j is a problem", (settings, text) => {
    expect(
      compileFilter(responseFilter, settings)
        .problems.map((problem) => problem.text)
        .join("\n"),
    ).toMatch(text);
  });
});

describe("cache", () => {
  const OFF = { securityHeaders: "off" } as const;
  const left = (sent: Lines, settings: object = {}, isPublic = false): string[] =>
    valuesOf(headOf(sent, { ...OFF, ...settings }, { isPublic }), "cache-control");
  const cached = (value: string): Lines => [["cache-control", value]];

  test.each([
    ["public, max-age=60", "private, max-age=60"],
    ["max-age=60", "private, max-age=60"],
    ["s-maxage=600", "private"],
    ["PUBLIC,S-MaxAge=600,  max-age=5", "private, max-age=5"],
    ["max-age=60, must-revalidate", "private, max-age=60, must-revalidate"],
    ['private="x-a", max-age=60', "private, max-age=60"],
    ['no-cache="set-cookie, x", public', 'private, no-cache="set-cookie, x"'],
    ['ext="public, private", max-age=1', 'private, ext="public, private", max-age=1'],
    ["public, no-store", "no-store"],
    ['public="unclosed, private', "no-store"],
    ["max age=60, private", "no-store"],
    ["", "private"],
    [", ,", "private"],
  ])("of callers' answers, %j leaves as %j", (sent, expected) => {
    expect(left(cached(sent))).toEqual([expected]);
  });

  test.each(["private", "no-store", "private, max-age=60", "max-age=0, no-store", "Private,max-age=5"])(
    "%j leaves as it came",
    (sent) => expect(left(cached(sent))).toEqual([sent]),
  );

  test("two lines are one list, wherever the service put its words", () => {
    expect(left([...cached("private"), ...cached("s-maxage=60")])).toEqual(["private"]);
  });

  test("where the service says nothing, the security headers do, and without them 'private' is said", () => {
    expect(left([["expires", "Thu, 01 Jan 2099 00:00:00 GMT"]])).toEqual(["private"]);
    expect(valuesOf(headOf([], undefined), "cache-control")).toEqual(["no-store, no-cache, must-revalidate"]);
  });

  test("words for shared caches alone do not get there", () => {
    const sent: Lines = [
      "CDN-Cache-Control",
      "Surrogate-Control",
      "X-Accel-Expires",
      "Cloudflare-CDN-Cache-Control",
    ].map((name) => [name.toLowerCase(), "max-age=600"]);
    expect(headOf(sent, OFF)).toEqual(["cache-control: private"]);
    expect(headOf(sent, { ...OFF, cache: "shared" })).toHaveLength(4);
    expect(headOf(sent, OFF, { isPublic: true })).toHaveLength(4);
  });

  test("a public route's answers are the service's, but not those that set a cookie", () => {
    expect(left(cached("public, max-age=60"), {}, true)).toEqual(["public, max-age=60"]);
    expect(left([...cached("public, max-age=60"), ["set-cookie", "sid=1"]], {}, true)).toEqual(["private, max-age=60"]);
    expect(left([["set-cookie", "sid=1"]], {}, true)).toEqual(["private"]);
    expect(left([...cached("public"), ["set-cookie", "theme=1"]], { cache: "shared" }, true)).toEqual(["public"]);
    expect(left(cached("public"), { cache: "private" }, true)).toEqual(["private"]);
  });

  test("no-store is said whatever the service says, and 'shared' leaves its word", () => {
    expect(left([...cached("public, max-age=60"), ["expires", "0"]], { cache: "no-store" })).toEqual(["no-store"]);
    expect(headOf([["expires", "0"]], { ...OFF, cache: "no-store" }).join()).not.toContain("expires");
    expect(left(cached("public, max-age=60"), { cache: "shared" })).toEqual(["public, max-age=60"]);
  });

  test("the policy's own line wins", () => {
    const settings = { setHeaders: { "Cache-Control": "public, max-age=5" } };
    expect(left(cached("no-store"), settings)).toEqual(["public, max-age=5"]);
    expect(left(cached("no-store"), { ...settings, cache: "no-store" })).toEqual(["public, max-age=5"]);
  });
});
