import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TYPE } from "../../src/schema/subschema.ts";
import { compiledOf } from "./kit.ts";

const ORDER = {
  type: "object",
  required: ["sku", "lines"],
  additionalProperties: false,
  properties: {
    sku: { type: "string", pattern: "^[A-Z]{3}$", maxLength: 10 },
    lines: { type: "array", minItems: 1, items: { $ref: "#/$defs/line" } },
    note: {},
    pay: {
      oneOf: [
        { required: ["card"], properties: { card: { type: "string" } } },
        { properties: { cash: { const: true } } },
      ],
    },
  },
  $defs: { line: { type: "object", properties: { count: { type: "integer", minimum: 1, exclusiveMaximum: 100 } } } },
};

describe("what a place of the body can be", () => {
  const places = new Map(
    compiledOf(ORDER)
      .places()
      .map((place) => [place.pointer, place]),
  );

  test("every place that the schema speaks of", () => {
    expect([...places.keys()]).toEqual([
      "",
      "/sku",
      "/lines",
      "/note",
      "/pay",
      "/lines/*",
      "/pay/card",
      "/pay/cash",
      "/lines/*/count",
    ]);
    expect(places.get("/pay/card")?.isCertain).toBe(false);
    expect(places.get("/lines/*/count")?.isCertain).toBe(true);
  });

  test("types, bounds, lengths, alphabet, and what is not constrained", () => {
    expect(places.get("")?.facts).toMatchObject({ types: TYPE.object, required: ["sku", "lines"], takesOthers: false });
    expect(places.get("/sku")?.facts).toMatchObject({
      types: TYPE.string,
      lengthMin: 3,
      lengthMax: 3,
      alphabet: [65, 90],
    });
    expect(places.get("/lines/*/count")?.facts).toMatchObject({
      types: TYPE.integer,
      minimum: { value: { digits: 1n, exponent: 0 }, isExclusive: false },
      maximum: { value: { digits: 1n, exponent: 2 }, isExclusive: true },
    });
    expect([...places.values()].filter(({ facts }) => facts.isUnconstrained).map(({ pointer }) => pointer)).toEqual([
      "/note",
    ]);
  });

  test("what nothing can be has its reason", () => {
    const reason = (schema: unknown) => compiledOf(schema).contradiction();
    expect(reason({ type: "string", minLength: 3, allOf: [{ maxLength: 2 }] })).toContain("at least 3 and at most 2");
    expect(reason({ type: "string", allOf: [{ type: "number" }] })).toContain("no type is left");
    expect(reason({ type: "integer", minimum: 2, exclusiveMaximum: 2 })).toContain("no number");
    expect(reason({ minLength: 3, maxLength: 2 })).toBeNull();
    expect(reason(ORDER)).toBeNull();
  });

  test("a class and its base that each take their own members alone refuse each other's", () => {
    const reason = (schema: unknown) => compiledOf(schema).contradiction();
    const base = { type: "object", properties: { type: { type: "string" } } };
    const own = { properties: { bark: { type: "boolean" } } };
    const closed = { additionalProperties: false };
    const text = "one part of 'allOf' declares it and another refuses it by 'additionalProperties: false'";
    expect(reason({ allOf: [base, { ...own, ...closed }] })).toContain(`no body can have 'type': ${text}`);
    expect(reason({ ...own, allOf: [{ ...base, ...closed }] })).toContain(`no body can have 'bark': ${text}`);
    expect(reason({ ...own, allOf: [base], unevaluatedProperties: false })).toBeNull();
    expect(reason({ ...own, allOf: [{ properties: { bark: {} }, ...closed }] })).toBeNull();
    expect(reason({ properties: { type: false }, allOf: [{ ...own, ...closed }] })).toBeNull();
    expect(reason({ ...own, allOf: [{ patternProperties: { "^b": {} }, ...closed }] })).toBeNull();
  });
});

describe("examples and mutations", () => {
  const format = fc.constantFrom("date-time", "uuid", "email", "ipv4", "uri", "duration", "byte");
  const leaf: fc.Arbitrary<object> = fc.oneof(
    fc.nat(20).map((min) => ({ type: "string", minLength: min, maxLength: min + 5 })),
    format.map((name) => ({ type: "string", format: name })),
    fc
      .integer({ min: -1_000, max: 1_000 })
      .chain((minimum) => fc.nat(100).map((more) => ({ type: "integer", minimum, maximum: minimum + more }))),
    fc.constantFrom(2, 3, 7).map((multipleOf) => ({ type: "integer", multipleOf, minimum: 10 })),
    fc.constant({ type: "boolean" }),
    fc.uniqueArray(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 }).map((list) => ({ enum: list })),
  );
  const { schema } = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.nat(3).chain((minItems) => tie("schema").map((items) => ({ type: "array", items, minItems }))),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("schema"), { maxKeys: 4 }).map((properties) => ({
        type: "object",
        properties,
        required: Object.keys(properties).slice(0, 2),
        additionalProperties: false,
      })),
      fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
      tie("schema").map((part) => ({ allOf: [part] })),
    ),
  }));

  test("an example fits, a mutation of it does not", () => {
    fc.assert(
      fc.property(schema, (drawn) => {
        const compiled = compiledOf(drawn);
        const { validator } = compiled;
        const example = compiled.example();
        expect(example, JSON.stringify(drawn)).not.toBeUndefined();
        expect(validator.judge(example)).toBeNull();
        const mutation = compiled.mutation(example);
        expect(mutation?.faults.length ?? 1).toBeGreaterThan(0);
        if (mutation !== null) expect(validator.judge(mutation.value)).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test("of an order", () => {
    const order = compiledOf(ORDER);
    const example = order.example();
    expect(order.validator.judge(example)).toBeNull();
    expect(order.mutation(example)?.faults.length).toBeGreaterThan(0);
    expect(compiledOf(true).mutation({})).toBeNull();
  });
});
