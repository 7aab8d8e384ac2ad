import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { METHOD_PARAMETERS, METHOD_READERS, MethodParameters, methodOf } from "../../src/bodies/method-parameters.ts";
import { DeclaredNames, NAME_READINGS, namesRead, respelledCookie } from "../../src/bodies/names.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/one-reading.md"), "utf8");

/** Rows of the table under a heading, cell by cell. */
function rowsOf(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| who"));
  return rows.map((row) => row.slice(2, -2).split(" | "));
}

describe("names of parameters", () => {
  test("the page has the table", () => {
    const table = NAME_READINGS.map(({ who, example: [spelling, name], what, source }) => [
      who,
      `\`${JSON.stringify(spelling).slice(1, -1)}\``,
      `\`${name}\``,
      what,
      source,
    ]);
    expect(rowsOf("Names of parameters")).toEqual(table);
  });

  test.each(NAME_READINGS.map(({ who, example }) => [who, ...example] as const))(
    "%s reads %j as %s",
    (_who, spelling, name) => {
      if (!name.includes("[")) expect(namesRead(spelling)).toContain(name);
      expect(new DeclaredNames([name]).respelled(spelling)).toBe(name);
    },
  );

  test.each(["limit", "page-limit", "limit_x", "limits", "xlimit", "x.limit", "x[limit]", "x_limit"])(
    "%s is no spelling of limit",
    (name) => {
      expect(new DeclaredNames(["limit"]).respelled(name)).toBeNull();
    },
  );

  test.each([
    ["tags[]", ["tags", "tags[0]", "tags[a]", "tags[][]", "Tags[]", "[tags][]", "tags.0", "tags[", "tags[]x"]],
    ["page[size]", ["page", "page.size", "page[Size]", "page[size][]", "page[size][x]", "page[size]x", " page[size]"]],
    ["user_x[size]", ["user.x[size]", "user.x[size][]", "user x[size][0]"]],
    ["a.b", ["a[b]", "a[b][]", "a.b.c", "[a][b]"]],
    ["a[0]", ["a[]", "a.0"]],
  ])("%s with steps of its own is read in other spellings: %j", (name, spellings) => {
    const declared = new DeclaredNames([name]);
    for (const spelling of spellings) expect([spelling, declared.respelled(spelling)]).toEqual([spelling, name]);
  });

  test.each([
    ["tags[]", ["tags2[]", "tag[]", "x[tags][]"]],
    ["page[size]", ["page[number]", "page.number", "pagesize", "page[]", "x[page][size]", "size"]],
    ["a.b", ["a", "b", "a.c", "a[c]"]],
  ])("%s has nothing to do with %j", (name, others) => {
    const declared = new DeclaredNames([name]);
    for (const other of others) expect([other, declared.respelled(other)]).toEqual([other, null]);
  });

  test("a declared name is its own, though another one is nearly it", () => {
    const declared = new DeclaredNames(["user.id", "user_id", "user"]);
    for (const name of ["user.id", "user_id", "user"]) expect(declared.respelled(name)).toBeNull();
  });

  test("a cookie is read in any case, of two that are declared each as itself", () => {
    expect(respelledCookie("SESSION_ID", new Set(["other", "session_id"]))).toBe("session_id");
    expect(respelledCookie("session.ID", new Set(["Session_Id"]))).toBe("Session_Id");
    expect(respelledCookie("A", new Set(["a", "A"]))).toBeNull();
    expect(respelledCookie("sessions", new Set(["session"]))).toBeNull();
  });

  test("letters that are one without case are one: the Kelvin sign and the long s", () => {
    expect(new DeclaredNames(["keys"]).respelled("\u212aEY\u017f")).toBe("keys");
  });
});

describe("methods by parameter", () => {
  const parameters = new MethodParameters(METHOD_PARAMETERS);

  test("the page has the table", () => {
    const table = METHOD_READERS.map(({ who, parameter, from, of, to, source }) => [
      who,
      `\`${parameter}\``,
      from.join(", "),
      of,
      to,
      source,
    ]);
    expect(rowsOf("Another method by parameter")).toEqual(table);
  });

  test.each(METHOD_READERS.map(({ who, parameter }) => [who, parameter] as const))(
    "what %s reads, %s, is found in a query",
    (_who, parameter) => {
      expect(parameters.inPairs(`a=1&${parameter}=delete`)).toEqual(["DELETE"]);
    },
  );

  // Each was tried on PHP 8.2, Rack 2.2 or method-override 3.0, but for those of `;`, which older ones part at.
  test.each([
    "?_method=DELETE",
    "?_METHOD=Delete",
    "?%5fmethod=DELETE",
    "?_%6Det%68od=%44ELETE",
    "?.method=DELETE",
    "?%2Emethod=DELETE",
    "?+_method=DELETE",
    "?%20_method=DELETE",
    "?_method%00x=DELETE",
    "?_method=DELETE%00x",
    "?_method[]=DELETE",
    "?_method%5B%5D=DELETE",
    "?[_method]=DELETE",
    "?_method]=DELETE",
    "?a=1;_method=DELETE",
    "?a=1;+_method=DELETE",
    "?_method=DELETE;a=1",
    "?&&_method=DELETE",
    "?_method=+DELETE+",
    "?x-tunneled-method=DELETE",
    "?X-Http-Method-Override=DELETE",
    "?__method=DELETE",
  ])("%s names DELETE", (query) => {
    expect(parameters.inPairs(query.slice(1))).toEqual(["DELETE"]);
  });

  test("every one of several counts", () => {
    expect(parameters.inPairs("_method=PUT&_method=DELETE;_METHOD=PATCH")).toEqual(["PUT", "DELETE", "PATCH"]);
  });

  test.each([
    "",
    "?",
    "?method=DELETE",
    "?q=_method=DELETE",
    "?payment_method=card",
    "?_method",
    "?_method=",
    "?a=%5B_method",
  ])("%s names none", (query) => {
    expect(parameters.inPairs(query.slice(1))).toEqual([]);
  });

  test.each(["", " ", "1", "credit card", "flickr.photos.search", "pay/pal", "a".repeat(33)])(
    "%j is no method of anybody's",
    (value) => {
      expect(methodOf(value)).toBeNull();
    },
  );

  test("a name of the policy's own is found, and then no other", () => {
    const own = new MethodParameters(["verb"]);
    expect(own.inPairs("VERB=put&_method=DELETE")).toEqual(["PUT"]);
    expect(own.inPairs("v%65rb=put")).toEqual(["PUT"]);
  });
});
