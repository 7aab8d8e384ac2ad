import { describe, expect, test } from "vitest";
import { AMBIGUOUS } from "../../src/attributes/types.ts";
import { parseJson } from "../../src/bodies/json.ts";
import { compileExpression, type Environment, EvalFault } from "../../src/expression/index.ts";
import { DYN, listOf, STRING, TIMESTAMP } from "../../src/expression/types.ts";
import { fromJson, NS_PER_MS, Timestamp } from "../../src/expression/values.ts";
import { err, ok } from "../../src/support/result.ts";

type Subject = Readonly<Record<string, unknown>>;

const environment: Environment<Subject> = {
  variable: (path) => {
    const [name = "", ...rest] = path;
    const type = { s: STRING, l: listOf(STRING), now: TIMESTAMP }[name];
    if (type !== undefined) {
      return rest.length > 0 ? err(`'${name}' has no members`) : ok({ text: name, type, read: (of) => of[name] });
    }
    if (name !== "j" || rest.length === 0) return err(`there is no attribute '${name}'`);
    const read = (of: Subject): unknown => {
      let value: unknown = of["j"];
      for (const step of rest) {
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
        value = (value as Subject)[step];
      }
      return fromJson(value ?? undefined);
    };
    return ok({ text: path.join("."), type: DYN, read });
  },
};

function run(source: string, subject: Subject = {}): boolean | string {
  const compiled = compileExpression(source, environment);
  if (!compiled.ok) return `at ${compiled.error.at}: ${compiled.error.text}`;
  const answer = compiled.value.evaluate(subject);
  return answer instanceof EvalFault ? `fault: ${answer.text}` : answer;
}

const json = (text: string): Subject => {
  const parsed = parseJson(Buffer.from(text));
  if (!parsed.ok) throw new Error(parsed.error);
  return { j: parsed.value };
};

/** Of a source without attributes, which alone would be refused. */
const constant = (source: string): boolean | string => run(`s == "" && (${source})`, { s: "" });

describe("what expressions say", () => {
  test.each([
    "1 + 2 * 3 == 7",
    "(1 + 2) * 3 == 9",
    "7 / 2 == 3 && -7 / 2 == -3 && -7 % 3 == -1",
    "7.0 / 2.0 == 3.5",
    "1 == 1.0 && 1 < 1.5 && 2 > 1.9",
    "9007199254740993 != 9007199254740992.0",
    "0x10 == 16",
    "-9223372036854775808 < 0",
    "'a' < 'b' && 'a' + 'b' == 'ab'",
    "'\\u00e9' == 'é' && '\\x41' == 'A' && r'\\n' != '\\n'",
    "'\\U0001F600'.size() == 1",
    "'\\uFFFD' < '\\U0001F600'",
    "!false && !(true && false)",
    "true ? true : false",
    "1 in [1, 2] && !(3 in [1, 2]) && 'a' in ['a']",
    "[1, 2] + [3] == [1, 2, 3]",
    "size('abc') == 3 && [1, 2].size() == 2",
    "'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')",
    "'ABc'.lowerAscii() == 'abc' && 'é'.upperAscii() == 'é'",
    "int('42') == 42 && int(1.9) == 1 && double('1.5') == 1.5 && string(1) == '1'",
    "timestamp('2026-11-29T08:00:00Z') - timestamp('2026-11-29T07:00:00Z') == duration('1h')",
    "timestamp('2026-11-29T08:00:00Z').getHours('Europe/Berlin') == 9",
    "timestamp('2026-11-29T08:00:00Z').getDayOfWeek() == 0",
    "timestamp(0) == timestamp('1970-01-01T00:00:00Z')",
    "duration('90m') == duration('1h30m') && duration('-1s') < duration('0s')",
    "[1, 2, 3].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x == 2)",
    "[1, 2, 3].filter(x, x > 1) == [2, 3] && [1, 2].map(x, x * 2) == [2, 4] && [1, 2].map(x, x > 1, x) == [2]",
    "[[1], [2]].exists(x, x.exists(y, y == 2))",
    "[1, 2].exists(x, [3].exists(x, x == 3) && x == 1)",
    "[1, 2][1] == 2",
    "'abc'.matches('^a.c$') && matches('abc', 'b')",
    "null == null && !(null == 1)",
    "// a remark\n true",
  ])("%s", (source) => expect(constant(source)).toBe(true));

  test("where one side of && or || decides, a fault of the other does not count", () => {
    expect(constant("1 / 0 == 1 || true")).toBe(true);
    expect(constant("true || 1 / 0 == 1")).toBe(true);
    expect(constant("!(1 / 0 == 1 && false)")).toBe(true);
    expect(constant("1 / 0 == 1 || false")).toBe("fault: a division by zero");
    expect(constant("[1, 0].exists(x, 1 / x == 1)")).toBe(true);
    expect(constant("[0, 1].exists(x, 1 / x == 1)")).toBe(true);
    expect(constant("[0, 2].exists(x, 1 / x == 1)")).toBe("fault: a division by zero");
  });
});

describe("values of JSON", () => {
  test("numbers are compared by value, and count with whole numbers", () => {
    const subject = json('{"total": 9999, "half": 0.5, "big": 9007199254740993, "list": [1, 2], "text": "9999"}');
    expect(run("j.total < 10000", subject)).toBe(true);
    expect(run("j.total == 9999 && j.total + 1 == 10000 && j.half < 1", subject)).toBe(true);
    expect(run("j.big == 9007199254740993 && j.big != 9007199254740992", subject)).toBe(true);
    expect(run("2 in j.list && size(j.list) == 2 && j.list[0] == 1", subject)).toBe(true);
    expect(run("j.text == 9999", subject)).toBe(false);
    expect(run("j.text < 10000", subject)).toBe("fault: '<' takes no string and double");
  });

  test("what is absent is a fault that names it, and has() tells", () => {
    const subject = json('{"a": {"b": null, "c": "x"}}');
    expect(run("j.d == 1", subject)).toBe("fault: there is no j.d");
    expect(run("j.a.b == null", subject)).toBe("fault: there is no j.a.b");
    expect(run("has(j.a.c) && !has(j.a.b) && !has(j.x.y)", subject)).toBe(true);
    expect(run("!has(j.d) || j.d == 1", subject)).toBe(true);
    expect(run('s == "x"', { s: undefined })).toBe("fault: there is no s");
  });

  test("what has no single reading is a fault, also to has()", () => {
    expect(run('s == "x"', { s: AMBIGUOUS })).toBe("fault: s has no single reading");
    expect(run("has(j.a) && true", { j: { a: AMBIGUOUS } })).toBe("fault: j.a has no single reading");
    const items = json('{"items": [{"price": 1, "Price": 9}]}');
    expect(run("j.items.all(i, i.price < 5)", items)).toBe("fault: 'price' has no single reading");
    expect(run("j.items.exists(i, has(i.price))", items)).toBe("fault: 'price' has no single reading");
  });

  test("nothing that objects inherit is there", () => {
    const subject = json('{"o": {"x": 1}, "items": [{}]}');
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      expect(run(`has(j.o.${name})`, subject), name).toBe(false);
      expect(run(`'${name}' in j.o`, subject), name).toBe(false);
      expect(run(`j.items.exists(i, has(i.${name}))`, subject), name).toBe(false);
      expect(run(`j["${name}"] == 1`, subject), name).toBe(`fault: there is no j.${name}`);
    }
    expect(run("j.o.exists(name, name == 'x')", subject)).toBe(true);
  });

  test("the answer is true or false, or it is a fault", () => {
    expect(run("j.a", { j: { a: true } })).toBe(true);
    expect(run("j.a", { j: { a: "true" } })).toBe("fault: comes to a string, which is neither true nor false");
    expect(run("j.a || false", { j: { a: 1 } })).toBe("fault: '||' takes no double");
  });

  test("moments are compared with moments", () => {
    const now = new Timestamp(BigInt(Date.parse("2026-11-29T08:00:00Z")) * NS_PER_MS);
    expect(run("now - timestamp(int(j.iat)) < duration('1h')", { now, j: { iat: 1795938000 } })).toBe(true);
    expect(run("timestamp('2026-11-29T08:00:00.000000001Z') > now", { now })).toBe(true);
    const at = "1969-12-31T23:59:59.1234567Z";
    expect(run("string(timestamp(s)) == s && int(timestamp(s)) == -1", { s: at })).toBe(true);
    expect(run("s == '' && duration('-1h1m1.5s') == duration('-3661500ms')", { s: "" })).toBe(true);
    expect(run("s == '' && duration('1.5us') == duration('1500ns')", { s: "" })).toBe(true);
    expect(run("now.getHours() >= 8 && now.getFullYear() == 2026", { now })).toBe(true);
  });
});

describe("what is wrong is told at its offset", () => {
  test.each([
    ["s = 'a'", 2, "means nothing here"],
    ["s == 'a", 5, "does not end on its line"],
    ["s == ", 5, "ends where a value is expected"],
    ["s == 'a' && (s == 'b'", 21, "')' is expected"],
    ["s == 'a' s", 9, "not expected here"],
    ["s == 1", 2, "string and int are never equal"],
    ["s < 1", 2, "'<' takes no string and int"],
    ["s && true", 2, "'&&' takes no string and bool"],
    ["1 + 1.0 == 2.0 && s == ''", 2, "write 1.0 for 1"],
    ["s.contain('a')", 2, "did you mean 'contains'?"],
    ["siez(s) == 1", 0, "did you mean 'size'?"],
    ["s.contains(1)", 2, "takes (string, string)"],
    ["s.matches(s)", 10, "a text that stands here"],
    ["s.matches('(')", 10, "the pattern"],
    ["s.matches('^(a)\\\\1$')", 10, "the pattern"],
    ["t == 1", 0, "no attribute 't'"],
    ["true && j == 1", 8, "no attribute 'j'"],
    ["s.x == 1", 0, "has no members"],
    ["s[0] == 'a'", 1, "has no items"],
    ["1 in s", 2, "takes a list"],
    ["1 in l", 2, "never holds"],
    ["l.exists(x)", 2, "takes a name and a condition"],
    ["l.exists(x, x)", 12, "takes a condition"],
    ["s.exists(x, true)", 0, "goes through a list"],
    ["s", 0, "expected a condition"],
    ["true", 0, "looks at no attribute"],
    ["s == b'a'", 5, "bytes are not understood"],
    ["1u == 1u && s == ''", 0, "unsigned"],
    ["{'a': 1} == {} && s == ''", 0, "maps are not understood"],
    ["9223372036854775808 > 0 && s == ''", 0, "beyond 64 bits"],
    ["has(s)", 0, "'has' takes one name"],
    ["now.getHours('Mars') == 1", 13, "no time zone"],
    ["s == '\\ud800'", 6, "an escape that is none"],
    ["s ? true : false", 2, "'?' takes no string"],
    ["-s == 'a'", 0, "'-' takes no string"],
  ])("%s", (source, at, words) => {
    expect(run(source)).toMatch(new RegExp(`^at ${at}: `));
    expect(run(source)).toContain(words);
  });
});

describe("bounds", () => {
  test("of the source", () => {
    expect(run(`s == '${"x".repeat(5000)}'`)).toContain("longer than");
    expect(run(`${"(".repeat(100)}s == ''${")".repeat(100)}`)).toContain("nested deeper");
    expect(run(`${"!".repeat(100)}(s == '')`)).toContain("too many signs");
    expect(run(Array(400).fill("s == ''").join("||"))).toContain("more than 512 parts");
  });

  test("of lists, also one in another", () => {
    const list = (length: number) => ({ j: { list: Array.from({ length }, (_, at) => at) } });
    expect(run("j.list.all(x, x >= 0)", list(1_000))).toBe(true);
    expect(run("j.list.all(x, x >= 0)", list(1_001))).toContain("more than 1000 items");
    expect(run("j.list.all(x, j.list.all(y, y >= 0))", list(1_000))).toContain("takes more than");
    expect(run("j.list.all(x, 500 in j.list)", list(1_000))).toContain("takes more than");
    expect(run("j.list == j.list", list(100_000))).toContain("takes more than");
  });

  test("of maps", () => {
    const map = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`k${at}`, at]));
    for (const source of ["j.map == j.map", "size(j.map) > 0", "j.map.exists(name, name == 'x')"]) {
      expect(run(source, { j: { map } }), source).toContain("more than 1000 items");
    }
  });

  test("of texts, and of patterns that would hold RegExp for ever", () => {
    const long = (length: number) => ({ s: "a".repeat(length) });
    expect(run("s.contains('b')", long(70_000))).toContain("more than 65536 characters");
    expect(run("s + s + s == ''", long(40_000))).toContain("too large");
    expect(run("s.matches('^(a+)+$') && !s.matches('^(a+)+b$')", long(10_000))).toBe(true);
  });
});
