import { describe, expect, test } from "vitest";
import { KEPT, keptTarget, plainForms } from "../../src/message/kept-target.ts";

const ALL = KEPT.encodedSlashes | KEPT.emptySegments | KEPT.parameters;

function kept(raw: string, keeps: number = ALL): string {
  const result = keptTarget(raw, keeps);
  if (!result.ok) return "refused";
  return `${result.value.target.path}${result.value.target.query} ${result.value.oddity?.kinds ?? 0}`;
}

describe("what a route may keep in a path", () => {
  test.each([
    ["/a/b?x=1", "/a/b?x=1 0"],
    ["/projects/group%2fname/issues", "/projects/group%2Fname/issues 1"],
    ["/files/a//b", "/files/a//b 2"],
    ["/files/a//", "/files/a// 2"],
    ["/cars;color=red;year=2012/doors?q=%", "/cars;color=red;year=2012/doors?q=%25 4"],
    ["/a;x%2Fy//b%41", "/a;x%2Fy//bA 7"],
    ["/a/;ids=1,2;b=3/c", "/a/;ids=1,2;b=3/c 4"],
  ])("%s stays as it is: %s", (raw, wanted) => expect(kept(raw)).toBe(wanted));

  test.each([
    "//a/b",
    "/a//../b",
    "/a/../b//c",
    "/a//./b",
    "/a//%2e%2e/b",
    "/a%2F..%2Fb",
    "/a/..%2fb",
    "/a/%2e%2e%2fb",
    "/a%2F.",
    "/a/..;/b",
    "/a/..;x=1/b",
    "/a/%2e%2e;/b",
    "/a/.;/b",
    "/;x/b",
    "/;/a",
    "/a/%3Bx;y/b",
    "/a%2F;x/b",
    "/a/..%3b/b;c",
    "/a//b%5Cc",
    "/a;b\\c",
    "/a%2F%00",
    "/a//b%",
    "/a//b c",
    "a//b",
    "/a//b?\0",
  ])("%j is refused all the same", (raw) => expect(kept(raw)).toBe("refused"));

  test("only what is kept passes", () => {
    for (const [raw, kind] of [
      ["/a%2Fb", KEPT.encodedSlashes],
      ["/a//b", KEPT.emptySegments],
      ["/a;b", KEPT.parameters],
    ] as const) {
      expect(kept(raw, kind)).toBe(`${raw} ${kind}`);
      expect(kept(raw, ALL & ~kind)).toBe("refused");
    }
  });

  test("a path has forms to services that read it otherwise", () => {
    expect(plainForms("/a;x=1/b//c;d")).toEqual(["/a/b/c", "/a/b/c"]);
    expect(plainForms("/a%2Fb//c;d%2Fe")).toEqual(["/a%2Fb/c", "/a/b/c"]);
  });
});
