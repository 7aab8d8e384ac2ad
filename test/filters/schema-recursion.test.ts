import { describe, expect, test } from "vitest";
import { compileSchema, type Validator } from "../../src/filters/validate/json-schema.ts";
import { parseJson } from "../../src/filters/validate/json-text.ts";
import { findExplosion } from "../../src/filters/validate/recursion.ts";

const SELF = { $ref: "#" };
const LIST = { type: "array", items: SELF };
const EXPONENTIAL = "this schema can take time exponential in the depth of a body";

function choose(condition: object, yes: object, no: object): Record<string, object> {
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema has this name
  return { if: condition, then: yes, else: no };
}

function problemOf(schema: unknown): string {
  const compiled = compileSchema(schema);
  return compiled.ok ? "" : compiled.error;
}

function validatorOf(schema: unknown): Validator {
  const compiled = compileSchema(schema);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value;
}

describe("a schema that can judge one child along two ways that both lead back is a problem", () => {
  const op = (name: string) => ({ properties: { args: LIST, op: { const: name } } });

  test("the tree of operators that keeps a CPU for ever with a body of 590 bytes", () => {
    const problem = problemOf({ oneOf: [op("and"), op("or"), { type: "string" }] });
    expect(problem).toContain("'#/oneOf/0/properties/args' and '#/oneOf/1/properties/args' judge the same child");
    expect(problem).toContain(EXPONENTIAL);
    expect(problem).toContain("move what they share beside them");
  });

  const a = { properties: { a: SELF } };
  test.each<[string, object]>([
    ["anyOf", { anyOf: [a, { ...a, minProperties: 1 }] }],
    ["allOf", { allOf: [a, { required: ["a"], ...a }] }],
    ["not", { not: a, ...a }],
    ["if and then", choose(a, { ...a, minProperties: 1 }, {})],
    ["if and else", choose(a, {}, { ...a, minProperties: 1 })],
    ["dependentSchemas", { dependentSchemas: { x: a, y: { ...a, minProperties: 1 } } }],
    ["dependencies", { dependencies: { x: a, y: { ...a, minProperties: 1 } } }],
    ["$ref beside a keyword", { $ref: "#/$defs/n", ...a, $defs: { n: { minProperties: 1, ...a } } }],
    ["the same $ref twice", { allOf: [{ $ref: "#/$defs/n" }, { $ref: "#/$defs/n" }], $defs: { n: a } }],
    ["nested alternatives", { oneOf: [{ anyOf: [{ allOf: [a] }] }, { oneOf: [{ not: a }] }] }],
    ["an anchor", { oneOf: [{ $ref: "#n" }, { $ref: "#/$defs/n" }], $defs: { n: { $dynamicAnchor: "n", ...a } } }],
    ["an $id", { $id: "https://example.org/s", oneOf: [a, { properties: { a: { $ref: "https://example.org/s" } } }] }],
    [
      "a resource inside",
      { $ref: "in", $defs: { n: { $id: "in", oneOf: [a, { properties: { a: { $ref: "in#/oneOf/0" } } }, a] } } },
    ],
    [
      "$dynamicRef",
      { $dynamicAnchor: "n", oneOf: [a, { minProperties: 1, properties: { a: { $dynamicRef: "#n" } } }] },
    ],
    [
      "an escaped pointer",
      { oneOf: [a, { $ref: "#/$defs/a~1b%20c" }], $defs: { "a/b c": { minProperties: 1, ...a } } },
    ],
    [
      "two schemas in turn",
      { oneOf: [a, { properties: { a: { $ref: "#/$defs/n" } } }], $defs: { n: { allOf: [SELF] } } },
    ],
    ["a detour by another level", { anyOf: [a, { properties: { a: { properties: { a: SELF } } } }] }],
    ["properties and patternProperties", { ...a, allOf: [{ patternProperties: { "^a": SELF } }] }],
    ["two patterns", { patternProperties: { "^a": SELF, a$: SELF } }],
    ["properties here, additionalProperties there", { ...a, anyOf: [{ additionalProperties: SELF }] }],
    ["unevaluatedProperties", { anyOf: [{ minProperties: 1 }, a], unevaluatedProperties: SELF }],
    ["items and contains", { type: "array", items: SELF, contains: SELF }],
    ["prefixItems and contains", { type: "array", prefixItems: [SELF], minItems: 1, items: false, contains: SELF }],
    ["prefixItems here, items there", { anyOf: [{ items: SELF }, { prefixItems: [SELF], minItems: 1, items: false }] }],
  ])("%s", (_, schema) => {
    expect(problemOf(schema)).toContain(EXPONENTIAL);
  });

  test("a chain of pairs is exponential without any recursion", () => {
    const links = Array.from({ length: 20 }, (_, at) => {
      const next = { $ref: `#/$defs/n${at + 1}` };
      return [`n${at}`, { allOf: [next, next] }] as const;
    });
    const schema = { $ref: "#/$defs/n0", $defs: { ...Object.fromEntries(links), n20: { type: "object" } } };
    expect(problemOf(schema)).toContain("judges one value more than 1000 times");
  });

  test("a schema that leads back to itself without a step into the body would never end", () => {
    expect(problemOf({ anyOf: [{ type: "string" }, SELF] })).toContain("leads back to itself for the same value");
    expect(problemOf(SELF)).toContain("leads back to itself");
  });

  test("what stands in no schema is looked up, not trusted: a reference that cannot be followed is a problem", () => {
    expect(problemOf({ $ref: "https://json-schema.org/draft/2020-12/meta/content" })).toContain(
      "cannot follow the reference",
    );
  });
});

describe("ordinary recursion is allowed", () => {
  test.each<[string, object]>([
    ["a list of children", { properties: { name: { type: "string" }, children: LIST } }],
    ["null or itself", { properties: { next: { anyOf: [{ type: "null" }, SELF] } } }],
    ["a binary tree", { properties: { left: SELF, right: SELF } }],
    ["a map of itself", { additionalProperties: SELF }],
    ["a name of its own beside a map", { properties: { n: { type: "string" }, m: SELF }, additionalProperties: SELF }],
    [
      "alternatives with children of other names",
      { oneOf: [{ properties: { and: LIST } }, { properties: { or: LIST } }] },
    ],
    [
      "objects and arrays",
      {
        anyOf: [
          { type: "array", items: SELF },
          { type: "object", additionalProperties: SELF },
        ],
      },
    ],
    ["then or else", choose({ required: ["x"] }, { properties: { a: SELF } }, { properties: { a: LIST } })],
    ["a base that is extended", { allOf: [{ properties: { a: SELF } }, { properties: { a: { type: "object" } } }] }],
    ["a closed schema", { allOf: [{ properties: { a: SELF } }], unevaluatedProperties: false }],
    [
      "by an anchor",
      { $ref: "#n", $defs: { n: { $dynamicAnchor: "n", type: "object", additionalProperties: { $ref: "#n" } } } },
    ],
    ["by $dynamicRef", { $dynamicAnchor: "n", type: "object", additionalProperties: { $dynamicRef: "#n" } }],
    [
      "many alternatives without recursion",
      { items: { oneOf: Array.from({ length: 200 }, (_, at) => ({ const: at })) } },
    ],
  ])("%s", (_, schema) => {
    expect(problemOf(schema)).toBe("");
  });

  test("a tree of the deepest body that is read takes no time", () => {
    const validate = validatorOf({
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string" },
        left: { anyOf: [{ type: "null" }, SELF] },
        children: LIST,
      },
    });
    const startMs = performance.now();
    for (const [open, close, levels] of [
      ['{"name":"n","left":', "}", 63],
      ['{"name":"n","children":[', "]}", 31],
    ] as const) {
      const text = `${open.repeat(levels)}{"name":1}${close.repeat(levels)}`;
      const body = parseJson(Buffer.from(text));
      if (!body.ok) throw new Error(body.error);
      expect(validate(body.value)).not.toBeNull();
    }
    expect(performance.now() - startMs).toBeLessThan(200);
  });

  test("the operators, written so that arguments are judged once, are judged at once at any depth", () => {
    const validate = validatorOf({
      ...choose(
        { type: "object" },
        {
          required: ["op"],
          properties: { args: LIST },
          oneOf: [{ properties: { op: { const: "and" } } }, { properties: { op: { const: "or" } } }],
        },
        { type: "string" },
      ),
    });
    const text = `${'{"op":"or","args":['.repeat(31)}0${"]}".repeat(31)}`;
    const startMs = performance.now();
    expect(validate(JSON.parse(text))).not.toBeNull();
    expect(performance.now() - startMs).toBeLessThan(200);
  });

  test("a large schema is looked through quickly", () => {
    const defs = Array.from({ length: 3_000 }, (_, at) => [
      `n${at}`,
      { properties: { next: { $ref: `#/$defs/n${(at + 1) % 3_000}` }, [`x${at}`]: { $ref: "#/$defs/n0" } } },
    ]);
    const startMs = performance.now();
    expect(findExplosion({ $ref: "#/$defs/n0", $defs: Object.fromEntries(defs) })).toBeNull();
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
});
