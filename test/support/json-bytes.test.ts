import { expect, test } from "vitest";
import { JsonBytes } from "../../src/support/json-bytes.ts";
import { fixed } from "../../src/support/json-text.ts";

function written(write: (json: JsonBytes) => void): string {
  const json = new JsonBytes();
  write(json);
  return json.toString();
}

test.each(["", "plain", 'a "quote"', "back\\slash", "line\n", "\u007f", "é", "\ud83d\ude00", "\ud83d"])(
  "the text %j is what JSON makes of it",
  (text) => {
    expect(written((json) => json.quoted(text))).toBe(JSON.stringify(text).toWellFormed());
  },
);

test("a text that is longer than it may be is somebody else's to write", () => {
  const cut = (text: string): string => JSON.stringify(`${text.slice(0, 3)}…`);
  expect(written((json) => json.quoted("four", 4, cut))).toBe('"four"');
  expect(written((json) => json.quoted("fiver", 4, cut))).toBe('"fiv…"');
});

test("pieces stand behind each other, and what is begun anew forgets them", () => {
  const json = new JsonBytes();
  for (let nth = 0; nth < 2; nth++) {
    json.clear();
    json.piece(Buffer.from('{"a":'));
    json.integer(1_764_500_000_123);
    json.ascii(',"b":');
    json.decimal(20_560, 3);
    json.json(',"c":"é"}');
    expect(json.bytes.toString("utf8", 0, json.length)).toBe('{"a":1764500000123,"b":20.560,"c":"é"}');
  }
});

test("a line of any length has room", () => {
  const long = "x".repeat(100_000);
  const wide = "é".repeat(100_000);
  expect(written((json) => json.quoted(long))).toBe(`"${long}"`);
  expect(written((json) => json.quoted(wide))).toBe(`"${wide}"`);
  expect(written((json) => json.json(long + wide))).toBe(long + wide);
  expect(written((json) => json.piece(Buffer.from(long)))).toBe(long);
});

test.each(["", "7", "é", "12345678", "1234567é", "123456789", '"Grüße, 世界"'])(
  "JSON like %j stands as it is",
  (text) => {
    expect(written((json) => json.json(text))).toBe(text);
  },
);

test("integers are as their own text has them", () => {
  const edges = Array.from({ length: 16 }, (_, at) => 10 ** at).flatMap((power) => [power - 1, power, power + 1]);
  const others = [0, -0, -1, 1.5, Number.MAX_SAFE_INTEGER, 1e21, Number.NaN, Number.POSITIVE_INFINITY];
  for (const value of [...edges, ...edges.map((edge) => edge * 7), ...others]) {
    expect(written((json) => json.integer(value))).toBe(`${value}`);
  }
});

test("decimal numbers are as `fixed` has them", () => {
  const units = [0, -0.3, 0.4, 0.5, 1, 9.5, 10, 99.49, 1000, 1001, 999_999_999.4, 999_999_999.5, 1e12, -5, Number.NaN];
  for (const one of [...units, ...units.map((unit) => unit * 3.7)]) {
    for (const digits of [1, 3] as const) {
      expect(written((json) => json.decimal(one, digits))).toBe(fixed(one, digits));
    }
  }
});
