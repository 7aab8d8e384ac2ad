// Goal: parameters in every place and style are typed by what their schema takes, judged by each reading that a service may
// have of them, and attacked as frameworks read queries, cookies and paths.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { compileFilter, createExchange, onlyCheck, type RequestOptions } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
});

/** What the log says of a request; null where it passes. */
function seen(settings: unknown, request: RequestOptions): string | null {
  const check = onlyCheck(compileFilter(validateFilter, settings));
  const verdict = check.evaluate(createExchange(request));
  if (verdict instanceof Promise) throw new Error("a check that reads no body must answer at once");
  return verdict?.seen ?? null;
}

const query = (parameters: unknown, text: string, more: object = {}) =>
  seen({ query: parameters, ...more }, { query: text });
const path = (parameter: unknown, text: string) => seen({ path: { orderId: parameter } }, { params: [text] });
const header = (parameter: unknown, ...lines: string[]) =>
  seen({ headers: { "x-p": parameter } }, { headers: lines.map((line) => ["x-p", line] as const) });
const cookie = (parameters: unknown, ...lines: string[]) =>
  seen({ cookies: parameters }, { headers: lines.map((line) => ["cookie", line] as const) });

const IDS = { type: "array", items: { type: "integer", minimum: 1 }, maxItems: 3 };
const POINT = {
  type: "object",
  required: ["x"],
  properties: { x: { type: "integer", maximum: 9 }, name: { type: "string", maxLength: 3 } },
  additionalProperties: false,
};

const NESTED = {
  style: "deepObject",
  type: "object",
  properties: { at: POINT, ids: IDS, rows: { type: "array", items: POINT } },
};

describe("lists and objects, in the style that is said", () => {
  test.each<[unknown, string, string | null]>([
    [IDS, "?p=1&p=2", null],
    [IDS, "?p=1&p=0", "query p: /1 minimum"],
    [IDS, "?p=1,2", "query p: type of an item, not integer"],
    [{ ...IDS, explode: false }, "?p=1,2,3", null],
    [{ ...IDS, explode: false }, "?p=1,2,3,4", "query p: / maxItems"],
    [{ ...IDS, explode: false }, "?p=1&p=2", "query p: sent twice"],
    [{ ...IDS, style: "pipeDelimited", explode: false }, "?p=1%7C2", null],
    [{ ...IDS, style: "pipeDelimited", explode: false }, "?p=1|x", "query p: type of an item, not integer"],
    [{ ...IDS, style: "spaceDelimited", explode: false }, "?p=1%202+3", null],
    [{ ...IDS, style: "deepObject" }, "?p[]=1&p[]=2", null],
    [{ ...IDS, style: "deepObject" }, "?p[0]=1&p[1]=0", "query p: /1 minimum"],
    [{ ...IDS, style: "deepObject" }, "?p[1]=1", "query p: style: items out of their order"],
    [{ ...POINT, explode: false }, "?p=x,5,name,abc", null],
    [{ ...POINT, explode: false }, "?p=x,10", "query p: /x maximum"],
    [POINT, "?x=5&name=abc", null],
    [POINT, "?x=5&name=abcd", "query p: /name maxLength"],
    [{ ...POINT, style: "deepObject" }, "?p[x]=5&p%5Bname%5D=abc", null],
    [{ ...POINT, style: "deepObject" }, "?p[x]=10", "query p: /x maximum"],
    [{ ...POINT, style: "deepObject" }, "?p[name]=abc", "query p: / required"],
    [{ ...POINT, style: "deepObject" }, "?p[x]=1&p[role]=admin", "query p: /role additionalProperties"],
    [NESTED, "?p[at][x]=5&p[ids][]=1&p[ids][]=2&p[rows][0][x]=1&p[rows][1][x]=2", null],
    [NESTED, "?p%5Bat%5D%5Bx%5D=%31%30", "query p: /at/x maximum"],
    [NESTED, "?p[rows][0][x]=1&p[rows][1][name]=2", "query p: /rows/1 required"],
    [NESTED, "?p[ids][0]=1&p[ids][2]=2", "query p: style: items out of their order"],
    [NESTED, "?p[rows][][x]=1", "query p: style: members of an item without a number"],
    [NESTED, "?p[at]=1&p[at][x]=1", "query p: style: a text and members at once"],
    [NESTED, "?p[a][b][c][d][e][f]=1", "query p: style: more than 5 steps"],
    [NESTED, "?p=1", "query: p in another spelling"],
  ])("query %j: %s → %s", (parameter, text, wanted) => {
    expect(query({ p: parameter }, text)).toBe(wanted);
  });

  test.each<[unknown, string, string | null]>([
    [IDS, "1,2", null],
    [IDS, "1,0", "path orderId: /1 minimum"],
    [{ ...IDS, style: "label" }, ".1,2", null],
    [{ ...IDS, style: "label" }, "1,2", "path orderId: style: a value that does not begin with a dot"],
    [{ ...IDS, style: "label", explode: true }, ".1.2", null],
    [{ ...IDS, style: "matrix", explode: true }, ";orderId=1;orderId=2", null],
    [{ ...IDS, style: "matrix" }, ";other=1", "path orderId: style: a name that is not orderId"],
    [{ type: "integer", style: "matrix" }, ";orderId=5", null],
    [POINT, "x,5", null],
    [{ ...POINT, explode: true }, "x=5,name=abc", null],
    [{ ...POINT, explode: true }, "x=5,name=abcd", "path orderId: /name maxLength"],
  ])("path %j: %s → %s", (parameter, text, wanted) => {
    expect(path(parameter, text)).toBe(wanted);
  });

  test("lines of a header are one list, and two lines of anything else are not taken", () => {
    expect(header(IDS, "1, 2", "3")).toBeNull();
    expect(header(IDS, "1, 2", "3, 4")).toBe("header x-p: / maxItems");
    expect(header({ type: "integer" }, "1", "2")).toBe("header x-p: sent twice");
    expect(header({ ...POINT, explode: true }, "x=10")).toBe("header x-p: /x maximum");
  });

  test("parameters of JSON", () => {
    const json = { p: { content: "application/json", ...POINT } };
    expect(query(json, `?p=${encodeURIComponent('{"x":5}')}`)).toBeNull();
    expect(query(json, `?p=${encodeURIComponent('{"x":10}')}`)).toBe("query p: /x maximum");
    expect(query(json, "?p=%7B")).toBe("query p: content: not JSON");
    expect(query(json, `?p=${encodeURIComponent('{"x":1,"x":10}')}`)).toContain("a key twice");
    expect(query(json, "?p=%7B%22x%22:1%7D&p=%7B%22x%22:10%7D")).toBe("query p: sent twice");
    expect(header({ content: "application/json", ...POINT }, '{"x":10}')).toBe("header x-p: /x maximum");
  });
});

describe("cookies", () => {
  const parameters = { sort: { enum: ["up", "down"] }, page: { type: "integer", required: true } };

  test("declared ones are judged, those of others pass", () => {
    expect(cookie(parameters, "_ga=GA1.2; page=3; sort=up; theme=dark")).toBeNull();
    expect(cookie(parameters, "sort=up")).toBe("cookie page: missing");
    expect(cookie(parameters, "page=x")).toBe("cookie page: type, not integer");
    expect(cookie({ ids: { ...IDS, explode: false } }, "ids=1,2")).toBeNull();
  });

  test.each([
    ["page=1; page=2", "cookie page: sent twice"],
    ["page=1; p%61ge=2", "cookie page: in another spelling"],
    ["page=1; page[]=2", "cookie page: in another spelling"],
    ["page=1; sort[x]=evil", "cookie sort: in another spelling"],
    ['page=1; sort="evil"', "cookie sort: / enum"],
    ['page=1; sort="\\165p"', "cookie sort: style: an escape inside quotes"],
  ])("%s → %s", (line, wanted) => {
    expect(cookie(parameters, line)).toBe(wanted);
  });

  test("over several lines they are one list of cookies", () => {
    expect(cookie(parameters, "page=1", "page=2")).toBe("cookie page: sent twice");
  });
});

describe("what a text may be, its schema says", () => {
  test.each<[unknown, string, boolean]>([
    [{ type: ["integer", "null"] }, "null", true],
    [{ type: ["integer", "null"] }, "", false],
    [{ type: ["string", "null"], minLength: 5 }, "null", false],
    [{ type: ["string", "integer"], pattern: "^[a-z]+$" }, "5", true],
    [{ type: ["string", "integer"], pattern: "^[a-z]+$" }, "5x", false],
    [{ anyOf: [{ type: "integer", maximum: 9 }, { enum: ["all"] }] }, "all", true],
    [{ anyOf: [{ type: "integer", maximum: 9 }, { enum: ["all"] }] }, "10", false],
    [{ oneOf: [{ type: "boolean" }, { type: "string", pattern: "^[a-z]{1,3}$" }] }, "true", true],
    [
      {
        oneOf: [
          { type: "string", maxLength: 3 },
          { type: "array", items: { type: "string" }, maxItems: 1 },
        ],
      },
      "abcd",
      true,
    ],
    [{ type: "string", enum: ["1", "2"] }, "1", true],
    [{ pattern: "^[a-z]+$" }, "5", false],
    [{ allOf: [{ pattern: "^[a-z]+$" }] }, "5", false],
    [{ allOf: [{ type: "integer" }, { minimum: 3 }] }, "2", false],
  ])("%j: %s → %s", (parameter, text, fits) => {
    expect(query({ p: parameter }, `?p=${text}`) === null).toBe(fits);
  });

  test("an empty value passes where it is allowed, and nowhere else", () => {
    expect(query({ p: { type: "integer", allowEmptyValue: true } }, "?p")).toBeNull();
    expect(query({ p: { type: "integer", allowEmptyValue: true } }, "?p=&p=5")).toBe("query p: sent twice");
    expect(query({ p: { type: "integer", allowEmptyValue: true } }, "?p=x")).toBe("query p: type, not integer");
    expect(query({ p: { type: "integer" } }, "?p")).toBe("query p: type, not integer");
  });
});

describe("other spellings of what is declared", () => {
  const deep = { p: { ...POINT, style: "deepObject" } };

  test.each([
    "?p[x]=1&p=evil",
    "?p[x]=1&p[x][y]=evil",
    "?p[x]=1&p[]x=evil",
    "?p[x]=1&p.x=evil",
    "?p[x]=1&P[x]=evil",
    "?p[x]=1&[p]=evil",
    "?p[x]=1&a;p=99",
  ])("%s is refused", (text) => {
    expect(query(deep, text)).toBe("query: p in another spelling");
  });

  test.each([
    ["?p[x]=1&p%5Bx%5D=9", "query p: style: a property twice"],
    ["?p[x]=1&a;p[x]=99", "query: p[x] in another spelling"],
    ["?p[x]=1&p[X]=99", "query p: /X memberCase"],
    ["?p[x]=1&p[__proto__]=1", "query p: /__proto__ additionalProperties"],
  ])("%s → %s", (text, wanted) => {
    const open = wanted.includes("memberCase") ? { p: { ...deep.p, additionalProperties: { type: "integer" } } } : deep;
    expect(query(open, text)).toBe(wanted);
  });

  test("an escaped delimiter is judged by whoever decodes first, too", () => {
    const list = { p: { type: "array", explode: false, items: { enum: ["a", "b"] } } };
    expect(query(list, "?p=a,b")).toBeNull();
    expect(query(list, "?p=a%2Cb")).toBeNull();
    expect(query(list, "?p=a%2Cadmin")).toBe("query p: /1 enum");
    const texts = { p: { type: "array", explode: false, items: { maxLength: 9 }, maxItems: 1 } };
    expect(query(texts, "?p=a%2Cb")).toBe("query p: / maxItems");
  });

  test.each([
    ["?p=a%2Cb", "?p=a,b"],
    ["?x=1%2C2&%70=a%2cb", "?x=1%2C2&%70=a,b"],
    ["?p=a,b&text=a%2Cb", "?p=a,b&text=a%2Cb"],
    ["?o=x%2C1%2Cname%2Cab", "?o=x,1,name,ab"],
    ["?p&p2=%2C", "?p&p2=%2C"],
  ])("commas that can only part are plain to the service: %s → %s", (sent, plain) => {
    const { plainParameters } = compileFilter(validateFilter, {
      query: {
        p: { type: "array", explode: false, items: { enum: ["a", "b"] } },
        text: { type: "array", explode: false, items: { type: "string" } },
        o: { ...POINT, explode: false },
      },
    });
    expect(plainParameters?.(sent)).toBe(plain);
  });

  test("nothing is written anew where nothing is parted by commas, or while the check audits", () => {
    const list = { type: "array", explode: false, items: { type: "integer" } };
    const plainOf = (settings: unknown) => compileFilter(validateFilter, settings).plainParameters;
    expect(plainOf({ query: { p: list } })).not.toBeNull();
    expect(plainOf({ query: { p: list }, mode: "audit" })).toBeNull();
    expect(plainOf({ query: { p: { ...list, explode: true }, q: { type: "string" } } })).toBeNull();
  });

  test("members of a spread object are no unknown parameters, and others are", () => {
    const refuse = { unknownQuery: "refuse" };
    expect(query({ p: POINT }, "?x=1&name=a", refuse)).toBeNull();
    expect(query({ p: POINT }, "?x=1&role=admin", refuse)).toBe("query role: unknown");
    const open = { p: { type: "object", additionalProperties: { type: "integer" } }, q: { type: "string" } };
    expect(query(open, "?a=1&q=x", refuse)).toBeNull();
    expect(query(open, "?a=x&q=x", refuse)).toBe("query p: type of a member, not integer");
    expect(query(deep, "?p[x]=1&q[x]=1", refuse)).toBe("query q[x]: unknown");
  });
});

describe("a list within a spread object, as Spring's Pageable has it", () => {
  const size = { type: "integer", minimum: 1 };
  const sort = { type: "array", items: { type: "string", maxLength: 9 }, maxItems: 2 };
  const pageable = {
    type: "object",
    properties: { size, sort, ids: IDS, one: { type: ["string", "array"] }, any: {} },
  };

  test.each<[string, string | null]>([
    ["?size=20&sort=name,asc&sort=id", null],
    ["?sort=name", null],
    ["?size=0&sort=name", "query p: /size minimum"],
    ["?sort=a&sort=b&sort=c", "query p: /sort maxItems"],
    ["?sort=a&sort=longer-than-nine", "query p: /sort/1 maxLength"],
    ["?ids=1&ids=x", "query p: type of a member, not integer"],
    ["?one=a", null],
    ["?one=a&one=b", null],
    ["?any=a", null],
    ["?any=a&any=b", "query p: type of a member, not one value"],
    ["?size=1&size=2", "query p: type of a member, not one value"],
    ["?sort[0]=name", "query: sort in another spelling"],
  ])("%s", (text, wanted) => {
    expect(query({ p: pageable }, text)).toBe(wanted);
  });

  test("one that has to be there may be empty, which is written as nothing", () => {
    expect(query({ p: { required: true, schema: pageable } }, "")).toBeNull();
    expect(query({ p: { required: true, schema: POINT } }, "")).toBe("query p: / required");
    expect(query({ p: POINT }, "")).toBeNull();
  });
});

describe("a query as one value", () => {
  const form = { queryString: POINT };
  const json = { queryString: { content: "application/json", ...POINT, required: true } };

  test("a form", () => {
    expect(seen(form, { query: "?x=5&name=abc" })).toBeNull();
    expect(seen(form, { query: "" })).toBeNull();
    expect(seen(form, { query: "?x=10" })).toBe("query: /x maximum");
    expect(seen(form, { query: "?x=ten" })).toBe("query: /x type");
    expect(seen(form, { query: "?x=1&x=2" })).toBe("query: x sent twice");
    expect(seen(form, { query: "?x=1&x[]=2" })).toBe("query: x in another spelling");
    expect(seen(form, { query: "?x=1&role=a" })).toBe("query: /role additionalProperties");
  });

  test("JSON", () => {
    expect(seen(json, { query: `?${encodeURIComponent('{"x":5}')}` })).toBeNull();
    expect(seen(json, { query: `?${encodeURIComponent('{"x":10}')}` })).toBe("query: /x maximum");
    expect(seen(json, { query: "?x=5" })).toBe("query: content that is not JSON");
    expect(seen(json, { query: "" })).toBe("query: missing");
  });
});

test("what has no meaning is a problem at its place", () => {
  const problems = (settings: unknown) =>
    compileFilter(validateFilter, settings).problems.map(({ path: at, text }) => `${at}: ${text}`);
  expect(problems({ query: { p: { style: "matrix" } } })).toEqual([
    expect.stringContaining("validate.query.p.style: style matrix"),
  ]);
  expect(problems({ query: { p: { style: "deepObject" } } })).toEqual([
    expect.stringContaining("deepObject writes objects"),
  ]);
  expect(problems({ query: { p: { type: "object" } } })).toEqual([expect.stringContaining("expected 'properties'")]);
  expect(problems({ cookies: { p: { content: "application/json", explode: true } } })).toHaveLength(1);
  expect(problems({ queryString: POINT, unknownQuery: "refuse" })).toEqual([expect.stringContaining("unknownQuery")]);
  expect(problems({ path: { orderId: { type: "array", items: { type: "object" } } } })).toHaveLength(1);
  expect(problems({ query: { p: { type: "array", items: { type: "object" } } } })).toHaveLength(1);
  expect(problems({ query: { p: { style: "deepObject", type: "array", items: { type: "object" } } } })).toEqual([]);
});

test("no text in any place or style makes the check throw", () => {
  const settings = {
    path: { orderId: { ...IDS, style: "matrix" } },
    query: { p: { ...POINT, style: "deepObject" }, q: IDS, r: POINT, j: { content: "application/json" } },
    headers: { "x-p": { ...POINT, explode: true } },
    cookies: { c: IDS, d: { ...POINT, explode: false } },
  };
  const check = onlyCheck(compileFilter(validateFilter, settings));
  const text = fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 60 }),
    fc
      .array(
        fc.constantFrom("p[", "]", "x", "=", "&", ";", ",", "%2C", "%", "r", "c", '"', "\\", "[]", "{", ":", "1"),
        { maxLength: 40 },
      )
      .map((parts) => parts.join("")),
  );
  const isEscaped = (one: string) => /^(?:[^%]|%[\dA-Fa-f]{2})*$/.test(one) && !/%(?:[89A-Fa-f][\dA-Fa-f])/.test(one);
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      const headers = [
        ["x-p", c],
        ["cookie", d],
      ] as const;
      const verdict = check.evaluate(createExchange({ params: [isEscaped(a) ? a : "x"], query: `?${b}`, headers }));
      expect(verdict).not.toBeInstanceOf(Promise);
    }),
    { numRuns: 1_000 },
  );
});
