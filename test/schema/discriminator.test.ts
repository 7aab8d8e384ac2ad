import { describe, expect, it } from "vitest";
import { type CompiledSchema, compileSchema } from "../../src/schema/compile.ts";
import { inlineDocument } from "../../src/schema/document.ts";
import { read } from "./kit.ts";

const SCHEMAS = {
  Card: {
    type: "object",
    required: ["kind", "number"],
    properties: { kind: { type: "string" }, number: { type: "integer" } },
  },
  Iban: {
    type: "object",
    required: ["kind"],
    properties: { kind: { type: "string" }, number: {}, iban: { type: "string" } },
  },
};

/** A schema of an OpenAPI document, as `/components/schemas/Pay` of it. */
function compile(
  pay: object,
  schemas: object = SCHEMAS,
  dialect: "openapi-3.0" | "2020-12" = "2020-12",
): CompiledSchema {
  const value = { components: { schemas: { ...schemas, Pay: pay } } };
  const document = { ...inlineDocument("file:///policy/api.yaml", value), holds: dialect };
  const options = {
    dialect,
    assertsFormat: true,
    takesUnknownKeywords: true,
    refusesOtherCase: true,
    retrieve: () => null,
  } as const;
  const compiled = compileSchema(document, options, "/components/schemas/Pay");
  if (!compiled.ok) throw new Error(compiled.error.map(({ text }) => text).join("; "));
  return compiled.value;
}

const OF = [{ $ref: "#/components/schemas/Card" }, { $ref: "#/components/schemas/Iban" }];
const seen = (compiled: CompiledSchema, body: string): readonly string[] =>
  (compiled.validator.judge(read(body)) ?? []).map(({ pointer, keyword }) => `${pointer} ${keyword}`);

describe.each(["openapi-3.0", "2020-12"] as const)("in %s", (dialect) => {
  it.each(["oneOf", "anyOf"])("a body of %s is judged as what it says it is", (word) => {
    const mapping = { card: "#/components/schemas/Card", iban: "Iban" };
    const pay = compile({ [word]: OF, discriminator: { propertyName: "kind", mapping } }, SCHEMAS, dialect);
    expect(pay.unenforced.size).toBe(0);
    expect(seen(pay, '{"kind":"card","number":1}')).toEqual([]);
    expect(seen(pay, '{"kind":"iban","number":"any"}')).toEqual([]);
    // It would be a good transfer.
    expect(seen(pay, '{"kind":"card","number":"any"}')).toEqual(["/number type"]);
    expect(seen(pay, `{"kind":"card"}`)).toEqual([" required"]);
  });

  it("a value that names none, or none at all, is refused", () => {
    const pay = compile(
      { oneOf: OF, discriminator: { propertyName: "kind", mapping: { card: "Card" } } },
      SCHEMAS,
      dialect,
    );
    for (const body of [
      '{"kind":"cash","number":1}',
      '{"number":1}',
      '{"kind":1,"number":1}',
      '{"kind":"toString","number":1}',
    ])
      expect(seen(pay, body)).toEqual([" discriminator"]);
    const [fault] = pay.validator.judge(read('{"kind":"hunter2"}')) ?? [];
    expect(fault?.detail).toBe(`expected what member 'kind' says it is: "card", "Card", "Iban"`);
    // Another case is another member, and Go would read it.
    expect(seen(pay, '{"kind":"card","KIND":"iban","number":1}')).toEqual(["/KIND memberCase"]);
  });

  it("without a mapping a schema's own name is its value", () => {
    const pay = compile({ oneOf: OF, discriminator: { propertyName: "kind" } }, SCHEMAS, dialect);
    expect(seen(pay, '{"kind":"Card","number":1}')).toEqual([]);
    expect(seen(pay, '{"kind":"card","number":1}')).toEqual([" discriminator"]);
  });
});

it("a name that the mapping gives to another is that one's alone", () => {
  const pay = compile({ oneOf: OF, discriminator: { propertyName: "kind", mapping: { Card: "Iban" } } }, SCHEMAS);
  // Nothing names the card any more, and what nobody can name cannot be told.
  expect([...pay.unenforced.keys()]).toEqual(["discriminator of alternatives without names"]);
  const both = compile({
    oneOf: OF,
    discriminator: { propertyName: "kind", mapping: { Card: "#/components/schemas/Iban", card: "Card" } },
  });
  expect(seen(both, '{"kind":"Card","iban":"x"}')).toEqual([]);
  expect(seen(both, '{"kind":"Card","iban":1}')).toEqual(["/iban type"]);
});

it("values that the alternatives list themselves count, where documents name them so", () => {
  const own = (kind: string) => ({
    type: "object",
    properties: { kind: { type: "string", enum: [kind] }, n: { type: "integer" } },
  });
  const pay = compile({ oneOf: OF, discriminator: { propertyName: "kind" } }, { Card: own("card"), Iban: own("iban") });
  expect(seen(pay, '{"kind":"card","n":1}')).toEqual([]);
  expect(seen(pay, '{"kind":"card","n":"x"}')).toEqual(["/n type"]);
  expect(seen(pay, '{"n":1}')).toEqual([" discriminator"]);
});

it("3.2's defaultMapping is for other values and for none", () => {
  const pay = compile(
    {
      oneOf: OF,
      discriminator: { propertyName: "kind", mapping: { card: "Card" }, defaultMapping: "Iban" },
    },
    { ...SCHEMAS, Iban: { type: "object", properties: { iban: { type: "string" } } } },
  );
  expect(seen(pay, '{"iban":"x"}')).toEqual([]);
  expect(seen(pay, '{"kind":"other","iban":"x"}')).toEqual([]);
  expect(seen(pay, '{"kind":"other","iban":1}')).not.toEqual([]);
  expect(seen(pay, '{"kind":"card","iban":"x"}')).toEqual([" discriminator"]);
  const unlisted = compile({ oneOf: OF, discriminator: { propertyName: "kind", defaultMapping: "Cash" } });
  expect([...unlisted.unenforced.keys()]).toEqual(["discriminator of alternatives without names"]);
});

it("alternatives that stand there themselves and say nothing of the member are told as not enforced", () => {
  const inline = { type: "object", properties: { a: {} } };
  const pay = compile({ oneOf: [...OF, inline], discriminator: { propertyName: "kind" } });
  expect([...pay.unenforced.keys()]).toEqual(["discriminator of alternatives without names"]);
  const alone = compile({ type: "object", discriminator: { propertyName: "kind" } });
  expect([...alone.unenforced.keys()]).toEqual(["discriminator"]);
});

it("many alternatives cost no more than one", () => {
  const names = Array.from({ length: 200 }, (_, at) => `Kind${at}`);
  const schemas = Object.fromEntries(names.map((name) => [name, SCHEMAS.Iban]));
  const pay = compile(
    { anyOf: names.map((name) => ({ $ref: `#/components/schemas/${name}` })), discriminator: { propertyName: "kind" } },
    schemas,
  );
  expect(pay.cost.judgementsMax).toBeLessThan(10);
  expect(seen(pay, '{"kind":"Kind150"}')).toEqual([]);
  expect(seen(pay, '{"kind":"Kind150","iban":1}')).toEqual(["/iban type"]);
});

it("outside of OpenAPI the word means nothing", () => {
  const schema = {
    $defs: SCHEMAS,
    anyOf: [{ $ref: "#/$defs/Card" }, { $ref: "#/$defs/Iban" }],
    discriminator: { propertyName: "kind" },
  };
  const compiled = compileSchema(inlineDocument("file:///s.json", schema), {
    dialect: "2020-12",
    assertsFormat: true,
    takesUnknownKeywords: false,
    refusesOtherCase: true,
    retrieve: () => null,
  });
  if (!compiled.ok) throw new Error("a schema that is fine");
  expect([...compiled.value.unenforced.keys()]).toEqual(["discriminator"]);
  expect(seen(compiled.value, '{"kind":"any"}')).toEqual([]);
});

describe.each(["openapi-3.0", "2020-12"] as const)("beside allOf of heirs, in %s", (dialect) => {
  const PET = {
    type: "object",
    required: ["kind"],
    properties: { kind: { type: "string" }, friend: { $ref: "#/components/schemas/Pet" } },
    discriminator: { propertyName: "kind", mapping: { cat: "#/components/schemas/Cat" } },
  };
  const heir = (parent: string, properties: object): object => ({
    allOf: [
      { $ref: `#/components/schemas/${parent}` },
      { type: "object", properties, required: Object.keys(properties) },
    ],
  });
  const FAMILY = {
    Pet: PET,
    Cat: heir("Pet", { lives: { type: "integer", maximum: 9 } }),
    Dog: heir("Pet", { bark: { type: "string" } }),
    Puppy: heir("Dog", { weeks: { type: "integer" } }),
  };
  const compilePets = (pay: object = { $ref: "#/components/schemas/Pet" }, family: object = FAMILY): CompiledSchema =>
    compile(pay, family, dialect);

  it.each([
    ['{"kind":"cat","lives":9}', []],
    ['{"kind":"cat","lives":10}', ["/lives maximum"]],
    ['{"kind":"cat"}', [" required"]],
    ['{"kind":"Dog","bark":"wuff"}', []],
    ['{"kind":"Puppy","bark":"wuff","weeks":"few"}', ["/weeks type"]],
    ['{"kind":"Pet"}', []],
    ['{"kind":"Cat","lives":1}', []],
    ['{"kind":"cow"}', [" discriminator"]],
    ['{"lives":1}', [" discriminator"]],
    ['{"kind":"Dog","bark":"wuff","friend":{"kind":"cat","lives":10}}', ["/friend/lives maximum"]],
  ])("%s", (body, faults) => {
    const pet = compilePets();
    expect(pet.unenforced.size).toBe(0);
    expect(seen(pet, body)).toEqual(faults);
  });

  it("an heir that is asked for by itself is no other", () => {
    const dog = compilePets({ $ref: "#/components/schemas/Dog" });
    expect(seen(dog, '{"kind":"Dog","bark":"wuff"}')).toEqual([]);
    expect(seen(dog, '{"kind":"cat","lives":9}')).toEqual([" required"]);
  });

  it("an allOf that is no heir's means the parent with all of its heirs", () => {
    const described = compilePets({
      type: "object",
      properties: { pet: { allOf: [{ $ref: "#/components/schemas/Pet" }] } },
    });
    expect(seen(described, '{"pet":{"kind":"cat","lives":10}}')).toEqual(["/pet/lives maximum"]);
  });

  it("a member that need not be there leaves the parent", () => {
    const open = compilePets(undefined, { ...FAMILY, Pet: { ...PET, required: [] } });
    expect(seen(open, '{"friend":{}}')).toEqual([]);
    expect(seen(open, '{"kind":"cow"}')).toHaveLength(1);
  });

  it.each(["oneOf", "anyOf"])("%s of heirs has the word of their parent, as springdoc writes it", (word) => {
    const any = { kind: { type: "string" } };
    const lax = { ...FAMILY, Pet: { ...PET, properties: any }, Dog: heir("Pet", {}), Cat: heir("Pet", {}) };
    const of = (...names: string[]) => ({ [word]: names.map((name) => ({ $ref: `#/components/schemas/${name}` })) });
    const pets = compilePets(of("Dog", "Cat"), lax);
    expect(pets.unenforced.size).toBe(0);
    expect(seen(pets, '{"kind":"Dog"}')).toEqual([]);
    expect(seen(pets, '{"kind":"Puppy"}')).toEqual([" discriminator"]);
    const strict = compilePets(of("Dog", "Cat"));
    expect(seen(strict, '{"kind":"cat","lives":10,"bark":"wuff"}')).toEqual(["/lives maximum"]);
    const withParent = compilePets(of("Pet", "Cat"), lax);
    expect(seen(withParent, '{"kind":"Pet"}')).toEqual([]);
    expect(seen(withParent, '{"kind":"cat"}')).toEqual([]);
    expect(seen(withParent, '{"kind":"Dog"}')).toEqual([" discriminator"]);
    const open = compilePets(of("Dog", "Cat"), { ...FAMILY, Pet: { ...PET, required: [] } });
    expect(seen(open, '{"lives":9}')).toEqual([]);
    expect(seen(open, '{"kind":"Dog","lives":9}')).toHaveLength(1);
    const mixed = compilePets({ [word]: [{ $ref: "#/components/schemas/Dog" }, { type: "null" }] });
    expect(seen(mixed, '{"kind":"cow","bark":"wuff"}')).toEqual([]);
  });

  it("names that the parent's own enum does not have tell nothing", () => {
    const properties = { kind: { type: "string", enum: ["CAT", "DOG"] } };
    const other = compilePets(undefined, {
      ...FAMILY,
      Pet: { ...PET, properties, discriminator: { propertyName: "kind" } },
    });
    expect([...other.unenforced.keys()]).toEqual(["discriminator of alternatives without names"]);
    expect(seen(other, '{"kind":"CAT"}')).toEqual([]);
    const enumOf = { kind: { type: "string", enum: ["cat", "Dog", "Puppy"] } };
    const same = compilePets(undefined, { ...FAMILY, Pet: { ...PET, properties: enumOf } });
    expect(same.unenforced.size).toBe(0);
    expect(seen(same, '{"kind":"cat","lives":10}')).toEqual(["/lives maximum"]);
  });

  it("members that only an heir has are declared where it is named", () => {
    const value = { components: { schemas: FAMILY } };
    const document = { ...inlineDocument("file:///policy/api.yaml", value), holds: dialect };
    const view = { readOnly: "refuse", undeclared: "refuse" } as const;
    const options = {
      dialect,
      assertsFormat: true,
      takesUnknownKeywords: true,
      refusesOtherCase: true,
      retrieve: () => null,
      view,
    };
    const compiled = compileSchema(document, options, "/components/schemas/Pet");
    if (!compiled.ok) throw new Error("no schema");
    expect(seen(compiled.value, '{"kind":"cat","lives":9}')).toEqual([]);
    expect(seen(compiled.value, '{"kind":"cat","lives":9,"bark":"wuff"}')).toHaveLength(1);
  });
});

describe("classes and bases that are closed each, as generators for .NET write them", () => {
  const closed = { type: "object", additionalProperties: false };
  const to = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
  const integer = { type: "integer" };
  const FAMILY = {
    Pet: { ...closed, properties: { kind: { type: "string" }, name: { type: "string" } } },
    Dog: { ...closed, allOf: [to("Pet")], properties: { bark: integer } },
    Puppy: { allOf: [to("Dog"), { ...closed, properties: { weeks: integer } }] },
    Stray: { ...closed, allOf: [to("Pet")] },
  };
  const TOLD = expect.stringContaining("in place of which the whole is closed");

  it.each([
    ["Pet", '{"name":"a"}', []],
    ["Pet", '{"name":"a","bark":1}', ["/bark additionalProperties"]],
    ["Dog", '{"name":"a","bark":1}', []],
    ["Dog", '{"bark":1,"weeks":1}', ["/weeks unevaluatedProperties"]],
    ["Puppy", '{"name":"a","bark":1,"weeks":1}', []],
    ["Puppy", '{"name":"a","lives":1}', ["/lives unevaluatedProperties"]],
    ["Stray", '{"name":"a"}', []],
    ["Stray", '{"name":"a","bark":1}', ["/bark unevaluatedProperties"]],
  ])("%s: %s", (name, body, faults) => {
    const pet = compile(to(name), FAMILY, "openapi-3.0");
    expect([...pet.unenforced.keys()]).toEqual(name === "Pet" ? [] : [TOLD]);
    expect(pet.contradiction()).toBeNull();
    expect(seen(pet, body)).toEqual(faults);
  });

  it("one beside the other keep their own rules", () => {
    const both = { type: "object", properties: { pet: to("Pet"), dog: to("Dog"), puppy: to("Puppy") } };
    const compiled = compile(both, FAMILY, "openapi-3.0");
    expect(seen(compiled, '{"pet":{"bark":1},"dog":{"bark":1},"puppy":{"bark":1,"weeks":1}}')).toEqual([
      "/pet/bark additionalProperties",
    ]);
  });

  it("are judged as what they say they are", () => {
    const base = { ...FAMILY.Pet, required: ["kind"], discriminator: { propertyName: "kind" } };
    const pets = compile(to("Pet"), { ...FAMILY, Pet: base }, "openapi-3.0");
    expect(seen(pets, '{"kind":"Dog","name":"a","bark":1}')).toEqual([]);
    expect(seen(pets, '{"kind":"Stray","name":"a","bark":1}')).toEqual(["/bark unevaluatedProperties"]);
    expect(seen(pets, '{"kind":"Pet","bark":1}')).toEqual(["/bark additionalProperties"]);
  });

  it("a part that only repeats what others declare still leaves the rest out", () => {
    const narrow = compile({ allOf: [to("Pet"), { ...closed, properties: { name: {} } }] }, FAMILY);
    expect(seen(narrow, '{"name":"a"}')).toEqual([]);
    expect(seen(narrow, '{"kind":"a"}')).toEqual(["/kind additionalProperties"]);
    expect(narrow.contradiction()).toContain("no body can have 'kind'");
  });
});
