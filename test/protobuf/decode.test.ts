import { describe, expect, test } from "vitest";
import { type Found, judgeBinary, type UnknownFields } from "../../src/protobuf/message-judge.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";
import { apiOf, type FileText } from "../fixtures/descriptors.ts";

const TEXT: FileText = {
  messages: {
    Subject: {
      count: ["int32", 1],
      name: ["string", 2],
      inner: ["Subject", 3],
      list: ["repeated int32", 4],
      flag: ["bool", 5],
      small: ["uint32", 6],
      a: ["oneof choice string", 7],
      b: ["oneof choice int32", 8],
      map: ["map string int32", 9],
      wide: ["fixed64", 10],
      texts: ["repeated string", 11],
      color: ["Color", 12],
      zigzag: ["sint32", 13],
    },
  },
  enums: { Color: { COLOR_NONE: 0, COLOR_RED: 1 } },
  services: { Service: { Call: "Subject Subject" } },
};

function typeOf(text: FileText) {
  const api = apiOf(text);
  const type = api.services.get("test.v1.Service")?.methods[0]?.input;
  if (type === undefined) throw new Error("no method");
  return { type, book: api.book };
}

const PROTO3 = typeOf(TEXT);

function judge(hex: string, unknownFields: UnknownFields = "refuse", rules = PROTO3): Found {
  return atOnce(judgeBinary(Buffer.from(hex.replaceAll(" ", ""), "hex"), { ...rules, unknownFields }));
}

const first = ({ faults }: Found) => faults.list[0];

describe("what readers do not agree on is no message", () => {
  test.each([
    ["a scalar twice, of which the last counts for most", "08 01 08 02", "/count"],
    ["a message in two parts, which some merge and others replace", "1a 02 08 01 1a 02 10 01", "/inner"],
    ["a scalar split over two parts of a message", "1a 02 08 01 1a 02 08 02", "/inner"],
    ["two fields of a oneof", "3a 01 61 40 01", "/b"],
    ["a key of a map twice", "4a 05 0a 01 61 10 01 4a 05 0a 01 61 10 02", "/map"],
    ["a key twice within one entry", "4a 08 0a 01 61 0a 01 62 10 01", "/map/key"],
    ["an unknown field in an entry of a map, within which some go on", "4a 06 0a 01 61 1a 01 10", "/map"],
    ["another wire type than the field's", "0d 01 00 00 00", "/count"],
    ["text where a number is due", "0a 01 61", "/count"],
    ["a packed list of what is no number", "5a 02 08 01 58 01", "/texts"],
    ["text that is no UTF-8", "12 02 c3 28", "/name"],
    ["text with half of a surrogate pair", "12 03 ed a0 80", "/name"],
    ["text with NUL in two bytes", "12 02 c0 80", "/name"],
    ["a number beyond 32 bits", "08 80 80 80 80 10", "/count"],
    ["a number beyond 32 bits, unsigned", "30 ff ff ff ff 1f", "/small"],
    ["a number beyond 32 bits, zigzag", "68 80 80 80 80 10", "/zigzag"],
    ["a truth that is neither", "28 02", "/flag"],
    ["a truth whose low 32 bits are false", "28 80 80 80 80 10", "/flag"],
    ["a number of eleven bytes", "08 80 80 80 80 80 80 80 80 80 80 01", "/count"],
    ["a number beyond 64 bits", "08 ff ff ff ff ff ff ff ff ff 02", "/count"],
    ["a tag of six bytes", "88 80 80 80 80 00 01", ""],
    ["a tag beyond 32 bits", "88 80 80 80 10 01", ""],
    ["field number 0", "00 01", ""],
    ["wire type 6", "0e", ""],
    ["wire type 7", "0f", ""],
    ["a length of six bytes", "12 81 80 80 80 80 00 61", "/name"],
    ["a length beyond the end", "12 05 61", "/name"],
    ["a length of nearly 4 GiB", "12 ff ff ff ff 0f 61", "/name"],
    ["a list beyond the end", "22 05 01", "/list"],
    ["a number that does not end", "08 80", "/count"],
    ["a list whose last number does not end", "22 02 01 80", "/list"],
    ["a fixed number that does not end", "51 01 02 03", "/wide"],
    ["a group in place of a message", "1b 08 01 1c", "/inner"],
    ["the end of a group that is not open", "1c", ""],
    ["the end of a group within a message", "1a 01 1c", "/inner"],
    ["a group that does not end", "fb 01 08 01", ""],
    ["a group that another number ends", "fb 01 08 01 f4 01", ""],
  ])("%s", (_, hex, pointer) => {
    for (const unknownFields of ["refuse", "strip", "pass"] as const) {
      const found = judge(hex, unknownFields);
      expect(found.isMalformed).toBe(true);
      expect(first(found)?.pointer).toBe(pointer);
    }
  });

  test("messages deeper in each other than others read", () => {
    const nested = (depth: number): Buffer => {
      let bytes = Buffer.alloc(0);
      for (let at = 0; at < depth; at++) {
        const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
        bytes = Buffer.concat([Buffer.from([0x1a, ...length]), bytes]);
      }
      return bytes;
    };
    expect(judge(nested(DEFAULTS.messageDepthMax).toString("hex")).isMalformed).toBe(false);
    expect(judge(nested(DEFAULTS.messageDepthMax + 1).toString("hex")).isMalformed).toBe(true);
  });

  test("unknown groups deeper than that, which are gone through all the same", () => {
    expect(judge("fb01".repeat(50) + "fc01".repeat(50), "pass").isMalformed).toBe(false);
    expect(judge("fb01".repeat(5_000) + "fc01".repeat(5_000), "pass").isMalformed).toBe(true);
  });

  test("more values than may be looked at", () => {
    const bytes = (values: number): string => `22${varint(values)}${"01".repeat(values)}`;
    const varint = (value: number): string =>
      Buffer.from([(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, value >> 14]).toString("hex");
    expect(judge(bytes(DEFAULTS.messageValuesMax - 1)).isMalformed).toBe(false);
    expect(judge(bytes(DEFAULTS.messageValuesMax)).isMalformed).toBe(true);
  });
});

describe("what all readers take passes", () => {
  test.each([
    ["nothing", ""],
    ["a negative number of ten bytes", "08 ff ff ff ff ff ff ff ff ff 01"],
    ["a negative number of five bytes, as old writers have it", "08 ff ff ff ff 0f"],
    ["a number with bytes that it does not need", "08 81 80 00"],
    ["a length with bytes that it does not need, as writers that fill it in later have it", "12 81 80 80 00 61"],
    ["a list packed, unpacked and both", "22 02 01 02 20 03 22 01 04"],
    ["an empty packed list", "22 00"],
    ["a map's entry without its value, and one without its key", "4a 03 0a 01 61 4a 02 10 01"],
    ["a value of an open enum that is not declared", "60 07"],
    ["fields in any order", "60 01 08 01"],
  ])("%s", (_, hex) => {
    const found = judge(hex);
    expect([found.isMalformed, found.faults.list]).toEqual([false, []]);
  });
});

describe("fields that nobody declared", () => {
  // Field 20 of each kind: number, text, fixed, group; and one within a message.
  const unknown =
    "a0 01 05 a2 01 01 61 a5 01 00 00 00 00 a1 01 00 00 00 00 00 00 00 00 a3 01 08 01 a4 01 1a 05 08 07 a0 01 01";

  test("are refused, with their number", () => {
    const found = judge(unknown);
    expect(found.isMalformed).toBe(false);
    expect(found.faults.list.map(({ pointer, keyword }) => `${pointer} ${keyword}`)).toEqual([
      ...Array(5).fill("/20 unknown"),
      "/inner/20 unknown",
    ]);
  });

  test("are taken off, and the lengths around them are right", () => {
    const { stripped, faults } = judge(unknown, "strip");
    expect(faults.list).toEqual([]);
    expect(stripped?.toString("hex")).toBe("1a020807");
  });

  test("pass", () => {
    expect(judge(unknown, "pass")).toMatchObject({ stripped: null, faults: { list: [] } });
  });
});

describe("proto2", () => {
  const rules = typeOf({
    syntax: "proto2",
    messages: { Subject: { name: ["required string", 1], color: ["Color", 2], colors: ["repeated Color", 3] } },
    enums: { Color: { RED: 1, BLUE: 2 } },
    services: { Service: { Call: "Subject Subject" } },
  });

  test("a required field has to be there, be it empty", () => {
    expect(first(judge("10 01", "refuse", rules))).toMatchObject({ pointer: "/name", keyword: "required" });
    expect(judge("0a 00", "refuse", rules).faults.list).toEqual([]);
  });

  test("a value that a closed enum does not have is unknown, and never cut out", () => {
    for (const hex of ["0a 00 10 07", "0a 00 1a 02 01 07"]) {
      for (const unknownFields of ["refuse", "strip"] as const)
        expect(first(judge(hex, unknownFields, rules))).toMatchObject({ keyword: "unknown" });
      expect(judge(hex, "pass", rules).faults.list).toEqual([]);
    }
  });
});
