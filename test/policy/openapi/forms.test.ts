import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE } from "../../../src/decision/verdict.ts";
import { BOUNDARY, field, file, multipart } from "../../fixtures/multipart.ts";
import { checkOf, judge, looseOf } from "./body-kit.ts";

const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;
const URLENCODED = "application/x-www-form-urlencoded";

type Pairs = readonly (readonly [name: string, value: string])[];

const urlencoded = (pairs: Pairs): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

/** The same form in both ways of writing it. */
const WAYS: readonly (readonly [string, (pairs: Pairs) => string | Buffer])[] = [
  [MULTIPART, (pairs) => multipart(...pairs.map(([name, value]) => field(name, value)))],
  [URLENCODED, urlencoded],
];

const both = (media: string): string =>
  ["multipart/form-data", URLENCODED].map((type) => `${type}:\n${media.trim().replaceAll(/^/gm, "  ")}`).join("\n");

describe.each(WAYS)("a form as a whole, as %s", (type, write) => {
  const PAYMENT = both(`
schema:
  type: object
  required: [kind]
  properties: { kind: { type: string }, note: { type: object, properties: { text: { type: string } } } }
  oneOf:
    - { required: [number], properties: { kind: { const: card }, number: { type: string, maxLength: 4 } } }
    - { required: [iban, amount], properties: { kind: { const: transfer }, iban: { type: string }, amount: { type: integer } } }
  discriminator: { propertyName: kind }
`);
  const CARD: Pairs = [
    ["kind", "card"],
    ["number", "1234"],
  ];
  const TRANSFER: Pairs = [
    ["kind", "transfer"],
    ["iban", "DE1"],
    ["amount", "3"],
  ];

  test("each alternative passes, and neither with what the other asks for", async () => {
    const check = await checkOf(PAYMENT);
    expect(await judge(check, type, write(CARD))).toBe(CONTINUE);
    expect(await judge(check, type, write([...TRANSFER, ["note", '{"text":"a"}']]))).toBe(CONTINUE);
    for (const wrong of [
      [["kind", "card"]],
      [
        ["kind", "card"],
        ["number", "12345"],
      ],
      [...TRANSFER.slice(0, 2), ["amount", "3.5"]],
      [["kind", "other"], ...CARD.slice(1)],
      [["kind", "transfer"], ...CARD.slice(1)],
    ] as Pairs[]) {
      const verdict = await judge(check, type, write(wrong));
      expect(verdict, JSON.stringify(wrong)).toMatchObject({
        reason: "form_field_invalid",
        place: { file: "api/orders.yaml" },
      });
    }
  });

  test("what may be text in one alternative and a number in the other is either", async () => {
    const check = await checkOf(
      both(`
schema:
  anyOf:
    - { required: [zip, a], properties: { zip: { type: string, maxLength: 5 }, a: { type: string } } }
    - { required: [zip, b], properties: { zip: { type: integer, minimum: 10 }, b: { type: string } } }
`),
    );
    const sent = (zip: string, name: string): Promise<unknown> =>
      judge(
        check,
        type,
        write([
          ["zip", zip],
          [name, "x"],
        ]),
      );
    expect(await sent("5", "a")).toBe(CONTINUE);
    expect(await sent("50", "b")).toBe(CONTINUE);
    expect(await sent("5", "b")).toMatchObject({ reason: "form_field_invalid" });
    expect(await sent("123456", "a")).toMatchObject({ reason: "form_field_invalid" });
  });

  test("its number of fields, fields that need others, and what others may be", async () => {
    const check = await checkOf(
      both(`
schema:
  properties: { o: { type: object }, a: { type: string } }
  minProperties: 2
  dependentRequired: { a: [b] }
  additionalProperties: { type: integer }
`),
    );
    expect(
      await judge(
        check,
        type,
        write([
          ["o", "{}"],
          ["n", "3"],
        ]),
      ),
    ).toBe(CONTINUE);
    expect(await judge(check, type, write([["o", "{}"]]))).toMatchObject({ seen: "form: / minProperties" });
    expect(
      await judge(
        check,
        type,
        write([
          ["o", "{}"],
          ["a", "x"],
        ]),
      ),
    ).toMatchObject({ seen: "form: / dependentRequired" });
    expect(
      await judge(
        check,
        type,
        write([
          ["o", "{}"],
          ["n", "x"],
        ]),
      ),
    ).toMatchObject({ seen: "form: /n type" });
  });

  test("two schemas of one field both hold", async () => {
    const check = await checkOf(
      both(`
schema:
  allOf:
    - { properties: { a: { type: string, maxLength: 3 }, o: { type: object } } }
    - { properties: { a: { type: string, pattern: '^x' } } }
`),
    );
    expect(
      await judge(
        check,
        type,
        write([
          ["a", "xy"],
          ["o", "{}"],
        ]),
      ),
    ).toBe(CONTINUE);
    expect(
      await judge(
        check,
        type,
        write([
          ["a", "xyzz"],
          ["o", "{}"],
        ]),
      ),
    ).toMatchObject({ seen: "form a: / maxLength" });
    expect(
      await judge(
        check,
        type,
        write([
          ["a", "y"],
          ["o", "{}"],
        ]),
      ),
    ).toMatchObject({ seen: "form: /a pattern" });
  });
});

describe("files in alternatives", () => {
  const UPLOAD = `
multipart/form-data:
  schema:
    required: [kind]
    properties: { kind: { type: string } }
    oneOf:
      - { required: [photo], properties: { kind: { const: photo }, photo: { type: string, format: binary } } }
      - { required: [urls], properties: { kind: { const: link }, urls: { type: array, maxItems: 2, items: { type: string } } } }
`;
  const PHOTO = file("photo", "a.png", "image/png", "\x89PNG");

  test("a file counts where it is there", async () => {
    const check = await checkOf(UPLOAD);
    const send = (...parts: (typeof PHOTO)[]): Promise<unknown> => judge(check, MULTIPART, multipart(...parts));
    expect(await send(field("kind", "photo"), PHOTO)).toBe(CONTINUE);
    expect(await send(field("kind", "link"), field("urls", "a"), field("urls", "b"))).toBe(CONTINUE);
    expect(await send(field("kind", "photo"))).toMatchObject({ reason: "form_field_invalid" });
    expect(await send(field("kind", "link"), PHOTO)).toMatchObject({ reason: "form_field_invalid" });
    expect(await send(field("kind", "photo"), field("photo", "text"))).toMatchObject({ reason: "form_field_invalid" });
    const three = ["a", "b", "c"].map((url) => field("urls", url));
    expect(await send(field("kind", "link"), ...three)).toMatchObject({ reason: "form_field_invalid" });
  });

  test.each([
    [
      "alternatives that do not agree on what a field is",
      "{ oneOf: [{ properties: { a: { type: string } } }, { properties: { a: { type: object } } }] }",
    ],
    [
      "a discriminator whose heirs nothing leads to",
      "{ discriminator: { propertyName: kind }, properties: { kind: { type: string } } }",
    ],
    [
      "a file that has to be longer than nothing",
      "{ minProperties: 1, properties: { a: { type: string, format: binary, minLength: 1 } } }",
    ],
  ])("%s: told", async (_, schema) => {
    expect((await looseOf(`multipart/form-data: { schema: ${schema} }`)).join()).toMatch(/\w+ of forms/);
  });
});

test("what is set by the service alone, and what nobody declares, is refused within fields of JSON, too", async () => {
  const form = `
multipart/form-data:
  schema:
    properties:
      order: { type: object, properties: { item: { type: string }, id: { type: string, readOnly: true } } }
      lines: { type: array, items: { type: object, properties: { item: { type: string } } } }
`;
  const check = await checkOf(form, "public: true\nundeclaredProperties: refuse");
  const sent = (name: string, value: string) => judge(check, MULTIPART, multipart(field(name, value)));
  expect(await sent("order", '{"item":"a"}')).toBe(CONTINUE);
  expect(await sent("order", '{"item":"a","id":"b"}')).toMatchObject({ seen: "form order: /id readOnly" });
  expect(await sent("order", '{"item":"a","role":"b"}')).toMatchObject({
    seen: expect.stringContaining("form order: /role"),
  });
  expect(await sent("lines", '{"item":"a","role":"b"}')).toMatchObject({
    seen: expect.stringContaining("form lines: /0/role"),
  });
  const open = await checkOf(form);
  expect(await judge(open, MULTIPART, multipart(field("order", '{"item":"a","role":"b"}')))).toBe(CONTINUE);
});

test.each([
  "multipart/form-data: { schema: { type: array, items: { type: string, format: binary } } }",
  "multipart/form-data: { schema: { type: string } }",
  "application/x-www-form-urlencoded: { schema: { type: array, items: { type: string } } }",
])("told at its place: %s", async (content) => {
  const [told = ""] = (await looseOf(content)).filter((text) => text.includes("not enforced"));
  expect(told).toMatch(/not enforced: forms that are no objects \(api\/orders\.yaml:1[0-9]:/);
});

describe.each(WAYS)("style deepObject, as %s", (type, write) => {
  const ORDER = both(`
schema:
  required: [items]
  properties:
    items:
      type: array
      maxItems: 2
      items: { type: object, required: [name], additionalProperties: false, properties: { name: { type: string, maxLength: 5 }, count: { type: integer }, tags: { type: array, items: { type: string } } } }
    filter: { type: object, properties: { status: { enum: [open, done] } } }
  additionalProperties: false
encoding: { items: { style: deepObject, explode: true }, filter: { style: deepObject } }
`);
  let check: Awaited<ReturnType<typeof checkOf>>;
  beforeAll(async () => {
    check = await checkOf(ORDER);
  });

  test.each<[string, Pairs]>([
    ["one item", [["items[0][name]", "a"]]],
    [
      "two, with what is in them",
      [
        ["items[0][name]", "a"],
        ["items[0][count]", "3"],
        ["items[1][name]", "7"],
        ["items[1][tags][]", "x"],
        ["items[1][tags][]", "y"],
      ],
    ],
    [
      "an object beside them",
      [
        ["filter[status]", "open"],
        ["items[0][name]", "a"],
      ],
    ],
  ])("%s passes", async (_, pairs) => {
    expect(await judge(check, type, write(pairs))).toBe(CONTINUE);
  });

  test.each<[string, Pairs]>([
    ["form items: missing", []],
    ["form items: /0 required", [["items[0][count]", "3"]]],
    ["form items: /0/name maxLength", [["items[0][name]", "abcdef"]]],
    [
      "form items: /0/count type",
      [
        ["items[0][name]", "a"],
        ["items[0][count]", "x"],
      ],
    ],
    ["form items: / maxItems", ["0", "1", "2"].map((at) => [`items[${at}][name]`, "a"] as const)],
    ["form items: style: items out of their order", [["items[1][name]", "a"]]],
    ["form items: style: members of an item without a number", [["items[][name]", "a"]]],
    [
      "form items: style: items and members at once",
      [
        ["items[0][name]", "a"],
        ["items[x][name]", "a"],
      ],
    ],
    ["form items: style: a dot in a step", [["items[0][a.b]", "a"]]],
    [
      "form items: sent twice",
      [
        ["items[0][name]", "a"],
        ["items[0][name]", "b"],
      ],
    ],
    [
      "form filter: /status enum",
      [
        ["items[0][name]", "a"],
        ["filter[status]", "gone"],
      ],
    ],
    [
      "items in another spelling",
      [
        ["items", '[{"name":"a"}]'],
        ["items[0][name]", "a"],
      ],
    ],
    [
      "items in another spelling",
      [
        ["items[0].name", "b"],
        ["items[0][name]", "a"],
      ],
    ],
    [
      "items in another spelling",
      [
        ["ITEMS[0][name]", "b"],
        ["items[0][name]", "a"],
      ],
    ],
  ])("%s", async (seen, pairs) => {
    const body = pairs.length > 0 ? pairs : ([["filter[status]", "open"]] as const);
    expect(await judge(check, type, write(body))).toMatchObject({ seen: expect.stringContaining(seen) });
  });
});

describe("other styles", () => {
  test("items in one text, however it is escaped", async () => {
    const check = await checkOf(`
${URLENCODED}:
  schema:
    properties: { tags: { type: array, items: { type: string, maxLength: 3 } }, ids: { type: array, maxItems: 2, items: { type: integer } } }
  encoding: { tags: { style: form, explode: false }, ids: { style: pipeDelimited, explode: false } }
`);
    expect(await judge(check, URLENCODED, "tags=abc,de&ids=1%7C2")).toBe(CONTINUE);
    expect(await judge(check, URLENCODED, "tags=abcd,de")).toMatchObject({ seen: "form tags: /0 maxLength" });
    const typed = new URLSearchParams({ tags: "abc,de", ids: "1|2" });
    expect(await judge(check, URLENCODED, `${typed}`)).toBe(CONTINUE);
    expect(await judge(check, URLENCODED, "tags=a%2Cbcde")).toMatchObject({ seen: "form tags: /1 maxLength" });
    expect(await judge(check, URLENCODED, "ids=1%7C2%7C3")).toMatchObject({ seen: "form ids: / maxItems" });
    expect(await judge(check, URLENCODED, "ids=1&ids=2")).toMatchObject({ reason: "form_field_invalid" });
  });

  test("items in one text are a list to words about the whole form, too", async () => {
    const check = await checkOf(`
${URLENCODED}:
  schema:
    properties: { ids: { type: array, items: { type: integer } }, codes: { type: array, items: { type: integer } }, a: {}, b: {} }
    oneOf: [{ required: [ids], properties: { ids: { maxItems: 2 } } }, { required: [codes] }]
  encoding: { ids: { explode: false }, codes: { style: pipeDelimited, explode: false } }
`);
    for (const body of ["ids=1,2", "ids=1%2C2", "ids=1", "codes=1|2|3"])
      expect(await judge(check, URLENCODED, body)).toBe(CONTINUE);
    for (const body of ["ids=1,2,3", "ids=1,x", "ids=1&codes=1", "a=1"])
      expect(await judge(check, URLENCODED, body)).toMatchObject({ reason: "form_field_invalid" });
  });

  test("a list of objects comes as often as it has items, each as JSON", async () => {
    const check = await checkOf(
      both(
        "schema: { properties: { order: { type: array, maxItems: 2, items: { $ref: '#/components/schemas/Order' } } } }",
      ),
    );
    for (const [type, write] of WAYS) {
      const send = (...items: string[]): Promise<unknown> =>
        judge(check, type, write(items.map((item) => ["order", item] as const)));
      expect(await send('{"item":"a"}', '{"item":"b"}')).toBe(CONTINUE);
      expect(await send('{"item":"a"}', '{"item":7}')).toMatchObject({ seen: "form order: /1/item type" });
      expect(await send('[{"item":"a"}]')).toMatchObject({ seen: "form order: /0 type" });
      expect(await send("{")).toMatchObject({ seen: expect.stringContaining("form order: content") });
    }
  });

  test.each([
    ["objects of forms in styles other than deepObject", "a: { style: form }"],
    ["objects of forms that are no JSON", "a: { contentType: text/plain }"],
    ["texts of forms as JSON", "b: { contentType: application/json }"],
  ])("told: %s", async (what, encoding) => {
    const told = await looseOf(`
${URLENCODED}:
  schema: { properties: { a: { type: object, properties: { x: { type: string } } }, b: { type: string } } }
  encoding: { ${encoding} }
`);
    expect(told.join()).toContain(what);
  });
});

test("FastAPI: what may be null is what it is else, a file or a list of them", async () => {
  const nullable = (schema: string): string => `{ anyOf: [${schema}, { type: 'null' }] }`;
  const upload = "{ type: string, format: binary }";
  const check = await checkOf(`
multipart/form-data:
  schema:
    properties:
      photo: ${nullable("{ type: string, contentMediaType: application/pdf }")}
      notes: ${nullable(`{ type: array, maxItems: 2, items: ${upload} }`)}
      title: ${nullable("{ type: string, maxLength: 3 }")}
    additionalProperties: false
`);
  const note = file("notes", "a.txt", "text/plain", "a");
  const good = multipart(file("photo", "a.pdf", "application/pdf", "%PDF-1.4"), note, note, field("title", "abc"));
  expect(await judge(check, MULTIPART, good)).toBe(CONTINUE);
  expect(await judge(check, MULTIPART, multipart())).toBe(CONTINUE);
  for (const wrong of [
    [file("photo", "a.pdf", "application/pdf", "GIF89a")],
    [file("photo", "a.gif", "image/gif", "GIF89a")],
    [note, note, note],
    [field("notes", "a")],
    [field("title", "abcd")],
    [file("title", "a.txt", "text/plain", "a")],
  ])
    expect(await judge(check, MULTIPART, multipart(...wrong))).not.toBe(CONTINUE);
});
