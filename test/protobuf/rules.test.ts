import { create, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { afterAll, describe, expect, test } from "vitest";
import { judgeBinary } from "../../src/protobuf/message-judge.ts";
import { atOnce } from "../../src/support/turns.ts";
import { apiOf, type FieldText, type FileText, fileRegistry, messageIn } from "../fixtures/descriptors.ts";
import { judge, subject } from "./rules-kit.ts";

const enums = { Color: { COLOR_NONE: 0, COLOR_RED: 1, COLOR_BLUE: 5 } };

describe("rules of protovalidate mean what its own implementation makes of them", () => {
  const cases: readonly [FieldText, readonly JsonValue[]][] = [
    [
      ["int32", 1, { int32: { gt: 3, lte: 10 } }],
      [3, 4, 10, 11, -1],
    ],
    [
      ["int32", 1, { int32: { gt: 10, lt: 3 } }],
      [2, 3, 5, 10, 11],
    ],
    [
      ["sint32", 1, { sint32: { gte: -5, lt: 5 } }],
      [-6, -5, 0, 4, 5],
    ],
    [
      ["int64", 1, { int64: { in: ["9007199254740993", "-1"] } }],
      ["9007199254740993", "9007199254740992", "-1"],
    ],
    [
      ["uint64", 1, { uint64: { notIn: ["18446744073709551615"] } }],
      ["18446744073709551615", "1"],
    ],
    [
      ["fixed32", 1, { fixed32: { const: 7 } }],
      [7, 8],
    ],
    [
      ["sfixed64", 1, { sfixed64: { lt: "-3" } }],
      ["-4", "-3", "3"],
    ],
    [
      ["double", 1, { double: { gte: 0.5, lt: 1.5 } }],
      [0.25, 0.5, 1.4, 1.5, "NaN", "Infinity"],
    ],
    [
      ["float", 1, { float: { finite: true } }],
      [1.5, "NaN", "-Infinity"],
    ],
    [
      ["bool", 1, { bool: { const: true } }],
      [true, false],
    ],
    [
      ["string", 1, { string: { minLen: 2, maxLen: 3 } }],
      ["", "a", "ab", "abc", "abcd", "😀😀😀", "😀"],
    ],
    [
      ["string", 1, { string: { len: 2 } }],
      ["ab", "😀😀", "a"],
    ],
    [
      ["string", 1, { string: { minBytes: 4, maxBytes: 8 } }],
      ["abc", "abcd", "😀", "😀😀", "😀😀a"],
    ],
    [
      ["string", 1, { string: { pattern: "^[a-z]+\\.x$" } }],
      ["a.x", "abx", "A.x", "a.x\n"],
    ],
    [
      ["string", 1, { string: { pattern: "a.b\\sc" } }],
      ["a-b c", "a\nb c", "a-b\u00a0c", "a\u2028b\tc", "a-b\vc"],
    ],
    [
      ["string", 1, { string: { prefix: "ab", suffix: "yz", contains: "m", notContains: "q" } }],
      ["abmyz", "abyz", "abmqyz", "m"],
    ],
    [
      ["string", 1, { string: { in: ["a", "b"] } }],
      ["a", "c", ""],
    ],
    [
      ["string", 1, { string: { notIn: ["a", "b"] } }],
      ["a", "c", ""],
    ],
    [
      ["string", 1, { string: { email: true } }],
      ["a@b.example", "a@b", "a@@b", "A <a@b>", "", "a@-b", "a b@c"],
    ],
    [
      ["string", 1, { string: { hostname: true } }],
      ["a.example", "a.example.", "a_b", "1.2.3.4", "-a.b", "", "a..b"],
    ],
    [
      ["string", 1, { string: { ip: true } }],
      ["1.2.3.4", "::1", "fe80::1%eth0", "1.2.3", "01.2.3.4", ""],
    ],
    [
      ["string", 1, { string: { ipv4: true } }],
      ["1.2.3.4", "::1", "256.1.1.1"],
    ],
    [
      ["string", 1, { string: { ipv6: true } }],
      ["::1", "1.2.3.4", "::ffff:1.2.3.4", "1::2::3"],
    ],
    [
      ["string", 1, { string: { ipPrefix: true } }],
      ["10.0.0.0/8", "10.0.0.1/8", "2001:db8::/32", "2001:db8::1/32", "x/8"],
    ],
    [
      ["string", 1, { string: { ipWithPrefixlen: true } }],
      ["10.0.0.1/8", "10.0.0.1", "::1/129", "::1/128", "10.0.0.1/08"],
    ],
    [
      ["string", 1, { string: { ipv4WithPrefixlen: true } }],
      ["10.0.0.1/8", "::1/8"],
    ],
    [
      ["string", 1, { string: { ipv6Prefix: true } }],
      ["::/0", "::1/0", "::ffff:0.0.0.0/96"],
    ],
    [
      ["string", 1, { string: { uri: true } }],
      ["https://a.example/x?y#z", "/x", "a b", "mailto:a@b", "http://[::1]/"],
    ],
    [
      ["string", 1, { string: { uriRef: true } }],
      ["https://a.example/x", "/x?y", "a b", "./a", "%zz"],
    ],
    [
      ["string", 1, { string: { address: true } }],
      ["a.example", "1.2.3.4", "::1", "a b"],
    ],
    [
      ["string", 1, { string: { uuid: true } }],
      ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810", ""],
    ],
    [
      ["string", 1, { string: { tuuid: true } }],
      ["6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    ],
    [
      ["string", 1, { string: { hostAndPort: true } }],
      ["a.example:80", "1.2.3.4:0", "[::1]:65535", "a:65536", "a", "::1:80", "a:01"],
    ],
    [
      ["string", 1, { string: { wellKnownRegex: "KNOWN_REGEX_HTTP_HEADER_NAME" } }],
      ["x-a", ":path", "x a", "x\n"],
    ],
    [
      ["string", 1, { string: { wellKnownRegex: "KNOWN_REGEX_HTTP_HEADER_VALUE", strict: false } }],
      ["a", "a\u0001", "a\n"],
    ],
    [
      ["bytes", 1, { bytes: { minLen: 2, maxLen: 3 } }],
      ["YQ==", "YWI=", "YWJjZA=="],
    ],
    [
      ["bytes", 1, { bytes: { prefix: "YQ==", suffix: "Yw==", contains: "Yg==" } }],
      ["YWJj", "YWM=", "Yg=="],
    ],
    [
      ["bytes", 1, { bytes: { in: ["YQ==", "Yg=="] } }],
      ["YQ==", "Yw=="],
    ],
    [
      ["bytes", 1, { bytes: { pattern: "^[a-z]*$" } }],
      ["YWJj", "QUJD"],
    ],
    [
      ["bytes", 1, { bytes: { ip: true } }],
      ["AQIDBA==", "YQ=="],
    ],
    [
      ["Color", 1, { enum: { definedOnly: true } }],
      [0, 1, 2, 5],
    ],
    [
      ["Color", 1, { enum: { notIn: [0] } }],
      [0, 1],
    ],
    [
      ["repeated int32", 1, { repeated: { minItems: 1, maxItems: 2, unique: true } }],
      [[], [1], [1, 2], [1, 1], [1, 2, 3]],
    ],
    [
      ["repeated string", 1, { repeated: { items: { string: { minLen: 2 } } } }],
      [["ab", "a"], ["ab"], []],
    ],
    [
      ["repeated double", 1, { repeated: { unique: true } }],
      [
        [0, "NaN", "NaN"],
        [1, 1],
      ],
    ],
    [
      ["map string int32", 1, { map: { minPairs: 1, maxPairs: 2 } }],
      [{}, { a: 1 }, { a: 1, b: 2, c: 3 }],
    ],
    [
      ["map string int32", 1, { map: { keys: { string: { maxLen: 1 } }, values: { int32: { gt: 0 } } } }],
      [{ a: 1 }, { ab: 0 }],
    ],
    [
      ["google.protobuf.Duration", 1, { duration: { gt: "1s", lte: "60s" } }],
      ["1s", "1.5s", "60s", "61s", null],
    ],
    [
      ["google.protobuf.Timestamp", 1, { timestamp: { gt: "2026-01-01T00:00:00Z" } }],
      ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
    ],
    [
      ["google.protobuf.Timestamp", 1, { timestamp: { ltNow: true } }],
      ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"],
    ],
    [
      ["google.protobuf.StringValue", 1, { string: { minLen: 2 } }],
      ["a", "ab", null],
    ],
    [
      ["google.protobuf.Int64Value", 1, { int64: { gt: "5" }, required: true }],
      ["5", "6", null],
    ],
    [
      ["google.protobuf.FieldMask", 1, { fieldMask: { in: ["a", "b"] } }],
      ["a", "a.c", "d"],
    ],
    [
      ["string", 1, { required: true }],
      ["", "a"],
    ],
    [
      ["optional string", 1, { required: true }],
      ["", "a", null],
    ],
    [
      ["optional string", 1, { string: { minLen: 1 } }],
      ["", "a", null],
    ],
    [
      ["string", 1, { ignore: "IGNORE_IF_ZERO_VALUE", string: { minLen: 3 } }],
      ["", "a", "abc"],
    ],
    [
      ["string", 1, { ignore: "IGNORE_ALWAYS", string: { minLen: 3 } }],
      ["", "a"],
    ],
    [
      ["repeated int32", 1, { required: true }],
      [[], [0]],
    ],
  ];

  // A run in which nobody finds anything would agree on everything.
  let broken = 0;
  afterAll(() => {
    expect(broken).toBeGreaterThan(80);
  });

  for (const [field, values] of cases) {
    test(`${field[0]} ${JSON.stringify(field[2])}`, () => {
      for (const value of values) {
        const { ours, theirs } = judge(subject(field, { enums }), value === null ? {} : { field: value });
        expect(ours, JSON.stringify(value)).toEqual(theirs);
        broken += theirs.length;
      }
    });
  }

  test("messages within messages, lists and maps, and oneofs of which one has to be there", () => {
    const text: FileText = {
      messages: {
        Subject: {
          inner: ["Inner", 1],
          list: ["repeated Inner", 2],
          map: ["map string Inner", 3],
          a: ["oneof choice string", 4, { string: { minLen: 2 } }],
          b: ["oneof choice int32", 5],
          self: ["Subject", 6],
        },
        Inner: { name: ["string", 1, { string: { minLen: 2 } }] },
      },
      oneofOptions: { "Subject.choice": { "[buf.validate.oneof]": { required: true } } },
    };
    for (const json of [
      { b: 1 },
      {},
      { a: "" },
      { b: 1, inner: { name: "x" }, list: [{ name: "xx" }, {}], map: { k: { name: "x" } } },
      { b: 1, self: {} },
    ]) {
      const { ours, theirs } = judge(text, json);
      expect(ours, JSON.stringify(json)).toEqual(theirs);
    }
  });

  test("at most one of several fields", () => {
    const text: FileText = {
      messages: { Subject: { a: ["string", 1], b: ["optional int32", 2] } },
      options: { Subject: { "[buf.validate.message]": { oneof: [{ fields: ["a", "b"], required: true }] } } },
    };
    for (const json of [{}, { a: "x" }, { b: 0 }, { a: "x", b: 0 }, { a: "" }]) {
      const { ours, theirs } = judge(text, json);
      expect(ours, JSON.stringify(json)).toEqual(theirs);
    }
  });
});

test("what nobody enforces is told once, with who has it", () => {
  const api = apiOf({
    messages: {
      Subject: {
        a: ["string", 1, { string: { pattern: "(?i)a" } }],
        b: ["string", 2, { cel: [{ id: "x", expression: "this != b''" }] }],
        c: ["string", 3, { string: { pattern: "[[:alpha:]]" } }],
      },
    },
    services: { Service: { Call: "Subject Subject" } },
  });
  expect(api.unenforced).toEqual([
    "patterns that only RE2 has (2 times, first test.v1.Subject.a)",
    "CEL: bytes are not understood here (test.v1.Subject.b)",
  ]);
});

test("a fault names its place in the message, and nothing of the value", () => {
  const text: FileText = {
    messages: {
      Subject: { list: ["repeated Inner", 1] },
      Inner: { secret: ["string", 1, { string: { maxLen: 3 } }] },
    },
    services: { Service: { Call: "Subject Subject" } },
  };
  const api = apiOf(text);
  const schema = messageIn(fileRegistry(text), "test.v1.Subject");
  const inner = { $typeName: "test.v1.Inner", secret: "hunter2" };
  const bytes = toBinary(schema, create(schema, { list: [{ ...inner, secret: "a" }, inner] }));
  const type = api.services.get("test.v1.Service")?.methods[0]?.input;
  if (type === undefined) throw new Error("no method");
  const { faults } = atOnce(judgeBinary(Buffer.from(bytes), { type, book: api.book, unknownFields: "refuse" }));
  expect(faults.list).toEqual([
    { pointer: "/list/1/secret", keyword: "string.max_len", detail: "expected at most 3 characters" },
  ]);
});
