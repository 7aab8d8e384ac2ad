import { beforeAll, describe, expect, test } from "vitest";
import type { Verdict } from "../../src/decision/verdict.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { Account } from "../../src/memory/account.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import {
  type Compiled,
  type ContextOptions,
  compileFilter,
  createExchange,
  MemoryBody,
  onlyCheck,
} from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.({ body: { trim: true } });
});

const stillClock: Clock = { ...systemClock, monotonicMs: () => 0 };

const USER = {
  type: "object",
  required: ["name"],
  properties: {
    id: { type: "integer", readOnly: true },
    name: { type: "string", minLength: 1, maxLength: 20 },
    size: { type: "integer", default: 20 },
    tags: { type: "array", items: { type: "object", properties: { key: { type: "string" } } } },
    extra: { type: "object" },
    labels: { type: "object", additionalProperties: { type: "string" } },
  },
};

function compile(
  body: Readonly<Record<string, unknown>>,
  schema: unknown = USER,
  more: Readonly<Record<string, unknown>> = {},
  options: Partial<ContextOptions> = {},
): Compiled {
  return compileFilter(
    validateFilter,
    { body: { schema: "user.json", ...body }, ...more },
    { memory: unlimitedMemory(), clock: stillClock, files: { "user.json": JSON.stringify(schema) }, ...options },
  );
}

interface Sent {
  readonly verdict: Verdict;
  readonly exchange: Exchange;
  /** What the service gets. */
  readonly forwarded: string;
  readonly isAsItCame: boolean;
}

async function send(
  text: string,
  body: Readonly<Record<string, unknown>>,
  schema: unknown = USER,
  more: Readonly<Record<string, unknown>> = {},
  headers: readonly (readonly [string, string])[] = [],
): Promise<Sent> {
  const compiled = compile(body, schema, more);
  expect(compiled.problems).toEqual([]);
  const bytes = Buffer.from(text);
  const exchange = createExchange({
    method: "POST",
    headers: [["content-type", "application/json"], ...headers],
    body: new MemoryBody([bytes]),
  });
  const verdict = await onlyCheck(compiled).evaluate(exchange);
  const forwarded = exchange.collectedBody?.toString() ?? "";
  return { verdict, exchange, forwarded, isAsItCame: exchange.bodyEdits === null && forwarded === text };
}

const STRIP = { undeclared: "strip", readOnly: "strip" };

describe("members come off", () => {
  test.for([
    ["the only one", '{"name":"a","role":"admin"}', '{"name":"a"}'],
    ["the first", '{ "role" : "admin" , "name" : "a" }', '{ "name" : "a" }'],
    ["all around", '{"x":1,"name":"a","y":[{"z":"}"}],"w":{}}', '{"name":"a"}'],
    ["under another case", '{"name":"a","Name":"b"}', '{"name":"a"}'],
    ["with an escaped name", '{"name":"a","ro\\u006ce":"admin"}', '{"name":"a"}'],
    ["of __proto__", '{"name":"a","__proto__":{"role":"admin"}}', '{"name":"a"}'],
    ["of constructor", '{"name":"a","constructor":{"prototype":{"role":1}}}', '{"name":"a"}'],
    ["that the service sets", '{"id":7,"name":"a"}', '{"name":"a"}'],
    ["in a list", '{"name":"a","tags":[{"key":"k","v":1},{"v":2}]}', '{"name":"a","tags":[{"key":"k"},{}]}'],
    ["in front of those that stay as they are written", '{"role":1,"name":"\\u0061"}', '{"name":"\\u0061"}'],
    ["beside big numbers", '{"name":"a","size":1e1,"n":90071992547409931}', '{"name":"a","size":1e1}'],
  ] as const)("%s", async ([, text, left]) => {
    const { verdict, forwarded, exchange } = await send(text, STRIP);
    expect(verdict).toBeNull();
    expect(forwarded).toBe(left);
    expect(exchange.bodyEdits?.isEmpty).toBe(false);
  });

  test.for([
    '{"name":"a"}',
    ' {"name" : "\\u0061", "size":10.00e0}\n',
    '{"name":"a","extra":{"anything":1,"id":2}}',
    '{"name":"a","labels":{"any":"thing","id":"x"}}',
    '{"tags":[],"name":"a"}',
  ])("a body without any goes on as it came: %s", async (text) => {
    const { verdict, isAsItCame } = await send(text, STRIP);
    expect(verdict).toBeNull();
    expect(isAsItCame).toBe(true);
  });

  test.for([
    ["a name twice", '{"name":"a","role":1,"role":2}'],
    ["a name twice by an escape", '{"name":"a","n\\u0061me":"b"}'],
    ["half of a surrogate pair in what would come off", '{"name":"a","role":"\\ud800"}'],
    ["no JSON in what would come off", '{"name":"a","role":01}'],
    ["more levels than may be", `{"name":"a","role":${"[".repeat(64)}${"]".repeat(64)}}`],
  ] as const)("a body with two readings is refused all the same: %s", async ([, text]) => {
    const { verdict } = await send(text, { ...STRIP, stripUnknown: true });
    expect(verdict).toMatchObject({ reason: "body_not_json" });
  });

  test("what is left is judged, and only that", async () => {
    const { verdict } = await send('{"role":"admin","nam":"a"}', STRIP);
    expect(verdict).toMatchObject({ reason: "body_schema_mismatch", seen: "body / required" });
    expect((await send('{"name":"a","role":"x".length}', STRIP)).verdict).toMatchObject({ reason: "body_not_json" });
  });

  test("an object that says itself that there are no others refuses them, unless 'stripUnknown' is said", async () => {
    const closed = { ...USER, additionalProperties: false };
    const text = '{"name":"a","role":"admin"}';
    expect((await send(text, { undeclared: "strip" }, closed)).verdict).toMatchObject({
      reason: "body_schema_mismatch",
    });
    const { verdict, forwarded } = await send(text, { stripUnknown: true }, closed);
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{"name":"a"}');
    const unevaluated = { ...USER, unevaluatedProperties: false };
    expect((await send(text, { stripUnknown: true }, unevaluated)).forwarded).toBe('{"name":"a"}');
  });

  test("one that says what others may be keeps them", async () => {
    const open = { ...USER, additionalProperties: { type: "string" }, patternProperties: { "^x-": true } };
    const text = '{"name":"a","x-1":1,"role":"admin"}';
    expect((await send(text, { stripUnknown: true }, open)).isAsItCame).toBe(true);
    const matched = { ...USER, patternProperties: { "^x-": { properties: { a: true } } } };
    expect((await send('{"name":"a","x-1":{"a":1,"b":2},"y":1}', STRIP, matched)).forwarded).toBe(
      '{"name":"a","x-1":{"a":1}}',
    );
  });

  test("in a service that tells cases apart another case is another member, and comes off as one", async () => {
    const settings = { undeclared: "strip", members: "caseSensitive" };
    expect((await send('{"name":"a","NAME":"b"}', settings)).forwarded).toBe('{"name":"a"}');
  });
});

describe("where schemas are put together", () => {
  const all = {
    allOf: [{ $ref: "#/$defs/base" }, { properties: { b: { type: "object", properties: { c: true } } } }],
    $defs: { base: { type: "object", properties: { a: true, id: { readOnly: true } }, required: ["id"] } },
  };

  test("a tree of allOf knows the members of all its parts", async () => {
    const { verdict, forwarded } = await send('{"a":1,"id":2,"b":{"c":1,"d":2},"e":3}', STRIP, all);
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{"a":1,"b":{"c":1}}');
  });

  const kinds = {
    oneOf: [
      {
        type: "object",
        required: ["kind"],
        properties: { kind: { const: "card" }, card: {}, of: { properties: { x: {} } } },
      },
      {
        type: "object",
        required: ["kind"],
        properties: { kind: { const: "iban" }, iban: {}, of: { properties: { y: {} } } },
      },
    ],
  };

  test("of alternatives that a member tells apart only the one that is meant has a say", async () => {
    const { verdict, forwarded } = await send('{"kind":"card","card":1,"iban":2,"of":{"x":1,"y":2}}', STRIP, kinds);
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{"kind":"card","card":1,"of":{"x":1}}');
  });

  test("closed alternatives lose what none of them knows, and refuse what is another's", async () => {
    const closed = {
      oneOf: [
        { type: "object", properties: { a: { type: "integer" }, b: {} }, required: ["b"], additionalProperties: false },
        { type: "object", properties: { a: { type: "integer" }, c: {} }, required: ["c"], additionalProperties: false },
      ],
    };
    expect((await send('{"a":1,"b":2,"x":3}', { stripUnknown: true }, closed)).forwarded).toBe('{"a":1,"b":2}');
    const { verdict } = await send('{"a":1,"b":2,"c":3}', { stripUnknown: true }, closed);
    expect(verdict).toMatchObject({ reason: "body_schema_mismatch" });
  });

  test("what is read-only in one alternative alone is not taken from another", async () => {
    const schema = {
      anyOf: [
        { type: "object", properties: { owner: { readOnly: true }, a: { type: "integer" } }, required: ["a"] },
        { type: "object", properties: { owner: {}, b: { type: "integer" } }, required: ["b"] },
      ],
    };
    expect((await send('{"owner":"me","b":1}', STRIP, schema)).isAsItCame).toBe(true);
    // Nothing tells at a glance which is meant: the schema has the last word, and refuses.
    const both = { anyOf: [schema.anyOf[0], { type: "object", properties: { owner: {}, a: { type: "string" } } }] };
    expect((await send('{"owner":"me","a":1}', STRIP, both)).verdict).toMatchObject({ reason: "body_schema_mismatch" });
  });

  test("a body that fits as it is loses nothing, whatever an alternative that does not fit says", async () => {
    const schema = {
      anyOf: [
        { type: "object", required: ["z"], properties: { a: { type: "object", properties: { x: {} } } } },
        { type: "object", properties: { a: { type: "object", properties: { y: {} } } } },
      ],
    };
    expect((await send('{"a":{"y":1}}', STRIP, schema)).isAsItCame).toBe(true);
    expect((await send('{"a":{"y":1,"q":1}}', STRIP, schema)).forwarded).toBe('{"a":{"y":1}}');
  });

  test("a schema that leads back to itself is gone through with the body", async () => {
    const tree = {
      type: "object",
      properties: { name: true, children: { type: "array", items: { $ref: "#" } } },
    };
    const text = '{"name":1,"x":1,"children":[{"x":1,"children":[{"name":2,"y":{"children":[]}}]}]}';
    expect((await send(text, STRIP, tree)).forwarded).toBe('{"name":1,"children":[{"children":[{"name":2}]}]}');
  });
});

describe("defaults", () => {
  const FILL = { defaults: "fill" };

  test("are filled in where nothing was sent, in objects that are there", async () => {
    expect((await send('{"name":"a"}', FILL)).forwarded).toBe('{"name":"a","size":20}');
    expect((await send('{"name":"a","size":null}', FILL)).verdict).toMatchObject({ reason: "body_schema_mismatch" });
    expect((await send('{"name":"a","size":3 }', FILL)).isAsItCame).toBe(true);
    const deep = { type: "object", properties: { a: { properties: { n: { default: "9007199254740993" } } } } };
    expect((await send("{}", FILL, deep)).isAsItCame).toBe(true);
    expect((await send('{"a":{ }}', FILL, deep)).forwarded).toBe('{"a":{"n":"9007199254740993" }}');
  });

  test("may be required, may stand behind a reference, and are not the service's own", async () => {
    const schema = {
      type: "object",
      required: ["page", "list"],
      properties: {
        page: { $ref: "#/$defs/page" },
        list: { type: "array", default: [{ a: null }, 1.5] },
        id: { readOnly: true, default: 1 },
      },
      $defs: { page: { type: "integer", default: 1 } },
    };
    const { verdict, forwarded } = await send("{}", { ...FILL, readOnly: "strip" }, schema);
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{"page":1,"list":[{"a":null},1.5]}');
  });

  test("of an alternative are filled in only where no other can be meant", async () => {
    const schema = {
      type: "object",
      anyOf: [
        { properties: { kind: { const: "a" }, n: { default: 1 } }, required: ["kind"] },
        { properties: { kind: { const: "b" }, m: { default: 2 } }, required: ["kind"] },
      ],
    };
    expect((await send('{"kind":"b"}', FILL, schema)).forwarded).toBe('{"kind":"b","m":2}');
  });

  test("that do not fit their own schema are a problem at load", () => {
    const { problems } = compile(FILL, { type: "object", properties: { n: { type: "integer", default: "x" } } });
    expect(problems).toMatchObject([
      { text: expect.stringContaining("the default of 'n' does not fit its schema: / type") },
    ]);
    expect(compile({}, { type: "object", properties: { n: { type: "integer", default: "x" } } }).problems).toEqual([]);
  });

  test("make no body longer than the policy lets in", async () => {
    const schema = { type: "array", items: { type: "object", properties: { n: { default: "x".repeat(1_000) } } } };
    const text = JSON.stringify(Array.from({ length: 100 }, () => ({})));
    const { verdict } = await send(text, { ...FILL, maxBytes: "64KiB" }, schema);
    expect(verdict).toMatchObject({ reason: "body_too_large" });
  });
});

describe("texts", () => {
  test("lose the blanks at their ends before they are judged", async () => {
    const { verdict, forwarded } = await send(
      '{ "name" : " a b\\t" , "extra":["\\u00a0x "]}',
      { trim: true },
      {
        properties: { name: { maxLength: 3 } },
      },
    );
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{ "name" : "a b" , "extra":["x"]}');
    expect((await send('{"name":"  "}', { trim: true })).verdict).toMatchObject({ reason: "body_schema_mismatch" });
    expect((await send('{"name":"a", "extra":{" k ":"v"}}', { trim: true })).isAsItCame).toBe(true);
  });

  test("tell which alternative is meant once they are trimmed", async () => {
    const schema = {
      oneOf: [
        { type: "object", properties: { kind: { const: "a" }, x: {} } },
        { type: "object", properties: { kind: { const: "b" }, y: {} } },
      ],
    };
    const { forwarded } = await send('{"kind":" a","x":1,"y":2}', { trim: true, undeclared: "strip" }, schema);
    expect(forwarded).toBe('{"kind":"a","x":1}');
  });

  test("and names become composed (NFC) before they are judged", async () => {
    const schema = { type: "object", properties: { é: { maxLength: 1 } }, additionalProperties: false };
    const { verdict, forwarded, exchange } = await send('{"e\u0301":"e\\u0301"}', { normalize: "nfc" }, schema);
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{"é":"é"}');
    expect(exchange.bodyEdits?.counts).toEqual({ normalize: 2 });
    expect((await send('{"é":"é"}', { normalize: "nfc" }, schema)).isAsItCame).toBe(true);
  });

  test("marks without end, which would hold the thread for minutes, are refused", async () => {
    const nfc = { normalize: "nfc" };
    const schema = { type: "object" };
    const endless = "\u0315\u0300\u05ae\u0300".repeat(100_000);
    expect((await send(`{"a":"a${endless}"}`, nfc, schema)).verdict).toMatchObject({ reason: "body_schema_mismatch" });
    expect((await send(`{"a${endless}":1}`, nfc, schema)).verdict).toMatchObject({ reason: "body_schema_mismatch" });
    expect((await send(`{"a":"a${"\u0300".repeat(30)}"}`, nfc, schema)).verdict).toBeNull();
  });

  test("two names that become one are refused", async () => {
    const { verdict } = await send('{"é":1,"e\\u0301":2}', { normalize: "nfc" }, { type: "object" });
    expect(verdict).toMatchObject({ reason: "body_not_json", seen: "a key twice in one object" });
  });
});

describe("a body that is written anew", () => {
  test("has one spelling of everything, in its own order, and says what it said", async () => {
    const text = ' { "name" : "\\u0061\\/\\u00e9" , "10":1.50e+1, "2": [ -0 , 90071992547409931 , true ] } ';
    const { verdict, forwarded } = await send(text, { rewrite: true }, { type: "object" });
    expect(verdict).toBeNull();
    expect(forwarded).toBe('{"name":"a/é","10":15,"2":[0,90071992547409931,true]}');
    expect((await send(forwarded, { rewrite: true }, { type: "object" })).isAsItCame).toBe(true);
  });

  test("is what the other rules have left of it", async () => {
    const all = { ...STRIP, trim: true, normalize: "nfc", defaults: "fill", rewrite: true };
    const { forwarded, exchange } = await send('{"id":1, "x":2, "name": " e\u0301 "}', all);
    expect(forwarded).toBe('{"name":"é","size":20}');
    expect(exchange.bodyEdits?.counts).toEqual({
      trim: 1,
      normalize: 1,
      undeclared: 1,
      readOnly: 1,
      defaults: 1,
      rewrite: 1,
    });
  });
});

describe("what is told of it", () => {
  test("explain names each place and never a value", async () => {
    const compiled = compile(STRIP);
    const exchange = createExchange({
      method: "POST",
      headers: [["content-type", "application/json"]],
      body: new MemoryBody([Buffer.from('{"id":4711,"name":"a","tags":[{"se/cret\\u001b":"hunter2"}]}')]),
    });
    const check = onlyCheck(compiled);
    expect(await check.evaluate(exchange)).toBeNull();
    expect(check.explain(exchange)).toContain("; changed: /id readOnly, /tags/0/se~1cret\\u001b undeclared");
    expect(check.explain(exchange)).not.toMatch(/4711|hunter2/);
  });

  test("a hundred of them are counted, and the first are named", async () => {
    const members = Array.from({ length: 100 }, (_, at) => [`x${at}`, at]);
    const { exchange } = await send(JSON.stringify({ name: "a", ...Object.fromEntries(members) }), STRIP);
    expect(exchange.bodyEdits?.counts).toEqual({ undeclared: 100 });
    expect(exchange.bodyEdits?.shown).toHaveLength(DEFAULTS.schemaFaultsMax);
  });
});

describe("what is said of the bytes", () => {
  const SIGNED = 'sig1=("@method" "content-digest");created=1;keyid="k"';

  test("comes off with the bytes, and stays with bytes that stay", async () => {
    const headers = [
      ["content-digest", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"],
      ["content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ=="],
      ["digest", "sha-256=x"],
      ["repr-digest", "sha-256=:x:"],
      ["signature-input", SIGNED],
      ["signature", "sig1=:eA==:"],
    ] as const;
    const changed = await send('{"name":"a","role":1}', STRIP, USER, {}, headers);
    expect(changed.exchange.headers.names).toEqual(["content-type"]);
    const same = await send('{"name":"a"}', STRIP, USER, {}, headers);
    expect(same.exchange.headers.names).toHaveLength(7);
  });

  test("a signature that says nothing of the body stays", async () => {
    const headers = [
      ["signature-input", 'sig1=("@method" "@authority");created=1;keyid="k"'],
      ["signature", "sig1=:eA==:"],
    ] as const;
    const { exchange } = await send('{"name":"a","role":1}', STRIP, USER, {}, headers);
    expect(exchange.headers.names).toEqual(["content-type", "signature-input", "signature"]);
  });

  test("a body that the policy has verified cannot be changed: a problem at load", () => {
    const signer = (signsBody: boolean) => ({ name: "webhook", signsBody }) as Partial<Authenticator> as Authenticator;
    const problems = (signsBody: boolean, body: Record<string, unknown>) =>
      compile(body, USER, {}, { authenticators: [signer(signsBody)] }).problems;
    expect(problems(true, STRIP)).toMatchObject([
      { path: "validate.body.readOnly", text: expect.stringContaining("'webhook' verifies what the client signed") },
    ]);
    expect(problems(true, { undeclared: "refuse" })).toEqual([]);
    expect(problems(false, STRIP)).toEqual([]);
  });
});

describe("settings", () => {
  test("need a schema, and do not contradict each other", () => {
    const { problems } = compileFilter(validateFilter, { body: { trim: true } }, { clock: stillClock });
    expect(problems[0]).toMatchObject({ path: "validate.body.trim" });
    expect(compile({ stripUnknown: true, undeclared: "refuse" }).problems).toMatchObject([
      { path: "validate.body.stripUnknown" },
    ]);
    expect(compile({ normalize: "nfd" }).problems).toMatchObject([
      { path: "validate.body.normalize", text: "expected nfc" },
    ]);
  });

  test("that only audit change nothing, and tell what would come off", async () => {
    const { verdict, forwarded } = await send('{"name":"a","role":1}', STRIP, USER, { mode: "audit" });
    expect(forwarded).toBe('{"name":"a","role":1}');
    expect(verdict).toMatchObject({ reason: "body_schema_mismatch", seen: "body /role additionalProperties" });
  });

  test("a form is not changed: what would come off is refused", async () => {
    const compiled = compile(
      STRIP,
      { type: "object", properties: { name: {} } },
      { contentType: ["application/json", "application/x-www-form-urlencoded"] },
    );
    const sendForm = (text: string) =>
      onlyCheck(compiled).evaluate(
        createExchange({
          method: "POST",
          headers: [["content-type", "application/x-www-form-urlencoded"]],
          body: new MemoryBody([Buffer.from(text)]),
        }),
      );
    expect(await sendForm("name=a")).toBeNull();
    expect(await sendForm("name=a&role=1")).toMatchObject({ reason: "body_schema_mismatch" });
  });

  test("a rule behind it sees what the service gets", async () => {
    const compiled = compile(STRIP, USER, {}, { isBodyWanted: true });
    const exchange = createExchange({
      method: "POST",
      headers: [["content-type", "application/json"]],
      body: new MemoryBody([Buffer.from('{"name":"a","role":1}')]),
    });
    expect(await onlyCheck(compiled).evaluate(exchange)).toBeNull();
    expect(exchange.bodyValue).toEqual({ name: "a" });
  });
});

describe("a long body", () => {
  const item = (at: number) => `{"key":"k${at}","role":"admin"}`;
  const long = `{"name":"a","tags":[${Array.from({ length: 5_000 }, (_, at) => item(at)).join(", ")}]}`;

  test("is changed in steps, to the same", async () => {
    const { verdict, forwarded, exchange } = await send(long, STRIP);
    expect(verdict).toBeNull();
    expect(forwarded).toBe(long.replaceAll(',"role":"admin"', ""));
    expect(exchange.bodyEdits?.counts).toEqual({ undeclared: 5_000 });
  });

  test("that grows beyond what there is room for is refused", async () => {
    const memory = unlimitedMemory();
    const bodies = new Account();
    bodies.bytesMax = 3_000;
    const compiled = compile(
      { defaults: "fill" },
      { type: "object", properties: { n: { default: "x".repeat(4_000) } } },
      {},
      { memory: { ...memory, bodies } as typeof memory },
    );
    const exchange = createExchange({
      method: "POST",
      headers: [["content-type", "application/json"]],
      body: new MemoryBody([Buffer.from("{}")]),
    });
    expect(await onlyCheck(compiled).evaluate(exchange)).toMatchObject({ reason: "memory_bodies" });
  });
});
