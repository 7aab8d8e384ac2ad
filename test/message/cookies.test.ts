import { expect, test } from "vitest";
import { cookieNames, cookieValues, withoutCookies } from "../../src/message/cookies.ts";
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
