import { beforeAll, describe, expect, test } from "vitest";
import { type JsonLimits, jsonExcess } from "../../src/bodies/json-limits.ts";
import type { Verdict } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { atOnce } from "../../src/support/turns.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";
import { caseSeed, Random } from "../fuzz/random.ts";
import { drawValue } from "../fuzz/schema-grammar.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
});

const stillClock: Clock = { ...systemClock, monotonicMs: () => 0 };
const FREE: JsonLimits = {
  depthMax: 64,
  membersMax: 1e9,
  itemsMax: 1e9,
  charactersMax: 1e9,
  refusedNames: [],
};

function compile(body: Readonly<Record<string, unknown>>, schema: unknown = {}) {
  const files = { "any.json": JSON.stringify(schema) };
  const settings = { body: { schema: "any.json", ...body } };
  return compileFilter(validateFilter, settings, { memory: unlimitedMemory(), clock: stillClock, files });
}

async function send(text: string, body: Readonly<Record<string, unknown>>, schema: unknown = {}): Promise<Verdict> {
  const exchange = createExchange({
    method: "POST",
    headers: [["content-type", "application/json"]],
    body: new MemoryBody([Buffer.from(text)]),
  });
  return await onlyCheck(compile(body, schema)).evaluate(exchange);
}

describe("a body of more than the policy lets in is refused before it is read", () => {
  test.for([
    ["maxDepth", 2, '{"a":[1]}', '{"a":[[1]]}', "expected at most 2 levels"],
    [
      "maxMembers",
      2,
      '{"a":{"b":1,"c":2},"d":[]}',
      '{"a":{"b":1,"c":2,"d":3}}',
      "expected at most 2 members in one object",
    ],
    ["maxItems", 2, "[[1,2],[3,4]]", "[[1,2,{}],1]", "expected at most 2 items in one list"],
    ["maxStringLength", 3, '["aé\\n","\\u00e9ab",1234]', '["abcd"]', "expected at most 3 characters in one text"],
    ["maxStringLength", 3, '{"abc":1}', '{"abcd":1}', "expected at most 3 characters in one text"],
  ] as const)("%s: %i", async ([word, value, good, bad, detail]) => {
    expect(await send(good, { [word]: value })).toBeNull();
    const denial = await send(bad, { [word]: value });
    expect(denial).toMatchObject({
      reason: "body_schema_mismatch",
      seen: `body ${word}`,
      place: { path: `validate.body.${word}` },
      body: { errors: [{ pointer: "", keyword: word, detail }] },
    });
  });

  test.for(['{"__proto__":{}}', '{"a":[{"constructor":1}]}', '{"\\u0063onstructor":1}', '{"a":1, "prototype" :2}'])(
    "names that lead to a prototype, where the policy says so: %s",
    async (text) => {
      expect(await send(text, {})).toBeNull();
      expect(await send(text, { prototypeNames: "refuse" })).toMatchObject({ seen: "body prototypeNames" });
    },
  );

  test("such a word as a value or as part of a name is none", async () => {
    const text = '{"a":"constructor","b":["__proto__"],"constructors":1,"Constructor":2}';
    expect(await send(text, { prototypeNames: "refuse" })).toBeNull();
  });

  test("a body that its schema recognises is looked at, too", async () => {
    const schema = { type: "object", properties: { list: { type: "array", items: { type: "integer" } } } };
    expect(await send('{"list":[1,2,3]}', { maxItems: 2 }, schema)).toMatchObject({ seen: "body maxItems" });
    const sanitised = { maxItems: 2, undeclared: "strip" };
    await validateFilter.prepare?.({ body: sanitised });
    expect(await send('{"list":[1],"x":[1,2,3]}', sanitised, schema)).toMatchObject({ seen: "body maxItems" });
    expect(await send('{"list":[1],"x":[1,2]}', sanitised, schema)).toBeNull();
  });

  test("a long one in steps", async () => {
    const text = JSON.stringify(Array.from({ length: 20_000 }, (_, at) => ({ a: at })));
    expect(await send(text, { maxItems: 20_000 })).toBeNull();
    expect(await send(text, { maxItems: 19_999 })).toMatchObject({ seen: "body maxItems" });
    const steps = jsonExcess(Buffer.from(text), FREE);
    let turns = 0;
    while (steps.next().done !== true) turns++;
    expect(turns).toBe(Math.floor(Buffer.byteLength(text) / (32 * 1024)));
  });

  test("what is no JSON is told as that", async () => {
    for (const text of ["", "]", '{"a":', '"', "[1,]", '{"a" "b"}', "\\", '["\\u12'])
      expect(await send(text, { maxItems: 1, maxMembers: 1 })).toMatchObject({ reason: "body_not_json" });
  });
});

test("settings are bounded, and want a schema", () => {
  expect(compile({ maxDepth: 65 }).problems).toMatchObject([
    { path: "validate.body.maxDepth", text: "expected a whole number from 1 to 64" },
  ]);
  const alone = compileFilter(validateFilter, { body: { maxItems: 5 }, contentType: ["application/json"] }, {});
  expect(alone.problems).toMatchObject([{ path: "validate.body.maxItems" }]);
});

interface Measured {
  readonly depth: number;
  readonly members: number;
  readonly items: number;
  readonly characters: number;
}

/** The same of a value that was read. */
function measured(value: unknown): Measured {
  if (typeof value === "string") return { depth: 0, members: 0, items: 0, characters: value.length };
  if (typeof value !== "object" || value === null) return { depth: 0, members: 0, items: 0, characters: 0 };
  const isList = Array.isArray(value);
  const inner = Object.values(value).map(measured);
  const most = (of: (one: Measured) => number, own: number): number => Math.max(own, ...inner.map(of));
  const count = Object.keys(value).length;
  const names = isList ? 0 : Math.max(0, ...Object.keys(value).map(({ length }) => length));
  return {
    depth: 1 + most(({ depth }) => depth, 0),
    members: most(({ members }) => members, isList ? 0 : count),
    items: most(({ items }) => items, isList ? count : 0),
    characters: most(({ characters }) => characters, names),
  };
}

test("bounds of random bodies are what a reader finds", () => {
  for (let index = 0; index < 5_000; index++) {
    const random = new Random(caseSeed(29, index));
    const value = drawValue(random, 4);
    // Surrogate pairs are one character in UTF-8 and two in JavaScript.
    const text = JSON.stringify(value, null, random.below(3)).replace(/[\ud800-\udfff]/g, "x");
    const { depth, members, items, characters } = measured(JSON.parse(text));
    const exact = { ...FREE, depthMax: depth, membersMax: members, itemsMax: items, charactersMax: characters };
    expect({ text, excess: atOnce(jsonExcess(Buffer.from(text), exact)) }).toEqual({ text, excess: null });
    const bytes = Buffer.from(text);
    if (members > 0) expect(atOnce(jsonExcess(bytes, { ...exact, membersMax: members - 1 }))).toBe("members");
    if (items > 0) expect(atOnce(jsonExcess(bytes, { ...exact, itemsMax: items - 1 }))).toBe("items");
    if (depth > 0) expect(atOnce(jsonExcess(bytes, { ...exact, depthMax: depth - 1 }))).toBe("depth");
    if (characters > 0)
      expect(atOnce(jsonExcess(bytes, { ...exact, charactersMax: characters - 1 }))).toBe("characters");
  }
});
