import { expect, test } from "vitest";
import {
  cookieNames,
  cookieValues,
  isCookieDisguised,
  isCookieInOtherCase,
  plainCookie,
  withoutCookies,
} from "../../src/message/cookies.ts";
import { HeaderBlock } from "../../src/message/headers.ts";

const block = (...lines: string[]) =>
  new HeaderBlock(
    lines.map(() => "cookie"),
    lines,
  );

test("A cookie is found in every line, under its exact name", () => {
  expect(cookieValues(block("a=1; key=x; b=2", "key=y"), "key")).toEqual(["x", "y"]);
  expect(cookieValues(block("KEY=x; keys=y; key =z"), "key")).toEqual(["z"]);
  expect(cookieValues(new HeaderBlock(["x-cookie"], ["key=x"]), "key")).toEqual([]);
  expect(cookieNames(block("a=1;b", " c=2"))).toEqual(["a", "b", "c"]);
});

test("What is left has no cookie of the name, and the others as they were", () => {
  const names = new Set(["key"]);
  expect(withoutCookies("a=1; key=x; b=2", names)).toBe("a=1; b=2");
  expect(withoutCookies("key=x; a=1", names)).toBe("a=1");
  expect(withoutCookies("key=x", names)).toBe("");
  expect(withoutCookies("key", names)).toBe("");
  expect(withoutCookies("a=1;b=2", names)).toBe("a=1;b=2");
});

test.each([
  ["abc", "%61bc"],
  ["abc", '"abc"'],
  ["abc", '"%61b%63"'],
  ["abc", String.raw`"\141b\c"`],
  ["s:a.b/c", "s%3Aa.b%2fc"],
  ["s%3Aa", "s%3aa"],
])("%s and %s are one cookie to some service", (one, other) => {
  expect(plainCookie(other)).toBe(plainCookie(one));
});

test("Values that no service takes for each other are not", () => {
  for (const other of ["ABC", "%2561bc", '"abc', "a%bc", "", '"', "a\\bc"]) expect(plainCookie(other)).not.toBe("abc");
  expect(plainCookie('""')).toBe("");
});

test("A name in another case is told: ASP.NET reads it as well", () => {
  expect(isCookieInOtherCase(block("__Host-id=1; __host-id=2"), "__Host-id")).toBe(true);
  expect(isCookieInOtherCase(block("__Host-id=1; other=2"), "__Host-id")).toBe(false);
  expect(isCookieDisguised(block("session=1; SESSION=2"), "session")).toBe(false);
});

test("A name that PHP alone takes for the cookie's is a disguise", () => {
  for (const other of ["my.session", "my session", "my[session"]) {
    expect(isCookieDisguised(block(`${other}=1`), "my_session")).toBe(true);
  }
  expect(isCookieDisguised(block("my_session=1; my-session=2; my_sessions=3"), "my_session")).toBe(false);
  expect(isCookieDisguised(block("a.b=1"), "a-b")).toBe(false);
});
