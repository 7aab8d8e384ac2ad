import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../src/bodies/json.ts";
import { EventCutter } from "../../src/filters/detect/event-cutter.ts";
import { formArguments, formArgumentsInSteps } from "../../src/filters/detect/head-facts.ts";
import { jsonArguments } from "../../src/filters/detect/json-arguments.ts";
import { type ShapePlace, shapesOf } from "../../src/filters/detect/value-shapes.ts";
import { compileParameterSchema } from "../../src/filters/validate/engine.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";

const PLACE = { file: "policy.yaml", line: 1, column: 1, path: "detect" };

function leaves(text: string): Record<string, string> {
  const parsed = parseJson(Buffer.from(text));
  if (!parsed.ok) throw new Error(parsed.error);
  return Object.fromEntries(atOnce(jsonArguments(parsed.value, null)).map(({ name, value }) => [name, value]));
}

describe("leaves of JSON", () => {
  test("each has the path that leads to it", () => {
    expect(leaves('{"a":{"b":[1,"x",{"c":true}]},"d":null}')).toEqual({
      "json.a.b": "",
      "json.a.b.0": "1",
      "json.a.b.1": "x",
      "json.a.b.2.c": "true",
      "json.d": "",
    });
  });

  test("names that lead to nothing are seen, too", () => {
    expect(leaves('{"<script>":{},"x":[]}')).toEqual({ "json.<script>": "", "json.x": "" });
  });

  test("a text beyond ASCII is its bytes", () => {
    expect(leaves('"é"')).toEqual({ json: "\u00c3\u00a9" });
  });

  test("a number that no double holds is what was written", () => {
    expect(leaves("12345678901234567890")).toEqual({ json: "12345678901234567890" });
  });

  test("one that is JSON itself has its strings behind it, read in steps", () => {
    expect(leaves('{"a":"[\\"\\\\u0027\\"]"}')).toEqual({ "json.a": "'" });
    const steps = jsonArguments({ a: `"${"\\x".repeat(DEFAULTS.bodyInspectedBytesMax / 4)}` }, null);
    let turns = 0;
    while (steps.next().done !== true) turns++;
    expect(turns).toBeGreaterThan(50);
  });

  test("there are at most one more than can be searched", () => {
    const many = JSON.stringify(Array.from({ length: 3 * DEFAULTS.detectValuesMax }, (_, at) => at));
    const parsed = parseJson(Buffer.from(many));
    expect(atOnce(jsonArguments(parsed.ok ? parsed.value : null, null)).length).toBe(DEFAULTS.detectValuesMax + 1);
  });
});

test("of a list beyond what can be searched no item is looked at", () => {
  let looked = 0;
  const list = new Proxy(
    Array.from({ length: 10 * DEFAULTS.detectValuesMax }, () => 1),
    {
      get(target, name, receiver) {
        if (name !== "length") looked++;
        return Reflect.get(target, name, receiver);
      },
    },
  );
  atOnce(jsonArguments(list, null));
  expect(looked).toBeLessThan(2 * DEFAULTS.detectValuesMax);
});

describe("pairs of a form", () => {
  const pairs = (text: string) => formArguments(text, () => -1).map(({ name, value }) => [name, value]);

  test("escapes are bytes, decoded once, and what is none stays", () => {
    expect(pairs("a=%2527+1&b=%zz&%63=%e9")).toEqual([
      ["a", "%27 1"],
      ["b", "%zz"],
      ["c", "\u00e9"],
    ]);
  });

  test("one as long as a body may be gives others their turn, and none of its escapes is cut", () => {
    const escapes = Math.floor(DEFAULTS.bodyInspectedBytesMax / 3);
    const steps = formArgumentsInSteps(`a=${"%27".repeat(escapes)}`, () => -1);
    let turns = 0;
    let next = steps.next();
    for (; next.done !== true; next = steps.next()) turns++;
    expect(turns).toBeGreaterThan(100);
    expect(next.value[0]?.value).toBe("'".repeat(escapes));
  });

  test("a name alone has an empty value, and empty pairs are none", () => {
    expect(pairs("a&&=b")).toEqual([
      ["a", ""],
      ["", "b"],
    ]);
  });
});

describe("what a contract closes", () => {
  const schema = (words: Record<string, unknown>) => {
    const compiled = compileParameterSchema(words, (text) => text);
    if (!compiled.ok) throw new Error(compiled.error[0]?.text);
    return compiled.value.root;
  };

  test("numbers, booleans and lists of values leave nothing to search", () => {
    const shapes = shapesOf([
      { where: "query", name: "n", schema: schema({ type: "integer" }) },
      { where: "query", name: "e", schema: schema({ enum: ["a", "b"] }) },
      { where: "query", name: "t", schema: schema({ type: "string" }) },
    ]);
    expect(shapes.constraints[shapes.ofQuery("n")]?.isClosed).toBe(true);
    expect(shapes.constraints[shapes.ofQuery("e")]?.isClosed).toBe(true);
    expect(shapes.ofQuery("t")).toBe(-1);
    expect(shapes.ofQuery("unknown")).toBe(-1);
  });

  test("a list or an object in a parameter says nothing of its text", () => {
    const shapes = shapesOf([
      { where: "query", name: "l", schema: schema({ type: "array", items: { type: "integer" } }) },
    ]);
    expect(shapes.ofQuery("l")).toBe(-1);
  });

  test("an alphabet is that of the pattern or the format", () => {
    const shapes = shapesOf([
      { where: "query", name: "p", schema: schema({ type: "string", pattern: "^[a-c]+$" }) },
      { where: "query", name: "u", schema: schema({ type: "string", format: "uuid" }) },
    ]);
    expect(shapes.constraints[shapes.ofQuery("p")]?.alphabet).toEqual([0x61, 0x63]);
    expect(shapes.constraints[shapes.ofQuery("u")]?.alphabet).toContain(0x2d);
  });

  test("a value of a format has no character beyond its alphabet", () => {
    const examples: Record<string, readonly string[]> = {
      uuid: ["0B6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1"],
      date: ["2026-11-29"],
      "date-time": ["2026-11-29T23:59:60.123+01:00", "2026-11-29t23:59:59z"],
      time: ["23:59:60Z", "12:00:00.5-01:00"],
      duration: ["P1Y2M3DT4H5M6S", "P2W"],
      ipv4: ["127.0.0.1"],
      ipv6: ["::ffff:127.0.0.1", "FE80::1"],
      hostname: ["xn--a-b.Example.org"],
      byte: ["aGk+/w=="],
    };
    for (const [format, values] of Object.entries(examples)) {
      const words = { type: "string", format };
      const shapes = shapesOf([{ where: "query", name: "x", schema: schema(words) }]);
      const alphabet = shapes.constraints[shapes.ofQuery("x")]?.alphabet ?? [];
      for (const char of values.join("")) {
        const code = char.codePointAt(0) ?? 0;
        const isIn = alphabet.some((first, at) => at % 2 === 0 && first <= code && code <= (alphabet[at + 1] ?? -1));
        expect(isIn, `${format}: ${char}`).toBe(true);
      }
    }
  });

  test("leaves of a body have the shape of their place, at any depth", () => {
    const shapes = shapesOf([
      {
        where: "body",
        name: "",
        schema: schema({
          type: "object",
          properties: {
            n: { type: "integer" },
            items: { type: "array", items: { type: "object", properties: { id: { type: "number" } } } },
          },
        }),
      },
    ]);
    const closed = (name: string) =>
      atOnce(jsonArguments({ n: 1, items: [{ id: 2, other: "x" }], free: "y" }, shapes.body))
        .filter(({ shape }) => shapes.constraints[shape]?.isClosed === true)
        .some((one) => one.name === name);
    expect(["json.n", "json.items.0.id", "json.items.0.other", "json.free"].map(closed)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("what is said of members is known before a body comes, of a recursive schema to some depth", () => {
    const words = {
      type: "object",
      properties: {
        code: { type: "string", pattern: "^[a-z]{1,80}$" },
        list: { type: "array", items: { type: "object", properties: { day: { type: "string", format: "date" } } } },
        next: { $ref: "#" },
      },
      additionalProperties: { type: "string", maxLength: 7 },
    };
    const { body, constraints } = shapesOf([{ where: "body", name: "", schema: schema(words) }]);
    const known = constraints.length;
    const deep = [..."x".repeat(40)].reduce<ShapePlace | null>((place) => place?.member("next") ?? null, body);
    for (const place of [body?.member("code"), body?.member("list")?.item(3)?.member("day"), deep?.member("other")])
      expect(place?.shape).toBeLessThan(known);
    expect(constraints.length).toBe(known);
    expect(known).toBeGreaterThan(2);
  });

  describe("is what was judged, and no more", () => {
    const shapeless = (words: Record<string, unknown>, value: unknown, name: string): boolean => {
      const shapes = shapesOf([{ where: "body", name: "", schema: schema(words) }]);
      return atOnce(jsonArguments(value, shapes.body)).find((one) => one.name === name)?.shape === -1;
    };
    const attack = "' or 1=1--";

    test.each([
      [
        "a member whose name a pattern takes",
        { type: "object", patternProperties: { "^x-": { type: "string" } }, additionalProperties: { type: "integer" } },
        { "x-a": attack },
        "json.x-a",
      ],
      ["a member where only items are spoken of", { items: { type: "integer" } }, { a: attack }, "json.a"],
      ["an item where only members are", { additionalProperties: { type: "integer" } }, [attack], "json.0"],
      ["an item whose number is a member's name", { properties: { 0: { type: "integer" } } }, [attack], "json.0"],
      [
        "another member than the one called *",
        { type: "object", properties: { "*": { type: "integer" } } },
        { a: attack },
        "json.a",
      ],
      ["a text of a format for numbers", { type: "string", format: "int64" }, attack, "json"],
      ["a text of a format for small numbers", { type: "string", format: "int32" }, attack, "json"],
    ])("%s is searched", (_, words, value, name) => {
      expect(shapeless(words, value, name)).toBe(true);
    });
  });
});

describe("an event stream in pieces", () => {
  const events = "data: a\n\ndata: b\r\n\r\n: note\rdata: c\r\rdata: d";

  test("each event is seen whole, wherever it is cut, and no byte is changed", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
        const seen: string[] = [];
        const see = (event: Buffer): null => {
          seen.push(event.toString());
          return null;
        };
        const cutter = new EventCutter(PLACE, see, (trailers) => trailers);
        let out = "";
        const bytes = Buffer.from(events);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          out += cutter.take(bytes.subarray(at, at + size)).toString();
          at += size;
        }
        out += cutter.end().toString();
        expect(out).toBe(events);
        expect(seen.map((event) => event.replace(/[\r\n]+/g, " ").trim())).toEqual([
          "data: a",
          "data: b",
          ": note data: c",
          "data: d",
        ]);
      }),
    );
  });

  test("one without an end is refused when it is too long", () => {
    const cutter = new EventCutter(
      PLACE,
      () => null,
      (trailers) => trailers,
    );
    const taken = cutter.take(Buffer.alloc(DEFAULTS.detectAnswerBytesMax + 1, "x"));
    expect(Buffer.isBuffer(taken)).toBe(false);
  });
});
