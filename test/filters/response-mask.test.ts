// Goal: a masked value leaves as what its route says, of any type and length and however it is written.
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import type { StreamRule } from "../../src/filters/response-check.ts";
import { Answer } from "../../src/message/answer.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { compileFilter, createExchange, createHeaders, createPrincipal } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();
await responseFilter.prepare?.();

const KEY = "a key of tests alone, and long";
const FILES = { "secrets/mask": KEY, "secrets/short": "short" };

function left(mask: object, body: string, type = "application/json", exchange: Exchange = createExchange()): string {
  const { responseChecks, problems } = compileFilter(responseFilter, { mask }, { files: FILES });
  expect(problems).toEqual([]);
  const outcomes = [1, 5, body.length].map((size) => {
    let bytes = Buffer.from(body);
    for (const check of responseChecks) {
      if (check.appliesTo?.(exchange) === false) continue;
      const answer = new Answer(200, createHeaders([["content-type", type]]), true);
      const rule = check.judgeBody?.(exchange, answer);
      if (rule?.kind !== "stream") throw new Error("no rule");
      const out: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) out.push(bytesOf(rule.take(bytes.subarray(at, at + size))));
      out.push(bytesOf(rule.end()));
      bytes = Buffer.concat(out);
    }
    return bytes.toString();
  });
  expect(new Set(outcomes).size).toBe(1);
  return outcomes[0] ?? "";
}

function bytesOf(taken: ReturnType<StreamRule["take"]>): Buffer {
  if (!(taken instanceof Buffer)) throw new Error(taken instanceof Denial ? taken.seen : "a mask takes no turns");
  return taken;
}

const hmac = (text: string): string => createHmac("sha256", KEY).update(text).digest("base64url").slice(0, 22);

test.each([
  ['{"card":{"number":"4111111111111111"}}', '{"card":{"number":"****1111"}}'],
  ['{"card":{"number":4111111111111111}}', '{"card":{"number":"****1111"}}'],
  ['{"card":{"number":"\\u0034111 1111 1111 \\u0031234"}}', '{"card":{"number":"****1234"}}'],
  ['{"card":{"number":"1234567"}}', '{"card":{"number":"****"}}'],
  ['{"card":{"number":""}}', '{"card":{"number":"****"}}'],
  ['{"card":{"number":"größe 😀😀😀😀"}}', '{"card":{"number":"****😀😀😀😀"}}'],
  ['{"card":{"number":null}}', '{"card":{"number":null}}'],
  ['{"card":{"number":true}}', '{"card":{"number":"****"}}'],
  ['{"card":{"number":["4111111111111111",{"x":5}]}}', '{"card":{"number":["****1111",{"x":"****"}]}}'],
  ['{"card":{"number":"1","number":"2"}, "a": 1}', '{"card":{"number":"****","number":"****"}, "a": 1}'],
  ['{"number":"4111111111111111"}', '{"number":"4111111111111111"}'],
])("last4 of %s", (body, rest) => {
  expect(left({ "$.card.number": "last4" }, body)).toBe(rest);
});

test("fixed is a text, whatever the value was", () => {
  expect(left({ "$..a": "fixed" }, '{"a":1,"b":{"a":"x"}}')).toBe('{"a":"***","b":{"a":"***"}}');
  expect(left({ "/a": { with: "fixed", text: 'hid"den' } }, '{"a":[1]}')).toBe('{"a":["hid\\"den"]}');
});

test("a hash is the same for the same value in any spelling, and another with another key", () => {
  const mask = { "$..id": { with: "hash", key: { file: "secrets/mask" } } };
  const body = '{"id":"a-1","x":[{"id":"\\u0061-1"},{"id":17}]}';
  expect(left(mask, body)).toBe(`{"id":"${hmac("a-1")}","x":[{"id":"${hmac("a-1")}"},{"id":"${hmac("17")}"}]}`);
});

test("of two masks for one value the one holds that shows less", () => {
  const mask = { "$..number": "last4", "$.card": "fixed" };
  expect(left(mask, '{"card":{"number":"4111111111111111"},"number":"4111111111111111"}')).toBe(
    '{"card":{"number":"***"},"number":"****1111"}',
  );
});

test("each is for those for whom it says it is", () => {
  const mask = {
    "$.a": { with: "fixed", unless: { scopes: ["all"] } },
    "$.b": { with: "fixed", when: { scopes: ["few"] } },
  };
  const as = (...scopes: string[]): Exchange =>
    createExchange({ principal: createPrincipal({ scopes: new Set(scopes) }) });
  const BODY = '{"a":1,"b":2}';
  expect(left(mask, BODY, undefined, as())).toBe('{"a":"***","b":2}');
  expect(left(mask, BODY, undefined, as("all", "few"))).toBe('{"a":1,"b":"***"}');
  expect(left(mask, BODY, undefined, as("all"))).toBe(BODY);
  expect(left(mask, BODY)).toBe('{"a":"***","b":"***"}');
});

test("streams are masked item by item", () => {
  expect(left({ "$.a": "fixed" }, '{"a":1}\n{"a":2}\n', "application/x-ndjson")).toBe('{"a":"***"}\n{"a":"***"}\n');
  expect(left({ "$.a": "fixed" }, 'id: 1\ndata: {"a":1}\n\ndata: {"b":1}\n\n', "text/event-stream")).toBe(
    'id: 1\ndata: {"a":"***"}\n\ndata: {"b":1}\n\n',
  );
});

test("one that only audits is told of how many values it would have masked", () => {
  const { responseChecks } = compileFilter(responseFilter, { mask: { "$.a": { with: "fixed", mode: "audit" } } });
  const answer = new Answer(200, createHeaders([["content-type", "text/event-stream"]]), true);
  const rule = responseChecks[0]?.judgeBody?.(createExchange(), answer);
  if (rule?.kind !== "stream") throw new Error("no rule");
  rule.take(Buffer.from('data: {"a":1}\n\ndata: {"a":[1,2]}\n\n'));
  expect(rule.noted?.()).toMatchObject({ seen: "3 values" });
});

test("settings that are wrong are told, each at its place", () => {
  const told = (mask: unknown): string[] =>
    compileFilter(responseFilter, { mask }, { files: FILES }).problems.map(({ path, text }) => `${path}: ${text}`);
  expect(told({ "$.a": { with: "hash" } })).toEqual([expect.stringMatching(/'hash' needs a key/)]);
  expect(told({ "$.a": { with: "hash", key: { file: "secrets/short" } } })).toEqual([
    expect.stringMatching(/fewer than 16/),
  ]);
  expect(told({ "$.a": { with: "last4", text: "x", key: { file: "secrets/mask" } } })).toEqual([
    expect.stringMatching(/'last4' has no key/),
    expect.stringMatching(/'last4' has no text/),
  ]);
  expect(told({ a: "last4" })).toEqual([expect.stringMatching(/expected a path/)]);
  expect(told({ "$.a": "last5" })).toEqual(
    expect.arrayContaining([expect.stringMatching(/expected last4, hash or fixed/)]),
  );
  expect(told({})).toEqual([expect.stringMatching(/at least one path/)]);
});
