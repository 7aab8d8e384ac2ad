import { describe, expect, test } from "vitest";
import type { Cost } from "../../src/schema/cost.ts";
import { compiledOf } from "./kit.ts";

const SELF = { $ref: "#" };
const many = <T>(count: number, item: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => item(at));
const costOf = (schema: unknown): Cost => compiledOf(schema).cost;

describe("what a body can cost is known when its schema is compiled", () => {
  test("a usual schema judges no part more than a few times", () => {
    const address = { type: "object", properties: { city: { type: "string", maxLength: 64 } } };
    const order = { properties: { to: address, from: { anyOf: [address, { type: "null" }] } } };
    expect(costOf(order)).toEqual({ judgementsMax: 3, isForking: false, dearest: null });
  });

  test("alternatives that nothing tells apart are each tried", () => {
    const alternatives = many(200, (at) => ({ properties: { a: { maximum: at } } }));
    for (const keyword of ["anyOf", "oneOf"]) {
      const { judgementsMax, dearest } = costOf(`{ "items":\n  { "${keyword}": ${JSON.stringify(alternatives)} } }`);
      expect(judgementsMax).toBe(201);
      expect(dearest).toMatchObject({ place: { line: 2, column: 5 }, what: "200 alternatives" });
      expect(dearest?.mend).toContain("'const'");
    }
  });

  test("those of which a required member or the type tells which one is meant are not", () => {
    const tagged = many(200, (at) => ({ required: ["kind"], properties: { kind: { const: `k${at}` }, a: true } }));
    expect(costOf({ oneOf: tagged }).judgementsMax).toBe(2);
    expect(costOf({ oneOf: tagged.map((part) => ({ allOf: [part] })) }).judgementsMax).toBeLessThan(5);
    // Whoever leaves the member out has all of them tried, where none asks for it.
    expect(costOf({ oneOf: tagged.map(({ properties }) => ({ properties })) }).judgementsMax).toBe(201);
    const types = ["string", "integer", "boolean", "array", "object"].map((type) => ({
      type,
      enum: [{}, [], 1, "", true],
    }));
    expect(costOf({ anyOf: types }).judgementsMax).toBe(2);
  });

  test("a member that all alternatives ask for is missing, and none is tried", () => {
    const tagged = many(9, (at) => ({ required: ["kind"], properties: { kind: { const: `k${at}` } } }));
    const { validator } = compiledOf({ oneOf: tagged });
    expect(validator.judge({ kind: "k3" })).toBeNull();
    for (const body of [{}, { kind: "k9" }, { kind: 3 }])
      expect(validator.judge(body)).toMatchObject([{ keyword: "oneOf" }]);
    const loose = [...tagged, { properties: { a: { type: "integer" } } }];
    expect(compiledOf({ oneOf: loose }).validator.judge({})).toBeNull();
    expect(compiledOf({ oneOf: loose }).validator.judge({ kind: "k3", a: "x" })).toBeNull();
  });

  test("each pattern of names", () => {
    const patternProperties = Object.fromEntries(many(300, (at) => [`^k.*${at}$`, true]));
    const { judgementsMax, dearest } = costOf(`{\n"patternProperties": ${JSON.stringify(patternProperties)} }`);
    expect(judgementsMax).toBeGreaterThanOrEqual(300);
    expect(dearest).toMatchObject({ place: { line: 2 }, what: "300 patterns of names" });
  });

  test("uniqueItems above a part, as deep as a body may be", () => {
    expect(costOf({ uniqueItems: true, items: { uniqueItems: true } }).judgementsMax).toBe(3);
    const { judgementsMax, dearest } = costOf({ uniqueItems: true, items: SELF });
    expect(judgementsMax).toBe(66);
    expect(dearest?.what).toBe("'uniqueItems' in 'uniqueItems'");
  });

  test("a recursion that forks costs its references, for answers are kept", () => {
    const fork = { anyOf: [{ items: SELF }, { items: SELF, minItems: 1 }, { type: "integer" }] };
    expect(costOf(fork)).toMatchObject({ isForking: true, dearest: null });
    expect(costOf(fork).judgementsMax).toBeLessThan(10);
    const wide = { allOf: many(100, (at) => ({ items: SELF, minItems: at })) };
    const { isForking, judgementsMax, dearest } = costOf(wide);
    expect({ isForking, what: dearest?.what }).toEqual({ isForking: true, what: "100 schemas that all apply" });
    expect(judgementsMax).toBeGreaterThanOrEqual(200);
  });
});
