import { describe, expect, test } from "vitest";
import { CONTINUE } from "../../../src/decision/verdict.ts";
import { BOUNDARY, multipart } from "../../fixtures/multipart.ts";
import { checkOf, judge, looseOf } from "./body-kit.ts";

const PNG = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(4000, "x")]);
const RELATED = `multipart/related; boundary=${BOUNDARY}`;
const MIXED = `multipart/mixed; boundary=${BOUNDARY}`;

type Written = readonly [head: string, content: string | Buffer];
const part = (type: string, content: string | Buffer, more = ""): Written => [
  `Content-Type: ${type}${more === "" ? "" : `\r\n${more}`}`,
  content,
];
const json = (value: unknown, more = ""): Written => part("application/json", JSON.stringify(value), more);
const FILE = 'Content-Disposition: attachment; filename="a.png"';
const named = (name: string): string => `Content-Disposition: attachment; name="${name}"`;

const UPLOAD = `
multipart/related:
  schema:
    type: array
    minItems: 2
    maxItems: 3
    prefixItems:
      - { type: object, required: [title], additionalProperties: false, properties: { title: { type: string, maxLength: 5 }, id: { type: string, readOnly: true } } }
      - { contentMediaType: image/png, maxLength: 5000 }
    items: { type: integer, maximum: 9 }
  prefixEncoding: [{ contentType: application/json }, { contentType: 'image/png, image/jpeg' }]
`;
const TITLE = json({ title: "a day" });

describe("headers of parts", () => {
  const rate = (text: string, type = "text/plain"): Written => part(type, "1", `X-Rate: ${text}`);
  const CONTENT = `
multipart/mixed:
  schema: { type: array, prefixItems: [{ type: integer }], items: { type: object } }
  prefixEncoding: [{ headers: { X-Rate: { required: true, schema: { type: integer, maximum: 5 } } } }]
  itemEncoding: { headers: { X-Tags: { schema: { type: array, items: { maxLength: 2 } } }, Content-Type: { schema: { const: x } } } }
`;

  test("hold for the part whose encoding has them", async () => {
    const check = await checkOf(CONTENT);
    const sent = (...parts: Written[]) => judge(check, MIXED, multipart(...parts));
    expect(await sent(rate("5"), json({}), json({}, "X-Tags: a, bc"))).toBe(CONTINUE);
    expect(await sent(rate("6"))).toMatchObject({ seen: "part 1: header x-rate: / maximum" });
    expect(await sent(part("text/plain", "1"))).toMatchObject({ seen: "part 1: header x-rate: missing" });
    expect(await sent(rate("5"), json({}, "X-Tags: a, bcd"))).toMatchObject({
      reason: "body_schema_mismatch",
      seen: "part 2: header x-tags: /1 maxLength",
      place: { file: "api/orders.yaml" },
    });
    expect((await looseOf(CONTENT)).join()).not.toContain("not enforced");
  });
});

describe("a list: each part is judged by its place", () => {
  test.each<[string, Buffer]>([
    ["two of them", multipart(TITLE, part("image/png", PNG))],
    ["the third is text", multipart(TITLE, part("image/png", PNG), part("text/plain", "7"))],
    [
      "a charset that says what it is",
      multipart(part("application/json; charset=utf-8", '{"title":"a"}'), part("image/png", PNG)),
    ],
    [
      "names and ids",
      multipart(json({ title: "a" }, `${named("meta")}\r\nContent-ID: <1>`), part("image/png", PNG, "Content-ID: <2>")),
    ],
  ])("%s passes", async (_, body) => {
    expect(await judge(await checkOf(UPLOAD), RELATED, body)).toBe(CONTINUE);
  });

  test.each<[string, string, Buffer]>([
    ["body_schema_mismatch", "part 1: /title maxLength", multipart(json({ title: "a night" }), part("image/png", PNG))],
    ["body_schema_mismatch", "part 1: / required", multipart(json({}), part("image/png", PNG))],
    ["body_schema_mismatch", "part 1: /id readOnly", multipart(json({ title: "a", id: "b" }), part("image/png", PNG))],
    ["body_not_json", "part 1: not JSON", multipart(part("application/json", "{"), part("image/png", PNG))],
    [
      "body_not_json",
      "part 1: a key twice in one object",
      multipart(part("application/json", '{"title":"a","title":"b"}'), part("image/png", PNG)),
    ],
    ["file_type_unsupported", "part 1: type image/png", multipart(part("image/png", PNG), TITLE)],
    ["file_type_unsupported", "part 2: type text/html", multipart(TITLE, part("text/html", "<p>"))],
    [
      "file_type_unsupported",
      "part 1: type text/plain",
      multipart(["Content-ID: <1>", '{"title":"a"}'], part("image/png", PNG)),
    ],
    ["file_content_mismatch", "part 2: content that is no image/png", multipart(TITLE, part("image/png", "<?php"))],
    ["form_part_too_large", "part 2: more bytes", multipart(TITLE, part("image/png", Buffer.concat([PNG, PNG])))],
    ["body_schema_mismatch", "part 3: / maximum", multipart(TITLE, part("image/png", PNG), part("text/plain", "70"))],
    ["body_schema_mismatch", "fewer parts", multipart(TITLE)],
    [
      "form_parts_exceeded",
      "more parts",
      multipart(TITLE, part("image/png", PNG), part("text/plain", "7"), part("text/plain", "7")),
    ],
  ])("%s: %s", async (reason, seen, body) => {
    const verdict = await judge(await checkOf(UPLOAD), RELATED, body);
    expect(verdict).toMatchObject({ reason });
    expect(verdict?.seen).toContain(seen);
    expect(verdict?.place).toMatchObject({ file: "api/orders.yaml" });
  });

  test("the client hears which part it was, and nothing of its content", async () => {
    const verdict = await judge(
      await checkOf(UPLOAD),
      RELATED,
      multipart(json({ title: "a night" }), part("image/png", PNG)),
    );
    expect(verdict?.body.errors).toEqual([
      { part: 1, pointer: "/title", keyword: "maxLength", detail: expect.stringContaining("5") },
    ]);
    expect(JSON.stringify(verdict?.body)).not.toContain("night");
  });
});

describe("what services would find by another way than its place", () => {
  const REFERS = multipart(json({ title: "a" }, "Content-ID: <root>"), part("image/png", PNG, "Content-ID: <photo>"));
  test.each<[string, string, Buffer]>([
    ["two parts of one name", RELATED, multipart(json({ title: "a" }, named("m")), part("image/png", PNG, named("m")))],
    [
      "two parts of one name",
      RELATED,
      multipart(json({ title: "a" }, "Content-ID: <m>"), part("image/png", PNG, "Content-ID: <m>")),
    ],
    [
      "two parts of one name",
      RELATED,
      multipart(json({ title: "a" }, named("m")), part("image/png", PNG, "Content-ID: m")),
    ],
    ["a parameter 'start'", `${RELATED}; start="<photo>"`, REFERS],
    ["a parameter 'start'", `${RELATED}; start="<none>"`, REFERS],
    ["a parameter 'type'", `${RELATED}; type="image/png"`, REFERS],
    [
      "Content-Transfer-Encoding base64",
      RELATED,
      multipart(json({ title: "a" }, "Content-Transfer-Encoding: base64"), part("image/png", PNG)),
    ],
    [
      "a part in charset utf-16",
      RELATED,
      multipart(part("application/json; charset=utf-16", "{}"), part("image/png", PNG)),
    ],
    ["something before the first boundary", RELATED, Buffer.concat([Buffer.from("hello\r\n"), REFERS])],
    ["no boundary", "multipart/related", REFERS],
    ["a part without headers", RELATED, multipart(["", "x"])],
    ["a parameter 'start' or 'type'", `${RELATED}; start*=us-ascii''photo`, REFERS],
    ["a parameter 'start' or 'type'", `${RELATED}; start*0="<pho"; start*1="to>"`, REFERS],
    ["a 'name' in the Content-Type", RELATED, multipart(TITLE, part('image/png; name="b"', PNG, FILE))],
    ["a 'name*' in the Content-Type", RELATED, multipart(TITLE, part("image/png; name*=utf-8''%2e%2e%2fa", PNG))],
  ])("%s", async (seen, type, body) => {
    const verdict = await judge(await checkOf(UPLOAD), type, body);
    expect(verdict).toMatchObject({ reason: "body_not_multipart" });
    expect(verdict?.seen).toContain(seen);
    expect(verdict?.body.errors).toEqual([
      { pointer: "", keyword: "content", detail: `expected parts that all services read alike: ${verdict?.seen}` },
    ]);
  });

  test("a file's name in its type is one, as mail has it", async () => {
    const check = await checkOf(UPLOAD);
    const sent = (type: string, more = "") => judge(check, RELATED, multipart(TITLE, part(type, PNG, more)));
    expect(await sent('image/png; name="a.png"', FILE)).toBe(CONTINUE);
    expect(await sent('image/png; name="a.png"')).toBe(CONTINUE);
    expect(await sent('image/png; name="../../a.png"')).toMatchObject({ reason: "file_name_invalid" });
  });

  test("a body that says of its first part what it is passes", async () => {
    const check = await checkOf(UPLOAD);
    expect(await judge(check, `${RELATED}; start="<root>"; type="application/json"`, REFERS)).toBe(CONTINUE);
  });

  test.each(["multipart/mixed; boundary=b", "message/rfc822"])(
    "a part of %s passes only where it is named",
    async (type) => {
      const nested = multipart(TITLE, part("image/png", PNG), part(type, "--b--"));
      const open = UPLOAD.replace("items: { type: integer, maximum: 9 }", "items: {}");
      expect(await judge(await checkOf(open), RELATED, nested)).toMatchObject({ reason: "file_type_unsupported" });
      const says = `${open}  itemEncoding: { contentType: '${type.split(";")[0]}' }\n`;
      expect(await judge(await checkOf(says), RELATED, nested)).toBe(CONTINUE);
    },
  );
});

describe("3.2: itemSchema, and encodings alone", () => {
  test("each part of a stream is judged by itemSchema", async () => {
    const check = await checkOf(
      "multipart/mixed: { itemSchema: { type: object, required: [id] }, itemEncoding: { contentType: application/json } }",
    );
    expect(await judge(check, MIXED, multipart(json({ id: 1 }), json({ id: 2 })))).toBe(CONTINUE);
    expect(await judge(check, MIXED, multipart(json({ id: 1 }), json({})))).toMatchObject({
      seen: "part 2: / required",
    });
    expect(await judge(check, MIXED, multipart(part("text/plain", "{}")))).toMatchObject({
      reason: "file_type_unsupported",
    });
  });

  test("encodings without a schema say of what type each part is", async () => {
    const check = await checkOf("multipart/mixed: { prefixEncoding: [{ contentType: application/json }] }");
    expect(await judge(check, MIXED, multipart(json({}), part("image/gif", "x")))).toBe(CONTINUE);
    expect(await judge(check, MIXED, multipart(part("image/gif", "x")))).toMatchObject({
      seen: "part 1: type image/gif",
    });
  });

  test("a text of which nothing is asked may be long, JSON up to what is held", async () => {
    const check = await checkOf(
      "multipart/mixed: { schema: { type: array, prefixItems: [{ type: string }, { type: object }] } }",
    );
    const long = "a".repeat(2 * 1024 ** 2);
    expect(await judge(check, MIXED, multipart(part("text/plain", long), json({ a: long.slice(2 ** 20 + 100) })))).toBe(
      CONTINUE,
    );
    expect(await judge(check, MIXED, multipart(part("text/plain", "a"), json({ a: long })))).toMatchObject({
      reason: "form_part_too_large",
    });
    expect(await judge(check, MIXED, multipart(part("text/html", "a")))).toMatchObject({
      reason: "file_type_unsupported",
    });
  });

  test("items: false ends the list", async () => {
    const check = await checkOf(
      "multipart/mixed: { schema: { type: array, prefixItems: [{ type: string }], items: false } }",
    );
    expect(await judge(check, MIXED, multipart(part("text/plain", "a")))).toBe(CONTINUE);
    expect(await judge(check, MIXED, multipart(part("text/plain", "a"), part("text/plain", "a")))).toMatchObject({
      seen: "part 2: undeclared",
    });
  });
});

describe("an object in multipart/related: its properties in their order", () => {
  const DRIVE = `
multipart/related:
  schema:
    type: object
    required: [metadata, media]
    properties:
      metadata: { $ref: '#/components/schemas/Order' }
      note: { type: string, maxLength: 5 }
      media: { type: string, format: binary }
    additionalProperties: false
  encoding: { media: { contentType: image/* } }
`;
  const ITEM = json({ item: "a" });
  test.each<[string, Buffer]>([
    ["without names", multipart(ITEM, part("text/plain", "abc"), part("image/png", PNG))],
    [
      "with names",
      multipart(
        json({ item: "a" }, named("metadata")),
        part("text/plain", "abc", named("note")),
        part("image/png", PNG, named("media")),
      ),
    ],
    ["what need not be there left out", multipart(ITEM, part("image/png", PNG, named("media")))],
  ])("%s passes", async (_, body) => {
    expect(await judge(await checkOf(DRIVE), RELATED, body)).toBe(CONTINUE);
  });

  test.each<[string, Buffer]>([
    ["a part is missing", multipart(ITEM)],
    ["a part is missing", multipart(part("image/png", PNG, named("media")), json({ item: "a" }, named("metadata")))],
    ["part 4: undeclared", multipart(ITEM, part("text/plain", "abc"), part("image/png", PNG), part("text/plain", "a"))],
    [
      "part 3: undeclared",
      multipart(ITEM, part("image/png", PNG, named("media")), part("text/plain", "a", named("note"))),
    ],
    [
      "part 1: /item maxLength",
      multipart(json({ item: "a".repeat(11) }), part("text/plain", "a"), part("image/png", PNG)),
    ],
    ["part 2: / maxLength", multipart(ITEM, part("text/plain", "abcdef"), part("image/png", PNG))],
    ["part 2: type image/png", multipart(ITEM, part("image/png", PNG))],
  ])("%s", async (seen, body) => {
    const verdict = await judge(await checkOf(DRIVE), RELATED, body);
    expect(verdict?.seen).toContain(seen);
  });

  test("a list at its end comes as often as it has items", async () => {
    const check = await checkOf(`
multipart/related:
  schema:
    properties:
      metadata: { type: object }
      files: { type: array, maxItems: 2, items: { type: string, format: binary, maxLength: 5000 } }
`);
    const bodies = [1, 2, 3].map((count) =>
      multipart(json({}), ...Array.from({ length: count }, () => part("image/png", PNG))),
    );
    const verdicts = [];
    for (const body of bodies) verdicts.push((await judge(check, RELATED, body))?.reason ?? CONTINUE);
    expect(verdicts).toEqual([CONTINUE, CONTINUE, "form_parts_exceeded"]);
  });
});

describe("an object in multipart/mixed: parts by their names", () => {
  const SPRING = `
multipart/mixed:
  schema:
    type: object
    required: [meta]
    properties: { meta: { $ref: '#/components/schemas/Order' }, photo: { type: string, format: binary } }
    additionalProperties: false
  encoding: { photo: { contentType: image/png } }
`;
  const meta = json({ item: "a" }, named("meta"));
  const photo = part("image/png", PNG, 'Content-Disposition: form-data; name="photo"; filename="a.png"');
  test("a file needs no name of a file there", async () => {
    const check = await checkOf(SPRING);
    expect(await judge(check, MIXED, multipart(meta, part("image/png", PNG, named("photo"))))).toBe(CONTINUE);
    const wrong = multipart(meta, part("image/png", "<?php", named("photo")));
    expect(await judge(check, MIXED, wrong)).toMatchObject({ reason: "file_content_mismatch" });
    const bare = multipart(meta, part("application/octet-stream", "x", named("photo")));
    expect(await judge(check, MIXED, bare)).toMatchObject({ reason: "file_type_unsupported" });
    const form = `multipart/form-data; boundary=${BOUNDARY}`;
    const own = await checkOf(SPRING.replace("multipart/mixed", "multipart/form-data"));
    const field = part("image/png", PNG, 'Content-Disposition: form-data; name="photo"');
    expect(await judge(own, form, multipart(field))).toMatchObject({ reason: "form_field_invalid" });
  });

  test.each(["text/plain; charset=utf-16", "multipart/mixed; boundary=c"])("a part of %s is refused", async (type) => {
    const check = await checkOf("multipart/mixed: { schema: { properties: { note: { type: string } } } }");
    expect(await judge(check, MIXED, multipart(part("text/plain", "a", named("note"))))).toBe(CONTINUE);
    expect(await judge(check, MIXED, multipart(part(type, "a", named("note"))))).toMatchObject({
      reason: "body_not_multipart",
    });
  });

  test("in any order", async () => {
    const check = await checkOf(SPRING);
    expect(await judge(check, MIXED, multipart(meta, photo))).toBe(CONTINUE);
    expect(await judge(check, MIXED, multipart(photo, meta))).toBe(CONTINUE);
  });

  test.each<[string, Buffer]>([
    ["form meta: missing", multipart(photo)],
    ["form meta: /item maxLength", multipart(json({ item: "a".repeat(11) }, named("meta")))],
    ["form meta: sent twice", multipart(meta, meta)],
    ["form role: undeclared", multipart(meta, json({}, named("role")))],
    ["a part without a name", multipart(json({ item: "a" }, "Content-Disposition: attachment"))],
    ["a part whose Content-Disposition is not", multipart(json({ item: "a" }, 'Content-Disposition: x; name="meta"'))],
    [
      "type image/gif",
      multipart(meta, part("image/gif", "GIF89a", 'Content-Disposition: attachment; name="photo"; filename="a.gif"')),
    ],
  ])("%s", async (seen, body) => {
    expect((await judge(await checkOf(SPRING), MIXED, body))?.seen).toContain(seen);
  });
});

test.each([
  ["uniqueItems of multipart bodies", "multipart/mixed: { schema: { type: array, uniqueItems: true } }"],
  [
    "parts within parts",
    "multipart/mixed: { schema: { type: array }, itemEncoding: { contentType: multipart/mixed, itemEncoding: {} } }",
  ],
  [
    "schemas of parts of application/xml",
    "multipart/mixed: { schema: { type: array, items: { type: object } }, itemEncoding: { contentType: application/xml } }",
  ],
  [
    "lists among the parts of multipart/related",
    "multipart/related: { schema: { properties: { a: { type: array, items: { type: string } }, b: { type: string } } } }",
  ],
  ["schemas of multipart/mixed", "multipart/mixed: { schema: { type: string } }"],
  ["schemas of multipart/related", "multipart/related: { schema: { oneOf: [{ type: string }] } }"],
  ["schemas of multipart/signed", "multipart/signed: { schema: { type: object } }"],
])("told: %s", async (what, content) => {
  expect((await looseOf(content)).join()).toContain(`not enforced: ${what}`);
});
