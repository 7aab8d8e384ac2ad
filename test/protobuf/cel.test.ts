import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test, vi } from "vitest";
import { judgeBinary } from "../../src/protobuf/message-judge.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";
import { apiOf, type FileText } from "../fixtures/descriptors.ts";
import { judge, subject } from "./rules-kit.ts";

const MESSAGES = {
  Subject: {
    name: ["string", 1],
    count: ["int32", 2],
    most: ["int64", 3],
    start: ["google.protobuf.Timestamp", 4],
    end: ["google.protobuf.Timestamp", 5],
    every: ["google.protobuf.Duration", 6],
    items: ["repeated Item", 7],
    labels: ["map string string", 8],
    color: ["Color", 9],
    price: ["double", 10],
    maybe: ["optional int32", 11],
    parent: ["Subject", 12],
    wrapped: ["google.protobuf.Int32Value", 13],
    numbers: ["repeated int32", 14],
    card: ["oneof way string", 15],
    iban: ["oneof way string", 16],
    size: ["uint32", 17],
    isOn: ["bool", 18],
  },
  Item: { id: ["string", 1], quantity: ["int32", 2], price: ["double", 3] },
} as const;
const enums = { Color: { COLOR_NONE: 0, COLOR_RED: 1, COLOR_BLUE: 5 } };

const whole = (expression: string, message = ""): FileText => {
  const options: Record<string, JsonObject> = {
    Subject: { "[buf.validate.message]": { cel: [{ id: "whole", message, expression }] } },
  };
  return { messages: MESSAGES, enums, options };
};

describe("conditions of a message mean what protovalidate's own implementation makes of them", () => {
  test.each<[string, readonly JsonObject[]]>([
    [
      "this.start < this.end",
      [
        { start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z" },
        { start: "2026-01-02T00:00:00Z", end: "2026-01-01T00:00:00Z" },
        {},
      ],
    ],
    [
      "this.end - this.start <= duration('36h')",
      [
        { start: "2026-01-01T00:00:00Z", end: "2026-01-02T00:00:00Z" },
        { start: "2026-01-01T00:00:00Z", end: "2026-01-03T00:00:00Z" },
      ],
    ],
    ["this.start < this.end", [{ start: "2026-01-01T00:00:00.000001Z", end: "2026-01-01T00:00:00.000002Z" }]],
    [
      "this.start < this.end",
      [
        { start: "2026-01-01T00:00:00.000000001Z", end: "2026-01-01T00:00:00.000000002Z" },
        { start: "2026-01-01T00:00:00.000000002Z", end: "2026-01-01T00:00:00.000000001Z" },
        { start: "1969-12-31T23:59:59.999999999Z", end: "1970-01-01T00:00:00Z" },
        { start: "9999-12-31T23:59:59.999999998Z", end: "9999-12-31T23:59:59.999999999Z" },
      ],
    ],
    [
      "this.end - this.start <= duration('1s')",
      [
        { start: "2026-01-01T00:00:00.000000001Z", end: "2026-01-01T00:00:01.000000001Z" },
        { start: "2026-01-01T00:00:00.000000001Z", end: "2026-01-01T00:00:01.000000002Z" },
      ],
    ],
    [
      "this.end - duration('1ns') == this.start && this.start == timestamp('2026-01-01T00:00:00.123456789Z')",
      [
        { start: "2026-01-01T00:00:00.123456789Z", end: "2026-01-01T00:00:00.123456790Z" },
        { start: "2026-01-01T00:00:00.123456789Z", end: "2026-01-01T00:00:00.123456791Z" },
        { start: "2026-01-01T00:00:00.123456788Z", end: "2026-01-01T00:00:00.123456789Z" },
      ],
    ],
    [
      "this.every <= duration('1.000000001s') && this.every > duration('-1m0.5s')",
      [{ every: "1.000000001s" }, { every: "1.000000002s" }, { every: "-60.5s" }, { every: "-60.499999999s" }],
    ],
    ["this.numbers.unique()", [{ numbers: [1, 2] }, { numbers: [2, 2] }, {}]],
    ["this.every > duration('1s')", [{ every: "1.5s" }, { every: "0.5s" }, {}]],
    ["!has(this.maybe) || this.maybe > 3", [{}, { maybe: 0 }, { maybe: 4 }]],
    ["has(this.count) ? this.count > 3 : this.name == ''", [{}, { count: 2 }, { count: 4 }, { name: "a" }]],
    ["this.count / 2 == 2 && this.count % 2 == 1", [{ count: 5 }, { count: 4 }]],
    ["this.most > 9007199254740992", [{ most: "9007199254740993" }, { most: "9007199254740992" }]],
    [
      "this.items.all(i, i.quantity > 0 && i.id.startsWith('a'))",
      [{}, { items: [{ id: "ab", quantity: 1 }] }, { items: [{ id: "b", quantity: 1 }] }, { items: [{ id: "a" }] }],
    ],
    [
      "this.items.map(i, i.id).unique()",
      [{ items: [{ id: "a" }, { id: "b" }] }, { items: [{ id: "a" }, { id: "a" }] }],
    ],
    ["this.items.exists(i, i.price > 10.0)", [{ items: [{ price: 10.5 }] }, { items: [{ price: 1 }] }]],
    ["size(this.items) <= 1 && this.labels.size() < 2", [{}, { items: [{}, {}] }, { labels: { a: "b", c: "d" } }]],
    ["this.labels.all(k, k.matches('^[a-z]+$'))", [{ labels: { a: "1" } }, { labels: { A: "1" } }]],
    ["'a' in this.labels && this.labels['a'] == 'b'", [{ labels: { a: "b" } }, { labels: { a: "c" } }, {}]],
    ["'a' in this.labels && has(this.labels.A)", [{ labels: { a: "b", A: "c" } }, { labels: { a: "b" } }]],
    [
      String.raw`this.name.matches('^.$') && !this.name.matches('\\s')`,
      [{ name: "\u00a0" }, { name: "\r" }, { name: "\u2028" }, { name: " " }, { name: "\n" }],
    ],
    ["this.color == 1 || this.color in [5]", [{ color: "COLOR_RED" }, { color: "COLOR_BLUE" }, {}]],
    ["this.price.isNan() || this.price < 3.5", [{ price: 1.5 }, { price: "NaN" }, { price: 4 }]],
    [
      "this.name.isEmail() || this.name.isIp(4) || this.name.isHostname()",
      [{ name: "a@b.example" }, { name: "10.0.0.1" }, { name: "a b" }, { name: "::1" }],
    ],
    ["has(this.parent) && this.parent.name == 'a'", [{}, { parent: {} }, { parent: { name: "a" } }]],
    ["this.parent.parent.name == ''", [{}, { parent: { parent: { name: "a" } } }]],
    ["has(this.wrapped) ? this.wrapped > 3 : true", [{}, { wrapped: 3 }, { wrapped: 4 }]],
    ["this.wrapped == null", [{}, { wrapped: 0 }]],
    ["has(this.card) != has(this.iban) && this.card != 'x'", [{}, { card: "a" }, { iban: "b" }, { card: "x" }]],
    [
      "this.numbers.filter(n, n > 2).size() == 1 && this.numbers.exists_one(n, n == 3)",
      [{ numbers: [1, 3] }, { numbers: [3, 3] }],
    ],
    ["this.size > 3 && this.isOn", [{ size: 4, isOn: true }, { size: 3, isOn: true }, { size: 4 }]],
    ["this.name == '' ? '' : 'expected no name'", [{}, { name: "a" }]],
    [
      String.raw`this.name.matches('^\\d+$') || this.name.matches(r'^[\w-]+$')`,
      [{ name: "12" }, { name: "a-b" }, { name: "a b" }],
    ],
  ])("%s", (expression, messages) => {
    for (const message of messages) {
      const { ours, theirs } = judge(whole(expression), message);
      expect(ours, JSON.stringify(message)).toEqual(theirs);
    }
  });
});

describe("conditions of fields, items, keys and values", () => {
  const cel = (expression: string) => ({ cel: [{ id: "own", expression }] });
  test.each<[readonly [string, number, JsonObject], readonly JsonValue[]]>([
    [
      ["string", 1, cel("this.size() > 2 && this != 'abc'")],
      ["abcd", "abc", "a", ""],
    ],
    [
      ["optional string", 1, cel("this.size() > 2")],
      ["", "abc"],
    ],
    [
      ["int64", 1, cel("this % 2 == 0")],
      ["9007199254740992", "9007199254740993"],
    ],
    [
      ["google.protobuf.Int32Value", 1, cel("this > 3")],
      [3, 4],
    ],
    [
      ["google.protobuf.Timestamp", 1, cel("this < now")],
      ["2001-01-01T00:00:00Z", "9001-01-01T00:00:00Z"],
    ],
    [
      ["repeated int32", 1, cel("this.all(n, n > 0)")],
      [[1, 2], [0], []],
    ],
    [
      ["repeated string", 1, { repeated: { items: cel("this.startsWith('a')") } }],
      [["ab"], ["a", "b"]],
    ],
    [
      ["map string int32", 1, { map: { keys: cel("this != 'x'"), values: cel("this > 0") } }],
      [{ a: 1 }, { x: 1 }, { a: 0 }],
    ],
    [
      ["Color", 1, cel("this > 1")],
      ["COLOR_BLUE", "COLOR_RED"],
    ],
    [
      ["bool", 1, cel("this")],
      [true, false],
    ],
    [
      ["string", 1, { celExpression: ["this == 'a'"] }],
      ["a", "b"],
    ],
    [
      ["string", 1, { ...cel("this == 'a'"), ignore: "IGNORE_IF_ZERO_VALUE" }],
      ["", "b"],
    ],
  ])("%j", (field, values) => {
    for (const value of values) {
      const { ours, theirs } = judge(subject(field, { enums }), { field: value });
      expect(ours, JSON.stringify(value)).toEqual(theirs);
    }
  });
});

describe("what 'unique' compares", () => {
  const subjectOf = (expression: string): FileText => ({
    messages: {
      Subject: { items: ["repeated Item", 1], times: ["repeated google.protobuf.Timestamp", 2] },
      Item: { id: ["string", 1] },
    },
    options: { Subject: { "[buf.validate.message]": { cel: [{ id: "own", expression }] } } },
  });

  test("moments by what they say", () => {
    const own = subjectOf("this.times.unique()");
    const times = (...list: string[]) => judge(own, { times: list.map((time) => `2026-01-01T00:00:00${time}Z`) }).ours;
    expect(times("", ".000000001")).toEqual([]);
    expect(times(".5", ".500")).toEqual(["own"]);
  });

  test("messages it does not, which is told, or is no answer", () => {
    const looseIn = (expression: string) => found(subjectOf(expression), Buffer.alloc(0)).loose.join();
    expect(looseIn("this.items.unique()")).toContain("CEL: 'unique' of messages");
    expect(looseIn("this.items.map(i, i.id).unique()")).toBe("");
    const filtered = subjectOf("this.items.filter(i, i.id != '').unique()");
    expect(judge(filtered, { items: [{ id: "a" }, { id: "b" }] }).ours).toEqual(["own"]);
  });
});

function found(text: FileText, bytes: Buffer) {
  const api = apiOf({ ...text, services: { Service: { Call: "Subject Subject" } } });
  const type = api.services.get("test.v1.Service")?.methods[0]?.input;
  if (type === undefined) throw new Error("no method");
  return {
    faults: atOnce(judgeBinary(bytes, { type, book: api.book, unknownFields: "refuse" })).faults,
    loose: api.unenforced,
  };
}

test("a fault has the rule's own words and none of the value", () => {
  const name = Buffer.from("\x0a\x07hunter2", "latin1");
  const told = (expression: string, message = "") => found(whole(expression, message), name).faults.list[0]?.detail;
  expect(told("this.name == ''", "expected no name")).toBe("expected no name");
  expect(told("this.name == '' ? '' : 'expected nothing'")).toBe("expected nothing");
  expect(told("this.name == '' ? '' : 'not ' + this.name")).toBe("expected what the rule asks for");
  expect(told("this.items[3].quantity > 0", "an item")).toBe("an item (a list has no item of that number)");
});

test.each([
  ["bytes are not understood", "this.name == b'a'"],
  ["unsigned numbers are not understood", "this.size > 3u"],
  ["arithmetic with unsigned numbers", "this.size - this.size > 0"],
  ["a test.v1.Subject has no field 'other'", "this.other > 3"],
  ["'rules' means nothing here", "rules.x == 3"],
  ["a pattern that only RE2 has", String.raw`this.name.matches('[^\\S]')`],
  ["there is no method 'format'", "'%s'.format([this.name]) == ''"],
])("told: %s", (text, expression) => {
  expect(found(whole(expression), Buffer.alloc(0)).loose.join()).toContain(text);
});

test("values that would be taken for something else are told", () => {
  const loose = (type: string, expression: string): string =>
    found(
      {
        messages: { Subject: { field: [type, 1] }, Item: { data: ["bytes", 1] } },
        options: { Subject: { "[buf.validate.message]": { cel: [{ id: "x", expression }] } } },
      },
      Buffer.alloc(0),
    ).loose.join();
  expect(loose("bytes", "this.field.size() > 3")).toContain("CEL: bytes");
  expect(loose("repeated Item", "this.field.all(i, i.data.size() > 3)")).toContain("CEL: bytes");
  expect(loose("map int32 string", "this.field[1] == ''")).toContain("CEL: maps whose keys are no texts");
  expect(loose("google.protobuf.Struct", "this.field.x == ''")).toContain("CEL: a google.protobuf.Struct");
});

test("messages that hold each other are not compared, and no message takes more than its steps", () => {
  expect(found(whole("this.parent == this.parent.parent"), Buffer.from([0x62, 0])).faults.list[0]?.detail).toContain(
    "messages and maps are not compared",
  );
  const items = Buffer.concat(Array.from({ length: 900 }, () => Buffer.from([0x3a, 2, 0x10, 1])));
  const quadratic = "this.items.all(a, !this.items.exists(b, b.quantity > a.quantity))";
  expect(found(whole(quadratic), items).faults.list[0]?.detail).toContain(
    `takes more than ${DEFAULTS.expressionStepsMax} steps`,
  );
  const each = found(whole("this.items.all(a, a.quantity > 0)"), items).faults.list;
  expect(each).toEqual([]);
});

test.each(["this.start.getFullYear() > 2000", "this.start.getHours('Europe/Berlin') > 1", "string(this.start) != ''"])(
  "a moment beyond the calendar is a fault: %s",
  (expression) => {
    // `seconds` is 2^62.
    const start = Buffer.from([0x22, 10, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    expect(found(whole(expression), start).faults.list[0]?.detail).toContain("not in the years 1 to 9999");
  },
);

test("a sum beyond the calendar is a fault", () => {
  const start = Buffer.from([0x22, 2, 0x08, 1]);
  const sum = "(this.start + duration('999999999h')).getFullYear() > 2000";
  expect(found(whole(sum), start).faults.list[0]?.detail).toContain("not in the years 1 to 9999");
});

test("many messages in few bytes have members only where a condition reads them", () => {
  const defined = vi.spyOn(Object, "defineProperty");
  const items = Buffer.concat(Array.from({ length: 900 }, () => Buffer.from([0x3a, 0])));
  expect(found(whole("this.items.all(i, i.quantity == 0) && this.items.size() > 1"), items).faults.list).toEqual([]);
  // One for each quantity that is read.
  expect(defined.mock.calls.filter(([, name]) => name === "quantity").length).toBeLessThan(910);
  expect(defined.mock.calls.filter(([, name]) => name === "price").length).toBeLessThan(10);
  defined.mockRestore();
});

test("names that objects of the language have are no members of messages and maps", () => {
  const empty = Buffer.alloc(0);
  expect(found(whole("!('constructor' in this.labels) && !has(this.labels.toString)"), empty).faults.list).toEqual([]);
  const proto = Buffer.from([0x42, 14, 0x0a, 9, ...Buffer.from("__proto__"), 0x12, 1, 0x61]);
  expect(found(whole("this.labels['__proto__'] == 'a' && this.labels.size() == 1"), proto).faults.list).toEqual([]);
});
