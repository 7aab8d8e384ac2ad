import { describe, expect, test } from "vitest";
import { parseJson, parseJsonInTurns } from "../../src/bodies/json.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { Turns } from "../../src/support/turns.ts";
import { lonelyLine } from "../fixtures/lonely-line.ts";
import { compiledOf } from "./kit.ts";

/** Each look at the clock finds the slice spent. */
function hurriedTurns(): { turns: Turns; given: () => number } {
  let nowMs = 0;
  let given = 0;
  const turns = new Turns({ monotonicMs: () => nowMs++ }, 1);
  const give = turns.give.bind(turns);
  turns.give = async () => {
    given++;
    await give();
  };
  return { turns, given: () => given };
}

const many = (count: number, item: (at: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, at) => item(at));
const members = (count: number, value: (at: number) => unknown): Record<string, unknown> =>
  Object.fromEntries(many(count, (at) => [`k${at}`, value(at)]) as [string, unknown][]);
const SELF = { $ref: "#" };

const CASES: readonly (readonly [what: string, schema: unknown, good: unknown, bad: unknown])[] = [
  ["items", { items: { type: "integer" } }, many(3_000, (at) => at), [...many(3_000, (at) => at), "x"]],
  [
    "lists in lists",
    { items: { items: { type: "integer" } } },
    many(400, () => [1, 2, 3, 4]),
    [...many(400, () => [1, 2]), ["x"]],
  ],
  [
    "a map",
    { additionalProperties: { type: "integer" } },
    members(3_000, () => 1),
    { ...members(3_000, () => 1), z: "x" },
  ],
  [
    "required",
    { required: ["k1"], properties: { k2: { type: "integer" } } },
    members(3_000, () => 1),
    { ...members(3_000, () => 1), k1: 1, k2: "x" },
  ],
  [
    "members in another case",
    { properties: { name: true } },
    members(3_000, () => 1),
    { ...members(3_000, () => 1), NAME: 1 },
  ],
  [
    "the same where schemas are applied",
    { allOf: [{ properties: { name: true } }] },
    members(3_000, () => 1),
    { ...members(3_000, () => 1), NAME: 1 },
  ],
  [
    "patternProperties",
    { patternProperties: { "^k": { type: "integer" } }, additionalProperties: false },
    members(2_000, () => 1),
    { ...members(2_000, () => 1), z: 1 },
  ],
  ["propertyNames", { propertyNames: { maxLength: 5 } }, members(2_000, () => 1), members(12_000, () => 1)],
  [
    "contains",
    { contains: { const: "x" }, minContains: 2 },
    [...many(3_000, () => 1), "x", "x"],
    [...many(3_000, () => 1), "x"],
  ],
  [
    "contains, not too often",
    { contains: { const: "x" }, maxContains: 1 },
    [...many(3_000, () => 1), "x"],
    ["x", ...many(3_000, () => 1), "x"],
  ],
  ["uniqueItems", { uniqueItems: true }, many(3_000, (at) => ({ at })), [...many(3_000, (at) => ({ at })), { at: 7 }]],
  [
    "uniqueItems of large objects",
    { uniqueItems: true },
    [members(4_000, (at) => at), members(4_000, (at) => -at)],
    [members(4_000, (at) => at), members(4_000, (at) => at)],
  ],
  [
    "uniqueItems of long lists",
    { uniqueItems: true },
    [many(4_000, (at) => at), many(4_000, (at) => -at)],
    [many(4_000, (at) => at), many(4_000, (at) => at)],
  ],
  [
    "unevaluatedItems",
    { prefixItems: [true], unevaluatedItems: { type: "integer" } },
    many(3_000, () => 1),
    [...many(3_000, () => 1), "x"],
  ],
  [
    "unevaluatedProperties",
    { anyOf: [{ properties: { k1: true } }, { properties: { k2: true } }], unevaluatedProperties: { type: "integer" } },
    members(3_000, () => 1),
    { ...members(3_000, () => 1), z: "x" },
  ],
  [
    "contains that evaluates, of lists",
    { contains: { type: "array", items: { type: "integer" } }, unevaluatedItems: false },
    many(2_000, () => [1]),
    [...many(2_000, () => [1]), ["x"]],
  ],
  [
    "contains in an alternative and beside it",
    {
      anyOf: [{ contains: { type: "array", items: { type: "integer" } } }, true],
      unevaluatedItems: { type: "string" },
    },
    [...many(2_000, () => [1]), "x"],
    [...many(2_000, () => [1]), ["x"]],
  ],
  [
    "unevaluatedProperties behind several that know many members",
    {
      allOf: ["0$", "[1-4]$", "[5-9]$"].map((end) => ({ patternProperties: { [end]: { type: "integer" } } })),
      unevaluatedProperties: false,
    },
    members(3_000, () => 1),
    { ...members(3_000, () => 1), z: 1 },
  ],
  [
    "two that each take long",
    { allOf: [{ items: { type: "integer" } }, { items: { minimum: 0 } }, { items: { maximum: 9_999 } }] },
    many(5_000, (at) => at),
    many(10_001, (at) => at),
  ],
  [
    "alternatives that each take long",
    { oneOf: [{ items: { type: "string" } }, { items: { type: "integer" } }] },
    many(5_000, (at) => at),
    [...many(5_000, (at) => at), "x"],
  ],
  ["not", { not: { items: { type: "integer" } } }, [...many(5_000, (at) => at), "x"], many(5_000, (at) => at)],
  [
    "a tree that forks",
    { anyOf: [{ type: "array", items: SELF }, { type: "array", items: SELF, minItems: 1 }, { type: "integer" }] },
    many(300, () => [[[1], 2], 3]),
    [...many(300, () => [[[1], 2], 3]), [[["x"]]]],
  ],
  [
    "a tree that forks, with more lists than one set of notes takes",
    { anyOf: [{ type: "array", items: SELF }, { type: "array", items: SELF, minItems: 1 }, { type: "integer" }] },
    tree(12, 1),
    [tree(12, 1), tree(8, "x")],
  ],
  [
    "lists of a few that are each looked through and counted",
    { items: { contains: { minimum: 3 }, minContains: 2, maxContains: 2, uniqueItems: true } },
    many(900, (at) => [at + 3, 1, 2, at + 4]),
    [...many(900, (at) => [at + 3, 1, 2, at + 4]), [3, 4, 5], [3, 3, 1]],
  ],
];

/** Lists of two, so deep. */
function tree(depth: number, leaf: unknown): unknown {
  return depth === 0 ? leaf : [tree(depth - 1, leaf), tree(depth - 1, leaf)];
}

const words = "abc def ".repeat(5_000);
const texts: typeof CASES = [
  ["a long text", { pattern: "^([a-z]+ ?)+$" }, words, `${words}!`],
  [
    "a long text in another script",
    { pattern: "^(\\p{L}+ ?)+$" },
    "äöü 😀".replace("😀", "𝒳").repeat(5_000),
    "äöü😀".repeat(9_000),
  ],
  ["a long text that is read from its end", { pattern: "^(?!abc x)(?:(?!xx).)*$" }, words, `${words}xx`],
  ["a text that fills the table", { pattern: "e.{10}$" }, words.repeat(4), `${words.repeat(4)}!`],
  [
    "many patterns of one text",
    { anyOf: Array.from({ length: 40 }, (_, at) => ({ pattern: `^[a-z ]+${39 - at}$` })) },
    `${words}0`,
    words,
  ],
  [
    "long texts under patterns of names and values",
    { patternProperties: { "^a.*\\d$": { pattern: "f $" }, "^b": { not: { pattern: "x" } } } },
    { [`a${words}1`]: words, [`b${words}`]: words },
    { [`a${words}1`]: words, [`b${words}`]: `${words}x` },
  ],
];

/** Some pieces are cut within an escape, or a pair of surrogates, whatever a slice has. */
const formats: typeof CASES = [
  ["a long URI", { format: "uri" }, `http://a/${"b%41".repeat(9_001)}`, `http://a/${"b%41".repeat(9_001)}%4`],
  ["a long query", { format: "uri-reference" }, `?${"%20a".repeat(9_001)}#`, `?${"%20a".repeat(9_001)}##`],
  ["a long IRI", { format: "iri" }, `a:b${"\u{1f600}".repeat(9_001)}`, `a:b${"\u{1f600}".repeat(9_001)}<`],
  ["long base64", { format: "byte" }, `${"AAAA".repeat(9_001)}AA==`, `${"AAAA".repeat(9_001)}A===`],
  [
    "a long text, counted",
    { minLength: 20_000, maxLength: 30_000 },
    "\u{1f600}".repeat(20_000),
    `${"\u{1f600}".repeat(10_000)}${"a".repeat(9_999)}`,
  ],
  [
    "a long text, counted for a pattern",
    { pattern: "^[^<]{1,30000}$" },
    "\u{1f600}".repeat(20_000),
    `${"\u{1f600}".repeat(20_000)}${"a".repeat(10_001)}`,
  ],
];

describe("what is judged in turns is judged as at once, and comes to an end however short the turns are", () => {
  test.each([...CASES, ...texts, ...formats])("%s", async (_, schema, good, bad) => {
    const { validator } = compiledOf(schema);
    const { turns, given } = hurriedTurns();
    expect(await validator.judgeInTurns(good, turns)).toBeNull();
    expect(given()).toBeGreaterThan(0);
    expect(validator.judge(good)).toBeNull();
    const faults = validator.judge(bad);
    expect(faults).not.toBeNull();
    expect(await validator.judgeInTurns(bad, turns)).toEqual(faults);
  });

  test("two texts take turns with one pattern", async () => {
    const { validator } = compiledOf({ pattern: "^(?:[a-d]x?.{0,9})+e$" });
    const good = "abcdxab".repeat(3_000);
    const both = [`${good}e`, `${good}f`, `${good}`].map((text) => validator.judgeInTurns(text, hurriedTurns().turns));
    const short = validator.judge("abcde");
    expect((await Promise.all(both)).map((faults) => faults === null)).toEqual([true, false, false]);
    expect(short).toBeNull();
  });

  test("what needs no turn is answered at once", () => {
    const { validator } = compiledOf({ type: "array" });
    expect(validator.judgeInTurns([1], hurriedTurns().turns)).toBeNull();
  });

  test("reading in turns gives what reading at once gives", async () => {
    const text = JSON.stringify({
      a: many(5_000, (at) => ({ at, text: `"${at}\\` })),
      b: { c: [null, true, 1.5, "\u{1f600}"] },
    });
    const { turns, given } = hurriedTurns();
    expect(await parseJsonInTurns(Buffer.from(text), turns)).toEqual(parseJson(Buffer.from(text)));
    expect(given()).toBeGreaterThan(0);
    expect(await parseJsonInTurns(Buffer.from(`${text}x`), turns)).toEqual({ ok: false, error: "not JSON" });
  });

  test.each<[string, unknown]>([
    ["a string longer than a stretch", ["é".repeat(30_000), "x".repeat(4_095), "x".repeat(4_096), '"\\'.repeat(9_000)]],
    ["names longer than a stretch", { ["n\\".repeat(9_000)]: { ["m".repeat(9_000)]: [] } }],
    ["lists of every length", many(200, (at) => many(at, (n) => (n % 3 === 0 ? [n, [], [[n]]] : n / 2)))],
    ["a list whose long items are in the middle", [[many(65, () => [many(70, () => ({ a: [[]] }))]), 1], "z"]],
    ["objects of every size", many(200, (at) => members(at, (n) => [n]))],
    [
      "members named as positions, and a prototype's",
      JSON.parse(`[[{"2":1,"b":[{"__proto__":[{"a":[1]}]}],"1":[2]}]]`),
    ],
  ])("%s: read in turns as JSON.parse reads it", async (_, value) => {
    const text = JSON.stringify(value);
    for (const encoded of [text, JSON.stringify(value, null, 1)]) {
      const parsed = await parseJsonInTurns(Buffer.from(encoded), hurriedTurns().turns);
      expect(parsed.ok && JSON.stringify(parsed.value)).toBe(text);
      expect(await parseJsonInTurns(Buffer.from(encoded.slice(0, -1)), hurriedTurns().turns)).toMatchObject({
        ok: false,
      });
    }
  });

  test("a long string holds up nobody", async () => {
    const { turns, given } = hurriedTurns();
    await parseJsonInTurns(Buffer.from(JSON.stringify("x".repeat(200_000))), turns);
    expect(given()).toBeGreaterThan(20);
  });
});

/** So many looks at the clock are a turn. */
function turnsOfLooks(looks: number): { turns: Turns; given: () => number; looked: () => number } {
  let looked = 0;
  let given = 0;
  const turns = new Turns({ monotonicMs: () => looked++ }, looks, () => given++, lonelyLine);
  return { turns, given: () => given, looked: () => looked };
}

test.each([
  ["what all of many schemas say", (parts: unknown[]) => ({ allOf: parts })],
  [
    "alternatives of which the last fits",
    (parts: unknown[]) => ({ anyOf: [...parts.map(refused), ...parts.slice(-1)] }),
  ],
  ["the same for marks", (parts: unknown[]) => ({ allOf: parts, unevaluatedProperties: { type: "integer" } })],
])("a turn does not do again what many schemas, a little each, took in the last: %s", async (_, schemaOf) => {
  const parts = many(1_000, (at) => ({ properties: { [`q${at}`]: true }, propertyNames: { maxLength: 9 } }));
  const { validator } = compiledOf(schemaOf(parts));
  const body = members(100, (at) => at);
  const atOnce = turnsOfLooks(Number.POSITIVE_INFINITY);
  expect(await validator.judgeInTurns(body, atOnce.turns)).toBeNull();
  const inTurns = turnsOfLooks(40);
  expect(await validator.judgeInTurns(body, inTurns.turns)).toBeNull();
  expect(inTurns.given()).toBeGreaterThan(5);
  expect(inTurns.looked()).toBeLessThan(3 * atOnce.looked());
});

function refused(part: unknown): object {
  return { allOf: [part, { minProperties: 1_000 }] };
}

test("a body is judged in one go where it is short for its schema", () => {
  const bytesMax = (schema: unknown): number => compiledOf(schema).validator.atOnceBytesMax;
  const parts = Array.from({ length: 200 }, (_, at) => ({ properties: { a: { maximum: at } } }));
  const names = Object.fromEntries(parts.map((part, at) => [`^k${at}`, part]));
  expect(bytesMax({ properties: { a: { oneOf: [{ type: "string" }, { type: "integer" }] } } })).toBe(32 * 1024);
  expect(bytesMax({ items: { anyOf: parts } })).toBeLessThan(2 * 1024);
  expect(bytesMax({ patternProperties: names })).toBeLessThan(2 * 1024);
});

test.each([
  ["regex", "(a|b)*".repeat(10)],
  ["idn-hostname", "bücher.example"],
  ["hostname", "xn--bcher-kva.example"],
  ["idn-email", "a@bücher.example"],
])("a short body of nothing but texts that are dear to hold against %s has turns", async (format, text) => {
  const { validator } = compiledOf({ items: { format } });
  const body = many(Math.floor(30_000 / text.length), () => text);
  expect(validator.gaveUp(validator.judge(body, DEFAULTS.patternWorkAtOnceMax))).toBe(true);
  expect(await validator.judgeInTurns(body, hurriedTurns().turns)).toBeNull();
  expect(validator.judge([text, text], DEFAULTS.patternWorkAtOnceMax)).toBeNull();
});

test("texts that saturate a pattern cost a bounded time, and the body that has them is refused", () => {
  const text = Array.from({ length: 30_000 }, (_, at) => ((at * 7_919) % 13 < 6 ? "x" : "y")).join("");
  for (const pattern of ["x.{240}$", "x.{120}z$", "[xy]{1,250}z"]) {
    const { validator } = compiledOf({ properties: { a: { type: "string", pattern } } });
    const random = text.replace(/./g, (letter, at: number) => ((at * at * 31) % 17 < 8 ? letter : "x"));
    const judged = validator.judge({ a: random + text });
    // Refused for what it says, or for what it would cost; never for nothing, and never for seconds.
    expect(judged).toMatchObject([{ keyword: "pattern" }]);
    // The next judgement begins anew.
    expect(validator.judge({ a: "no match here" })).toMatchObject([{ keyword: "pattern", pointer: "/a" }]);
    expect(validator.judge({ b: text })).toBeNull();
  }
});

test("what people write comes nowhere near that bound", () => {
  const { validator } = compiledOf({
    properties: {
      mail: { pattern: "^[^@\\s]{1,64}@[^@\\s]{1,255}\\.[a-z]{2,63}$" },
      slug: { pattern: "^[a-z0-9]+(?:-[a-z0-9]+)*$" },
      text: { pattern: "(?:https?|ftp)://\\S{3,200}" },
    },
  });
  const body = {
    mail: `${"first.last".repeat(6)}@${"mail.example".repeat(18)}.org`,
    slug: "one-two-three".repeat(200),
    text: `${"some words ".repeat(2_000)} https://example.org/${"path/".repeat(30)}`,
  };
  expect(validator.judge(body)).toBeNull();
});
