import { beforeAll, describe, expect, test } from "vitest";
import { headFacts } from "../../src/filters/detect/head-facts.ts";
import { jsonStrings, jsonStringsInSteps, nestedStrings } from "../../src/filters/detect/json-strings.ts";
import { shapesOf } from "../../src/filters/detect/value-shapes.ts";
import { unmarkedXmlInSteps } from "../../src/filters/detect/xml-texts.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { createExchange, createRouteContext } from "../fixtures/route-context.ts";

describe("strings of a value that is JSON itself", () => {
  const texts = (value: string): string[] => nestedStrings(value, "filter").map(({ value: text }) => text);
  const nested = (value: unknown, levels: number): string =>
    levels === 0 ? JSON.stringify(value) : nested(JSON.stringify(value), levels - 1);

  test("each is there without its escapes, at any depth that services read", () => {
    expect(texts('{"a":"\\u0027 x","b":["\\n"]}')).toEqual(["a", "' x", "b", "\n"]);
    for (const levels of [0, 1, 2, 3]) expect(texts(nested({ note: "\u0001'" }, levels))).toContain("\u0001'");
  });

  test("a text with quotes that is not JSON as a whole is there without its escapes", () => {
    expect(texts('query { a(b: "\\u0027 x") }')).toEqual(['query { a(b: "\' x") }']);
    expect(texts('j:{"a":"\\u0027"}')).toEqual(['j:{"a":"\'"}']);
    expect(texts('{ # "\n a(b: "\\u0027") }')).toContain('{ # "\n a(b: "\'") }');
  });

  test("of a text without escapes, or that is none of JSON, there is nothing more to see", () => {
    expect(texts('{"a":"b"}')).toEqual([]);
    expect(texts("C:\\temp\\new")).toEqual([]);
    expect(texts("")).toEqual([]);
  });

  test("there are at most one more than can be searched, and depth does not multiply them", () => {
    const many = JSON.stringify(Array.from({ length: 3 * DEFAULTS.detectValuesMax }, () => "\\"));
    expect(texts(many).length).toBe(DEFAULTS.detectValuesMax + 1);
    expect(texts(nested("\\", 12)).length).toBeLessThanOrEqual(8);
  });
});

describe("strings of a text that is no JSON", () => {
  test("each ends at its quote, or with the text, and is without its escapes", () => {
    const strings = jsonStrings('{"a": "\\u0027\\n\\q", "\\"", ""} "\\u12" "end\\', "json");
    expect(strings.map(({ value }) => value)).toEqual(["a", "'\nq", '"', "", "u12", "end"]);
  });

  test("one of escapes alone, as long as a body may be, gives others their turn", () => {
    const steps = jsonStringsInSteps(`"${"\\x".repeat(DEFAULTS.bodyInspectedBytesMax / 2)}`, "json");
    let turns = 0;
    while (steps.next().done !== true) turns++;
    expect(turns).toBeGreaterThan(100);
  });
});

describe("XML under another label", () => {
  const plain = (text: string): string[] => atOnce(unmarkedXmlInSteps(text, "body")).map(({ value }) => value);

  test("is there without references, comments and sections", () => {
    expect(plain("<a>1&#39; &#x55;NI<!-- - -->ON &lt;&apos;&amp;#39;</a>")).toEqual(["<a>1' UNION <'&#39;</a>"]);
    expect(plain("<a><![CDATA[1' UN]]><![CDATA[ION]]></a>")).toEqual(["<a>1' UNION</a>"]);
  });

  test("what begins within another ends nothing", () => {
    expect(plain("<a><![CDATA[<!--]]>1&#39;<![CDATA[-->]]></a>")).toEqual(["<a><!--1'--></a>"]);
    expect(plain("<a><?x <!-- ?>1&#39;<!-- --></a>")).toEqual(["<a>1'</a>"]);
    expect(plain("<a><!-- <![CDATA[ -->1&#39;</a>")).toEqual(["<a>1'</a>"]);
    expect(plain("<a><!-- 1&#39;</a>")).toEqual(["<a><!-- 1'</a>"]);
  });

  test("what is none, or has nothing of this, is searched as it stands alone", () => {
    for (const text of ["", "a & b &amp; c", "<a>1</a>", '{"a":"&amp;"}']) expect(plain(text)).toEqual([]);
  });

  test("one of marks alone, as long as a body may be, gives others their turn and ends", () => {
    for (const mark of ["<", "<!--", "<![CDATA[", "<?", "<!---->", "&#39;"]) {
      const steps = unmarkedXmlInSteps(`<${mark.repeat(DEFAULTS.bodyInspectedBytesMax / mark.length)}`, "body");
      let turns = 0;
      while (steps.next().done !== true) turns++;
      if (mark === "<" || mark === "&#39;") expect(turns).toBeGreaterThan(100);
    }
  });
});

describe("cookies", () => {
  const cookies = (line: string): [string, string][] => {
    const exchange = createExchange({ headers: [["cookie", line]] });
    return headFacts(exchange, [], shapesOf([])).cookies.map(({ name, value }) => [name, value]);
  };

  test("each is as it stands", () => {
    expect(cookies('a=1; b="2"; c')).toEqual([
      ["a", "1"],
      ["b", '"2"'],
      ["c", ""],
    ]);
  });

  test("what stands in quotes is also one value, without its escapes", () => {
    expect(cookies('a="x;y"; b=1')).toContainEqual(["a", "x;y"]);
    expect(cookies('b=1; a="\\047\\"\\x"')).toContainEqual(["a", "'\"x"]);
    expect(cookies('a="never closed; b=1')).toContainEqual(["b", "1"]);
  });

  test("JSON in one is read", () => {
    expect(cookies(`p=${encodeURIComponent('{"a":"\\u0027"}')}`)).toContainEqual(["p", "'"]);
  });
});

describe("parameters of the path", () => {
  test("each is an argument of its own, its escapes decoded once", () => {
    const exchange = createExchange({ params: ["1%27%2520", "", "x"] });
    const { argsPath } = headFacts(exchange, ["id", "empty", "rest"], shapesOf([]));
    expect(argsPath).toEqual([
      { name: "path.id", value: "1'%20", shape: -1 },
      { name: "path.rest", value: "x", shape: -1 },
    ]);
  });
});

describe("what a contract promises of the path", () => {
  beforeAll(async () => {
    await validateFilter.prepare?.({ path: {} });
  });
  const promised = (settings: object, mode?: string): string[] => {
    const { context } = createRouteContext({ key: "validate", template: "/users/{id}" });
    const validate = validateFilter.schema.parse({ path: { id: settings }, ...(mode === undefined ? {} : { mode }) });
    atOnce(stepsOf(validateFilter.compile(validate, context)));
    return context.promises.map(({ where, name }) => `${where} ${name}`);
  };

  test("is what the value is, where it stands alone and the contract is enforced", () => {
    expect(promised({ type: "integer" })).toEqual(["path id"]);
    // A point or a name stands before the value.
    expect(promised({ type: "integer", style: "label" })).toEqual([]);
    expect(promised({ type: "integer", style: "matrix" })).toEqual([]);
    expect(promised({ type: "integer" }, "audit")).toEqual([]);
  });
});
