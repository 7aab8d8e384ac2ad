import { fromJson, fromJsonString, type JsonValue, toBinary, toJsonString } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../src/bodies/json.ts";
import { decodeMessage } from "../../src/protobuf/decode.ts";
import { messageOfJson } from "../../src/protobuf/json/read.ts";
import { judgeJson } from "../../src/protobuf/message-judge.ts";
import type { MessageValue } from "../../src/protobuf/types.ts";
import { atOnce } from "../../src/support/turns.ts";
import { apiOf, type FileText, fileRegistry, messageIn } from "../fixtures/descriptors.ts";

const TEXT: FileText = {
  messages: {
    Subject: {
      an_int: ["int32", 1],
      wide: ["uint64", 2],
      signed: ["sint64", 3],
      real: ["double", 4],
      single: ["float", 5],
      flag: ["bool", 6],
      text: ["string", 7],
      data: ["bytes", 8],
      color: ["Color", 9],
      list: ["repeated int32", 10],
      inner: ["Subject", 11],
      map: ["map int32 string", 12],
      flags: ["map bool int32", 13],
      at: ["google.protobuf.Timestamp", 14],
      wait: ["google.protobuf.Duration", 15],
      mask: ["google.protobuf.FieldMask", 16],
      boxed: ["google.protobuf.Int64Value", 17],
      label: ["google.protobuf.StringValue", 18],
      a: ["oneof choice string", 19],
      b: ["oneof choice int32", 20],
      maybe: ["optional int32", 21],
      inners: ["repeated Subject", 22],
      small: ["fixed32", 23],
    },
  },
  enums: { Color: { COLOR_NONE: 0, COLOR_RED: 1 } },
  services: { Service: { Call: "Subject Subject" } },
};
const files = fileRegistry(TEXT);
const schema = messageIn(files, "test.v1.Subject");
const api = apiOf(TEXT);
const type = api.services.get("test.v1.Service")?.methods[0]?.input;
if (type === undefined) throw new Error("no method");

function ours(text: string): MessageValue | null {
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok && type !== undefined ? atOnce(messageOfJson(parsed.value, type)).value : null;
}

/** As the binary format has it once another reader has read the JSON. Zero and nothing are one where there is no presence. */
function theirs(text: string): MessageValue | null {
  if (type === undefined) return null;
  return atOnce(decodeMessage(Buffer.from(toBinary(schema, fromJsonString(schema, text, { registry: files }))), type))
    .value;
}

/** A message as a plain value, in the order of field numbers, without what is zero and has no presence. */
function plain(message: MessageValue | null): unknown {
  if (message === null) return null;
  return [...message.fields]
    .filter(([number, value]) => {
      const field = message.type.byNumber.get(number);
      const isZero = value === 0 || value === 0n || value === "" || value === false;
      const isEmpty =
        (Array.isArray(value) || value instanceof Map || Buffer.isBuffer(value)) &&
        (value instanceof Map ? value.size : value.length) === 0;
      return field?.hasPresence === true || !(isZero || isEmpty);
    })
    .sort(([a], [b]) => a - b)
    .map(([number, value]) => [number, plainValue(value)]);
}

function plainValue(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Map) return [...value].map(([key, one]) => [String(key), plainValue(one)]).sort();
  if (typeof value === "object" && value !== null && "fields" in value) return plain(value as MessageValue);
  return typeof value === "bigint" ? `${value}n` : value;
}

describe("what JSON says is what another reader makes of it", () => {
  test.each<[JsonValue]>([
    [{ anInt: 1, wide: "18446744073709551615", signed: "-9223372036854775808" }],
    [{ an_int: -2147483648, wide: 7, signed: 3.0 }],
    [{ anInt: "12", list: [1, "2", 3e2] }],
    [{ real: 1.5, single: 0.1 }],
    [{ real: "Infinity", single: "-Infinity" }],
    [{ real: "1.25", single: 1e10 }],
    [{ flag: true, text: "naïve 😀", data: "+/8=" }],
    [{ data: "-_8" }],
    [{ data: "" }],
    [{ color: "COLOR_RED" }],
    [{ color: 1, inner: { color: 7 } }],
    [{ map: { "1": "a", "-2": "b" }, flags: { true: 1, false: 2 } }],
    [{ at: "2026-01-02T03:04:05.678Z", wait: "1.5s" }],
    [{ at: "1969-12-31T23:59:59.5Z", wait: "-0.25s" }],
    [{ at: "2026-01-02T03:04:05+02:00", wait: "315576000000s" }],
    [{ mask: "fooBar,baz.quxQuux" }],
    [{ boxed: "5", label: "x" }],
    [{ boxed: 0, label: "" }],
    [{ a: "x" }],
    [{ b: 0, a: null }],
    [{ maybe: 0 }],
    [{ maybe: null, inner: null, list: null, map: null }],
    [{ inners: [{}, { inner: { inners: [{ anInt: 4 }] } }] }],
    [{ small: 4294967295 }],
  ])("%j", (json) => {
    const text = JSON.stringify(json);
    expect(plain(ours(text))).toEqual(plain(theirs(text)));
    const again = toJsonString(schema, fromJson(schema, json, { registry: files }), { registry: files });
    expect(plain(ours(again))).toEqual(plain(theirs(text)));
  });
});

describe("what is no message of the type is refused", () => {
  test.each([
    "[]",
    "1",
    "null",
    '{"anInt":2147483648}',
    '{"anInt":1.5}',
    '{"anInt":"1 "}',
    '{"anInt":"0x1"}',
    '{"anInt":true}',
    '{"anInt":1e400}',
    '{"wide":-1}',
    '{"wide":"18446744073709551616"}',
    '{"small":4294967296}',
    '{"real":"1.5x"}',
    '{"single":1e39}',
    '{"flag":"true"}',
    '{"flag":1}',
    '{"text":1}',
    '{"data":"a"}',
    '{"data":"a b"}',
    '{"color":{}}',
    '{"color":1.5}',
    '{"list":{}}',
    '{"list":[null]}',
    '{"list":[[1]]}',
    '{"inner":[]}',
    '{"inners":[null]}',
    '{"map":{"x":"a"}}',
    '{"map":{"1":null}}',
    '{"map":{"1":"a","1.0":"b"}}',
    '{"flags":{"1":1}}',
    '{"at":"2026-01-02"}',
    '{"at":"2026-02-30T00:00:00Z"}',
    '{"at":"0000-01-01T00:00:00Z"}',
    '{"wait":"1"}',
    '{"wait":"315576000001s"}',
    '{"mask":"a,,b"}',
    '{"boxed":{}}',
    '{"an_int":1,"anInt":1}',
    '{"a":"x","b":1}',
    '{"a":"x","a":"y"}',
    "{",
    "",
  ])("%s", (text) => {
    expect(atOnce(judgeJson(Buffer.from(text), { type, book: null, unknownFields: "pass" })).isMalformed).toBe(true);
  });
});

describe("members that nobody declared", () => {
  const text =
    ' { "nothing" : 1, "text":"a", "inner": {"other":{"text":"x"}, "anInt" : 9007199254740993e-15 },"map":{"1":"z"} , "last":[1,2]}';
  const proper = text.replace("9007199254740993e-15", "7");

  test("are refused, by their place and not by their name", () => {
    const { faults } = atOnce(judgeJson(Buffer.from(proper), { type, book: null, unknownFields: "refuse" }));
    expect(faults.list.map(({ pointer, keyword }) => `${pointer} ${keyword}`)).toEqual([
      " unknown",
      "/inner unknown",
      " unknown",
    ]);
    expect(JSON.stringify(faults.list)).not.toContain("nothing");
  });

  test("come off, and every other byte stays", () => {
    const { stripped, faults } = atOnce(judgeJson(Buffer.from(proper), { type, book: null, unknownFields: "strip" }));
    expect(faults.list).toEqual([]);
    expect(JSON.parse(String(stripped))).toEqual({ text: "a", inner: { anInt: 7 }, map: { "1": "z" } });
  });

  test("pass", () => {
    expect(atOnce(judgeJson(Buffer.from(proper), { type, book: null, unknownFields: "pass" }))).toMatchObject({
      stripped: null,
      faults: { list: [] },
    });
  });

  test("names of an enum that it does not have are never cut out", () => {
    for (const unknownFields of ["refuse", "strip"] as const) {
      const { faults } = atOnce(judgeJson(Buffer.from('{"color":"COLOR_BLUE"}'), { type, book: null, unknownFields }));
      expect(faults.list[0]).toMatchObject({ pointer: "/color", keyword: "unknown" });
    }
  });
});
