import { beforeAll, describe, expect, test } from "vitest";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { withParameters } from "../../src/message/query.ts";
import { compileFilter } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
});

function filled(query: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) {
  const { filledParameters, problems } = compileFilter(validateFilter, { query, queryDefaults: "fill", ...more });
  return { pairs: filledParameters === null ? null : Object.fromEntries(filledParameters), problems };
}

describe("defaults of a query", () => {
  test.for([
    [{ type: "integer", default: 20 }, "n=20"],
    [{ type: "boolean", default: false }, "n=false"],
    [{ default: "a b&c=é" }, "n=a%20b%26c%3D%C3%A9"],
    [{ type: "array", items: {}, default: ["a", "b,c"] }, "n=a&n=b%2Cc"],
    [{ type: "array", items: { type: "integer" }, explode: false, default: [1, 2] }, "n=1,2"],
    [{ content: "application/json", schema: { default: { a: 1 } } }, "n=%7B%22a%22%3A1%7D"],
  ] as const)("%j are written as they would be sent", ([parameter, text]) => {
    expect(filled({ n: parameter })).toEqual({ pairs: { n: text }, problems: [] });
  });

  test("are filled in only where the policy says so, and where it enforces", () => {
    const query = { n: { type: "integer", default: 20 }, m: { type: "integer" } };
    expect(filled(query).pairs).toEqual({ n: "n=20" });
    expect(filled(query, { queryDefaults: undefined }).pairs).toBeNull();
    expect(filled(query, { mode: "audit" }).pairs).toBeNull();
  });

  test.for([
    [{ type: "integer", default: "x" }, "the default of 'n' does not fit its schema: / type"],
    [
      { type: "array", items: {}, default: [] },
      "the default of 'n' cannot be filled in: expected text, a number or a list of them",
    ],
    [
      { style: "deepObject", type: "object", properties: { a: {} }, default: { a: "1" } },
      "the default of 'n' cannot be filled in: expected 'style: form', not deepObject",
    ],
  ] as const)("%j is a problem at load", ([parameter, text]) => {
    expect(filled({ n: parameter }).problems).toMatchObject([{ path: "validate.query.n", text }]);
  });
});

test.for([
  ["", "?n=20"],
  ["?", "?n=20"],
  ["?a=1", "?a=1&n=20"],
  ["?n=1", "?n=1"],
  ["?%6E=1", "?%6E=1"],
  ["?n", "?n"],
  ["?a=n", "?a=n&n=20"],
] as const)("%s goes on as %s", ([sent, told]) => {
  expect(withParameters(sent, new Map([["n", "n=20"]]))).toBe(told);
});
