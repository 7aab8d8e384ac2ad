import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AMOUNT_MAX, amountOf, amountText, MICRO } from "../../src/limits/budget/amount.ts";
import { AnswerCost, type CostSource, type Figure } from "../../src/limits/budget/answer-cost.ts";
import { type JsonPath, parseJsonPath } from "../../src/limits/budget/json-path.ts";
import { Account } from "../../src/memory/account.ts";
import { Answer } from "../../src/message/answer.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { parseDecimal } from "../../src/support/decimal.ts";
import { eventually } from "../fixtures/eventually.ts";

const ONCE = parseDecimal("1");

function pathOf(text: string): JsonPath {
  const parsed = parseJsonPath(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function figures(...paths: readonly string[]): CostSource {
  return {
    kind: "figures",
    eventsOnly: false,
    figures: paths.map((path): Figure => ({ path: pathOf(path), times: ONCE })),
  };
}

interface Body {
  readonly type?: string;
  readonly coding?: string;
  readonly trailers?: HeaderBlock;
  /** Lengths of its pieces, over and over. */
  readonly cuts?: readonly number[];
  readonly source?: CostSource;
  readonly account?: Account;
  readonly status?: number;
}

function headersOf(lines: Readonly<Record<string, string>>): HeaderBlock {
  return new HeaderBlock(Object.keys(lines), Object.values(lines));
}

/** What the source says of a body that comes so. */
function seen(body: string | Buffer, options: Body = {}): AnswerCost {
  const { type = "application/json", coding, cuts = [1e9], source = figures("$.usage.total") } = options;
  const cost = new AnswerCost(source, 1, options.account ?? new Account());
  const headers = headersOf({ "content-type": type, ...(coding === undefined ? {} : { "content-encoding": coding }) });
  const observer = cost.watch(new Answer(options.status ?? 200, headers, true));
  const bytes = Buffer.from(body);
  for (let at = 0, cut = 0; at < bytes.length; cut++) {
    const end = at + (cuts[cut % cuts.length] ?? 1);
    observer?.onChunk(bytes.subarray(at, end));
    at = end;
  }
  observer?.onEnd(options.trailers ?? null);
  return cost;
}

const amountIn = (body: string | Buffer, options: Body = {}): number | null => seen(body, options).amount;

describe("an amount", () => {
  test("is exact to a millionth, and rounded up", () => {
    const cases: readonly [string, number | null][] = [
      ["0", 0],
      ["12", 12e6],
      ["0.1", 100_000],
      ["0.0000001", 1],
      ["1.0000001", 1_000_001],
      ["1e3", 1e9],
      ["25E-2", 250_000],
      ["0e999", 0],
      ["1e-999", 1],
    ];
    for (const [text, amount] of cases) expect([text, amountOf(text, MICRO)]).toEqual([text, amount]);
  });

  test("a lie below zero, no number, or one with another spelling is none; a huge one is the most there is", () => {
    for (const text of [
      "-1",
      "-0",
      "NaN",
      "Infinity",
      "",
      " 1",
      "1 ",
      "0x10",
      "1_000",
      ".5",
      "1.",
      "null",
      "1".repeat(65),
    ]) {
      expect([text, amountOf(text, MICRO)]).toEqual([text, null]);
    }
    for (const text of ["1e300", "9".repeat(60), "1e999"]) expect(amountOf(text, MICRO)).toBe(AMOUNT_MAX);
  });

  test("ten times a tenth is one: money adds up", () => {
    let sum = 0;
    for (let at = 0; at < 10; at++) sum += amountOf("0.1", MICRO) ?? 0;
    expect(sum).toBe(MICRO);
    expect(amountText(sum, MICRO)).toBe("1");
    expect(amountText(1_250_000, MICRO)).toBe("1.25");
  });

  test("is what a figure costs that many times", () => {
    expect(amountOf("1500", MICRO, parseDecimal("0.000003"))).toBe(4_500);
    expect(amountOf("1", MICRO, parseDecimal("0.0000003"))).toBe(1);
  });
});

describe("a path", () => {
  test("has names, indexes and quoted names", () => {
    expect(pathOf("$.usage.total_tokens").segments).toEqual(["usage", "total_tokens"]);
    expect(pathOf("$['a.b'][3].c-d").segments).toEqual(["a.b", 3, "c-d"]);
    expect(pathOf("$['it\\'s']").segments).toEqual(["it's"]);
  });

  test("leads to one value: nothing else is one", () => {
    for (const text of [
      "",
      "usage",
      "$",
      "$.",
      "$..a",
      "$.*",
      "$[*]",
      "$.a[?(@)]",
      "$[-1]",
      "$.a b",
      `$${".a".repeat(17)}`,
    ]) {
      expect([text, parseJsonPath(text).ok]).toEqual([text, false]);
    }
  });
});

describe("a JSON answer", () => {
  test("says its cost wherever the members stand, and whatever stands beside them", () => {
    expect(amountIn('{"usage":{"total":7}}')).toBe(7);
    expect(amountIn('{"total":1,"x":[{"usage":{"total":2}}],"usage":{"a":{"total":3},"total" : 8 ,"b":[1]}}')).toBe(8);
    expect(amountIn('{"text":"\\"usage\\":{\\"total\\":9}","usage":{"total":"12"}}')).toBe(12);
    expect(amountIn('{"\\u0075sage":{"t\\u006ftal":5}}')).toBe(5);
    expect(amountIn('{"choices":[{"n":1},{"n":4}]}', { source: figures("$.choices[1].n") })).toBe(4);
    expect(amountIn("[[0],[1,[2,3]]]", { source: figures("$[1][1][0]") })).toBe(2);
  });

  test("of several figures the sum counts", () => {
    const source = figures("$.usage.in", "$.usage.out");
    expect(amountIn('{"usage":{"in":3,"out":4}}', { source })).toBe(7);
    expect(amountIn('{"usage":{"in":3}}', { source })).toBe(3);
  });

  test("a lie is no cost: below zero, no number, another kind, nothing", () => {
    for (const lie of ["-5", "NaN", "null", "true", '"-5"', '"many"', "[7]", '{"total":7}', "-1e300", '""']) {
      expect([lie, amountIn(`{"usage":{"total":${lie}}}`)]).toEqual([lie, null]);
    }
    expect(amountIn("{}")).toBeNull();
    expect(amountIn("")).toBeNull();
    expect(amountIn('{"usage":{"total":1e300}}')).toBe(AMOUNT_MAX);
  });

  test("that names a member twice costs the greatest, whichever its reader takes", () => {
    expect(amountIn('{"usage":{"total":700},"usage":{"total":1}}')).toBe(700);
    expect(amountIn('{"usage":{"total":1,"total":700,"total":0}}')).toBe(700);
  });

  test("that is deep, or has a name without end, is looked at in bounded memory", () => {
    expect(amountIn(`{"a":${"[".repeat(100_000)}`)).toBeNull();
    expect(amountIn(`{"a":${"[".repeat(100_000)}]]`)).toBeNull();
    expect(amountIn(`{"${"x".repeat(1_000_000)}":1,"usage":{"total":7}}`)).toBe(7);
    expect(amountIn(`{"usage":{"total":"${"9".repeat(100_000)}"}}`)).toBeNull();
  });

  test("that repeats something deep of its client says what it cost all the same", () => {
    const deep = `${'{"a":['.repeat(400)}"]}\\"",{"usage":{"total":1}},-1.5e3,[]${"]}".repeat(400)}`;
    const text = `{"echo":${deep},"usage":{"total":700}}`;
    expect(JSON.parse(text).usage.total).toBe(700);
    for (const cuts of [[1e9], [1], [7, 3]]) expect(amountIn(text, { cuts })).toBe(700);
    expect(amountIn(`[${deep},{"usage":{"total":700}}]`)).toBeNull();
  });

  test("may begin with the mark that readers pass over", () => {
    expect(amountIn('\ufeff{"usage":{"total":7}}', { cuts: [1] })).toBe(7);
    expect(amountIn('{\ufeff"usage":{"total":7}}')).toBeNull();
  });

  test("that is no JSON, a page of another type, or a part of an answer says nothing", () => {
    expect(amountIn('<usage>{"usage":{"total":7}}')).toBeNull();
    expect(amountIn('{"usage":{"total":7}}', { type: "text/html" })).toBeNull();
    expect(amountIn('{"usage":{"total":7}}', { status: 206 })).toBeNull();
    expect(amountIn('{"usage":{"total":7}}', { type: "application/problem+json; charset=utf-8" })).toBe(7);
  });

  test("says the same however it is cut, and the same as a parser of the whole", () => {
    const path = ["a", 1, "b"] as const;
    const source = figures("$.a[1].b");
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.oneof(fc.nat(), fc.double({ noNaN: true, min: 0, max: 1e6 }), fc.string(), fc.constant(null), fc.boolean()),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "\\", '"', "é"), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(json, json, cuts, fc.boolean(), (first, last, pieces, isSpaced) => {
        const value = { a: [first, last] };
        const text = JSON.stringify(value, null, isSpaced ? 1 : undefined);
        const found = path.reduce<unknown>((at, one) => (at as Record<string, unknown> | null)?.[one], value);
        const told = typeof found === "number" || typeof found === "string" ? amountOf(String(found), 1) : null;
        const spelled = typeof found === "number" ? amountOf(JSON.stringify(found), 1) : told;
        expect(amountIn(text, { source, cuts: pieces })).toBe(spelled);
      }),
      { numRuns: 300 },
    );
  });
});

describe("an event stream", () => {
  const STREAM = [
    ": a comment",
    'data: {"choices":[{"delta":"a"}],"usage":null}',
    "",
    "event: chunk",
    'data: {"usage":{"total":3}}',
    "",
    'data: {"usage":',
    'data:  {"total":9}}',
    "",
    "data: [DONE]",
    "",
    "",
  ];

  test("costs what its last event with a figure says, however it is cut and whatever ends its lines", () => {
    for (const ending of ["\n", "\r\n", "\r"]) {
      for (let cut = 1; cut < 12; cut++) {
        const type = "text/event-stream; charset=utf-8";
        expect(amountIn(STREAM.join(ending), { type, cuts: [cut] })).toBe(9);
        expect(amountIn(`\uFEFF${STREAM.join(ending)}`, { type, cuts: [cut] })).toBe(9);
      }
    }
  });

  test("the event behind the last empty line is none; one whose JSON is broken says nothing", () => {
    const type = "text/event-stream";
    expect(amountIn('data: {"usage":{"total":3}}\n\ndata: {"usage":{"total":9}}', { type })).toBe(3);
    expect(amountIn('data: {"usage":{"total":3}}\n\ndata: {"usage":{"total":9}\n\n', { type })).toBe(3);
    expect(amountIn('datax: {"usage":{"total":3}}\n\nid: {"usage":{"total":3}}\n\n', { type })).toBeNull();
  });

  test("figures of several events, as some services spread them, are one sum", () => {
    const source = figures("$.message.usage.input", "$.usage.output");
    const text =
      'event: message_start\ndata: {"message":{"usage":{"input":25,"output":1}}}\n\n' +
      'event: message_delta\ndata: {"usage":{"output":7}}\n\nevent: message_delta\ndata: {"usage":{"output":15}}\n\n';
    expect(amountIn(text, { type: "text/event-stream", source })).toBe(40);
  });

  test("texts in lines are a stream, too, and the last needs no line end", () => {
    const text = '{"usage":{"total":3}}\n{"other":1}\n{"usage":{"total":5}}';
    for (let cut = 1; cut < 9; cut++) expect(amountIn(text, { type: "application/x-ndjson", cuts: [cut] })).toBe(5);
  });

  test("a source of events alone takes nothing from another answer", () => {
    const source: CostSource = { kind: "figures", eventsOnly: true, figures: [{ path: pathOf("$.n"), times: ONCE }] };
    expect(amountIn('{"n":3}', { source })).toBeNull();
    expect(amountIn('data: {"n":3}\n\n', { source, type: "text/event-stream" })).toBe(3);
  });
});

describe("a header or a trailer", () => {
  const of = (kind: "header" | "trailer"): CostSource => ({ kind, name: "x-cost", times: ONCE });

  test("says it; of several lines the greatest counts, and a lie says nothing", () => {
    const cost = new AnswerCost(of("header"), 1, new Account());
    const lines = new HeaderBlock(["x-cost", "x-cost", "x-cost"], ["3", " 8 ", "-9"]);
    expect(cost.watch(new Answer(200, lines, true))).toBeNull();
    expect([cost.amount, cost.isWhole]).toEqual([8, true]);
    expect(amountIn("", { source: of("trailer"), trailers: headersOf({ "x-cost": "12" }) })).toBe(12);
    expect(amountIn("", { source: of("trailer"), trailers: headersOf({ "x-cost": "NaN" }) })).toBeNull();
    expect(amountIn("", { source: of("trailer") })).toBeNull();
  });
});

describe("a compressed answer", () => {
  const TEXT = JSON.stringify({ text: "x".repeat(200_000), usage: { total: 42 } });
  const CODED: Readonly<Record<string, Buffer>> = {
    gzip: gzipSync(TEXT),
    deflate: deflateSync(TEXT),
    br: brotliCompressSync(TEXT),
    zstd: zstdCompressSync(TEXT),
  };

  async function looked(cost: AnswerCost): Promise<AnswerCost> {
    await eventually(() => !cost.isPending);
    return cost;
  }

  test("is looked into beside its client", async () => {
    for (const [coding, bytes] of Object.entries(CODED)) {
      const account = new Account();
      const cost = await looked(seen(bytes, { coding, cuts: [100], account }));
      expect([coding, cost.amount, cost.isWhole, account.heldBytes]).toEqual([coding, 42, true, 0]);
    }
  });

  test("that is cut, damaged, in two codings or in none that is known says nothing", async () => {
    const gzip = CODED["gzip"] ?? Buffer.alloc(0);
    const cut = await looked(seen(gzip.subarray(0, 150), { coding: "gzip" }));
    expect([cut.amount, cut.isWhole]).toEqual([null, false]);
    expect((await looked(seen(TEXT, { coding: "gzip" }))).amount).toBeNull();
    for (const coding of ["compress", "gzip, br", "x"]) expect(amountIn(gzip, { coding })).toBeNull();
  });

  test("that holds too much is given up, and what it held is given back", async () => {
    const account = new Account();
    const bomb = gzipSync(Buffer.alloc(70 * 1024 * 1024, " "));
    const cost = await looked(seen(Buffer.concat([bomb]), { coding: "gzip", account }));
    expect([cost.amount, cost.isWhole, account.heldBytes]).toEqual([null, false, 0]);
  });

  test("for which there is no room says nothing", () => {
    const account = new Account();
    account.bytesMax = 1024;
    expect(seen(CODED["gzip"] ?? "", { coding: "gzip", account }).isPending).toBe(false);
  });

  test("of which nobody wants to know any more is let go", () => {
    const account = new Account();
    const cost = seen((CODED["gzip"] ?? Buffer.alloc(0)).subarray(0, 50), { coding: "gzip", account });
    cost.stop();
    expect([cost.isPending, account.heldBytes]).toEqual([false, 0]);
  });
});
