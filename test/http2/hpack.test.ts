// Goal: a field block has one meaning, the one that every other implementation of RFC 7541 gives it, or none. Method: the
// RFC's own examples, each invalid form, and a decoder of Huffman's code that goes bit by bit. See also hpack-peer.test.ts.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HpackDecoder } from "../../src/http2/hpack-decoder.ts";
import { huffmanDecode } from "../../src/http2/huffman.ts";
import type { Field } from "../fixtures/h2-frames.ts";
import { codeOf, END_OF_STRING, huffmanDecodeSlowly, huffmanEncode, packBits } from "../fixtures/huffman-code.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const newDecoder = (): HpackDecoder => new HpackDecoder(1 << 20, 1_000);

/** `name: value` for each field; null for an invalid block. */
function read(decoder: HpackDecoder, block: Buffer | string): string[] | null {
  const decoded = decoder.decode(typeof block === "string" ? hex(block) : block);
  if (decoded === null) return null;
  return decoded.raw.filter((_, at) => at % 2 === 0).map((name, at) => `${name}: ${decoded.raw[2 * at + 1]}`);
}

describe("the examples of RFC 7541 appendix C", () => {
  const FIRST = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
  const SECOND = [...FIRST, "cache-control: no-cache"];
  const THIRD = [
    ...[":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com"],
    "custom-key: custom-value",
  ];
  const ANSWER = [
    ...["cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"],
  ];
  const ANSWERS = [
    [":status: 302", ...ANSWER],
    [":status: 307", ...ANSWER],
    [
      ...[":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT"],
      ...["location: https://www.example.com", "content-encoding: gzip"],
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ];
  /** The examples with responses count on a table of 256 bytes, which is said first here. */
  const TABLE_OF_256 = "3fe101";

  const examples: Record<string, readonly (readonly [block: string, fields: readonly string[]])[]> = {
    "C.2.1, a literal that is indexed": [
      ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", ["custom-key: custom-header"]],
      ["be", ["custom-key: custom-header"]],
    ],
    "C.2.2, a literal that is not": [["040c 2f73 616d 706c 652f 7061 7468", [":path: /sample/path"]]],
    "C.2.3, a literal that never is": [["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password: secret"]]],
    "C.2.4, an index": [["82", [":method: GET"]]],
    "C.3, requests": [
      ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", FIRST],
      ["8286 84be 5808 6e6f 2d63 6163 6865", SECOND],
      ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", THIRD],
      ["bebfc0", ["custom-key: custom-value", "cache-control: no-cache", ":authority: www.example.com"]],
    ],
    "C.4, requests in Huffman's code": [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", FIRST],
      ["8286 84be 5886 a8eb 1064 9cbf", SECOND],
      ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", THIRD],
    ],
    "C.5, responses, and entries that have no room": [
      [
        `${TABLE_OF_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133
         3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        ANSWERS[0] ?? [],
      ],
      ["4803 3330 37c1 c0bf", ANSWERS[1] ?? []],
      [
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31`,
        ANSWERS[2] ?? [],
      ],
      ["bebfc0", [ANSWERS[2]?.[5] ?? "", "content-encoding: gzip", "date: Mon, 21 Oct 2013 20:13:22 GMT"]],
    ],
    "C.6, the same in Huffman's code": [
      [
        `${TABLE_OF_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d
         29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        ANSWERS[0] ?? [],
      ],
      ["4883 640e ffc1 c0bf", ANSWERS[1] ?? []],
      [
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
        ANSWERS[2] ?? [],
      ],
    ],
  };
  for (const [title, blocks] of Object.entries(examples)) {
    test(`${title}, are read as they are meant`, () => {
      const decoder = newDecoder();
      for (const [block, fields] of blocks) expect(read(decoder, block.replaceAll("\n", ""))).toEqual(fields);
    });
  }

  test("the entry behind the last one of a full table is none", () => {
    for (const which of ["C.5, responses, and entries that have no room", "C.6, the same in Huffman's code"]) {
      const decoder = newDecoder();
      for (const [block] of examples[which] ?? []) read(decoder, block.replaceAll("\n", ""));
      expect(read(decoder, "c1")).toBeNull();
    }
  });
});

describe("blocks that are none", () => {
  const literal = (string: Buffer, isHuffman = true): Buffer =>
    Buffer.concat([hex("0001 61"), Buffer.of((isHuffman ? 0x80 : 0) | string.length), string]);
  const invalid: Record<string, string | Buffer> = {
    "the index 0": "80",
    "an index behind the static table, with nothing in the other": "be",
    "an index far behind both": "ff 80 80 01",
    "a literal's name from behind both tables": "7f 00 01 61",
    "a literal without its name": "00",
    "a literal without its value": "00 01 61",
    "a literal without its value, its name from the table": "04",
    "an index that is cut off": "ff",
    "an index that is cut off later": "ff 80 80",
    "an index without an end": `ff${"80".repeat(20)}`,
    "an index without an end that grows": `ff${"ff".repeat(20)}`,
    "a length that would be small again in 32 bits": "00 01 61 7f 82 ff ff ff 0f 62",
    "a length that would be small again in 53 bits": "00 01 61 7f 82 ff ff ff ff ff ff ff 0f 62",
    "a name that is cut off": "00 02 61",
    "a value that is cut off": "00 01 61 02 62",
    "a length that is cut off": "00 01 61 7f",
    "a name in Huffman's code that is cut off": "00 82 25",
    "a table size behind a field": "82 20",
    "a table size between fields": "82 20 82",
    "a table larger than we allow": "3f e2 1f",
    "a table size without an end": `3f${"ff".repeat(20)}`,
    "a table size that is cut off": "3f",
    "the code for a string's end": literal(packBits(codeOf(END_OF_STRING))),
    "the code for a string's end within one": literal(packBits(codeOf(0x61) + codeOf(END_OF_STRING) + codeOf(0x61))),
    "padding of eight bits": literal(hex("ff")),
    "padding of a byte behind a whole one": literal(packBits(codeOf(0x26) + "1".repeat(8))),
    "padding of ten bits": literal(packBits(`${codeOf(0x3d)}${"1".repeat(10)}`)),
    "padding of noughts": literal(packBits(codeOf(0x61), "0")),
    "padding with one nought": literal(packBits(`${codeOf(0x61)}110`)),
    "a long code that is cut off": literal(packBits(codeOf(0xff).slice(0, 24))),
  };
  for (const [title, block] of Object.entries(invalid)) {
    test(`${title}: no block`, () => {
      expect(read(newDecoder(), block)).toBeNull();
    });
  }

  const valid: Record<string, readonly [block: string, fields: readonly string[]]> = {
    "an empty block": ["", []],
    "the last index of the static table": ["bd", ["www-authenticate: "]],
    "two table sizes, as after two changes": ["20 3f e1 1f 82", [":method: GET"]],
    "the largest table that we allow": ["3f e1 1f", []],
    "an empty value in either code": ["00 01 61 00 00 01 61 80", ["a: ", "a: "]],
    "a length with noughts behind it": ["00 01 61 7f 81 80 00".concat("62".repeat(128)), [`a: ${"b".repeat(128)}`]],
  };
  for (const [title, [block, fields]] of Object.entries(valid)) {
    test(`but ${title} is one`, () => {
      expect(read(newDecoder(), block)).toEqual(fields);
    });
  }

  test("whatever bytes come, nothing is thrown, and the same bytes mean the same", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (blocks) => {
        const [one, other] = [newDecoder(), newDecoder()];
        for (const block of blocks) expect(read(one, Buffer.from(block))).toEqual(read(other, Buffer.from(block)));
      }),
      { numRuns: 500 },
    );
  });
});

/** Literals that are put into the table; lengths below 127. */
const indexed = (...fields: readonly Field[]): Buffer => Buffer.concat(fields.map((field) => literalOf(0x40, field)));
const literalOf = (kind: number, [name, value]: Field): Buffer =>
  Buffer.concat([
    Buffer.of(kind, name.length),
    Buffer.from(name, "latin1"),
    Buffer.of(value.length),
    Buffer.from(value, "latin1"),
  ]);
/** An entry of the dynamic table, the newest is 0. */
const entry = (at: number): Buffer => Buffer.of(0x80 | (62 + at));
const tableSize = (size: number): Buffer =>
  size < 31 ? Buffer.of(0x20 | size) : Buffer.of(0x3f, ((size - 31) & 0x7f) | 0x80, (size - 31) >> 7);

describe("the table", () => {
  test("loses its oldest entries for a new one, and as many as that takes", () => {
    const decoder = newDecoder();
    // 33 bytes each, room for three.
    read(decoder, Buffer.concat([tableSize(100), indexed(["a", ""], ["b", ""], ["c", ""])]));
    expect(read(decoder, Buffer.concat([entry(0), entry(1), entry(2)]))).toEqual(["c: ", "b: ", "a: "]);
    read(decoder, indexed(["d", "x".repeat(30)]));
    expect(read(decoder, Buffer.concat([entry(0), entry(1)]))).toEqual([`d: ${"x".repeat(30)}`, "c: "]);
    expect(read(decoder, entry(2))).toBeNull();
  });

  test("is emptied by an entry that is larger than it, which is a field all the same", () => {
    const decoder = newDecoder();
    const large = ["d", "x".repeat(100)] as const;
    read(decoder, Buffer.concat([tableSize(100), indexed(["a", ""])]));
    expect(read(decoder, indexed(large))).toEqual([`d: ${"x".repeat(100)}`]);
    expect(read(decoder, entry(0))).toBeNull();
  });

  test("holds an entry of its very size, and not one of a byte more", () => {
    for (const [length, held] of [
      [67, true],
      [68, false],
    ] as const) {
      const decoder = newDecoder();
      const field = ["d", "x".repeat(length)] as const;
      read(decoder, Buffer.concat([tableSize(100), indexed(field)]));
      expect(read(decoder, entry(0)) !== null).toBe(held);
    }
  });

  test("loses what has no room in a smaller one, and does not get it back in a larger one", () => {
    const decoder = newDecoder();
    read(decoder, indexed(["a", ""], ["b", ""], ["c", ""]));
    expect(read(decoder, Buffer.concat([tableSize(66), tableSize(4_096), entry(0), entry(1)]))).toEqual(["c: ", "b: "]);
    expect(read(decoder, entry(2))).toBeNull();
    const emptied = newDecoder();
    read(emptied, indexed(["a", ""]));
    expect(read(emptied, Buffer.concat([tableSize(0), tableSize(4_096), entry(0)]))).toBeNull();
  });

  test("keeps nothing at size 0, and is used again when it grows", () => {
    const decoder = newDecoder();
    expect(read(decoder, Buffer.concat([tableSize(0), indexed(["a", ""], ["b", ""])]))).toEqual(["a: ", "b: "]);
    expect(read(decoder, Buffer.concat([tableSize(64), indexed(["c", ""]), entry(0)]))).toEqual(["c: ", "c: "]);
  });

  test("may lose the entry whose name the new one takes", () => {
    const decoder = newDecoder();
    read(decoder, Buffer.concat([tableSize(50), indexed(["name", "old"])]));
    expect(read(decoder, hex("7e 03 6e 65 77"))).toEqual(["name: new"]); // its name by index 62
    expect(read(decoder, entry(0))).toEqual(["name: new"]);
    expect(read(decoder, entry(1))).toBeNull();
  });

  test("takes what was read of a head beyond its limits, for later ones may refer to it", () => {
    const decoder = new HpackDecoder(100, 2);
    const decoded = decoder.decode(indexed(["a", "x".repeat(100)], ["b", ""]));
    expect(decoded?.tooMany).toBe(true);
    expect(read(decoder, Buffer.concat([entry(0)]))).toEqual(["b: "]);
  });
});

describe("a block that is remembered", () => {
  test("means what the table says now, not what it said before", () => {
    const decoder = newDecoder();
    read(decoder, indexed(["a", "1"]));
    for (let times = 0; times < 3; times++) expect(read(decoder, entry(0))).toEqual(["a: 1"]);
    read(decoder, indexed(["a", "2"]));
    expect(read(decoder, entry(0))).toEqual(["a: 2"]);
    expect(read(decoder, entry(0))).toEqual(["a: 2"]);
    expect(read(decoder, entry(1))).toEqual(["a: 1"]);
  });

  test("means nothing any more where a new table size has taken its entry", () => {
    const decoder = newDecoder();
    read(decoder, indexed(["a", "1"]));
    expect(read(decoder, entry(0))).toEqual(["a: 1"]);
    expect(read(decoder, tableSize(0))).toEqual([]);
    expect(read(decoder, entry(0))).toBeNull();
  });

  test("is not one that puts something into the table: it does so each time", () => {
    const decoder = newDecoder();
    for (let times = 0; times < 3; times++) expect(read(decoder, indexed(["a", "1"]))).toEqual(["a: 1"]);
    expect(read(decoder, Buffer.concat([entry(0), entry(1), entry(2)]))).toEqual(["a: 1", "a: 1", "a: 1"]);
  });

  test("is not one of the same length, nor the beginning of one", () => {
    const decoder = newDecoder();
    expect(read(decoder, "82 84")).toEqual([":method: GET", ":path: /"]);
    expect(read(decoder, "82 85")).toEqual([":method: GET", ":path: /index.html"]);
    expect(read(decoder, "82")).toEqual([":method: GET"]);
    expect(read(decoder, "82 85 86")).toEqual([":method: GET", ":path: /index.html", ":scheme: http"]);
  });

  test("is not changed by what becomes of the bytes that it came in", () => {
    const decoder = newDecoder();
    const bytes = hex("82 84");
    read(decoder, bytes);
    bytes[1] = 0x85;
    expect(read(decoder, bytes)).toEqual([":method: GET", ":path: /index.html"]);
    expect(read(decoder, "82 84")).toEqual([":method: GET", ":path: /"]);
  });

  test("any run of blocks means what it means to a decoder that sees none twice", () => {
    const step = fc.oneof(
      fc.constantFrom("82", "8284", "be", "bebf", "c0").map(hex),
      fc.constantFrom("a", "b", "c").map((name) => indexed([name, name])),
      fc.constantFrom(0, 33, 70, 4_096).map(tableSize),
      fc.constantFrom("a", "b").map((name) => literalOf(0, [name, ""])),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (blocks) => {
        const remembering = newDecoder();
        const forgetful = newDecoder();
        let forged = 0;
        for (const block of blocks) {
          const seen = read(remembering, block);
          // A field behind the block makes it another one each time.
          const other = read(forgetful, Buffer.concat([block, literalOf(0, ["n", String(forged++)])]));
          expect(seen).toEqual(other?.slice(0, -1) ?? null);
          if (seen === null) return;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("Huffman's code", () => {
  const decode = (bytes: Uint8Array): Buffer | null => {
    const out = Buffer.alloc(2 * bytes.length);
    const length = huffmanDecode(bytes, 0, bytes.length, out);
    return length < 0 ? null : out.subarray(0, length);
  };

  test("any bytes mean what they mean to a decoder that goes bit by bit", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decode(bytes)).toEqual(huffmanDecodeSlowly(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test("any symbols, with any padding behind them, mean the same to both", () => {
    const symbol = fc.oneof(
      { weight: 60, arbitrary: fc.nat(255) },
      { weight: 1, arbitrary: fc.constant(END_OF_STRING) },
    );
    const padding = fc.oneof(fc.constant(""), fc.constantFrom("0", "1", "11111111", "1111111", "111111110", "01"));
    fc.assert(
      fc.property(fc.array(symbol, { maxLength: 30 }), padding, fc.constantFrom("0", "1"), (text, behind, rest) => {
        const bytes = packBits(text.map(codeOf).join("") + behind, rest as "0" | "1");
        expect(decode(bytes)).toEqual(huffmanDecodeSlowly(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test("every text of one and two characters comes back", () => {
    for (let one = 0; one < 256; one++) {
      for (let two = 0; two < 256; two++) {
        const text = String.fromCharCode(one, two);
        if (decode(huffmanEncode(text))?.toString("latin1") !== text) expect.fail(JSON.stringify(text));
      }
      expect(decode(huffmanEncode(String.fromCharCode(one)))).toEqual(Buffer.of(one));
    }
  });

  test("only the bytes that are given count, not those around them", () => {
    const bytes = Buffer.concat([hex("ffff"), huffmanEncode("www.example.com"), hex("0000")]);
    const out = Buffer.alloc(64);
    expect(out.toString("latin1", 0, huffmanDecode(bytes, 2, bytes.length - 2, out))).toBe("www.example.com");
  });
});
