import { describe, expect, test } from "vitest";
import type { Dialect } from "../../src/schema/dialect.ts";
import { foldCase } from "../../src/support/fold-case.ts";
import { cpuMs } from "../fixtures/cpu-time.ts";
import { compiledOf, faultsOf, problemsOf, read, seenIn } from "./kit.ts";

/** Bodies that a library decided wrongly, each of a kind. */
describe("what is decided wrongly elsewhere is decided rightly", () => {
  test("a member named __proto__ is a member, also for unevaluatedProperties", () => {
    const schema = {
      type: "object",
      anyOf: [{ properties: { a: true }, required: ["a"] }, { properties: { b: true } }],
      unevaluatedProperties: false,
    };
    expect(seenIn(schema, '{"a":1,"__proto__":{"isAdmin":true}}')).toEqual(["/__proto__ unevaluatedProperties"]);
    expect(seenIn(schema, { a: 1 })).toEqual([]);
  });

  test("contains beside prefixItems is asked of an empty array, too", () => {
    const schema = { type: "array", prefixItems: [{ type: "string" }], contains: { type: "number" } };
    expect(seenIn(schema, [])).toEqual([" contains"]);
    expect(seenIn(schema, ["x", 1])).toEqual([]);
  });

  test("contains of an array in an array of objects", () => {
    const tags = { type: "array", contains: { const: "x" } };
    const schema = { properties: { rows: { type: "array", items: { properties: { tags } } } } };
    expect(seenIn(schema, { rows: [{ tags: ["x"] }, { tags: [] }] })).toEqual(["/rows/1/tags contains"]);
    expect(seenIn(schema, { rows: [{ tags: ["x"] }] })).toEqual([]);
  });

  test("an object with a member named toString is none of an enum of objects", () => {
    expect(seenIn({ enum: [{ level: 1 }] }, '{"toString":1}')).toEqual([" enum"]);
    expect(seenIn({ enum: [{ level: 1, a: [1, { b: 2 }] }] }, '{"a":[1.0,{"b":2e0}],"level":1}')).toEqual([]);
  });

  test("oneOf with patternProperties takes honest bodies", () => {
    const schema = {
      oneOf: [
        { required: ["a"], patternProperties: { "^x-": { type: "string" } } },
        { required: ["b"], patternProperties: { "^x-": { type: "number" } } },
      ],
    };
    expect(seenIn(schema, { a: 1, "x-1": "text" })).toEqual([]);
    expect(seenIn(schema, { b: 1, "x-1": 2 })).toEqual([]);
    expect(seenIn(schema, { b: 1, "x-1": "text" })).not.toEqual([]);
  });

  test("19.99 is a multiple of 0.01, and 19.991 is not", () => {
    const schema = { type: "number", multipleOf: 0.01 };
    for (const good of ["19.99", "0", "-0.07", "1e3", "4503599627370497.01"])
      expect(seenIn(schema, good), good).toEqual([]);
    for (const bad of ["19.991", "1e-3", "0.010000000000000000001"])
      expect(seenIn(schema, bad), bad).toEqual([" multipleOf"]);
  });

  test("$dynamicRef leads where the scope says", () => {
    const schema = {
      $id: "https://example.org/strict",
      $dynamicAnchor: "node",
      $ref: "tree",
      unevaluatedProperties: false,
      $defs: {
        tree: {
          $id: "tree",
          $dynamicAnchor: "node",
          properties: { data: true, children: { type: "array", items: { $dynamicRef: "#node" } } },
        },
      },
    };
    expect(seenIn(schema, { children: [{ data: 1 }] })).toEqual([]);
    expect(seenIn(schema, { children: [{ daat: 1 }] })).toEqual(["/children/0/daat unevaluatedProperties"]);
  });

  test("names that objects inherit, and the empty one, are names as others", () => {
    expect(seenIn({ required: [""] }, {})).toEqual([" required"]);
    expect(seenIn('{"properties":{"__proto__":{"type":"number"}}}', '{"__proto__":"x"}')).toEqual(["/__proto__ type"]);
    expect(seenIn({ required: ["constructor", "toString"] }, {})).toEqual([" required", " required"]);
    expect(seenIn({ properties: { constructor: { type: "string" } } }, {})).toEqual([]);
    expect(seenIn({ dependentRequired: { toString: ["a"] } }, {})).toEqual([]);
  });

  test("int64 reaches to its last number and no further", () => {
    const schema = { type: "integer", format: "int64" };
    for (const good of ["9223372036854775807", "-9223372036854775808", "0"]) expect(seenIn(schema, good)).toEqual([]);
    for (const bad of ["9223372036854775808", "-9223372036854775809"]) expect(seenIn(schema, bad)).toEqual([" format"]);
  });
});

describe("numbers are what they are written as", () => {
  test.each([
    [{ maximum: 9007199254740992 }, "9007199254740993", false],
    [{ maximum: 9007199254740992 }, "9007199254740992", true],
    ['{"maximum":9007199254740993}', "9007199254740993", true],
    ['{"exclusiveMinimum":9007199254740992}', "9007199254740993", true],
    ['{"const":9007199254740993}', "9007199254740992", false],
    ['{"const":9007199254740993}', "9007199254740993.0", true],
    [{ const: 1 }, "1.0", true],
    [{ const: 1 }, "1.0000000000000000001", false],
    [{ const: 0 }, "-0.0", true],
    [{ type: "integer" }, "1e2", true],
    [{ type: "integer" }, "1.5e1", true],
    [{ type: "integer" }, "1.00000000000000000001", false],
    [{ uniqueItems: true }, "[9007199254740992,9007199254740993]", true],
    [{ uniqueItems: true }, "[1,1.0]", false],
    [{ uniqueItems: true }, "[1,10e-1]", false],
    [{ uniqueItems: true }, '[{"a":1,"b":2},{"b":2,"a":1}]', false],
    [{ uniqueItems: true }, '[1,true,"1",[1],null,"null",0,false]', true],
    [{ multipleOf: 3 }, "1e-299", false],
    [{ minimum: 0.1 }, "0.09999999999999999999", false],
    [{ minimum: 0.1 }, "0.10000000000000000001", true],
    // To a service that reads doubles these are the bounds themselves.
    [{ exclusiveMinimum: 100 }, "100.00000000000000000001", false],
    [{ exclusiveMaximum: 1 }, "0.99999999999999999999", false],
    [{ exclusiveMaximum: 1 }, "0.9999999999999999", true],
  ] as const)("%j, %s: %s", (schema, body, passes) => {
    expect(faultsOf(schema, body).length === 0).toBe(passes);
  });
});

describe("faults", () => {
  const schema = `{
  "type": "object",
  "required": ["sku", "count"],
  "properties": {
    "sku": { "type": "string", "pattern": "^[A-Z]{2}\\\\-\\\\d+$" },
    "count": { "type": "integer", "minimum": 1 },
    "tags": { "type": "array", "items": { "maxLength": 3 }, "maxItems": 2 }
  },
  "additionalProperties": false
}`;

  test("all of them, in document order, with the line of the keyword", () => {
    const faults = faultsOf(schema, '{"tags":["long one","b","other"],"x/y":1,"count":0,"sku":"q"}');
    expect(faults).toEqual([
      {
        pointer: "/tags",
        keyword: "maxItems",
        place: { file: "schema.json", line: 7, column: 61 },
        detail: "expected at most 2 items",
      },
      {
        pointer: "/tags/0",
        keyword: "maxLength",
        place: { file: "schema.json", line: 7, column: 43 },
        detail: "expected at most 3 characters",
      },
      {
        pointer: "/tags/2",
        keyword: "maxLength",
        place: { file: "schema.json", line: 7, column: 43 },
        detail: "expected at most 3 characters",
      },
      {
        pointer: "/x~1y",
        keyword: "additionalProperties",
        place: { file: "schema.json", line: 9, column: 3 },
        detail: "no member of this name is expected",
      },
      {
        pointer: "/count",
        keyword: "minimum",
        place: { file: "schema.json", line: 6, column: 35 },
        detail: "expected at least 1",
      },
      {
        pointer: "/sku",
        keyword: "pattern",
        place: { file: "schema.json", line: 5, column: 32 },
        detail: "expected text that matches ^[A-Z]{2}\\-\\d+$",
      },
    ]);
  });

  test("no more than twenty, and nothing of the values", () => {
    const faults = faultsOf(
      { items: { type: "number" } },
      Array.from({ length: 1_000 }, () => "secret"),
    );
    expect(faults).toHaveLength(20);
    expect(JSON.stringify(faults)).not.toContain("secret");
  });

  test("a hostile name is cut and escaped", () => {
    const [fault] = faultsOf({ additionalProperties: false }, { [`\n\u001b${"k".repeat(500)}`]: 1 });
    expect(fault?.pointer).toMatch(/^\/\\u000a\\u001bk{62}…$/);
  });

  test("an alternative that is told apart by a member says itself what is wrong", () => {
    const pet = (kind: string, more: object) => ({
      type: "object",
      required: ["kind"],
      properties: { kind: { const: kind }, ...more },
    });
    const pets = {
      oneOf: [pet("cat", { lives: { maximum: 9 } }), pet("dog", { bark: { type: "string" } }), { type: "string" }],
    };
    expect(seenIn(pets, { kind: "cat", lives: 10 })).toEqual(["/lives maximum"]);
    expect(seenIn(pets, { kind: "dog", bark: "wau" })).toEqual([]);
    expect(seenIn(pets, { kind: "fish" })).toEqual([" oneOf"]);
    expect(seenIn(pets, '"x"')).toEqual([]);
    expect(seenIn(pets, 1)).toEqual([" oneOf"]);
  });
});

describe("members in another case than declared", () => {
  const role = { type: "object", properties: { role: { enum: ["user"] } } };

  test.each(['{"role":"user","ROLE":"admin"}', '{"Role":"admin"}', '{"roLe":1}'])("%s is refused", (body) => {
    expect(seenIn(role, body)).toEqual([expect.stringContaining("memberCase")]);
    expect(seenIn(role, body, { refusesOtherCase: false })).toEqual([]);
  });

  test("the Kelvin sign is a k, the long s an s, the Turkish i's are i", () => {
    for (const [name, other] of [
      ["key", "\u212aey"],
      ["pass", "pa\u017fs"],
      ["id", "\u0130d"],
      ["id", "\u0131d"],
      ["straße", "STRA\u1e9eE"],
    ] as const) {
      expect(seenIn({ properties: { [name]: true } }, { [other]: 1 }), other).toHaveLength(1);
    }
  });

  test("whatever Unicode folds onto each other is one", () => {
    for (let point = 0; point < 0x1_f000; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const char = String.fromCodePoint(point);
      const folded = foldCase(char);
      // V8's own folding with the flags `iu` is that of CaseFolding.txt, C and S (ECMA-262 section 22.2.2.7.3).
      for (const other of new Set([char.toLowerCase(), char.toUpperCase(), folded])) {
        if ([...other].length !== 1 || other === char) continue;
        const isOne = new RegExp(`^\\u{${point.toString(16)}}$`, "iu").test(other);
        if (isOne) expect(foldCase(other), `${point.toString(16)} ${other}`).toBe(folded);
      }
    }
  });

  test("of many alternatives those are tried that the members and their types leave", () => {
    const many = Array.from({ length: 50 }, (_, at) => ({
      required: ["id", `k${at}`],
      properties: { id: { type: at % 2 === 0 ? "string" : "integer" }, [`k${at}`]: { minimum: 1 } },
    }));
    for (const keyword of ["anyOf", "oneOf"]) {
      const { validator } = compiledOf({ [keyword]: many });
      expect(validator.judge({ id: "a", k48: 1 })).toBeNull();
      expect(validator.judge({ id: 1, k49: 1, k48: 1 })).toBeNull();
      expect(validator.judge({ id: 1, k48: 1 })).toMatchObject([{ keyword, pointer: "" }]);
      expect(validator.judge({ k48: 1 })).toMatchObject([{ keyword }]);
      expect(validator.judge({ id: null, k48: 1 })).toMatchObject([{ keyword }]);
      // One alone could have been meant.
      expect(validator.judge({ id: "a", k48: 0 })).toMatchObject([{ keyword: "minimum", pointer: "/k48" }]);
      expect(validator.judge(1)?.length ?? 0).toBe(keyword === "anyOf" ? 0 : 1);
    }
    const { validator } = compiledOf({
      oneOf: [...many, { $ref: "#/$defs/x" }],
      $defs: { x: { allOf: [{ required: ["z"] }] } },
    });
    expect(validator.judge({ z: 1 })).toBeNull();
    expect(validator.judge({ z: 1, id: "a", k0: 1 })).toMatchObject([{ keyword: "oneOf" }]);
    expect(validator.judge({ __proto__: null, toString: 1 })).toMatchObject([{ keyword: "oneOf" }]);
  });

  test("all schemas of a place declare together: of alternatives, conditions, references", () => {
    const schema = {
      allOf: [{ $ref: "#/$defs/a" }],
      oneOf: [{ properties: { b: true } }, { required: ["c"], not: { required: ["b"] } }],
      dependentRequired: { d: ["e"] },
      $defs: { a: { properties: { a: true } } },
    };
    for (const name of ["a", "b", "c", "d", "e"]) {
      expect(seenIn(schema, { [name.toUpperCase()]: 1, b: 1 }).join(), name).toContain(
        `/${name.toUpperCase()} memberCase`,
      );
    }
    expect(seenIn(schema, { a: 1, b: 1, Z: 1 })).toEqual([]);
  });

  test("names that differ in case alone may both be declared, and maps are free", () => {
    expect(seenIn({ properties: { id: true, ID: true } }, { id: 1, ID: 2 })).toEqual([]);
    expect(seenIn({ properties: { id: true, ID: true } }, { Id: 1 })).toEqual(["/Id memberCase"]);
    expect(seenIn({ additionalProperties: { type: "number" } }, { a: 1, A: 2 })).toEqual([]);
  });

  test("what a pattern says of names holds for them in any case", () => {
    const schema = {
      properties: { Adm_id: true },
      patternProperties: { "^adm_": false, "^x-[a-z]+$": { type: "string" }, "^[a-z]+$": { type: "integer" } },
    };
    expect(seenIn(schema, { ADM_ROLE: 1 })).toEqual(["/ADM_ROLE false"]);
    expect(seenIn(schema, { "a\u017fm": 1, "X-\u212aEY": 1 })).toEqual(["/X-\\u212aEY type"]);
    expect(seenIn({ allOf: [schema] }, { ADM_ROLE: 1 })).toEqual(["/ADM_ROLE false"]);
    expect(seenIn({ items: { $ref: "#/$defs/a" }, $defs: { a: schema } }, [{ Adm_x: 1 }])).toEqual(["/0/Adm_x false"]);
    expect(seenIn(schema, { ADM_ROLE: 1 }, { refusesOtherCase: false })).toEqual([]);
    // The honest: what fits the rule of its other spelling, what is declared, what a pattern is not always applied to.
    expect(seenIn(schema, { Count: 1, count: 2, "X-Trace": "a", Adm_id: 1 })).toEqual([]);
    expect(seenIn({ anyOf: [schema, { type: "object" }] }, { ADM_ROLE: 1 })).toEqual([]);
    // Where the rule is turned round, another case does not make it easier to fit.
    expect(seenIn({ not: { patternProperties: { "^x": false } } }, { X: 1 })).toEqual([" not"]);
  });

  test("rules about names that cannot hold for another case are told", () => {
    const words = (schema: unknown): readonly string[] => [...compiledOf(schema).unenforced.keys()];
    expect(words({ propertyNames: { not: { const: "role" } } })).toEqual(["'not' of propertyNames in another case"]);
    expect(words({ propertyNames: { pattern: "^[a-z]+$" }, patternProperties: { "^a": false } })).toEqual([]);
  });

  test("each place has its own names", () => {
    const schema = { properties: { user: { properties: { name: true } }, labels: { additionalProperties: true } } };
    expect(seenIn(schema, { user: { name: 1 }, labels: { NAME: 1, USER: 2 } })).toEqual([]);
    expect(seenIn(schema, { user: { Name: 1 } })).toEqual(["/user/Name memberCase"]);
  });
});

describe("nothing in a body makes it throw or takes long", () => {
  const list = { type: "array", items: { $ref: "#" } };
  const op = (name: string) => ({ properties: { args: list, op: { const: name } } });
  const a = { properties: { a: { $ref: "#" } } };
  const deep = (open: string, close: string, levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`;

  test.each([
    [
      "a tree of operators",
      { oneOf: [op("and"), op("or"), { type: "string" }] },
      deep('{"op":"or","args":[', "]}", 31),
    ],
    [
      "anyOf",
      {
        anyOf: [
          { ...a, type: "object" },
          { ...a, minProperties: 1 },
        ],
        type: "object",
      },
      deep('{"a":', "}", 63),
    ],
    ["allOf", { allOf: [a, { required: ["a"], ...a }], type: "object" }, deep('{"a":', "}", 63)],
    ["not", { not: { not: { not: a } }, ...a }, deep('{"a":', "}", 63)],
    ["dependentSchemas", { type: "object", dependentSchemas: { a, b: a }, ...a }, deep('{"b":1,"a":', "}", 63)],
    [
      "unevaluatedProperties",
      { type: "object", anyOf: [{ minProperties: 1 }, a], unevaluatedProperties: { $ref: "#" } },
      deep('{"a":', "}", 63),
    ],
    [
      "two patterns",
      { type: "object", patternProperties: { "^a": { $ref: "#" }, a$: { $ref: "#" } } },
      deep('{"a":', "}", 63),
    ],
    ["items and contains", { type: "array", items: { $ref: "#" }, contains: { $ref: "#" } }, deep("[", "]", 63)],
  ])("%s that leads back twice", (_, schema, body) => {
    const { validator } = compiledOf(schema);
    const value = read(body);
    const startMs = cpuMs();
    expect(validator.judge(value)).not.toBeNull();
    expect(cpuMs() - startMs).toBeLessThan(500);
  });

  test("a chain of pairs", () => {
    const links = Array.from({ length: 30 }, (_, at) => {
      const next = { $ref: `#/$defs/n${at + 1}` };
      return [`n${at}`, { allOf: [next, next] }] as const;
    });
    const schema = { $ref: "#/$defs/n0", $defs: { ...Object.fromEntries(links), n30: { type: "object" } } };
    const { validator } = compiledOf(schema);
    const startMs = cpuMs();
    expect(validator.judge({})).toBeNull();
    expect(validator.judge(1)).not.toBeNull();
    expect(cpuMs() - startMs).toBeLessThan(500);
  });
});

describe("problems of a schema", () => {
  test("all at once, each at its line, with a mend", () => {
    const schema = `{
  "tpye": "object",
  "properties": {
    "a": { "type": "sting" },
    "b": { "minimum": "1" },
    "c": { "pattern": "(?P<x>a)" },
    "d": { "$ref": "#/$defs/none" },
    "e": { "required": true }
  }
}`;
    expect(problemsOf(schema)).toEqual([
      "2:3 unknown keyword 'tpye'; did you mean 'type'?",
      "4:12 'type': there is no type 'sting'; did you mean 'string'?",
      "5:12 'minimum': expected a number",
      expect.stringMatching(/^6:12 the pattern '\(\?P<x>a\)'/),
      "7:12 cannot follow the reference '#/$defs/none': there is no schema at '/$defs/none'",
      expect.stringContaining("8:12 'required': expected a list of names beside 'properties'"),
    ]);
    expect(problemsOf('{ "pattern": "(?P<x>a)" }')).toEqual([expect.stringMatching(/^1:3 the pattern/)]);
  });

  test("of hundreds of patterns that cannot be, some are told, and how many more there are", () => {
    const properties = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`p${at}`, { pattern: `(${at}` }]));
    const problems = problemsOf({ properties });
    expect(problems).toHaveLength(21);
    expect(problems).toContain("280 more patterns are looked at once these are mended");
  });

  test("thousands of dependentRequired are asked of the members that an object has", () => {
    const rules = Array.from({ length: 20_000 }, (_, at) => [`a${at}`, [`b${at}`]] as const);
    const { validator } = compiledOf({ items: { dependentRequired: Object.fromEntries(rules) } });
    const empty = read(`[${"{},".repeat(30_000)}{"x":1}]`);
    const startMs = cpuMs();
    expect(validator.judge(empty)).toBeNull();
    // Each of each would take seconds.
    expect(cpuMs() - startMs).toBeLessThan(2_000);
    expect(
      validator.judge([
        { a7: 1, b7: 1 },
        { b8: 1, a8: 1, a9: 1 },
      ]),
    ).toMatchObject([{ pointer: "/1", keyword: "dependentRequired", detail: "expected the member 'b9' beside 'a9'" }]);
  });

  test("a loop that never descends, and a chain that takes too much stack", () => {
    expect(problemsOf({ $ref: "#" })).toEqual([expect.stringContaining("leads back to itself")]);
    expect(problemsOf({ anyOf: [{ type: "string" }, { $ref: "#" }] })).toEqual([expect.stringContaining("leads back")]);
    const links = Array.from({ length: 20_000 }, (_, at) => [`n${at}`, { $ref: `#/$defs/n${at + 1}` }] as const);
    const chain = { $ref: "#/$defs/n0", $defs: { ...Object.fromEntries(links), n20000: true } };
    expect(problemsOf(chain)).toEqual([
      expect.stringMatching(/^'#.*' stands before more than 64 schemas in a row for one value/),
    ]);
  });

  test("what another dialect writes is named with what this one writes", () => {
    expect(problemsOf({ items: [{ type: "string" }] })).toEqual([expect.stringContaining("write 'prefixItems'")]);
    expect(problemsOf({ nullable: true, type: "string" })).toEqual([]);
    expect(problemsOf({ const: 1 }, { dialect: "openapi-3.0" })).toEqual([
      expect.stringContaining("write 'enum' with one value"),
    ]);
  });

  test("one name for two places is a problem, for nobody knows which of them is meant", () => {
    for (const [keyword, name] of [
      ["$anchor", "x"],
      ["$dynamicAnchor", "x"],
    ]) {
      const $defs = { a: { [keyword ?? ""]: name }, b: { [keyword ?? ""]: name, type: "string" } };
      expect(problemsOf({ $defs, $ref: "#x" })).toEqual(["a second schema with the anchor 'x'; expected one"]);
    }
    expect(problemsOf({ $defs: { a: { $anchor: "x" }, b: { $id: "b", $anchor: "x" } } })).toEqual([]);
    expect(problemsOf({ $anchor: "x", $dynamicAnchor: "x" })).toEqual([]);
    const old = { definitions: { a: { $id: "#x" }, b: { $id: "#x" } } };
    expect(problemsOf(old, { dialect: "draft-07" })).toEqual(["a second schema with the anchor 'x'; expected one"]);
  });

  test("a dialect's URI with the other scheme is told from one that nobody knows", () => {
    const told = (uri: string): readonly string[] => problemsOf({ $schema: uri });
    expect(told("https://json-schema.org/draft-07/schema#")).toEqual([
      expect.stringContaining("did you mean 'http://json-schema.org/draft-07/schema'?"),
    ]);
    expect(told("http://json-schema.org/draft/2020-12/schema")).toEqual([
      expect.stringContaining("did you mean 'https://json-schema.org/draft/2020-12/schema'?"),
    ]);
    expect(told("http://json-schema.org/draft-03/schema#")).toEqual([expect.stringContaining("expected one of: ")]);
  });

  test("keywords that say nothing without another are listed, too", () => {
    const words = (schema: unknown, dialect?: Dialect): string[] => [
      ...compiledOf(schema, dialect === undefined ? {} : { dialect }).unenforced.keys(),
    ];
    expect(words({ else: false, minContains: 2 })).toEqual(["else without if", "minContains without contains"]);
    expect(words({ if: true, else: false, contains: true, minContains: 2 })).toEqual([]);
    expect(words({ exclusiveMaximum: true }, "draft-04")).toEqual(["exclusiveMaximum without maximum"]);
    expect(words({ maximum: 3, exclusiveMaximum: true }, "openapi-3.0")).toEqual([]);
    expect(words({ additionalItems: false }, "draft-07")).toEqual(["additionalItems without items"]);
  });

  test("words of other worlds are listed, not refused", () => {
    const schema = { type: "object", example: 1, xml: {}, "x-order": 1, properties: { a: { format: "phone" } } };
    expect([...compiledOf(schema).unenforced.keys()]).toEqual(["example", "xml", "x-order", "format 'phone'"]);
  });

  test("OpenAPI 3.0 has nullable, boolean bounds and no siblings of $ref", () => {
    const schema = {
      properties: {
        a: { type: "string", nullable: true },
        b: { minimum: 1, exclusiveMinimum: true },
        c: { $ref: "#/definitions/c", type: "string" },
      },
      definitions: { c: { type: "number" } },
    };
    expect(seenIn(schema, { a: null, b: 2, c: 3 }, { dialect: "openapi-3.0" })).toEqual([]);
    expect(seenIn(schema, { b: 1 }, { dialect: "openapi-3.0" })).toEqual(["/b exclusiveMinimum"]);
  });

  test("3,000 properties compile in no time, and a deep chain of members takes no stack", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, at) => [`name${at}`, { type: "string", maxLength: 64, pattern: "^[a-z]+$" }]),
    );
    const links = Array.from(
      { length: 5_000 },
      (_, at) => [`n${at}`, { properties: { x: { $ref: `#/$defs/n${at + 1}` } } }] as const,
    );
    const chain = { $ref: "#/$defs/n0", $defs: { ...Object.fromEntries(links), n5000: true } };
    const startMs = cpuMs();
    expect(problemsOf(JSON.stringify({ properties }))).toEqual([]);
    expect(cpuMs() - startMs).toBeLessThan(5_000);
    expect(problemsOf(chain)).toEqual([]);
    expect(cpuMs() - startMs).toBeLessThan(20_000);
  });
});
