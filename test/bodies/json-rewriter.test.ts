// Goal: what is taken out of JSON or put in its place is exactly that, however the text is cut, and no other byte differs.
// Method: texts that fast-check makes, edited in pieces and by JSON.parse; then spellings that hide a member.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Charset } from "../../src/bodies/answer-format.ts";
import { ALL_TOLD, CONTAINERS_TOLD, NONE_TOLD, type Others } from "../../src/bodies/json-asked.ts";
import { type JsonPlace, parseJsonPath, placesOf } from "../../src/bodies/json-paths.ts";
import { DROP, type JsonEdit, JsonRewriter, KEEP, REPLACE } from "../../src/bodies/json-rewriter.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";

const STARS = Buffer.from('"***"');

function placeOf(...paths: readonly string[]): JsonPlace {
  const parsed = paths.map((text) => {
    const path = parseJsonPath(text);
    if (!path.ok) throw new Error(`${text}: ${path.error}`);
    return { path: path.value, entry: 0 };
  });
  return atOnce(placesOf(parsed));
}

/** What stands at one of the paths is dropped, or replaced by stars. */
function editOf(fate: typeof DROP | typeof REPLACE, ...paths: readonly string[]): JsonEdit<JsonPlace> {
  return {
    root: placeOf(...paths),
    child: (of, key) => of.child(key),
    fate: ({ ends, within }) => ((fate === DROP ? ends : ends | within) === 0 ? KEEP : fate),
    replacement: () => STARS,
  };
}

interface Edited {
  readonly text: string;
  readonly fault: string | null;
}

/** The same, but that members of other names are passed over. */
function passing(edit: JsonEdit<JsonPlace>): JsonEdit<JsonPlace> {
  const others = ({ other }: JsonPlace): Others => {
    if (other === null) return NONE_TOLD;
    if (edit.fate(other, 0) !== KEEP) return ALL_TOLD;
    return other.leads === 0 ? NONE_TOLD : CONTAINERS_TOLD;
  };
  return { ...edit, asked: edit.root.asked, others };
}

/** What becomes of the text, whether members are passed over or not. */
function edited(edit: JsonEdit<JsonPlace>, bytes: Buffer, cuts: readonly number[] = [], charset?: Charset): Edited {
  const told = editedBy(edit, bytes, cuts, charset);
  expect(editedBy(passing(edit), bytes, cuts, charset)).toEqual(told);
  return told;
}

function editedBy(edit: JsonEdit<JsonPlace>, bytes: Buffer, cuts: readonly number[], charset?: Charset): Edited {
  const editor = new JsonRewriter(edit, charset);
  const out: Buffer[] = [];
  let at = 0;
  for (let cut = 0; at < bytes.length; cut++) {
    const size = cuts.length === 0 ? bytes.length : (cuts[cut % cuts.length] ?? 1);
    out.push(editor.take(bytes.subarray(at, at + size)));
    at += size;
  }
  out.push(editor.end());
  return { text: Buffer.concat(out).toString("latin1"), fault: editor.fault };
}

const without = (text: string, ...paths: readonly string[]): string => {
  const { text: left, fault } = edited(editOf(DROP, ...paths), Buffer.from(text, "latin1"));
  expect(fault).toBeNull();
  return left;
};

describe("a member that is taken out", () => {
  test.each([
    ['{"ssn":1}', "{}"],
    ['{"ssn":1,"a":2}', '{"a":2}'],
    ['{ "ssn" : 1 , "a" : 2 }', '{  "a" : 2 }'],
    ['{"a":2,"ssn":1}', '{"a":2}'],
    ['{"a":2 , "ssn" : {"x":[1,{"ssn":3}]} }', '{"a":2  }'],
    ['{"a":1,"ssn":"x,}]\\"","b":2}', '{"a":1,"b":2}'],
    ['{"ssn":1,"ssn":2,"a":3,"ssn":[4]}', '{"a":3}'],
    ['{"ssn":1,"ssn":2}', "{}"],
    ['[{"ssn":1}]', '[{"ssn":1}]'],
    ["7", "7"],
    ["", ""],
  ])("%s → %s", (text, left) => {
    expect(without(text, "$.ssn")).toBe(left);
  });

  test.each([
    ['{"a":{"ssn":1,"b":[{"ssn":2,"c":3}]},"ssn":4}', ["$..ssn"], '{"a":{"b":[{"c":3}]}}'],
    ['{"items":[{"id":1,"cost":2},{"cost":3}]}', ["$.items[*].cost"], '{"items":[{"id":1},{}]}'],
    ['{"items":[{"id":1},{"id":2}]}', ["/items/1/id"], '{"items":[{"id":1},{}]}'],
    ['{"items":{"1":{"id":1}}}', ["/items/1/id"], '{"items":{"1":{}}}'],
    ['{"a":"\\\\","b":"\\"}","ssn":1,"c":{"d":"}"}}', ["$.ssn"], '{"a":"\\\\","b":"\\"}","c":{"d":"}"}}'],
    [
      '{ "a": 1,\n  "b": { "ssn": 2 },\n  "ssn": 3,\n  "c": [ 4 ]\n}',
      ["$.ssn"],
      '{ "a": 1,\n  "b": { "ssn": 2 },\n  "c": [ 4 ]\n}',
    ],
    ['{"a":1,"b":2,"c":{"d":1,"ssn":2,"e":3},"f":4}', ["$..ssn"], '{"a":1,"b":2,"c":{"d":1,"e":3},"f":4}'],
    ["[1,2,3]", ["$[0]"], "[2,3]"],
    ["[1, 2, 3]", ["$[1]"], "[1, 3]"],
    ["[1,2,3]", ["$[*]"], "[]"],
    ['{"a":1,"b":{"c":2}}', ["$.*"], "{}"],
    ['{"a b":1,"c/d":2,"e~f":3}', ["$['a b']", "/c~1d", "/e~0f"], "{}"],
    ['{"a":{"b":{"x":1}},"x":1}', ["$.a..x"], '{"a":{"b":{}},"x":1}'],
    ['{"a":[[{"x":1}]]}', ["$..[0]"], '{"a":[]}'],
  ])("%s without %s", (text, paths, left) => {
    expect(without(text, ...paths)).toBe(left);
  });

  test.each([1_000, 17_000, 100_000])("behind what is longer than is passed over, in pieces of %d bytes", (size) => {
    const long = JSON.stringify(Array.from({ length: 3_000 }, (_, at) => ({ at, text: '"}]\\', list: [[at]] })));
    const text = `{"a":${long},"ssn":1,"b":{"c":${long},"ssn":2},"d":${long}}`;
    const left = `{"a":${long},"b":{"c":${long},"ssn":2},"d":${long}}`;
    const { text: kept, fault } = edited(editOf(DROP, "$.ssn"), Buffer.from(text), [size]);
    expect([fault, kept === left]).toEqual([null, true]);
  });

  test("is found in each of several texts", () => {
    expect(without('{"ssn":1}\n{"a":1,"ssn":2}\n', "$.ssn")).toBe('{}\n{"a":1}\n');
    expect(without('\x1e{"ssn":1}\n\x1e{"ssn":2}\n', "$.ssn")).toBe("\x1e{}\n\x1e{}\n");
  });

  test("is found behind a byte order mark, and in any spelling", () => {
    expect(without('\xef\xbb\xbf{"ssn":1}', "$.ssn")).toBe("\xef\xbb\xbf{}");
    expect(without('{"\\u0073sn":1,"s\\u0073\\u006E":2}', "$.ssn")).toBe("{}");
    expect(without('{"a/b":1,"a\\/b":2}', "/a~1b")).toBe("{}");
    const name = Buffer.from('{"größe":1,"gr\\u00f6\\u00dfe":2}').toString("latin1");
    expect(without(name, "$.größe")).toBe("{}");
    expect(without('{"\\ud83d\\ude00":1}', "$['😀']")).toBe("{}");
  });
});

test.each([
  ['{"ssn\\u0000":1}', "a name with U+0000"],
  ['{"ssn\0x":1}', "a name that cannot be read"],
  ['{"s\nsn":1}', "a name that cannot be read"],
  ['{"s\\xsn":1}', "a name that cannot be read"],
  ['{"\xff":1}', "a name that cannot be read"],
  ["{'ssn':1}", "not JSON"],
  ["{ssn:1}", "not JSON"],
  ['{"a":1,}', "not JSON"],
  ['{"a":1 /* , */ }', "not JSON"],
  ['{"a":[/*"*/],"ssn":1,"b":["]}', "not JSON"],
  ['{"a":[#"\n],"ssn":1,"b":["]}', "not JSON"],
  ['{"a":{"b":[}],"ssn":1}}', "not JSON"],
  ['{"a" "b":1}', "not JSON"],
  ['{"a":[1}', "not JSON"],
  ["]", "not JSON"],
  ['{"a":1', "cut JSON"],
  ['{"a":"1', "cut JSON"],
  ['{\0"\0a\0"\0:\x001\0}\0', "not JSON"],
  [")]}',\n{}", "not JSON"],
  ["\xef\xbb{}", "not JSON"],
  ["[".repeat(300), `nested deeper than ${DEFAULTS.answerDepthMax}`],
  [`{"a":1,${" ".repeat(40_000)}"b":2}`, "too much before a value"],
  [`{"${"x".repeat(40_000)}":2}`, null],
])("%#: %.40j cannot be read: %s", (text, fault) => {
  const bytes = Buffer.from(text, "latin1");
  const seen = edited(editOf(DROP, "$.ssn"), bytes, [1_000]).fault;
  expect(seen).toBe(fault ?? "too much before a value");
});

test("a name that is Latin-1 is read so where it is called so, and only where it is nothing else", () => {
  const edit = editOf(DROP, "$.größe");
  const latin1 = Buffer.from('{"größe":1}', "latin1");
  expect(edited(edit, latin1, [], "latin1")).toEqual({ text: "{}", fault: null });
  expect(edited(edit, latin1, [], "utf8").fault).toBe("a name that cannot be read");
  expect(edited(edit, Buffer.from('{"größe":1}'), [], "latin1").fault).toBe("a name that cannot be read");
});

describe("a value that is replaced", () => {
  test.each([
    ['{"card":{"number":"4111","kind":"x"}}', ["$.card.number"], '{"card":{"number":"***","kind":"x"}}'],
    ['{"n":41.5e3,"m":true}', ["$.n", "$.m"], '{"n":"***","m":"***"}'],
    ['{"card":{"number":"4111","a":[1]}}', ["$.card"], '{"card":{"number":"***","a":["***"]}}'],
    ['"4111"', ["$"], '"***"'],
    ["4111", ["$"], '"***"'],
  ])("%s at %s", (text, paths, left) => {
    for (const cuts of [[], [1], [3]]) {
      expect(edited(editOf(REPLACE, ...paths), Buffer.from(text), cuts)).toEqual({ text: left, fault: null });
    }
  });

  test("is one that is longer than anybody keeps, too", () => {
    const text = `{"a":"${"x".repeat(3 * DEFAULTS.maskedBytesMax)}","b":1}`;
    const edit = editOf(REPLACE, "$.a");
    expect(edited(edit, Buffer.from(text), [1_000])).toEqual({ text: '{"a":"***","b":1}', fault: null });
  });
});

const NAMES = ["ssn", "a", "b", "items", "ss\u006e2", "größe", ""];
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, 0, -1.5e3, "x", 'q"\\', "größe", "ssn"),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("any"), { maxKeys: 4 }),
  ),
})).any;
const spacing = fc.constantFrom<string | number | undefined>(undefined, 1, "\t");
const cutting = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 });

test("what is left is what JSON.parse leaves, however the text is cut", () => {
  fc.assert(
    fc.property(value, spacing, cutting, (one, indent, cuts) => {
      const bytes = Buffer.from(JSON.stringify(one, null, indent));
      const { text, fault } = edited(editOf(DROP, "$..ssn"), bytes, cuts);
      expect(fault).toBeNull();
      expect(JSON.parse(Buffer.from(text, "latin1").toString())).toEqual(withoutSsn(one));
    }),
  );
});

function withoutSsn(one: unknown): unknown {
  if (Array.isArray(one)) return one.map(withoutSsn);
  if (typeof one !== "object" || one === null) return one;
  return Object.fromEntries(
    Object.entries(one).flatMap(([name, inner]) => (name === "ssn" ? [] : [[name, withoutSsn(inner)]])),
  );
}

test("bytes that no rule speaks of are the very same, also where the text is no JSON as far as it was read", () => {
  const sha = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
  const texts = fc.oneof(
    fc.tuple(value, spacing).map(([one, indent]) => Buffer.from(JSON.stringify(one, null, indent))),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(texts, cutting, (bytes, cuts) => {
      const { text, fault } = edited(editOf(DROP, "$..never", "$.a.b.c.d[3].never"), bytes, cuts);
      if (fault === null) expect(sha(Buffer.from(text, "latin1"))).toBe(sha(bytes));
      else expect(bytes.toString("latin1").startsWith(text)).toBe(true);
    }),
  );
});

test.each([
  "$ssn",
  "ssn",
  "$.",
  "$..",
  "$....a",
  "$.[0]",
  "$[-1]",
  "$[1:2]",
  "$[?@.a]",
  "$['a]",
  "$[01]",
  "/a~2",
  `$.${"a".repeat(600)}`,
])("%.40s is no path", (text) => {
  expect(parseJsonPath(text)).toMatchObject({ ok: false });
});
