import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
});

const stillClock: Clock = { ...systemClock, monotonicMs: () => 0 };
/** Every look at it is a slice later, so that all but the first item of a piece is judged in turns. */
const quickClock = (): Clock => {
  let now = 0;
  return { ...systemClock, monotonicMs: () => (now += 3) };
};

const ROLE = JSON.stringify({
  type: "object",
  required: ["role"],
  properties: { role: { enum: ["user", "guest"] }, name: { type: "string", maxLength: 2000 } },
  additionalProperties: false,
});
const EVENT = JSON.stringify({
  type: "object",
  required: ["data"],
  properties: { data: { maxLength: 20 }, event: { enum: ["order", "ping"] }, id: {}, retry: { maximum: 5000 } },
});
const files = { "role.json": ROLE, "event.json": EVENT, "any.json": "{}" };

const LINES = "application/x-ndjson";
const SEQUENCE = "application/json-seq";
const EVENTS = "text/event-stream";

const compile = (body: object = {}, more: object = {}, clock: Clock = stillClock) =>
  compileFilter(validateFilter, { body: { itemSchema: "role.json", ...body }, ...more }, { files, clock });

interface Sent {
  readonly body?: object;
  readonly type?: string;
  /** Bytes of each piece; all of it in one if absent. */
  readonly step?: number;
  readonly clock?: Clock;
}

/** What the watch lets on, and how it ends. */
async function judge(text: string | Buffer, sent: Sent = {}): Promise<{ verdict: Verdict; passed: string }> {
  const { body, type = LINES, step = Number.POSITIVE_INFINITY, clock = stillClock } = sent;
  const bytes = Buffer.from(text);
  const check = onlyCheck(compile(body, {}, clock));
  const exchange: Exchange = createExchange({
    method: "POST",
    headers: [["content-type", type]],
    body: new MemoryBody([bytes], bytes.length === 0 ? -1 : bytes.length),
  });
  const verdict = await check.evaluate(exchange);
  if (verdict !== CONTINUE) return { verdict, passed: "" };
  const watch = check.watch?.(exchange);
  if (watch == null) throw new Error("nobody watches");
  let passed = 0;
  for (let at = 0; at < bytes.length; at += step) {
    const judged = await watch.scan(bytes.subarray(at, at + step));
    if (judged instanceof Denial) return { verdict: judged, passed: bytes.subarray(0, passed).toString() };
    passed = Math.min(at + step, bytes.length) - judged;
  }
  const end = await watch.end();
  return { verdict: end, passed: bytes.subarray(0, end === CONTINUE ? bytes.length : passed).toString() };
}

const USER = '{"role":"user"}';
const ADMIN = '{"role":"admin"}';

describe("a stream of what is no item", () => {
  test.each([
    ["blank lines", LINES, "\n"],
    ["comments of events", EVENTS, ":\n\n"],
  ])("gives way to others between its %s, and passes", async (_, type, unit) => {
    const text = unit.repeat(5_000);
    const body = type === EVENTS ? { itemSchema: "event.json" } : {};
    const check = onlyCheck(compile(body, {}, quickClock()));
    const exchange = createExchange({
      method: "POST",
      headers: [["content-type", type]],
      body: new MemoryBody([Buffer.from(text)], text.length),
    });
    expect(await check.evaluate(exchange)).toBe(CONTINUE);
    const watch = check.watch?.(exchange);
    const judged = watch?.scan(Buffer.from(text));
    expect(judged).toBeInstanceOf(Promise);
    expect(await judged).toBe(0);
    expect(await watch?.end()).toBe(CONTINUE);
  });
});

describe("lines of JSON", () => {
  test.each([
    ["one", `${USER}\n`],
    ["the last one without a line end", `${USER}\n${USER}`],
    ["ends of lines as Windows has them", `${USER}\r\n${USER}\r\n`],
    ["blank lines", `\n${USER}\n\n  \t\n\r\n${USER}\n\n`],
    ["blanks around an item", `  ${USER}\t \n`],
    ["a text with line separators in it", `{"role":"user","name":"a\u2028b\u2029c\u0085d"}\n`],
  ])("%s passes, wherever it is cut", async (_, text) => {
    for (const step of [1, 2, 7, 1000])
      expect(await judge(text, { step })).toEqual({ verdict: CONTINUE, passed: text });
    expect((await judge(text, { step: 5, clock: quickClock() })).verdict).toBe(CONTINUE);
  });

  test.each([
    ["behind a carriage return", "body_not_sequence", `${USER}\r${ADMIN}\n`],
    ["between carriage returns in an item", "body_not_sequence", `[\r${ADMIN}\r]\n`],
    ["behind a carriage return at the end", "body_not_sequence", `${USER}\n${USER}\r`],
    ["between line separators in a text", "body_not_sequence", '{"role":"user","name":"a\u2028[1]\u2028b"}\n'],
    ["between next lines in a text", "body_not_sequence", '{"role":"user","name":"a\u0085{}\u2029b"}\n'],
    ["behind a line separator", "body_not_json", `${USER}\u2028${ADMIN}\n`],
    ["behind another in its line", "body_not_json", `${USER} ${ADMIN}\n`],
    ["behind a form feed", "body_not_json", `${USER}\f${ADMIN}\n`],
    ["behind a byte order mark", "body_not_json", `\ufeff${ADMIN}\n`],
    ["behind a record separator", "body_not_json", `${USER}\n\u001e${ADMIN}\n`],
    ["in UTF-16", "body_not_json", Buffer.from(`${ADMIN}\n`, "utf16le")],
    ["behind the last line end", "body_schema_mismatch", `${USER}\n${ADMIN}`],
    ["with a member twice", "body_not_json", `{"role":"user","role":"admin"}\n`],
    ["with a member in another case", "body_schema_mismatch", `{"role":"user","ROLE":"admin"}\n`],
    ["over two lines", "body_not_json", `{"role":\n"user"}\n`],
    ["that is cut off", "body_not_json", `${USER}\n{"role":`],
  ])("an item %s is %s", async (_, reason, text) => {
    for (const step of [1, 3, 1000]) expect((await judge(text, { step })).verdict).toMatchObject({ reason });
    expect((await judge(text, { step: 4, clock: quickClock() })).verdict).toMatchObject({ reason });
  });

  test("what is wrong is told with the item's number and its place there", async () => {
    const { verdict, passed } = await judge(`${USER}\n\n${USER}\n${ADMIN}\n${USER}\n`);
    expect(verdict).toMatchObject({
      reason: "body_schema_mismatch",
      seen: "item 3: body /role enum",
      body: { errors: [{ item: 3, pointer: "/role", keyword: "enum" }] },
    });
    expect(passed).toBe("");
    expect((await judge(`${USER}\n\n${USER}\n${ADMIN}\n`, { step: 8 })).passed).toBe(`${USER}\n\n${USER}\n`);
  });

  test("only the beginning of the next item stays", async () => {
    const check = onlyCheck(compile());
    const watch = check.watch?.(createExchange({ method: "POST", headers: [["content-type", LINES]] }));
    expect(watch?.scan(Buffer.from(`${USER}\n{"ro`))).toBe(4);
    expect(watch?.ownBytes).toBeGreaterThan(0);
    expect(watch?.scan(Buffer.from('le":'))).toBe(8);
    expect(watch?.scan(Buffer.from('"user"}\n'))).toBe(0);
  });
});

describe("a JSON text sequence", () => {
  const texts = (...items: string[]): string => items.map((item) => `\u001e${item}\n`).join("");

  test.each([
    ["texts", texts(USER, USER)],
    ["a text over several lines", texts('{\n  "role": "user",\r\n  "name": "a]}\\"{"\n}')],
    ["a line break before a text", texts(`\n${USER}`)],
  ])("%s pass, wherever they are cut", async (_, text) => {
    for (const step of [1, 2, 7, 1000])
      expect(await judge(text, { step, type: SEQUENCE })).toEqual({ verdict: CONTINUE, passed: text });
  });

  test("of numbers and lists", async () => {
    const body = { itemSchema: "any.json" };
    expect((await judge(texts("1", "[1,\n2]", '"a"', "null"), { type: SEQUENCE, body, step: 3 })).verdict).toBe(
      CONTINUE,
    );
  });

  test.each([
    ["without a record separator", "body_not_sequence", `${ADMIN}\n`],
    ["without one behind another", "body_not_sequence", `${texts(USER)}${ADMIN}\n`],
    ["in one text with another", "body_not_json", texts(`${USER}${ADMIN}`)],
    ["without a line feed", "body_not_sequence", `\u001e${USER}\u001e${ADMIN}\n`],
    ["that the body cuts off", "body_not_sequence", `${texts(USER)}\u001e${USER}`],
    ["behind two separators", "body_not_sequence", `\u001e${texts(USER)}`],
    ["behind a byte order mark", "body_not_sequence", `\ufeff${texts(USER)}`],
    ["behind a blank line", "body_not_sequence", `${texts(USER)}\n${texts(USER)}`],
    ["that is wrong", "body_schema_mismatch", texts(USER, ADMIN)],
  ])("an item %s is %s", async (_, reason, text) => {
    for (const step of [1, 3, 1000])
      expect((await judge(text, { type: SEQUENCE, step })).verdict).toMatchObject({ reason });
  });
});

describe("a stream of events", () => {
  const sent = { type: EVENTS, body: { itemSchema: "event.json" } };

  test.each([
    ["events", "event: order\ndata: 1\nid: 7\nretry: 3000\n\ndata:2\n\n"],
    ["data over several lines", "data: a\ndata: b\n\n"],
    ["line ends as Windows has them", "data: a\r\n\r\ndata: b\r\n\r\n"],
    ["comments and empty lines", ": hello\n\n\ndata: a\n: more\n\n: bye\n"],
    ["data without a value", "data\n\n"],
  ])("%s pass, wherever they are cut", async (_, text) => {
    for (const step of [1, 2, 7, 1000])
      expect(await judge(text, { ...sent, step })).toEqual({ verdict: CONTINUE, passed: text });
  });

  test.each([
    ["of a wrong event", "body_schema_mismatch", "event: shutdown\ndata: 1\n\n"],
    [
      "whose data are too long once they are joined",
      "body_schema_mismatch",
      `data: ${"a".repeat(10)}\ndata: ${"b".repeat(10)}\n\n`,
    ],
    ["without data", "body_schema_mismatch", "event: order\n\n"],
    ["whose time is too long", "body_schema_mismatch", "data: 1\nretry: 9999\n\n"],
    ["behind a carriage return", "body_not_sequence", "data: a\revent: shutdown\n\n"],
    ["behind a line separator", "body_not_sequence", "data: a\u2028event: shutdown\n\n"],
    ["behind a next line", "body_not_sequence", "data: a\u0085event: shutdown\n\n"],
    ["behind a vertical tab", "body_not_sequence", "data: a\u000bevent: shutdown\n\n"],
    ["behind a byte order mark", "body_not_sequence", "\ufeffdata: a\n\n"],
    ["with a field in another case", "body_not_sequence", "data: a\nEvent: shutdown\n\n"],
    ["with a blank behind a field's name", "body_not_sequence", "data: a\nevent : shutdown\n\n"],
    ["with a field twice", "body_not_sequence", "data: a\nevent: order\nevent: shutdown\n\n"],
    ["with a time that is none", "body_not_sequence", "data: a\nretry: 1e3\n\n"],
    ["that no empty line ends", "body_not_sequence", "data: a\n\ndata: b\n"],
    ["that is no UTF-8", "body_not_sequence", Buffer.from("data: \xff\n\n", "latin1")],
  ])("an event %s is %s", async (_, reason, text) => {
    for (const step of [1, 3, 1000]) expect((await judge(text, { ...sent, step })).verdict).toMatchObject({ reason });
  });
});

describe("bounds", () => {
  const name = (length: number): string => JSON.stringify({ role: "user", name: "a".repeat(length) });

  test("an item that is too long ends it before it is whole", async () => {
    const body = { items: { maxBytes: "1KiB" } };
    expect((await judge(`${name(900)}\n${name(900)}`, { body, step: 100 })).verdict).toBe(CONTINUE);
    const { verdict, passed } = await judge(`${USER}\n${name(2000)}`, { body, step: 100 });
    expect(verdict).toMatchObject({
      reason: "body_item_too_large",
      body: { errors: [{ item: 2, keyword: "maxBytes" }] },
    });
    expect(passed).toBe(`${USER}\n`);
    expect((await judge(name(2000), { body })).verdict).toMatchObject({ reason: "body_item_too_large" });
  });

  test("so does one too many; lines without any count for nothing", async () => {
    const body = { items: { maxCount: 3 } };
    expect((await judge(`${USER}\n\n\n${USER}\n\n${USER}`, { body })).verdict).toBe(CONTINUE);
    expect((await judge(`${USER}\n`.repeat(4), { body })).verdict).toMatchObject({ reason: "body_items_exceeded" });
    expect((await judge(`${USER}\n`.repeat(3) + USER, { body, step: 9 })).verdict).toMatchObject({
      reason: "body_items_exceeded",
      body: { errors: [{ item: 4, keyword: "maxCount" }] },
    });
  });

  test("there has to be a body, unless the policy says otherwise", async () => {
    expect((await judge("")).verdict).toMatchObject({ reason: "body_schema_mismatch", seen: "no body" });
    expect((await judge("", { body: { required: false } })).verdict).toBe(CONTINUE);
    expect((await judge("\n")).verdict).toBe(CONTINUE);
  });

  test("those of the parts of a body hold for each item", async () => {
    const body = { maxStringLength: 11, prototypeNames: "refuse", itemSchema: "any.json", items: { maxBytes: "1MiB" } };
    expect((await judge('{"a":"12345678901"}\n{"a":"123456789012"}\n', { body })).verdict).toMatchObject({
      seen: "item 2: body maxStringLength",
      body: { errors: [{ item: 2, keyword: "maxStringLength" }] },
    });
    const long = `{"a":[${"1,".repeat(50_000)}1],"constructor":1}\n`;
    expect((await judge(long, { body })).verdict).toMatchObject({ seen: "item 1: body prototypeNames" });
  });

  test("long items, and many at once, are judged in turns", async () => {
    const body = { items: { maxBytes: "1MiB" }, itemSchema: "any.json" };
    const long = JSON.stringify({ text: "a".repeat(200_000) });
    expect((await judge(`${long}\n${USER}\n${long}`, { body })).verdict).toBe(CONTINUE);
    expect((await judge(`${long}\n${long} x\n`, { body })).verdict).toMatchObject({ seen: "item 2: not JSON" });
    const many = await judge(`${`${USER}\n`.repeat(500)}${ADMIN}\n`, { clock: quickClock() });
    expect(many.verdict).toMatchObject({ body: { errors: [{ item: 501 }] } });
  });
});

test("a body that a check before has read is judged whole", async () => {
  const check = onlyCheck(compile());
  const whole = (text: string): Promise<Verdict> | Verdict => {
    const exchange = createExchange({
      method: "POST",
      headers: [["content-type", LINES]],
      body: new MemoryBody([text]),
    });
    exchange.collectedBody = Buffer.from(text);
    return check.evaluate(exchange);
  };
  expect(await whole(`${USER}\n${USER}`)).toBe(CONTINUE);
  expect(await whole(`${USER}\n${ADMIN}`)).toMatchObject({ reason: "body_schema_mismatch" });
  expect(await whole(`${USER}\n`.repeat(9000))).toBe(CONTINUE);
});

test("details stay here where the policy says so", async () => {
  const check = onlyCheck(compile({}, { errors: "hidden" }));
  const watch = check.watch?.(createExchange({ method: "POST", headers: [["content-type", LINES]] }));
  expect(await watch?.scan(Buffer.from(`${ADMIN}\n`))).toMatchObject({
    seen: "item 1: body /role enum",
    body: { errors: [] },
  });
});

test("each media type may have its own, beside others that are held", async () => {
  const content = {
    "application/json": { schema: "role.json" },
    "text/event-stream": { itemSchema: "event.json" },
    "application/*": { itemSchema: "role.json" },
  };
  const body = { itemSchema: undefined, content };
  expect((await judge(`${ADMIN}\n`, { body })).verdict).toMatchObject({ reason: "body_schema_mismatch" });
  expect((await judge("data: 1\n\n", { body, type: EVENTS })).verdict).toBe(CONTINUE);
  expect((await judge(`\u001e${USER}\n`, { body, type: "application/geo+json-seq" })).verdict).toBe(CONTINUE);
  expect((await judge(ADMIN, { body, type: "application/json" })).verdict).toMatchObject({ seen: "body /role enum" });
  expect((await judge("x", { body, type: "application/pdf" })).verdict).toMatchObject({
    reason: "content_type_unsupported",
  });
  const charset = { body, type: `${LINES}; charset=utf-16` };
  expect((await judge(`${USER}\n`, charset)).verdict).toMatchObject({ reason: "content_type_unsupported" });
});

test("without one, a type that has items is none that a schema can look into", () => {
  const { problems } = compileFilter(
    validateFilter,
    { contentType: [LINES], body: { schema: "role.json" } },
    { files },
  );
  expect(problems.map(({ text }) => text)).toEqual([
    "the schema cannot look into 'application/x-ndjson'; expected a JSON type, a form or text",
  ]);
});

test.each<[string, object]>([
  ["expected one of the two, 'itemSchema' or 'schema'", { body: { itemSchema: "role.json", schema: "role.json" } }],
  ["expected one of the two, 'itemSchema' or 'content'", { body: { itemSchema: "role.json", content: {} } }],
  [
    "expected one of the two, 'schema' or 'itemSchema'",
    { body: { content: { [LINES]: { schema: "role.json", itemSchema: "role.json" } } } },
  ],
  ["nothing is judged item by item; expected 'itemSchema'", { body: { schema: "role.json", items: { maxCount: 3 } } }],
  [
    "an item is held in memory; expected at most 1MiB",
    { body: { itemSchema: "role.json", items: { maxBytes: "2MiB" } } },
  ],
  [
    "'application/json' has no items; expected one of: application/x-ndjson, application/jsonl, application/json-seq, text/event-stream",
    { contentType: ["application/json"], body: { itemSchema: "role.json" } },
  ],
  [
    "a body is judged as 'xml' or by 'body.itemSchema'; take one of them out",
    { xml: {}, body: { itemSchema: "role.json" } },
  ],
])("%s", async (text, settings) => {
  await validateFilter.parts?.["xml"]?.();
  const { problems } = compileFilter(validateFilter, settings, { files });
  expect(problems.map((one) => one.text)).toContain(text);
});

test("a rule that looks at the body has none", () => {
  const { problems } = compileFilter(
    validateFilter,
    { body: { itemSchema: "role.json" } },
    { files, isBodyWanted: true },
  );
  expect(problems.map(({ text }) => text)).toEqual(["a rule looks at members of the body, which passes item by item"]);
});
