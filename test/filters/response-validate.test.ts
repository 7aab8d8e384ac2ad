// Goal: an answer leaves only as its contract has it: its status, its headers, its type and its body, in whatever spelling.
import { describe, expect, test } from "vitest";
import { CONTINUE, Denial } from "../../src/decision/verdict.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import type { BodyRule, ResponseCheck } from "../../src/filters/response-check.ts";
import { Answer } from "../../src/message/answer.ts";
import { compileFilter, createExchange, createHeaders } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();

const JSON_TYPE = "application/json";
const ORDER = {
  type: "object",
  required: ["id", "password"],
  properties: {
    id: { type: "integer" },
    password: { type: "string", writeOnly: true },
    note: { type: "string", maxLength: 8 },
    items: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
  },
};
const FILES = {
  "order.json": JSON.stringify(ORDER),
  "closed.json": JSON.stringify({ ...ORDER, additionalProperties: false }),
  "text.json": JSON.stringify({ type: "string", maxLength: 4 }),
  "event.json": JSON.stringify({ type: "object", properties: { data: { type: "string", maxLength: 4 } } }),
};

interface Asked {
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly type?: string | null;
  readonly body?: string | Buffer;
  readonly method?: "GET" | "HEAD";
}

function checkOf(validate: object, more: object = {}): ResponseCheck {
  const { responseChecks, problems } = compileFilter(responseFilter, { validate, ...more }, { files: FILES });
  expect(problems).toEqual([]);
  const [check] = responseChecks;
  if (check === undefined) throw new Error("no check");
  return check;
}

function ran(rule: BodyRule, bytes: Buffer): Buffer | Denial {
  if (rule.kind === "whole") {
    return bytes.length <= rule.bytesMax ? atOnce(rule.judge(bytes)) : (rule.judgeTooLong() ?? bytes);
  }
  const out: Buffer[] = [];
  for (const byte of bytes) {
    const taken = atOnce(rule.take(Buffer.from([byte])));
    if (taken instanceof Denial) return taken;
    out.push(taken);
  }
  const last = atOnce(rule.end());
  return last instanceof Denial ? last : Buffer.concat([...out, last]);
}

function atOnce<T>(judged: T | Promise<T>): T {
  if (judged instanceof Promise) throw new Error("what is short takes no turns");
  return judged;
}

/** What leaves, or the denial. */
function left(validate: object, asked: Asked, more: object = {}): string {
  const { status = 200, headers = [], type = JSON_TYPE, body = "", method = "GET" } = asked;
  const check = checkOf(validate, more);
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const types: readonly (readonly [string, string])[] = type === null ? [] : [["content-type", type]];
  const length: readonly (readonly [string, string])[] = bytes.length === 0 ? [["content-length", "0"]] : [];
  const answer = new Answer(status, createHeaders([...types, ...length, ...headers]), method !== "HEAD");
  const exchange = createExchange();
  const head = check.judgeHead?.(exchange, answer) ?? CONTINUE;
  if (head !== CONTINUE) return `${head.reason}: ${head.seen}`;
  const rule = answer.hasBody ? (check.judgeBody?.(exchange, answer) ?? null) : null;
  const judged = rule === null ? bytes : ran(rule, bytes);
  return judged instanceof Denial ? `${judged.reason}: ${judged.seen}` : judged.toString();
}

const content = (schema: string, range = JSON_TYPE): object => ({ content: { [range]: { schema } } });
const ORDERS = content("order.json");

describe("statuses", () => {
  test.each([
    [{ status: [200, "4XX"] }, 200, ""],
    [{ status: [200, "4xx"] }, 404, ""],
    [{ status: [200, "4XX"] }, 201, "response_invalid: status 201"],
    [{ status: [200] }, 302, "response_invalid: status 302"],
    [{ status: [200] }, 599, "response_invalid: status 599"],
    [{ status: [200] }, 999, "response_invalid: status 999"],
    [{ status: [200] }, 304, ""],
    [{ status: [200] }, 103, ""],
    [{ status: [200], undeclaredStatus: "pass" }, 500, ""],
    [{ headers: {} }, 500, ""],
    [{ responses: { "200": {}, default: {} } }, 418, ""],
    [{ responses: { "200": {} } }, 418, "response_invalid: status 418"],
  ] as const)("%j and %d", (validate, status, wanted) => {
    expect(left(validate, { status })).toBe(wanted);
  });

  test("the nearest counts: the status, its range, default", () => {
    const named = (name: string): object => ({ headers: { [name]: { required: true } } });
    const responses = { "404": named("x-one"), "4xx": named("x-two"), default: named("x-three") };
    expect(left({ responses }, { status: 404 })).toBe("response_invalid: header x-one: missing");
    expect(left({ responses }, { status: 403 })).toBe("response_invalid: header x-two: missing");
    expect(left({ responses }, { status: 200 })).toBe("response_invalid: header x-three: missing");
  });
});

describe("headers", () => {
  const validate = { headers: { "X-Total": { type: "integer", required: true, maximum: 10 } } };
  test.each([
    [[["x-total", "7"]], ""],
    [[], "response_invalid: header x-total: missing"],
    [[["x-total", "seven"]], "response_invalid: header x-total: type, not integer"],
    [[["x-total", "11"]], "response_invalid: header x-total: / maximum"],
    [
      [
        ["x-total", "1"],
        ["x-total", "2"],
      ],
      "response_invalid: header x-total: sent twice",
    ],
  ] as const)("%j", (headers, wanted) => {
    expect(left(validate, { headers })).toBe(wanted);
  });

  test("HEAD is held to them, and has no body", () => {
    expect(left({ ...validate, ...ORDERS }, { method: "HEAD" })).toBe("response_invalid: header x-total: missing");
    expect(left(ORDERS, { method: "HEAD" })).toBe("");
    expect(left(ORDERS, { method: "HEAD", type: "text/html" })).toContain("content type text/html");
  });
});

describe("bodies", () => {
  test.each([
    [JSON_TYPE, '{"id":1}', null],
    ["application/json; charset=UTF-8", '{"id":1}', null],
    [JSON_TYPE, '{"id":"1"}', "response_invalid: body /id type"],
    [JSON_TYPE, '{"note":"no id"}', "response_invalid: body / required"],
    [JSON_TYPE, '{"id":1,"id":"x"}', "response_invalid: body: a key twice in one object"],
    [JSON_TYPE, '{"id":1,"\\u0069d":2}', "response_invalid: body: a key twice in one object"],
    [JSON_TYPE, "", "response_invalid: body: nothing"],
    [JSON_TYPE, "<html>", "response_invalid: body: not JSON"],
    ["text/html", '{"id":1,"password":"x"}', "response_invalid: 200 of content type text/html"],
    [null, '{"id":1}', "response_invalid: 200 without a content type"],
    ["application/json; charset=utf-16", "[]", "response_unreadable: charset of application/json; charset=utf-16"],
    ["application/json; charset=utf-8; charset=utf-16", "[]", /^response_invalid: 200 of content type/],
    ["application/json; charset=latin1", '{"id":1}', null],
    ["application/json; charset=latin1", '{"id":1,"note":"\u00e9"}', "response_unreadable: text in Latin-1"],
  ] as const)("%s %s", (type, body, wanted) => {
    const seen = left(ORDERS, { type, body });
    if (wanted instanceof RegExp) expect(seen).toMatch(wanted);
    else expect(seen).toBe(wanted ?? body);
  });

  test("two content types are none", () => {
    const headers = [["content-type", "text/html"]] as const;
    expect(left(ORDERS, { headers, body: '{"id":1}' })).toBe("response_invalid: 200 of two content types");
  });

  test("UTF-16 under the label of JSON is no JSON", () => {
    const body = Buffer.from('{"id":1,"password":"x"}', "utf16le");
    expect(left(ORDERS, { body })).toMatch(/^response_invalid: body: /);
  });

  test("one that is too long to be judged is refused, or passes where the policy says so", () => {
    const validate = { ...ORDERS, maxBytes: "8B" };
    expect(left(validate, { body: '{"id":123}' })).toBe("response_unreadable: more than 8 bytes");
    expect(left(validate, { body: '{"id":"1"}' }, { unreadable: "pass" })).toBe('{"id":"1"}');
  });

  test("text is held to a schema of text, and a range takes what it says", () => {
    expect(left(content("text.json", "text/plain"), { type: "text/plain", body: "abcd" })).toBe("abcd");
    expect(left(content("text.json", "text/plain"), { type: "text/plain", body: "abcde" })).toContain("maxLength");
    expect(left(content("order.json", "application/*"), { type: "application/hal+json", body: "1" })).toContain("type");
    expect(left(content("order.json", "*/*"), { type: "text/html", body: "1" })).toContain("no schema can look into");
    expect(left({ content: { "text/html": {} } }, { type: "text/html", body: "<p>" })).toBe("<p>");
  });

  test("what the log gets has the place in the schema and the pointer, and nothing of the value", () => {
    const check = checkOf(ORDERS);
    const answer = new Answer(200, createHeaders([["content-type", JSON_TYPE]]), true);
    const rule = check.judgeBody?.(createExchange(), answer);
    const judged = rule?.kind === "whole" ? rule.judge(Buffer.from('{"id":1,"note":"a very secret note"}')) : null;
    if (!(judged instanceof Denial)) throw new Error("not refused");
    expect(judged.place?.path).toBe("response.validate.content.application/json.schema");
    expect(judged.body.faults).toEqual([expect.stringMatching(/^\/note maxLength \(order\.json:1:\d+\)$/)]);
    expect(judged.body.errors).toEqual([]);
    expect(JSON.stringify(judged)).not.toContain("secret");
  });
});

describe("what only clients set", () => {
  test.each([
    [{}, '{"id":1,"password":"x"}', "response_invalid: body /password writeOnly"],
    [{}, '{"id":1,"pass\\u0077ord":"x"}', "response_invalid: body /password writeOnly"],
    [{}, '{"id":1,"Password":"x"}', /^response_invalid: body \/Password /],
    [{ writeOnly: "strip" }, '{"id":1,"password":"x"}', '{"id":1}'],
    [{ writeOnly: "strip" }, '{"pass\\u0077ord":{"a":[1]},"id":1}', '{"id":1}'],
    [{ writeOnly: "strip" }, '{"id":1,"Password":"x"}', /^response_invalid: body \/Password /],
    [{ writeOnly: "ignore" }, '{"id":1,"password":"x"}', '{"id":1,"password":"x"}'],
  ] as const)("%j %s", (more, body, wanted) => {
    const seen = left({ ...ORDERS, ...more }, { body });
    if (wanted instanceof RegExp) expect(seen).toMatch(wanted);
    else expect(seen).toBe(wanted);
  });
});

describe("what no schema declares", () => {
  const STRIP = { stripUndeclared: true };
  test.each([
    ["order.json", {}, '{"id":1,"debug":true}', '{"id":1,"debug":true}'],
    ["order.json", { undeclaredProperties: "refuse" }, '{"id":1,"debug":true}', /^response_invalid: body \/debug /],
    ["order.json", STRIP, '{"debug":true, "id":1}', '{"id":1}'],
    ["order.json", STRIP, '{"id":1,"items":[{"name":"a","cost":1},{"cost":2}]}', '{"id":1,"items":[{"name":"a"},{}]}'],
    ["order.json", STRIP, '{"id":1,"ID":2}', '{"id":1}'],
    ["closed.json", STRIP, '{"id":1,"debug":true}', '{"id":1}'],
    ["order.json", STRIP, '{"id":"1","debug":true}', "response_invalid: body /id type"],
    ["order.json", STRIP, '{"id":1,"password":"x","debug":1}', "response_invalid: body /password writeOnly"],
  ] as const)("%s %j %s", (schema, more, body, wanted) => {
    const seen = left({ ...content(schema), ...more }, { body });
    if (wanted instanceof RegExp) expect(seen).toMatch(wanted);
    else expect(seen).toBe(wanted);
  });

  test("how much came off is counted by kind, with names and no values", () => {
    const check = checkOf({ ...ORDERS, ...STRIP, writeOnly: "strip" });
    const answer = new Answer(200, createHeaders([["content-type", JSON_TYPE]]), true);
    const rule = check.judgeBody?.(createExchange(), answer);
    if (rule?.kind !== "whole") throw new Error("no rule");
    rule.judge(Buffer.from('{"id":1,"debug":true,"password":"x","ada@example.org":{"a":1},"a/b":2}'));
    const told = rule.counted?.map((one) => [one.action, one.count(), one.fields?.()]);
    expect(told).toEqual([
      ["undeclared", 3, ["debug", "*"]],
      ["writeOnly", 1, ["password"]],
    ]);
  });

  test("a rule that only audits says what would have gone", () => {
    const check = checkOf({ ...ORDERS, ...STRIP, mode: "audit" });
    const answer = new Answer(200, createHeaders([["content-type", JSON_TYPE]]), true);
    const rule = check.judgeBody?.(createExchange(), answer);
    if (rule?.kind !== "whole") throw new Error("no rule");
    rule.judge(Buffer.from('{"id":1,"debug":true}'));
    expect(rule.noted?.()?.body.faults).toEqual(["/debug undeclared"]);
  });
});

describe("items", () => {
  const items = (type: string, itemSchema = "order.json"): object => ({ content: { [type]: { itemSchema } } });
  test.each([
    ["application/x-ndjson", "order.json", '{"id":1}\n\n{"id":2}', null],
    ["application/x-ndjson", "order.json", '{"id":1}\n{"id":"2"}\n', "response_invalid: item 2: body /id type"],
    [
      "application/x-ndjson",
      "order.json",
      '{"id":1,"password":"x"}\n',
      "response_invalid: item 1: body /password writeOnly",
    ],
    ["application/json-seq", "order.json", '\x1e{"id":1}\n\x1e{"id":2}\n', null],
    ["application/json-seq", "order.json", '\x1e{"id":"1"}\n', "response_invalid: item 1: body /id type"],
    ["text/event-stream", "event.json", ": hi\n\ndata: abcd\n\n", null],
    ["text/event-stream", "event.json", "data: ab\ndata: cd\n\n", "response_invalid: item 1: body /data maxLength"],
    ["text/event-stream", "event.json", "data: a\rdata: b\n\n", /^response_unreadable: an item with /],
  ] as const)("%s %s %j", (type, schema, body, wanted) => {
    const seen = left(items(type, schema), { type, body });
    if (wanted instanceof RegExp) expect(seen).toMatch(wanted);
    else expect(seen).toBe(wanted ?? body);
  });

  test("one that cannot be looked into passes with the rest where the policy says so", () => {
    const body = "data: a\rdata: b\n\ndata: abcdefgh\n\n";
    expect(
      left(items("text/event-stream", "event.json"), { type: "text/event-stream", body }, { unreadable: "pass" }),
    ).toBe(body);
    const long = `{"id":1}\n{"note":"${"x".repeat(300_000)}"}\n{"id":"1"}\n`;
    const more = { unreadable: "pass" };
    expect(left(items("application/x-ndjson"), { type: "application/x-ndjson", body: long }, more)).toBe(long);
  });
});

test("a contract that is none is told", () => {
  const problemsOf = (validate: object): readonly string[] =>
    compileFilter(responseFilter, { validate }, { files: FILES }).problems.map(({ path, text }) => `${path} ${text}`);
  expect(problemsOf({ mode: "audit" })).toEqual([expect.stringContaining("nothing is declared")]);
  expect(problemsOf({ status: [600] })).toEqual([expect.stringContaining("expected a status, as in 200")]);
  expect(problemsOf({ status: [200], responses: { 200: {} } })).toEqual([expect.stringContaining("one of the two")]);
  expect(problemsOf({ statuses: [200] })).toEqual([expect.stringContaining("did you mean 'status'?")]);
  expect(problemsOf({ content: { json: {} } })).toEqual([expect.stringContaining("is no media type")]);
  const inline = { content: { [JSON_TYPE]: { schema: { type: "object" } } } };
  expect(problemsOf(inline)).toEqual([expect.stringContaining("expected a file with the JSON Schema")]);
  expect(problemsOf(content("order.json", "text/html"))).toEqual([expect.stringContaining("cannot look into")]);
  expect(problemsOf(content("none.json"))).toEqual([expect.stringContaining("cannot read none.json")]);
  expect(problemsOf({ content: { [JSON_TYPE]: { itemSchema: "order.json" } } })).toEqual([
    expect.stringContaining("has no items"),
  ]);
  expect(problemsOf({ ...ORDERS, stripUndeclared: true, undeclaredProperties: "refuse" })).toEqual([
    expect.stringContaining("one of the two"),
  ]);
});
