import { Ajv2020 } from "ajv/dist/2020.js";
import { parseJson } from "../src/bodies/json.ts";
import { type CompiledSchema, compileSchema } from "../src/schema/compile.ts";
import { readDocument } from "../src/schema/document.ts";
import { Turns } from "../src/support/turns.ts";
import { fill, MIB } from "./bodies.ts";
import { leastStretches } from "./stretches.ts";

/**
 * `npm run bench:schema`: judging a body of 2 KB by a schema of 30 properties beside ajv's generated code, in pairs taken in
 * turn; compiling a thousand operations' schemas; and the worst bodies of each kind, in ms per MiB and the longest time at
 * a stretch. Both contestants must give the right verdict before they are timed. `-- WORD`: only kinds of bodies with the
 * word in their names.
 */
const ROUNDS = 9;
const JUDGEMENTS = 20_000;
const STRETCH_ROUNDS = 5;

function compile(schema: unknown): CompiledSchema {
  const document = readDocument("file:///s.json", "s.json", Buffer.from(JSON.stringify(schema)));
  if (!document.ok) throw new Error(document.error.text);
  const compiled = compileSchema(document.value, {
    dialect: "2020-12",
    assertsFormat: true,
    refusesOtherCase: true,
    takesUnknownKeywords: false,
    retrieve: () => null,
  });
  if (!compiled.ok) throw new Error(compiled.error.map(({ text }) => text).join("; "));
  return compiled.value;
}

function read(text: string): unknown {
  const parsed = parseJson(Buffer.from(text));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

const text = { type: "string", minLength: 1, maxLength: 64 };
const ADDRESS = {
  type: "object",
  required: ["street", "city", "country"],
  additionalProperties: false,
  properties: {
    street: text,
    city: text,
    zip: { ...text, pattern: "^[0-9A-Z-]{3,10}$" },
    country: { enum: ["DE", "FR", "IT", "US"] },
    state: text,
  },
};
/** Thirty properties, all told. */
const ORDER = {
  type: "object",
  required: ["id", "customer", "items", "currency", "total"],
  additionalProperties: false,
  properties: {
    id: { type: "string", pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" },
    customer: {
      type: "object",
      required: ["name", "email"],
      additionalProperties: false,
      properties: {
        name: text,
        email: text,
        phone: text,
        vip: { type: "boolean" },
        address: { $ref: "#/$defs/address" },
      },
    },
    items: {
      type: "array",
      minItems: 1,
      maxItems: 100,
      items: {
        type: "object",
        required: ["sku", "count"],
        additionalProperties: false,
        properties: {
          sku: { type: "string", pattern: "^[A-Z]{3}-\\d{4}$" },
          count: { type: "integer", minimum: 1, maximum: 1000 },
          price: { type: "number", minimum: 0 },
          note: text,
          tags: { type: "array", items: text, maxItems: 10 },
        },
      },
    },
    shipping: { $ref: "#/$defs/address" },
    currency: { enum: ["EUR", "USD", "GBP"] },
    total: { type: "number", minimum: 0 },
    express: { type: "boolean" },
    coupon: { type: ["string", "null"] },
    comment: { type: "string", maxLength: 500 },
    created: text,
  },
  $defs: { address: ADDRESS },
};

const address = { street: "Long Street 12", city: "Berlin", zip: "10115", country: "DE" };
const BODY = {
  id: "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1",
  customer: { name: "Jane Doe", email: "jane@example.org", phone: "+49 30 1234567", vip: true, address },
  items: Array.from({ length: 19 }, (_, at) => ({
    sku: `ABC-${1000 + at}`,
    count: at + 1,
    price: 19.99,
    note: "gift wrap, please",
    tags: ["a", "b"],
  })),
  shipping: address,
  currency: "EUR",
  total: 1234.5,
  express: true,
  coupon: null,
  created: "2026-01-01T00:00:00Z",
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

function timeUs(judge: () => boolean): number {
  const startMs = performance.now();
  for (let n = 0; n < JUDGEMENTS; n++) if (!judge()) throw new Error("a body that fits was refused");
  return ((performance.now() - startMs) * 1000) / JUDGEMENTS;
}

function compareJudging(): void {
  const json = JSON.stringify(BODY);
  const value = read(json);
  const { validator } = compile(ORDER);
  const ajv = new Ajv2020({ strict: false, ownProperties: true }).compile(ORDER);
  const wrong = read(json.replace('"count":7', '"count":0'));
  if (ajv(value) !== true || ajv(wrong) !== false || validator.judge(wrong) === null)
    throw new Error("a wrong verdict");
  const ours: number[] = [];
  const theirs: number[] = [];
  const reading: number[] = [];
  const bytes = Buffer.from(json);
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(timeUs(() => validator.judge(value) === null));
    theirs.push(timeUs(() => ajv(value) === true));
    reading.push(timeUs(() => parseJson(bytes).ok));
  }
  const ratio = median(ours.map((us, at) => us / (theirs[at] ?? 1)));
  console.log(
    `judge ${bytes.length} bytes: ${median(ours).toFixed(2)} µs, ajv ${median(theirs).toFixed(2)} µs, ratio ${ratio.toFixed(2)}`,
  );
  console.log(`read them: ${median(reading).toFixed(2)} µs`);
}

/** Time of this process alone, whoever else is at work on the machine. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function timeCompiling(): void {
  const operations = Array.from({ length: 1_000 }, (_, at) => JSON.stringify({ ...ORDER, title: `operation ${at}` }));
  const operationsMs = cpuMs(() => {
    for (const operation of operations) compile(JSON.parse(operation));
  });
  console.log(`compile 1,000 operations of 30 properties: ${Math.round(operationsMs)} ms of CPU`);
  const properties = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, at) => [
      `property${at}`,
      { type: "string", maxLength: 64, title: "x".repeat(24) },
    ]),
  );
  console.log(`compile 3,000 properties: ${Math.round(cpuMs(() => compile({ properties })))} ms of CPU`);
}

/** So long that an object of 1 MiB has no more of them than it may. */
const member = (at: number, value = 1): string => `"k${String(at).padStart(32, "0")}":${value}`;

const SELF = { $ref: "#" };
const WORST: readonly (readonly [kind: string, schema: unknown, body: string])[] = [
  ["uniqueItems of objects", { uniqueItems: true }, fill("[", (at) => `{"a":${at},"b":[${at}]}`, "]")],
  [
    "uniqueItems of two large objects",
    { uniqueItems: true },
    `[${[1, 2].map((value) => fill("{", (at) => member(at, value), "}", MIB / 2)).join(",")}]`,
  ],
  ["enum of objects", { items: { enum: [{ a: 1 }, { b: [2] }] } }, fill("[", () => '{"a":1}', "]")],
  [
    "patternProperties",
    { patternProperties: { "^[a-z]+\\d*$": { type: "integer" }, "9$": true } },
    fill("{", member, "}"),
  ],
  ["members of a map", { additionalProperties: { type: "integer" } }, fill("{", member, "}")],
  ["members beside declared ones", { properties: { name: true } }, fill("{", member, "}")],
  [
    "anyOf of types",
    { items: { anyOf: [{ type: "string" }, { type: "boolean" }, { type: "integer" }] } },
    fill("[", () => "1", "]"),
  ],
  [
    "a tree that forks",
    { anyOf: [{ type: "array", items: SELF }, { type: "array", items: SELF, minItems: 1 }, { type: "integer" }] },
    fill("[", () => "[[[[1]]]]", "]"),
  ],
  [
    "the same where nothing fits",
    { anyOf: [{ type: "array", items: SELF }, { type: "array", items: SELF, minItems: 1 }, { type: "integer" }] },
    fill("[", () => '[[[["x"]]]]', "]"),
  ],
  ["contains", { contains: { const: 2 } }, fill("[", () => "1", "]")],
  ["unevaluatedItems", { prefixItems: [true], unevaluatedItems: { type: "integer" } }, fill("[", () => "1", "]")],
  ["multipleOf of decimals", { items: { multipleOf: 0.01 } }, fill("[", () => "19.99", "]")],
  ["numbers beyond doubles", { items: { minimum: 1 } }, fill("[", () => "9007199254740993", "]")],
  ["a pattern on one string", { pattern: "^([a-z]+ ?)+$" }, JSON.stringify("abc ".repeat(MIB / 4))],
  ["a costly pattern on one string", { pattern: "x.{12}$" }, JSON.stringify("abcx".repeat(MIB / 4))],
  [
    "300 patternProperties",
    { patternProperties: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`^k.*${at}$`, true])) },
    fill("{", (at) => `"k${at}":1`, "}", MIB / 16),
  ],
  [
    "200 alternatives",
    {
      items: {
        anyOf: Array.from({ length: 200 }, (_, at) => ({
          properties: { a: { maximum: 199 - at }, b: { type: "string" } },
        })),
      },
    },
    fill("[", () => `{"a":200,"b":"${"x".repeat(20)}"}`, "]", MIB / 16),
  ],
  [
    "200 patterns of one text",
    { anyOf: Array.from({ length: 200 }, (_, at) => ({ pattern: `^[a-z ]+${at}$` })) },
    JSON.stringify("abc ".repeat(MIB / 64)),
  ],
  [
    "200 alternatives, the last fits",
    {
      items: {
        anyOf: Array.from({ length: 200 }, (_, at) => ({ properties: { a: { maximum: at }, b: { type: "string" } } })),
      },
    },
    fill("[", () => `{"a":199,"b":"${"x".repeat(20)}"}`, "]", MIB / 16),
  ],
  [
    "200 alternatives by what is required",
    {
      items: {
        oneOf: Array.from({ length: 200 }, (_, at) => ({
          required: [`k${at}`],
          properties: { [`k${at}`]: { type: "string" } },
        })),
      },
    },
    fill("[", () => '{"k199":"x"}', "]", MIB / 16),
  ],
  ["lists in lists", { items: { type: "array", items: { type: "array" } } }, fill("[", () => "[[]]", "]")],
  [
    "lists of a thousand lists",
    { anyOf: [{ type: "array", items: SELF }, { type: "array", items: SELF, minItems: 1 }, { type: "integer" }] },
    fill("[", () => `[${'[[[["x"]]]],'.repeat(1_000)}1]`, "]"),
  ],
  ["one long string", { type: "string" }, JSON.stringify('"'.repeat(MIB / 2))],
  ["20 faults", { items: { type: "string" } }, fill("[", () => "1", "]")],
];

/** Of the kinds whose names have the word. */
async function timeWorst(word: string): Promise<void> {
  const { parseJsonInTurns } = await import("../src/bodies/json.ts");
  const turns = (): Turns => new Turns({ monotonicMs: () => performance.now() }, 2);
  for (const [kind, schema, body] of WORST) {
    if (!kind.includes(word)) continue;
    const { validator } = compile(schema);
    const bytes = Buffer.from(body);
    let value: unknown;
    const reading = await leastStretches(async () => {
      const parsed = await parseJsonInTurns(bytes, turns());
      if (!parsed.ok) throw new Error(`${kind}: ${parsed.error}`);
      value = parsed.value;
    }, STRETCH_ROUNDS);
    const judging = await leastStretches(() => validator.judgeInTurns(value, turns()), STRETCH_ROUNDS);
    const perMib = (ms: number): string => ((ms * MIB) / bytes.length).toFixed(0).padStart(5);
    console.log(
      `${kind.padEnd(34)} read ${perMib(reading.totalMs)}, judge ${perMib(judging.totalMs)} ms per MiB; ` +
        `at a stretch ${reading.stretchMs.toFixed(1)}, ${judging.stretchMs.toFixed(1)} ms`,
    );
  }
}

const [only] = process.argv.slice(2);
if (only === undefined) {
  compareJudging();
  timeCompiling();
}
await timeWorst(only ?? "");
