// Goal: cookies of the service leave with the flags that the policy asks for, as browsers read them, and no line is spoiled.
import { describe, expect, test } from "vitest";
import { responseFilter } from "../../src/filters/response/compile.ts";
import { headOf, valuesOf } from "../fixtures/answer-heads.ts";
import { compileFilter } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();
await responseFilter.prepare?.();

const ALL = { secure: true, httpOnly: true, sameSite: "Lax" };

function left(cookies: object, sent: readonly string[], secure = true): string[] {
  const lines = sent.map((value) => ["set-cookie", value] as const);
  return valuesOf(headOf(lines, { cookies, cache: "shared" }, { secure }), "set-cookie");
}

test.each([
  ["sid=1", "sid=1; Secure; HttpOnly; SameSite=Lax"],
  ["sid=1; Path=/; HttpOnly", "sid=1; Path=/; HttpOnly; Secure; SameSite=Lax"],
  ["sid=1;secure;HTTPONLY;samesite=strict", "sid=1;secure;HTTPONLY;samesite=strict"],
  ["sid=1; Secure; HttpOnly; SameSite=Lax", "sid=1; Secure; HttpOnly; SameSite=Lax"],
  [
    "sid=a b,c; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/",
    "sid=a b,c; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax",
  ],
  // The last word counts, and a word that is none is the default of the browser.
  ["sid=1; Secure; HttpOnly; SameSite=Strict; SameSite=None", "sid=1; Secure; HttpOnly; SameSite=Lax"],
  ["sid=1; Secure; HttpOnly; SameSite=None; SameSite=Strict", "sid=1; Secure; HttpOnly; SameSite=Strict"],
  ["sid=1; Secure; HttpOnly; SameSite=Wide", "sid=1; Secure; HttpOnly; SameSite=Lax"],
  // Not what browsers take for the flags.
  ["sid=1; XSecure; HttpOnly\u00a0", "sid=1; XSecure; HttpOnly\u00a0; Secure; HttpOnly; SameSite=Lax"],
  ["sid=Secure; Path=/HttpOnly", "sid=Secure; Path=/HttpOnly; Secure; HttpOnly; SameSite=Lax"],
  ['sid=1; Comment="Secure; HttpOnly"', 'sid=1; Comment="Secure; HttpOnly"; Secure; HttpOnly; SameSite=Lax'],
  [`sid=1; Secure=${"x".repeat(1025)}`, `sid=1; Secure=${"x".repeat(1025)}; Secure; HttpOnly; SameSite=Lax`],
  ["sid=1; Secure=1; HttpOnly=0", "sid=1; Secure=1; HttpOnly=0; SameSite=Lax"],
  ["nameless", "nameless; Secure; HttpOnly; SameSite=Lax"],
  ["sid=; Max-Age=0", "sid=; Max-Age=0; Secure; HttpOnly; SameSite=Lax"],
  ["sid=1;", "sid=1;; Secure; HttpOnly; SameSite=Lax"],
])("%s", (sent, expected) => {
  expect(left(ALL, [sent])).toEqual([expected]);
});

test("each line stays a line, in its place among the others", () => {
  const lines = headOf(
    [
      ["set-cookie", "a=1"],
      ["content-type", "text/plain"],
      ["set-cookie", "b=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT"],
    ],
    { cookies: { httpOnly: true }, securityHeaders: "off", cache: "shared" },
  );
  expect(lines).toEqual([
    "set-cookie: a=1; HttpOnly",
    "content-type: text/plain",
    "set-cookie: b=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT; HttpOnly",
  ]);
});

describe("prefixes", () => {
  test.each([
    ["__Host-sid=1; Path=/", "__Host-sid=1; Path=/; Secure"],
    ["__secure-sid=1; Domain=example.org", "__secure-sid=1; Domain=example.org; Secure"],
    ["__Http-sid=1", "__Http-sid=1; Secure; HttpOnly"],
    ["__HOST-HTTP-sid=1; Path=/; Secure", "__HOST-HTTP-sid=1; Path=/; Secure; HttpOnly"],
    ["__Host-sid=1; Path=/; Domain=", "__Host-sid=1; Path=/; Domain=; Secure"],
  ])("%s gets what its name promises, whatever the rules", (sent, expected) => {
    expect(left({ names: ["other"], httpOnly: true }, [sent], false)).toEqual([expected]);
  });

  test.each([
    "__Host-sid=1; Path=/; Domain=example.org",
    "__host-sid=1; Path=/app",
    "__Host-sid=1",
    "__Host-sid=1; Path=/; Path=/app",
    "=__Host-sid=1; Path=/",
    " \t=__Secure-sid=1",
    "__Http-sid",
    "=",
    "",
    "sid=a\u0001b",
    "sid=1; Path=/\u007f",
    `sid=${"x".repeat(4094)}`,
  ])("%j does not leave, as no browser takes it", (sent) => {
    expect(left(ALL, [sent, "b=2"])).toEqual(["b=2; Secure; HttpOnly; SameSite=Lax"]);
  });
});

test("names and except say which, and of several rules the first", () => {
  const rules = [
    { names: ["XSRF-TOKEN", "csrf_*"], secure: true, sameSite: "Strict" },
    { except: ["theme"], ...ALL },
  ];
  expect(left(rules, ["XSRF-TOKEN=1", "csrf_a=1", "xsrf-token=1", "theme=dark", "themes=1"])).toEqual([
    "XSRF-TOKEN=1; Secure; SameSite=Strict",
    "csrf_a=1; Secure; SameSite=Strict",
    "xsrf-token=1; Secure; HttpOnly; SameSite=Lax",
    "theme=dark",
    "themes=1; Secure; HttpOnly; SameSite=Lax",
  ]);
});

test("secure: tls says it over TLS alone, for browsers drop it elsewhere", () => {
  const rule = { secure: "tls", httpOnly: true };
  expect(left(rule, ["sid=1"], true)).toEqual(["sid=1; Secure; HttpOnly"]);
  expect(left(rule, ["sid=1"], false)).toEqual(["sid=1; HttpOnly"]);
  expect(left({ secure: true }, ["sid=1"], false)).toEqual(["sid=1; Secure"]);
});

test("cookies of embedded services are each site's own", () => {
  const rule = { secure: true, sameSite: "None", partitioned: true };
  expect(left(rule, ["sid=1", "b=1; SameSite=Lax"])).toEqual([
    "sid=1; Secure; Partitioned; SameSite=None",
    "b=1; SameSite=Lax; Secure; Partitioned",
  ]);
});

test("an answer without cookies, and a name that only looks like theirs, stay as they are", () => {
  const settings = { cookies: ALL, securityHeaders: "off", cache: "shared" };
  expect(headOf([["set-cookie2", "a=1"]], settings)).toEqual(["set-cookie2: a=1"]);
});

test.each([
  [{ sameSite: "None" }, /expected 'secure: true' beside 'sameSite: None'/],
  [{ sameSite: "None", secure: "tls" }, /expected 'secure: true'/],
  [{ partitioned: true }, /beside 'partitioned: true'/],
  [[{ secure: true }, { sameSite: "None" }], /browsers drop such a cookie/],
  [{ sameSite: "lax" }, /"Strict"\|"Lax"\|"None"/],
  [{ names: ["a;b"] }, /expected the name of a cookie/],
  [{ httponly: true }, /did you mean 'httpOnly'/],
  [[], /at least one rule/],
])("%j is a problem", (cookies, text) => {
  expect(
    compileFilter(responseFilter, { cookies })
      .problems.map((problem) => problem.text)
      .join("\n"),
  ).toMatch(text);
});

test("a rule that says nothing is told", () => {
  expect(compileFilter(responseFilter, { cookies: { names: ["a"] } }).warnings).toEqual([
    { path: "response.cookies", text: "it says nothing of its cookies" },
  ]);
});
