import { describe, expect, test } from "vitest";
import { Turns } from "../../src/support/turns.ts";
import { compiledOf, read, seenIn } from "./kit.ts";

const order = { type: "object", required: ["item"], properties: { item: { type: "string", maxLength: 3 } } };
const held = (more: object = {}): object => ({
  properties: { order: { type: "string", contentMediaType: "application/json", contentSchema: order, ...more } },
});
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("JSON in a text", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["that fits", '{"item":"a"}', []],
    ["that is no text", 7, ["/order type"]],
    ["that is no JSON", "{", ["/order contentMediaType"]],
    ["with a key twice", '{"item":"a","item":"b"}', ["/order contentMediaType"]],
    ["that lacks a member", "{}", ["/order required"]],
    ["with a member that does not fit", '{"item":"abcd"}', ["/order/item maxLength"]],
    ["with a member in another case", '{"item":"a","ITEM":"b"}', ["/order/ITEM memberCase"]],
    ["that is too long", `{"item":"a"}${" ".repeat(65_536)}`, ["/order contentMediaType"]],
  ])("%s", (_, text, faults) => {
    expect(seenIn(held(), { order: text })).toEqual(faults);
    const { recogniser } = compiledOf({ type: "object", ...held() });
    expect(recogniser?.takes(Buffer.from(JSON.stringify({ order: text })))).toBe(faults.length === 0);
  });

  test("in base64 and base64url", () => {
    const inBase64 = held({ contentEncoding: "base64" });
    expect(seenIn(inBase64, { order: base64('{"item":"a"}') })).toEqual([]);
    expect(seenIn(inBase64, { order: base64('{"item":"abcd"}') })).toEqual(["/order/item maxLength"]);
    expect(seenIn(inBase64, { order: '{"item":"a"}' })).toEqual(["/order contentMediaType"]);
    const inUrl = held({ contentEncoding: "base64url" });
    expect(seenIn(inUrl, { order: Buffer.from('{"item":"~?"}').toString("base64url") })).toEqual([]);
  });

  test("in a text in a text, as deep as it goes", () => {
    const nested = { type: "string", contentMediaType: "application/json", contentSchema: { $ref: "#" } };
    const schema = { anyOf: [nested, { type: "integer" }] };
    const text = (depth: number, core: unknown): unknown =>
      depth === 0 ? core : JSON.stringify(text(depth - 1, core));
    expect(seenIn(schema, JSON.stringify(text(8, 7)))).toEqual([]);
    expect(seenIn(schema, JSON.stringify(text(8, true)))).not.toEqual([]);
  });

  test("the same in turns, each a hair's breadth", async () => {
    const { validator } = compiledOf({ type: "array", items: held() });
    const texts = (last: string) =>
      read(Array.from({ length: 300 }, (_, at) => ({ order: at === 299 ? last : '{"item":"a"}' })));
    let now = 0;
    const turns = (): Turns => new Turns({ monotonicMs: () => ++now }, 1);
    expect(await validator.judgeInTurns(texts('{"item":"b"}'), turns())).toBeNull();
    expect(await validator.judgeInTurns(texts("{}"), turns())).toMatchObject([{ pointer: "/299/order" }]);
  });

  test("an example holds JSON that fits", () => {
    const schema = compiledOf({ type: "object", required: ["order"], ...held() });
    expect(schema.validator.judge(schema.example())).toBeNull();
    expect(schema.example()).toHaveProperty("order");
  });
});

test.each<[object, string, readonly string[]]>([
  [{ contentEncoding: "base64" }, "aGVsbG8=", []],
  [{ contentEncoding: "base64" }, "<script>", ["/a format"]],
  [{ contentEncoding: "base64", contentMediaType: "image/png" }, "a", ["/a format"]],
  [{ contentEncoding: "base64", format: "binary" }, "a", ["/a format"]],
  [{ contentEncoding: "base64url" }, "aGVsbG8", []],
  [{ contentEncoding: "base64url" }, "a/b=", ["/a format"]],
  [{ contentEncoding: "base64", format: "uuid" }, "aGVsbG8=", ["/a format"]],
  [{ contentEncoding: "quoted-printable" }, "=", []],
])("a text under %j: %s", (words, a, faults) => {
  const schema = { type: "object", properties: { a: { type: "string", ...words } } };
  expect(seenIn(schema, { a })).toEqual(faults);
  expect(compiledOf(schema).recogniser?.takes(Buffer.from(JSON.stringify({ a })))).toBe(faults.length === 0);
});

test("an encoding that is judged is not told as one that is not", () => {
  const told = (words: object) => [...compiledOf({ type: "string", ...words }).unenforced.keys()];
  expect(told({ contentEncoding: "base64" })).toEqual([]);
  expect(told({ contentEncoding: "base64", contentMediaType: "image/png" })).toEqual(["contentMediaType"]);
  expect(compiledOf({ type: "string", contentEncoding: "base64url" }).example()).toBe("YQ");
});

test("content of other types is told and not judged", () => {
  const { unenforced, validator } = compiledOf(held({ contentMediaType: "application/xml" }));
  expect([...unenforced.keys()]).toEqual(["contentMediaType", "contentSchema"]);
  expect(validator.judge({ order: "{" })).toBeNull();
  expect([...compiledOf(held({ contentEncoding: "quoted-printable" })).unenforced.keys()]).toContain("contentEncoding");
  expect(compiledOf(held()).unenforced.size).toBe(0);
});
