import { describe, expect, it } from "vitest";
import { parseJson } from "../../src/bodies/json.ts";
import { type CompiledSchema, compileSchema } from "../../src/schema/compile.ts";
import { inlineDocument } from "../../src/schema/document.ts";
import { atOnce } from "../../src/support/turns.ts";
import { caseSeed, Random } from "../fuzz/random.ts";
import { DRAWN_DIALECTS, drawValue, SchemaGrammar } from "../fuzz/schema-grammar.ts";

function compile(schema: unknown): CompiledSchema {
  const compiled = compileSchema(inlineDocument("https://example.org/s", schema), {
    dialect: "2020-12",
    assertsFormat: true,
    takesUnknownKeywords: true,
    refusesOtherCase: true,
    retrieve: () => null,
  });
  if (!compiled.ok) throw new Error(compiled.error.map(({ text }) => text).join("; "));
  return compiled.value;
}

/** By the full way: read, then judged. */
function fits({ validator }: CompiledSchema, bytes: Buffer): boolean {
  const parsed = parseJson(bytes);
  return parsed.ok && validator.judge(parsed.value) === null;
}

const ORDER = {
  type: "object",
  required: ["id", "items"],
  additionalProperties: false,
  properties: {
    id: { type: "string", format: "uuid" },
    currency: { enum: ["EUR", "USD"] },
    note: { type: ["string", "null"], maxLength: 10 },
    paid: { type: "boolean" },
    ship: { $ref: "#/$defs/address" },
    extra: {},
    total: { type: "number", multipleOf: 0.01, maximum: 1000 },
    items: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["sku"],
        properties: { sku: { type: "string", pattern: "^[A-Z]+$" }, count: { type: "integer", minimum: 1 } },
      },
    },
    tree: { $ref: "#/$defs/tree" },
    parts: { type: "array", prefixItems: [{ type: "integer" }], uniqueItems: true },
  },
  $defs: {
    address: { type: "object", properties: { straße: { type: "string" }, 'a"b': { type: "string" } } },
    tree: { type: "array", items: { $ref: "#/$defs/tree" } },
  },
};
const ID = "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1";
const order = compile(ORDER);
const takes = (text: string | Buffer): boolean => order.recogniser?.takes(Buffer.from(text as string)) ?? false;
const body = (more: string): string => `{"id":"${ID}","items":[{"sku":"A","count":2}]${more}}`;

describe("a body in its usual spelling is recognised", () => {
  it.each([
    ["bare", body("")],
    ["with blanks", ` {\r\n\t"id" : "${ID}" , "items" : [ { "sku" : "A" } , { } ] }\n`.replace(", { }", "")],
    ["in another order", `{"items":[{"count":1,"sku":"A"}],"id":"${ID}"}`],
    ["with words", body(',"paid":true,"note":null')],
    ["with escapes in a text", body(String.raw`,"note":"a\n\u00e9\ud83d\ude00"`)],
    ["with letters of two bytes", body(',"note":"éééééééééé","ship":{"straße":"x"}')],
    ["with a value out of a list", body(',"currency":"EUR"')],
    ["with numbers", body(',"total":19.99')],
    ["with anything where anything may be", body(',"extra":{"a":[1,{"b":null}],"c":"}"}')],
    ["with a schema that comes back to itself", body(',"tree":[[],[[]]]')],
    ["with keywords that are judged in full", body(',"parts":[1,2,3]')],
  ])("%s", (_, text) => {
    expect(fits(order, Buffer.from(text))).toBe(true);
    expect(takes(text)).toBe(true);
  });
});

describe("what does not fit, or has more than one reading, is never recognised", () => {
  it.each([
    ["nothing", ""],
    ["half", body("").slice(0, -1)],
    ["more behind it", `${body("")} x`],
    ["a byte order mark", `\ufeff${body("")}`],
    ["a name twice", body(`,"id":"${ID}"`)],
    ["a name twice, once escaped", body(String.raw`,"\u0069d":"x"`)],
    ["a name twice where anything may be", body(',"extra":{"a":1,"a":2}')],
    ["a comma at the end", `{"id":"${ID}","items":[{"sku":"A"}],}`],
    ["a comma at the end of a list", `{"id":"${ID}","items":[{"sku":"A"},]}`],
    ["an empty item", `{"id":"${ID}","items":[{"sku":"A"},,{"sku":"A"}]}`],
    ["no colon", `{"id" "${ID}","items":[{"sku":"A"}]}`],
    ["a control character", body(',"note":"a\nb"')],
    ["a wrong escape", body(String.raw`,"note":"\x41"`)],
    ["an escape that does not end", body(String.raw`,"note":"\"`)],
    ["half of a surrogate pair", body(String.raw`,"note":"\ud800"`)],
    ["a text that is too long", body(',"note":"ééééééééééé"')],
    ["a quote in a name that is not escaped", body(',"ship":{"a"b":"x"}')],
    ["a number with a zero before it", body(',"total":01')],
    ["a number that ends in its point", body(',"total":1.')],
    ["a number without digits", body(',"total":-')],
    ["a number beyond its bound", body(',"total":1000.01')],
    ["a word that goes on", body(',"paid":truely')],
    ["a member of another case", body(',"Paid":true')],
    ["a member that is not expected", body(',"role":"admin"')],
    ["a member of __proto__", body(',"__proto__":{"paid":true}')],
    ["no required member", `{"id":"${ID}"}`],
    ["too few items", `{"id":"${ID}","items":[]}`],
    ["items twice", body(',"parts":[1,1]')],
    ["a list that is too deep", body(`,"tree":${"[".repeat(64)}${"]".repeat(64)}`)],
    ["a deep value where anything may be", body(`,"extra":${"[".repeat(64)}${"]".repeat(64)}`)],
  ])("%s", (_, text) => {
    expect(fits(order, Buffer.from(text))).toBe(false);
    expect(takes(text)).toBe(false);
  });

  it("bytes that are no UTF-8", () => {
    const bytes = Buffer.from(body(',"note":"a?b"'));
    bytes[bytes.indexOf("?")] = 0xff;
    expect(order.recogniser?.takes(bytes)).toBe(false);
  });
});

it("a body is never completed by what lay there before it", () => {
  const whole = Buffer.from(body(',"note":"abc","paid":true,"total":12.5'));
  for (let length = 0; length < whole.length; length++) {
    expect(takes(whole)).toBe(true);
    expect(takes(whole.subarray(0, length))).toBe(false);
  }
});

it("a text is seen to its end wherever four of its bytes begin", () => {
  const inside = ['\\"', "\\n", "é", "\u{1f600}", "\u007f", " ", "!", "#", "[", "]"];
  const outside = ['"', "\\", "\u001f", "\n", "\u0000"];
  for (let before = 0; before < 9; before++) {
    const noteOf = (text: string): string => body(`,"note":"${"a".repeat(before)}${text}"`);
    for (const text of inside) {
      const fitting = Buffer.from(noteOf(text));
      expect([text, takes(fitting)]).toEqual([text, fits(order, fitting)]);
      expect(takes(fitting)).toBe(true);
    }
    for (const text of outside) expect([text, takes(noteOf(text))]).toEqual([text, false]);
  }
});

it("names of every length are held to their last byte", () => {
  for (let length = 1; length <= 40; length++) {
    const name = "n".repeat(length);
    const named = compile({ type: "object", properties: { a: {}, [name]: { type: "null" } } });
    const recognises = (text: string): boolean => named.recogniser?.takes(Buffer.from(text)) ?? false;
    expect(recognises(`{"${name}":null}`)).toBe(true);
    expect(recognises(`{"a":1,"${name}":null}`)).toBe(true);
    expect(recognises(`{"${name.slice(1)}m":null}`)).toBe(false);
    expect(recognises(`{"a":1,"${name}"=null}`)).toBe(false);
  }
});

it("a deep body that fits is recognised to the last level", () => {
  const deep = (levels: number) => body(`,"tree":${"[".repeat(levels)}${"]".repeat(levels)}`);
  expect([fits(order, Buffer.from(deep(63))), takes(deep(63))]).toEqual([true, true]);
  expect([fits(order, Buffer.from(deep(64))), takes(deep(64))]).toEqual([false, false]);
});

it("more members than a number has bits are told apart", () => {
  const names = Array.from({ length: 70 }, (_, at) => `m${at}`);
  const wide = compile({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "null" }])),
  });
  const text = `{${names.map((name) => `"${name}":null`).join(",")}}`;
  expect(wide.recogniser?.takes(Buffer.from(text))).toBe(true);
  expect(wide.recogniser?.takes(Buffer.from(text.replace('"m69"', '"m3"')))).toBe(false);
});

it("patterns that take too long leave it open", () => {
  const costly = compile({ type: "array", items: { type: "string", pattern: "^(?:a?){100}b$" } });
  const long = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, () => `${"a".repeat(98)}c`)));
  expect([fits(costly, long), costly.recogniser?.takes(long)]).toEqual([false, false]);
  const short = Buffer.from(JSON.stringify([`${"a".repeat(98)}b`]));
  expect([fits(costly, short), costly.recogniser?.takes(short)]).toEqual([true, true]);
});

describe("a long body is recognised a stretch at a time", () => {
  /** The answer, and after how many pauses. */
  const inSteps = ({ recogniser }: CompiledSchema, text: string, atOnceBytesMax: number): [boolean, number] => {
    const steps = recogniser?.takesInSteps(Buffer.from(text), atOnceBytesMax);
    for (let pauses = 0; ; pauses++) {
      const step = steps?.next();
      if (step?.done !== false) return [step?.value ?? false, pauses];
    }
  };
  const items = Array.from({ length: 500 }, (_, at) => `{"sku":"A","count":${at + 1}}`).join(",");
  const long = `{"id":"${ID}","items":[${items}],"tree":[${"[[[[]],[]],[]],".repeat(300)}[]],"extra":{"a":[1]},"paid":true}`;

  it("whose lists and objects are left and gone on with at any depth", () => {
    for (const atOnceBytesMax of [60, 61, 62, 63, 64, 100, 400, 4_000]) {
      const [taken, pauses] = inSteps(order, long, atOnceBytesMax);
      expect(taken).toBe(true);
      expect(pauses).toBeGreaterThan(long.length / atOnceBytesMax);
    }
  });

  it.each([
    ["a fault at the end", long.replace('"paid":true', '"paid":1')],
    ["a fault in the middle", long.replace('"count":250', '"count":-250')],
    ["a name twice, far apart", long.replace('"paid":true', '"id":"x"')],
    ["half", long.slice(0, -1)],
    ["more behind it", `${long} x`],
    ["a bracket of another kind", long.replace("[]],", "[]},")],
  ])("and not with %s", (_, text) => {
    for (const atOnceBytesMax of [60, 64, 400, 4_000]) expect(inSteps(order, text, atOnceBytesMax)[0]).toBe(false);
  });

  it("with members beyond the bits of a number", () => {
    const names = Array.from({ length: 70 }, (_, at) => `m${at}`);
    const wide = compile({
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, { type: ["null", "array"] }])),
    });
    const text = `{${names.map((name, at) => `"${name}":${at % 2 === 0 ? "null" : "[1,2,[3]]"}`).join(",")}}`;
    expect(inSteps(wide, text, 40)[0]).toBe(true);
    expect(inSteps(wide, text.replace('"m69"', '"m3"'), 40)[0]).toBe(false);
  });

  it.each([
    ["a text", body(`,"note":"${"\u0061".repeat(10)}"`), body(`,"extra":"${"a".repeat(1_000)}"`)],
    ["blanks", body(`,"paid":${" ".repeat(10)}true`), body(`,"paid":${" ".repeat(1_000)}true`)],
    ["what is read in full", body(',"extra":[1,2]'), body(`,"extra":[1${",1".repeat(500)}]`)],
  ])("unless one part of it would hold the thread: %s", (_, short, held) => {
    expect([fits(order, Buffer.from(held)), takes(held)]).toEqual([true, true]);
    expect([inSteps(order, short, 100)[0], inSteps(order, held, 100)[0]]).toEqual([true, false]);
  });

  it("whose parts that are read in full make a stretch the shorter", () => {
    const parts = (item: string): string => body(`,"extra":1,"tree":[${"[],".repeat(400)}[]],"parts":[1,${item}]`);
    const many = compile({ type: "array", items: { type: "array", items: {}, uniqueItems: true } });
    const plain = compile({ type: "array", items: { type: "array", items: { type: "integer" } } });
    const text = `[${Array.from({ length: 200 }, () => "[1,2,3,4]").join(",")}]`;
    const [ofMany, ofPlain] = [inSteps(many, text, 400), inSteps(plain, text, 400)];
    expect([ofMany[0], ofPlain[0]]).toEqual([true, true]);
    expect(ofMany[1]).toBeGreaterThan(4 * ofPlain[1]);
    expect(inSteps(order, parts("2"), 100)[0]).toBe(true);
    expect(inSteps(order, parts("1"), 100)[0]).toBe(false);
  });
});

/** The bytes of a body, some of them changed. */
function spoilt(random: Random, text: string): Buffer {
  const bytes = [...Buffer.from(random.chance(0.3) ? JSON.stringify(JSON.parse(text), null, 1) : text)];
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    " ",
    "1",
    "0",
    "-",
    ".",
    "e5",
    "null",
    "\\u0061",
    "é",
  ] as const;
  for (let n = random.below(4); n > 0; n--) {
    const at = random.below(bytes.length + 1);
    bytes.splice(at, random.below(3), ...(random.chance(0.6) ? Buffer.from(random.pick(pieces)) : []));
  }
  return Buffer.from(bytes);
}

describe("whatever is recognised has one reading and fits", () => {
  it("of bodies near one that fits", () => {
    const good = body(
      ',"paid":true,"note":"a","ship":{"straße":"x"},"total":9.5,"extra":{"a":[1]},"tree":[[]],"parts":[1,2]',
    );
    let recognised = 0;
    for (let index = 0; index < 20_000; index++) {
      const bytes = spoilt(new Random(caseSeed(11, index)), good);
      const isTaken = order.recogniser?.takes(bytes) === true;
      expect(order.recogniser !== null && atOnce(order.recogniser.takesInSteps(bytes, 160))).toBe(isTaken);
      if (!isTaken) continue;
      recognised++;
      expect({ text: bytes.toString(), fits: fits(order, bytes) }).toMatchObject({ fits: true });
    }
    expect(recognised).toBeGreaterThan(2_000);
  }, 60_000);

  it("of random bodies for random schemas", () => {
    let recognised = 0;
    for (let index = 0; index < 3_000; index++) {
      const random = new Random(caseSeed(7, index));
      const { dialect, uri } = random.pick<(typeof DRAWN_DIALECTS)[number]>(DRAWN_DIALECTS);
      const drawn = new SchemaGrammar(random, dialect).root(uri);
      const schema = random.chance(0.7) ? { ...drawn, type: random.pick(["object", "array"] as const) } : drawn;
      const compiled = compileSchema(inlineDocument("https://example.org/s", schema), {
        dialect,
        assertsFormat: true,
        takesUnknownKeywords: true,
        refusesOtherCase: random.chance(0.5),
        retrieve: () => null,
      });
      if (!compiled.ok || compiled.value.recogniser === null) continue;
      for (let n = 0; n < 20; n++) {
        const bytes = spoilt(random, JSON.stringify(drawValue(random, 3)));
        const isTaken = compiled.value.recogniser.takes(bytes);
        if (atOnce(compiled.value.recogniser.takesInSteps(bytes, 8))) expect(isTaken).toBe(true);
        if (!isTaken) continue;
        recognised++;
        expect({ text: bytes.toString(), schema, fits: fits(compiled.value, bytes) }).toMatchObject({ fits: true });
      }
    }
    expect(recognised).toBeGreaterThan(50);
  }, 60_000);
});
