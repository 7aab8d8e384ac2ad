// Goal: what is read in one pass is what the library reads, and nothing that it refuses. Method: random documents with texts
// of every kind, as they are and with random edits, against the library's own reading: values and places.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { jsonNumber } from "../../src/bodies/json-number.ts";
import { atOnce } from "../../src/support/turns.ts";
import { composeDocument } from "../../src/yaml/compose.ts";
import { plainValue } from "../../src/yaml/plain-value.ts";
import { readTokens } from "../../src/yaml/tokens.ts";
import { readUsual } from "../../src/yaml/usual/read.ts";

type Places = Map<object, Map<string | number, number>>;

function readingInto(places: Places) {
  const member = (container: object, key: string | number, at: number): void => {
    places.set(container, (places.get(container) ?? new Map()).set(key, at));
  };
  return { depthMax: 24, nodesMax: 5_000, member, longNumber: jsonNumber };
}

/** Values with the place of each; undefined where there are none. */
function shown(value: unknown, places: Places): unknown {
  if (typeof value !== "object" || value === null || !(Array.isArray(value) || isPlain(value))) return value;
  return Object.entries(value).map(([key, inner]) => {
    const at = places.get(value)?.get(Array.isArray(value) ? Number(key) : key);
    return [key, at, shown(inner, places)];
  });
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function byUsual(text: string): unknown {
  const places: Places = new Map();
  const value = atOnce(readUsual(text, readingInto(places)));
  return value === null ? undefined : shown(value, places);
}

function byLibrary(text: string): unknown {
  const places: Places = new Map();
  const tokens = atOnce(readTokens(text, 24));
  const composed = typeof tokens === "number" ? null : atOnce(composeDocument(tokens, text.length));
  if (composed === null || composed.faults.length > 0 || composed.secondAt !== null) return undefined;
  const { contents } = composed.document;
  let isSound = contents !== null;
  const fault = (): void => {
    isSound = false;
  };
  const value = contents === null ? null : atOnce(plainValue(contents, new Map(), fault, readingInto(places)));
  return isSound ? shown(value, places) : undefined;
}

type Random = (below: number) => number;

const pick = <T>(random: Random, choices: readonly T[]): T => choices[random(choices.length)] as T;

const WORDS = [
  "null",
  "~",
  "True",
  "false",
  "12",
  "-3",
  "0x1F",
  "007",
  "1e3",
  "1.",
  ".5",
  "+1",
  ".inf",
  "1e400",
  "12345678901234567890",
  "0o17",
];
const PLAIN = [
  "a",
  "a b",
  "a:b",
  "a#b",
  "-x",
  "x-",
  "{id}",
  "/a/{id}",
  "$ref",
  "#/a",
  "?x",
  ":x",
  "é 😀",
  "a: b",
  "a #b",
  "it's",
  "<<",
  "__proto__",
  "%a",
  "a  b",
  "- a",
];
const QUOTED = [
  "''",
  '""',
  "'it''s'",
  "'a: b'",
  '"a\\n\\t\\"b\\""',
  '"\\u00e9\\x41\\U0001F4DA"',
  '"\\q"',
  "'a\\'",
  '"a',
  "'#'",
  '"a" "b"',
  '"\\ud800"',
];
const KEYS = ["a", "b c", "'200'", '"x"', "/a/{id}", "$ref", "x-y", "404", "null", "é", "a-b: ", "'it''s'", "? k"];

function scalar(random: Random, pad: string): string {
  const line = (): string => pick(random, [...PLAIN, ...WORDS, ""]);
  switch (random(8)) {
    case 0:
      return pick(random, QUOTED);
    case 1:
      return `${pick(random, PLAIN)}\n${pad}  ${line()}${pick(random, ["", "\n"])}\n${pad} ${line()}`;
    case 2: {
      const quote = pick(random, ["'", '"']);
      const escaping = quote === '"' ? pick(random, ["", "\\", "\\\\", "\\n "]) : "";
      return `${quote}${line().replaceAll(/['"]/g, "")} ${escaping}\n${pick(random, ["", "\n", "  \n"])}${pad}   ${line().replaceAll(/['"]/g, "")}${quote}`;
    }
    case 3: {
      const head = `${pick(random, ["|", ">"])}${pick(random, ["", "-", "+", "2", "1-", "+1", " # why"])}`;
      const lines = Array.from({ length: 1 + random(5) }, () => pick(random, ["", " ", "    ", pad]) + line());
      return `${head}\n${lines.map((one) => (one.trim() === "" ? one : `${pad}  ${one}`)).join("\n")}`;
    }
    default:
      return pick(random, [...PLAIN, ...WORDS]);
  }
}

function flow(random: Random, depth: number, pad: string): string {
  if (depth === 0 || random(3) === 0) return pick(random, [...PLAIN, ...WORDS, ...QUOTED]);
  const gap = pick(random, ["", " ", `\n${pad}  `, `\n${pad}`]);
  const inner = Array.from({ length: random(4) }, (_, at) => {
    const value = flow(random, depth - 1, pad);
    const key = pick(random, [`k${at}`, `"k${at}"`, pick(random, KEYS)]);
    return random(2) === 0 ? `${key}${pick(random, [": ", ":", " : "])}${value}` : value;
  });
  const isList = random(2) === 0;
  const chosen = inner.filter((text) => random(20) === 0 || text.includes(": ") !== isList);
  return `${isList ? "[" : "{"}${gap}${chosen.join(`,${gap}`)}${pick(random, ["", ",", gap])}${isList ? "]" : "}"}`;
}

function block(random: Random, indent: number, depth: number): string {
  const pad = " ".repeat(indent);
  const isList = random(3) === 0;
  const lines: string[] = [];
  for (let at = 0; at < 1 + random(4); at++) {
    if (random(12) === 0) lines.push(pick(random, ["", `${pad}# remark`, "# remark", "   "]));
    const head = isList ? "-" : `${random(4) === 0 ? pick(random, KEYS) : `key${at}`}:`;
    const step = pick(random, [2, 2, 4, isList ? 2 : 0]);
    if (depth > 0 && random(3) === 0) {
      const inner = block(random, indent + step, depth - 1);
      // A list or mapping may begin on the line of its dash.
      const isCompact = isList && step === 2 && random(2) === 0;
      lines.push(
        isCompact
          ? `${pad}- ${inner.trimStart()}`
          : `${pad}${head}${pick(random, ["", " # why", " &a", "  "])}\n${inner}`,
      );
    } else if (random(4) === 0) lines.push(`${pad}${head} ${flow(random, 2, pad)}`);
    else
      lines.push(
        `${pad}${head}${pick(random, [" ", "  "])}${scalar(random, pad)}${pick(random, ["", "", " # why", "#", " "])}`,
      );
  }
  return lines.join("\n");
}

function edited(random: Random, text: string): string {
  const at = random(text.length + 1);
  const put = pick(random, [
    " ",
    "\n",
    ":",
    "- ",
    "#",
    "'",
    '"',
    "{",
    "]",
    ",",
    "\t",
    "|",
    ">",
    "&",
    "*",
    "!",
    "?",
    "\\",
    "---\n",
    "\r",
    "...",
    "\n\n ",
  ]);
  return text.slice(0, at) + (random(2) === 0 ? put : "") + text.slice(at + random(3));
}

const DOCUMENTS = Number(process.env["YAML_DOCUMENTS"] ?? 3_000);

describe("what is read in one pass", () => {
  test("is what the library reads, with the same places, and nothing that it refuses", () => {
    const random = seededRandom(Number(process.env["YAML_SEED"] ?? 11));
    let usual = 0;
    let sound = 0;
    for (let at = 0; at < DOCUMENTS; at++) {
      let text = `${pick(random, ["", "", "---\n", "# first\n--- # why\n"])}${block(random, 0, 3)}${pick(random, ["\n", "", "\n\n"])}`;
      for (let edits = random(3); edits > 0; edits--) text = edited(random, text);
      const got = byUsual(text);
      const expected = byLibrary(text);
      if (expected !== undefined) sound++;
      if (got === undefined) continue;
      usual++;
      expect({ text, read: got }).toEqual({ text, read: expected });
    }
    expect(usual / sound).toBeGreaterThan(0.5);
    expect(usual).toBeGreaterThan(DOCUMENTS / 8);
  });

  const folder = dirname(createRequire(import.meta.url).resolve("@readme/oas-examples/package.json"));
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /^3\.\d\/.*\.ya?ml$/.test(name),
  );

  test.each(names)("is all of %s", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const places: Places = new Map();
    expect(atOnce(readUsual(text, { depthMax: 128, nodesMax: 100_000, longNumber: jsonNumber }))).not.toBeNull();
    expect(
      shown(atOnce(readUsual(text, { ...readingInto(places), depthMax: 128, nodesMax: 100_000 })), places),
    ).toEqual(libraryOf(text));
  });

  test.each([
    ["an anchor", "a: &b 1\n"],
    ["an alias", "a: *b\n"],
    ["a tag", "a: !!str 1\n"],
    ["a tab", "a:\t1\n"],
    ["a key twice", "a: 1\na: 2\n"],
    ["a merge key", "<<: {}\n"],
    ["a second document", "a: 1\n---\nb: 2\n"],
    ["a directive", "%YAML 1.2\n---\na: 1\n"],
    ["a text alone", "a\n"],
    ["lines as they end elsewhere", "a: 1\r\nb: 2\r\n"],
    ["more levels than are allowed", `a: ${"[".repeat(30)}${"]".repeat(30)}\n`],
    ["more values than are allowed", `a: [${"1,".repeat(6_000)}]\nb: {}\n`],
  ])("is nothing with %s", (_, text) => {
    expect(byUsual(text)).toBeUndefined();
  });
});

function libraryOf(text: string): unknown {
  const places: Places = new Map();
  const tokens = atOnce(readTokens(text, 128));
  const composed = typeof tokens === "number" ? null : atOnce(composeDocument(tokens, text.length));
  if (!composed?.document.contents) throw new Error("the library does not read it");
  const limits = { ...readingInto(places), depthMax: 128, nodesMax: 100_000 };
  return shown(atOnce(plainValue(composed.document.contents, new Map(), () => {}, limits)), places);
}
