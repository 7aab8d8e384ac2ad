import fc from "fast-check";
import { expect, test } from "vitest";
import { queryNames, queryValues, withoutParameters } from "../../src/message/query.ts";

const pieces = fc.array(fc.constantFrom("key", "%6Bey", "k%65y", "KEY", "key[]", "a", "=", "&", ";", "+", "%26", "?"), {
  maxLength: 12,
});

test("A parameter is found under every encoding of its name, as often as it stands there", () => {
  expect(queryValues("?key=a&%6Bey=b&k%65%79=c", "key")).toEqual(["a", "b", "c"]);
  expect(queryValues("?KEY=a&key[]=b&keys=c&xkey=d", "key")).toEqual([]);
  expect(queryValues("?key", "key")).toEqual([""]);
  expect(queryValues("?key=a%26key=b", "key")).toEqual(["a&key=b"]);
  expect(queryValues("?a=1;key=b", "key")).toEqual([]);
  expect(queryValues("", "key")).toEqual([]);
});

test("What browsers' form code reads, postern reads", () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const query = `?${parts.join("")}`;
      expect(queryValues(query, "key")).toEqual(new URLSearchParams(query).getAll("key"));
    }),
  );
});

test("What is left has no parameter of the name, and all others as they were", () => {
  expect(withoutParameters("?a=1&key=x&b=%20", new Set(["key"]))).toBe("?a=1&b=%20");
  expect(withoutParameters("?key=x", new Set(["key"]))).toBe("");
  expect(withoutParameters("?a&&b", new Set(["key"]))).toBe("?a&&b");
  fc.assert(
    fc.property(pieces, (parts) => {
      const query = `?${parts.join("")}`;
      const left = withoutParameters(query, new Set(["key"]));
      const params = new URLSearchParams(left);
      expect(params.getAll("key")).toEqual([]);
      const before = [...new URLSearchParams(query)].filter(([name]) => name !== "key");
      expect([...params]).toEqual(before);
    }),
  );
});

test("Names that are no valid UTF-8 throw nothing", () => {
  expect(queryNames("?%ff=1&%C3%A4=2").length).toBe(2);
});
