// Goal: every cell of OpenAPI's table of styles is read as the value that it stands for; what is written by another
// implementation comes back; what services would read in two ways has both readings.
import { createQuerySerializer, defaultPathSerializer } from "openapi-fetch";
import { describe, expect, test } from "vitest";
import {
  type EscapedValues,
  type Leaves,
  readCookieStyle,
  readHeaderStyle,
  readPathStyle,
  readQueryStyle,
  type Shape,
  type Style,
  type StyledParameter,
} from "../../src/bodies/parameter-styles.ts";

const COLORS = ["blue", "black", "brown"];
const MIX = new Map([
  ["R", "100"],
  ["G", "200"],
  ["B", "150"],
]);

function color(style: Style, explode: boolean, shape: Shape): StyledParameter {
  return { name: "color", style, explode, shape, properties: ["R", "G", "B"] };
}

function queryOf(text: string): EscapedValues {
  const values = new Map<string, string[]>();
  for (const pair of text.split("&")) {
    const [name = "", ...rest] = pair.split("=");
    const decoded = decodeURIComponent(name);
    values.set(decoded, [...(values.get(decoded) ?? []), rest.join("=")]);
  }
  return values;
}

/** OpenAPI 3.1.1, section 4.8.12.4, Style Examples: style, explode, empty, string, array, object; null for n/a. */
const TABLE: readonly [Style, boolean, string | null, string | null, string | null, string | null][] = [
  ["matrix", false, ";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"],
  ["matrix", true, ";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
  ["label", false, ".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"],
  ["label", true, ".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"],
  ["simple", false, "", "blue", "blue,black,brown", "R,100,G,200,B,150"],
  ["simple", true, "", "blue", "blue,black,brown", "R=100,G=200,B=150"],
  ["form", false, "color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
  ["form", true, "color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
  ["spaceDelimited", false, null, null, "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
  ["pipeDelimited", false, null, null, "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
  ["deepObject", true, null, null, null, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"],
];

const IN_PATH: readonly Style[] = ["matrix", "label", "simple"];

function read(style: Style, explode: boolean, shape: Shape, text: string) {
  const parameter = color(style, explode, shape);
  return IN_PATH.includes(style) ? readPathStyle(parameter, text) : readQueryStyle(parameter, queryOf(text));
}

describe("the table of the specification", () => {
  test.each(TABLE)("%s, explode %s", (style, explode, empty, text, list, object) => {
    const cells: readonly [string | null, Shape, Leaves][] = [
      [empty, "primitive", ""],
      [text, "primitive", "blue"],
      [list, "array", COLORS],
      [object, "object", MIX],
    ];
    for (const [cell, shape, value] of cells) {
      if (cell !== null) expect(read(style, explode, shape, cell), cell).toEqual({ ok: true, value: [value] });
    }
  });

  test.each([
    [false, "blue,black,brown", COLORS],
    [true, "blue, black ,brown", COLORS],
    [false, "R,100,G,200,B,150", MIX],
    [true, "R=100,G=200,B=150", MIX],
  ] as const)("headers, explode %s: %s", (explode, line, value) => {
    const shape = Array.isArray(value) ? "array" : "object";
    expect(readHeaderStyle(color("simple", explode, shape), [line])).toEqual({ ok: true, value: [value] });
  });

  test("cookies escape in style form and not in style cookie", () => {
    expect(readCookieStyle(color("form", false, "primitive"), ["a%20b"])).toEqual({ ok: true, value: ["a b"] });
    expect(readCookieStyle(color("cookie", false, "primitive"), ["a%20b"])).toEqual({ ok: true, value: ["a%20b"] });
    expect(readCookieStyle(color("form", false, "array"), ["a,b"])).toEqual({ ok: true, value: [["a", "b"]] });
  });
});

/** 0 to 1, the same in each run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const CHARACTERS = [..."abcXYZ019-_~ äß€😀%&=?#/+;:@!$'()*\"<>[]{}\\^`|."];

describe("what openapi-fetch writes is read back", () => {
  const random = randomOf(7);
  const textOf = (): string =>
    Array.from(
      { length: 1 + Math.floor(random() * 6) },
      () => CHARACTERS[Math.floor(random() * CHARACTERS.length)],
    ).join("");
  const anyValue = (shape: Shape): string | string[] | Record<string, string> => {
    if (shape === "primitive") return textOf();
    if (shape === "array") return Array.from({ length: 1 + Math.floor(random() * 4) }, textOf);
    return { R: textOf(), G: textOf(), B: textOf() };
  };
  const leavesOf = (value: ReturnType<typeof anyValue>): Leaves =>
    typeof value === "string" || Array.isArray(value) ? value : new Map(Object.entries(value));

  test.each(
    (["form", "spaceDelimited", "pipeDelimited"] as const).flatMap((style) =>
      [true, false].flatMap((explode) => [[style, explode] as const]),
    ),
  )("lists in a query: %s, explode %s", (style, explode) => {
    const serialize = createQuerySerializer({ array: { style, explode } });
    for (let turn = 0; turn < 500; turn++) {
      const value = anyValue("array") as string[];
      // With these two there is no way to write an item that has the delimiter.
      const delimiter = explode ? null : style === "spaceDelimited" ? " " : style === "pipeDelimited" ? "|" : null;
      if (delimiter !== null && value.some((item) => item.includes(delimiter))) continue;
      const result = readQueryStyle(color(style, explode, "array"), queryOf(serialize({ color: value })));
      expect(result.ok && result.value?.[0], JSON.stringify(value)).toEqual(value);
    }
  });

  test.each([
    ["form", true],
    ["form", false],
    ["deepObject", true],
  ] as const)("objects in a query: %s, explode %s", (style, explode) => {
    const serialize = createQuerySerializer({ object: { style, explode } });
    for (let turn = 0; turn < 500; turn++) {
      const value = anyValue("object");
      const result = readQueryStyle(color(style, explode, "object"), queryOf(serialize({ color: value })));
      expect(result.ok && result.value?.[0], JSON.stringify(value)).toEqual(leavesOf(value));
    }
  });

  test.each(
    [
      ["simple", "", ""],
      ["label", ".", ""],
      ["matrix", ";", ""],
    ].flatMap(([style = "", mark = ""]) =>
      (["primitive", "array", "object"] as const).flatMap((shape) =>
        [true, false].map((explode) => [style as Style, mark, shape, explode] as const),
      ),
    ),
  )("in a path: %s (%s), %s, explode %s", (style, mark, shape, explode) => {
    for (let turn = 0; turn < 200; turn++) {
      const value = anyValue(shape);
      // A dot is never escaped, so that an item of this style cannot have one.
      if (style === "label" && explode && JSON.stringify(value).includes(".")) continue;
      const written = defaultPathSerializer(`{${mark}color${explode ? "*" : ""}}`, { color: value });
      const result = readPathStyle(color(style, explode, shape), written);
      expect(result.ok && result.value[0], written).toEqual(leavesOf(value));
    }
  });
});

describe("what services read in two ways has both readings", () => {
  test("an escaped delimiter inside an item", () => {
    expect(readPathStyle(color("simple", false, "array"), "a%2Cb,c")).toEqual({
      ok: true,
      value: [
        ["a,b", "c"],
        ["a", "b", "c"],
      ],
    });
    expect(readQueryStyle(color("form", false, "array"), queryOf("color=admin%2Cuser"))).toEqual({
      ok: true,
      value: [["admin,user"], ["admin", "user"]],
    });
  });

  test("one that only one of them can be read as is refused", () => {
    expect(readQueryStyle(color("form", false, "object"), queryOf("color=R,1%2C2"))).toMatchObject({ ok: false });
  });
});

describe("what is no value is refused in words", () => {
  test.each<[Style, boolean, Shape, string, string]>([
    ["label", false, "primitive", "blue", "a value that does not begin with a dot"],
    ["matrix", false, "primitive", "color=blue", "a value that does not begin with ;"],
    ["matrix", false, "primitive", ";colour=blue", "a name that is not color"],
    ["matrix", false, "primitive", ";color=blue;color=red", "sent twice"],
    ["simple", false, "object", "R,100,G", "a property without a value"],
    ["simple", true, "object", "R=100,R=200", "a property twice"],
    ["simple", false, "primitive", "%ff", "an escape that is no UTF-8"],
    ["form", false, "array", "color=a&color=b", "sent twice"],
    ["deepObject", true, "object", "color[R]=1&color[R]=2", "a property twice"],
    ["simple", false, "array", Array(2_000).fill("a").join(","), "more than 1000 parts"],
  ])("%s, explode %s, %s: %s", (style, explode, shape, text, error) => {
    expect(read(style, explode, shape, text)).toEqual({ ok: false, error });
  });

  test("a parameter that is not there is none", () => {
    for (const shape of ["primitive", "array", "object"] as const) {
      expect(readQueryStyle(color("form", true, shape), queryOf("other=1"))).toEqual({ ok: true, value: null });
      expect(readHeaderStyle(color("simple", false, shape), [])).toEqual({ ok: true, value: null });
    }
  });
});
