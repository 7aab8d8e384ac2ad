import { expect, test } from "vitest";
import { parseJsonObject } from "../../src/support/json.ts";

const parse = (text: string) => parseJsonObject(Buffer.from(text), 8);

test("An object is frozen through and through and inherits nothing", () => {
  const result = parse('{"a":[{"b":1}],"constructor":2,"s":"x\\": \\\\"}');
  if (!result.ok) throw new Error(result.error);
  const { a, s } = result.value;
  expect(result.value).toMatchObject({ a: [{ b: 1 }], constructor: 2, s: 'x": \\' });
  expect(Object.getPrototypeOf(result.value)).toBeNull();
  expect(Object.isFrozen(result.value) && Object.isFrozen(a)).toBe(true);
  expect(s).toBe('x": \\');
  expect("toString" in result.value).toBe(false);
});

test.each([
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '{"x":{"a":1,"a":2}}',
  '{"x":[{"a":1 , "a" :2}]}',
  '{"a":":","a":"\\"b\\":"}',
])("A member's name twice is refused: %s", (text) => {
  expect(parse(text)).toEqual({ ok: false, error: "a member's name twice in one object" });
});

test("Text that looks like members inside strings is not counted as members", () => {
  expect(parse('{"a":"{\\"a\\":1,\\"a\\":2}","b":["c","d:"]}').ok).toBe(true);
});

test("A member named __proto__ is refused at any depth, however it is written", () => {
  for (const text of ['{"__proto__":{}}', '{"a":[{"\\u005f_proto__":1}]}']) {
    expect(parse(text)).toEqual({ ok: false, error: "a member named __proto__" });
  }
});

test("What is not an object, not JSON, not UTF-8, or too deep is refused", () => {
  for (const text of ["[]", "null", '"a"', "1", "{", "", "\ufeff{}", `{"a":${"[".repeat(8)}${"]".repeat(8)}}`]) {
    expect(parse(text).ok, text).toBe(false);
  }
  expect(parseJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 8).ok).toBe(false);
});
