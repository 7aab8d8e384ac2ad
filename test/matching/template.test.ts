import { expect, test } from "vitest";
import { parseTemplate, shapeOf } from "../../src/matching/template.ts";

function problem(text: string): string {
  const template = parseTemplate(text);
  return template.ok ? "none" : template.error;
}

test("a template is static segments, whole-segment parameters and a last **", () => {
  expect(parseTemplate("/v1/orders/{orderId}/**")).toEqual({
    ok: true,
    value: {
      segments: [
        { kind: "static", text: "v1" },
        { kind: "static", text: "orders" },
        { kind: "param", name: "orderId" },
      ],
      hasRest: true,
    },
  });
  expect(parseTemplate("/")).toEqual({ ok: true, value: { segments: [{ kind: "static", text: "" }], hasRest: false } });
  expect(parseTemplate("/**")).toEqual({ ok: true, value: { segments: [], hasRest: true } });
});

test.each([
  "/",
  "/a/",
  "/a/{b}/",
  "/{order-id}/{x.y}/{_1}",
  "/.well-known/jwks.json",
  "/a:batch",
  "/caf%C3%A9",
  "/a%20b",
  "/__proto__/{__proto__}",
  "/**",
])("%s is a template", (text) => expect(problem(text)).toBe("none"));

test.each([
  ["", "'' is not a path; expected it to start with /, as in /v1/orders"],
  ["v1/orders", "'v1/orders' is not a path; expected it to start with /, as in /v1/orders"],
  ["/a//b", "// has an empty segment; expected one slash"],
  ["//a", "// has an empty segment; expected one slash"],
  ["/a//**", "// has an empty segment; expected one slash"],
  ["//**", "// has an empty segment; expected one slash"],
  ["/a/**/b", "** stands before the end; expected it only as the last segment"],
  ["/**/", "** stands before the end; expected it only as the last segment"],
  ["/a/*", "'*' is no wildcard; expected {name} for one segment or, at the end, **"],
  ["/a/b*", "'b*' is no wildcard; expected {name} for one segment or, at the end, **"],
  ["/a/***", "'***' is no wildcard; expected {name} for one segment or, at the end, **"],
  ["/a/{id}.json", "'{id}.json' is not a parameter; expected a whole segment {name} of letters, digits, _, - and ."],
  ["/a/{}", "'{}' is not a parameter; expected a whole segment {name} of letters, digits, _, - and ."],
  ["/a/{1}", "'{1}' is not a parameter; expected a whole segment {name} of letters, digits, _, - and ."],
  ["/a/{b", "'{b' is not a parameter; expected a whole segment {name} of letters, digits, _, - and ."],
  ["/a/{b/c}", "'{b' is not a parameter; expected a whole segment {name} of letters, digits, _, - and ."],
  ["/a/:id", "':id' is how Express names a parameter; expected {id}"],
  ["/{a}/{a}", "{a} stands twice; expected every parameter once"],
  ["/%41dmin", "'%41dmin' is not canonical and can match no request; expected 'Admin'"],
  ["/caf%c3%a9", "'caf%c3%a9' is not canonical and can match no request; expected 'caf%C3%A9'"],
  ["/a/./b", "'.' is a dot segment and can match no request; expected the path without it"],
  ["/a/%2e/b", "'%2e' is a dot segment and can match no request; expected the path without it"],
  ["/a/../b", "'..' can match no request: a .. above the root; expected a path that stays below /"],
  ["/a;v=1", "'a;v=1' can match no request: ';'; expected a path without ; parameters"],
  ["/a b", "'a b' can match no request: U+0020; expected characters that RFC 3986 allows in a path"],
  ["/a%2Fb", "'a%2Fb' can match no request: %2F; expected a path without escaped slashes and backslashes"],
  ["/café", "'café' can match no request: U+00E9; expected characters that RFC 3986 allows in a path"],
  ["/a?x=1", "'a?x=1' has a query; expected a path without ?"],
  ["/a?", "'a?' has a query; expected a path without ?"],
])("%s is refused with the reason", (text, wanted) => expect(problem(text)).toBe(wanted));

test("an endless template is refused", () => {
  expect(problem(`/${"a/".repeat(600)}`)).toBe("the path has 1201 characters; expected at most 1024");
});

test("templates that differ only in parameters' names have one shape", () => {
  const shape = (text: string) => {
    const template = parseTemplate(text);
    return template.ok ? shapeOf(template.value) : "";
  };
  expect(shape("/a/{x}/b/{y}")).toBe(shape("/a/{order}/b/{item}"));
  expect(new Set(["/", "/a", "/a/", "/a/{x}", "/a/{x}/", "/a/**", "/**", "/{x}/a"].map(shape)).size).toBe(8);
});
