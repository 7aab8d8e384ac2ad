import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, type Verdict } from "../../../src/decision/verdict.ts";
import type { Check } from "../../../src/filters/filter.ts";
import { BOUNDARY, field, file, multipart } from "../../fixtures/multipart.ts";
import { createExchange, MemoryBody } from "../../fixtures/route-context.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { examine, routeOf, snapshotOf, warningsOf } from "../policy-kit.ts";
import { checkOf, document, judge, looseOf } from "./body-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

describe("contentSchema", () => {
  const ORDER =
    "{ type: string, contentMediaType: application/json, contentSchema: { $ref: '#/components/schemas/Order' } }";

  test("judges the data of each event, and texts of bodies", async () => {
    const check = await checkOf(`
text/event-stream: { itemSchema: { required: [data], properties: { data: ${ORDER} } } }
application/json: { schema: { properties: { order: ${ORDER} } } }
`);
    const events = "text/event-stream";
    expect(await judge(check, events, 'data: {"item":"a"}\n\ndata: {"item":\ndata: "b"}\n\n')).toBe(CONTINUE);
    expect(await judge(check, events, 'data: {"item":"a"}\n\ndata: {"item":7}\n\n')).toMatchObject({
      reason: "body_schema_mismatch",
      body: { errors: [{ item: 2, pointer: "/data/item", keyword: "type" }] },
    });
    expect(await judge(check, events, "data: {\n\n")).toMatchObject({
      body: { errors: [{ item: 1, pointer: "/data", keyword: "contentMediaType" }] },
    });
    expect(await judge(check, "application/json", JSON.stringify({ order: '{"item":"a"}' }))).toBe(CONTINUE);
    expect(await judge(check, "application/json", JSON.stringify({ order: "{}" }))).toMatchObject({
      seen: "body /order required",
    });
    expect(
      (await looseOf(`text/event-stream: { itemSchema: { properties: { data: ${ORDER} } } }`)).join(),
    ).not.toContain("content");
  });
});

describe("readOnly beside alternatives", () => {
  const given = "id: { type: integer, readOnly: true }";
  const judged = async (schema: string, body: string) =>
    judge(await checkOf(`application/json: { schema: ${schema} }`), "application/json", body);
  const REFUSED = { reason: "body_schema_mismatch" };

  test("'required' of the whole does not ask for what only the service sets, where alternatives say so", async () => {
    const of = (other: string): string =>
      `{ required: [id, code], properties: { code: {} }, oneOf: [{ properties: { ${given}, a: {} }, required: [id, a] }, { properties: { ${other} }, required: [b] }] }`;
    expect(await judged(of("b: {}"), '{"code":1,"a":1}')).toBe(CONTINUE);
    expect(await judged(of("b: {}"), '{"code":1,"b":1}')).toBe(CONTINUE);
    expect(await judged(of("b: {}"), '{"a":1}')).toMatchObject(REFUSED);
    expect(await judged(of("b: {}"), '{"id":1,"code":1,"a":1}')).toMatchObject(REFUSED);
    expect(await judged(of("id: {}, b: {}"), '{"code":1,"b":1}')).toMatchObject(REFUSED);
    expect(await judged(of("id: {}, b: {}"), '{"id":1,"code":1,"b":1}')).toBe(CONTINUE);
  });

  test("'required' of an alternative asks for the rest of it", async () => {
    const schema = `{ properties: { ${given}, a: {}, b: {} }, oneOf: [{ required: [id, a] }, { required: [id, b] }, { required: [id] }] }`;
    expect(await judged(schema, '{"a":1}')).toBe(CONTINUE);
    expect(await judged(schema, '{"b":1}')).toBe(CONTINUE);
    expect(await judged(schema, '{"a":1,"b":1}')).toMatchObject(REFUSED);
    expect(await judged(schema, "{}")).toMatchObject(REFUSED);
  });
});

test.each(["text/json", "application/x-json", "text/x-json"])(
  "a body of %s is JSON, as ASP.NET reads it",
  async (type) => {
    const schema = "schema: { type: object, properties: { total: { type: integer, maximum: 9 } } }";
    const check = await checkOf(`application/json: {}\n${type}: { ${schema} }\ntext/*: { ${schema} }`);
    for (const sent of [type, "text/json; charset=utf-8"]) {
      expect(await judge(check, sent, '{"total":9}')).toBe(CONTINUE);
      expect(await judge(check, sent, '{"total":10}')).toMatchObject({ reason: "body_schema_mismatch" });
    }
  },
);

test.each(["text/plain", "text/csv", "text/html"])("a body of %s is a text to its schema", async (type) => {
  const check = await checkOf("text/*: { schema: { type: string, maxLength: 3 } }");
  expect(await judge(check, type, "abc")).toBe(CONTINUE);
  expect(await judge(check, `${type}; charset=utf-8`, "abcd")).toMatchObject({ reason: "body_schema_mismatch" });
  expect(await judge(check, `${type}; charset=utf-16`, "abc")).toMatchObject({ reason: "content_type_unsupported" });
  const own = await checkOf(`${type}: { schema: { type: string, maxLength: 3 } }`);
  expect(await judge(own, type, "abcd")).toMatchObject({ reason: "body_schema_mismatch" });
});

test.each(["{ type: string }", "true", "{ type: [string, 'null'], description: rows, x-a: b }"])(
  "a text of which %s asks nothing is not held, and may be long",
  async (schema) => {
    const check = await checkOf(`text/csv: { schema: ${schema} }\napplication/json: {}`);
    expect(await judge(check, "text/csv", "a".repeat(2 * 1024 ** 2))).toBe(CONTINUE);
    expect((await looseOf(`text/csv: { schema: ${schema} }`)).join()).not.toContain("not enforced");
  },
);

describe("itemSchema (3.2)", () => {
  const STREAMS = `
application/x-ndjson: { itemSchema: { $ref: '#/components/schemas/Order' } }
application/json-seq: { itemSchema: { $ref: 'item.yaml' } }
application/json: { schema: { $ref: '#/components/schemas/Order' } }
`;
  const others = { "api/item.yaml": "{ type: object, required: [count] }" };

  test("judges each item of a stream, beside bodies that are held", async () => {
    const check = await checkOf(STREAMS, "public: true", others);
    expect(await judge(check, "application/x-ndjson", '{"item":"a"}\n{"item":"b"}\n')).toBe(CONTINUE);
    expect(await judge(check, "application/x-ndjson", '{"item":"a"}\n{"item":7}\n')).toMatchObject({
      reason: "body_schema_mismatch",
      place: { file: "api/orders.yaml" },
      body: { errors: [{ item: 2, pointer: "/item", keyword: "type" }] },
    });
    expect(await judge(check, "application/json-seq", '\u001e{"count":1}\n\u001e{}\n')).toMatchObject({
      body: { errors: [{ item: 2, keyword: "required" }] },
    });
    expect(await judge(check, "application/json", '{"item":7}')).toMatchObject({ seen: "body /item type" });
  });

  test("has the bounds that the policy gives it", async () => {
    const bounds = "{ validate: { body: { items: { maxCount: 1 } } } }";
    const check = await checkOf(STREAMS, `public: true\noperations: { 'POST /orders': ${bounds} }`, others);
    const verdict = await judge(check, "application/x-ndjson", '{"item":"a"}\n{"item":"b"}\n');
    expect(verdict).toMatchObject({ reason: "body_items_exceeded", place: { file: "conf/policy.yaml" } });
  });

  test("is told where it cannot be enforced", async () => {
    const told = await looseOf(`
application/pdf: { itemSchema: { type: object } }
application/jsonl: { schema: { type: array }, itemSchema: { type: object } }
text/event-stream: { itemSchema: { properties: { data: { contentMediaType: application/xml } } } }
`);
    expect(told.join()).toContain(
      "not enforced: itemSchema of application/pdf (api/orders.yaml:10:11), schemas of whole streams (api/orders.yaml:11:32)",
    );
    expect(told.join()).toContain("contentMediaType");
  });
});

type Part = ReturnType<typeof field>;

describe("a multipart form", () => {
  const FORM = `
multipart/form-data:
  schema:
    type: object
    required: [title, photo]
    properties:
      id: { type: string, readOnly: true }
      title: { type: string, maxLength: 10 }
      count: { $ref: '#/components/schemas/Count' }
      tags: { type: array, items: { type: string, maxLength: 5 }, maxItems: 2 }
      order: { $ref: '#/components/schemas/Order' }
      photo: { type: string, format: binary, maxLength: 1000 }
      scans: { type: array, maxItems: 2, items: { type: string, format: binary } }
      token: { type: string, contentEncoding: base64 }
    additionalProperties: false
  encoding:
    photo: { contentType: 'image/png, image/jpeg' }
application/json: { schema: { $ref: '#/components/schemas/Order' } }
`;
  const withCount = (content: string): Promise<Check> => formOf(content, "");

  async function formOf(content: string, settings: string): Promise<Check> {
    const text = document(content).replace("  schemas:\n", "  schemas:\n    Count: { type: integer, minimum: 1 }\n");
    const snapshot = await snapshotOf(policyOf(`public: true\n${settings}`.trim()), filesWith(jwks, text));
    const check = routeOf(snapshot, "/orders").checks.find(({ name }) => name === "validate");
    if (check === undefined) throw new Error("nothing is validated");
    return check;
  }

  const PNG = Buffer.from("\x89PNG\r\n\x1a\n0000", "latin1");
  const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
  const TITLE = field("title", "a day");
  const PHOTO = file("photo", "a.png", "image/png", PNG);
  const send = (check: Check, ...parts: Part[]): Promise<Verdict> => judge(check, TYPE, multipart(...parts));

  test.each<[string, Part[]]>([
    ["what is required", [TITLE, PHOTO]],
    ["an object as browsers send a Blob", [TITLE, PHOTO, file("order", "blob", "application/json", '{"item":"a"}')]],
    [
      "all of it",
      [
        TITLE,
        field("count", "3"),
        field("tags", "a"),
        field("tags", "b"),
        field("order", '{"item":"a"}'),
        field("token", "aGVsbG8="),
        PHOTO,
        file("scans", "a.bin", "application/octet-stream", "MZ"),
        file("scans", "b", "x/y", ""),
      ],
    ],
  ])("%s passes", async (_, parts) => {
    expect(await send(await withCount(FORM), ...parts)).toBe(CONTINUE);
  });

  test.each<[string, string, Part[]]>([
    ["form_field_invalid", "form title: missing", [PHOTO]],
    ["form_field_invalid", "form photo: missing", [TITLE]],
    ["form_field_invalid", "form title: / maxLength", [field("title", "much too long"), PHOTO]],
    ["form_field_invalid", "form count: / minimum", [TITLE, PHOTO, field("count", "0")]],
    ["form_field_invalid", "form count: type, not integer", [TITLE, PHOTO, field("count", "x")]],
    ["form_field_invalid", "form tags: /0 maxLength", [TITLE, PHOTO, field("tags", "toolong")]],
    ["form_field_invalid", "form order: /item type", [TITLE, PHOTO, field("order", '{"item":7}')]],
    ["form_field_invalid", "form order: /ITEM memberCase", [TITLE, PHOTO, field("order", '{"item":"a","ITEM":"b"}')]],
    [
      "form_field_invalid",
      "form order: /item type",
      [TITLE, PHOTO, file("order", "blob", "application/json", '{"item":7}')],
    ],
    [
      "form_field_invalid",
      "form order: a file where a field is expected",
      [TITLE, PHOTO, file("order", "order.php", "application/json", '{"item":"a"}')],
    ],
    [
      "form_field_invalid",
      "form order: a file where a field is expected",
      [TITLE, PHOTO, file("order", "blob", "text/html", '{"item":"a"}')],
    ],
    [
      "form_field_invalid",
      "form title: a file where a field is expected",
      [PHOTO, file("title", "blob", "application/json", '"a"')],
    ],
    [
      "form_field_invalid",
      "form order: sent twice",
      [TITLE, PHOTO, field("order", '{"item":"a"}'), file("order", "blob", "application/json", '{"item":"a"}')],
    ],
    [
      "body_not_multipart",
      "a part in charset utf-16",
      [TITLE, PHOTO, file("order", "blob", "application/json;charset=utf-16", '{"item":"a"}')],
    ],
    ["form_field_invalid", "form role: undeclared", [TITLE, PHOTO, field("role", "admin")]],
    ["form_field_invalid", "form id: / not", [TITLE, PHOTO, field("id", "7")]],
    ["form_field_invalid", "form photo: a field where a file is expected", [TITLE, field("photo", "x")]],
    ["form_field_invalid", "form title: a file where a field is expected", [file("title", "a", "text/plain", "x")]],
    ["file_type_unsupported", "form photo: type image/gif", [TITLE, file("photo", "a.gif", "image/gif", "GIF89a")]],
    ["file_content_mismatch", "form photo: ", [TITLE, file("photo", "a.png", "image/png", "<?php system($_GET[0]);")]],
    [
      "form_part_too_large",
      "form photo: more bytes",
      [TITLE, file("photo", "a.png", "image/png", Buffer.concat([PNG, Buffer.alloc(1000)]))],
    ],
    [
      "form_field_invalid",
      "form scans: more files",
      [TITLE, PHOTO, ...["a", "b", "c"].map((name) => file("scans", name, "x/y", ""))],
    ],
    [
      "file_name_invalid",
      "form scans: a file name with a path separator",
      [TITLE, PHOTO, file("scans", "../a", "x/y", "")],
    ],
    ["body_not_multipart", "title in another spelling", [TITLE, PHOTO, field("title[x]", "much too long")]],
  ])("%s: %s", async (reason, seen, parts) => {
    const verdict = await send(await withCount(FORM), ...parts);
    expect(verdict).toMatchObject({ reason, seen: expect.stringContaining(seen) });
    if (seen === "form title: / maxLength")
      expect(verdict).toMatchObject({ place: { file: "api/orders.yaml", path: expect.stringContaining("/title") } });
  });

  test("stands beside other types, each with its own", async () => {
    const check = await withCount(FORM);
    expect(await judge(check, "application/json", '{"item":"a"}')).toBe(CONTINUE);
    expect(await judge(check, "application/json", '{"item":7}')).toMatchObject({ reason: "body_schema_mismatch" });
    expect(await judge(check, "application/x-www-form-urlencoded", "title=a")).toMatchObject({
      reason: "content_type_unsupported",
    });
  });

  test("may have more fields where the schema is open, and the policy closes it or gives it bounds", async () => {
    const open = FORM.replace("    additionalProperties: false\n", "");
    const role = field("role", "admin");
    expect(await send(await withCount(open), TITLE, PHOTO, role)).toBe(CONTINUE);
    expect(await send(await formOf(open, "undeclaredProperties: refuse"), TITLE, PHOTO, role)).toMatchObject({
      seen: "form role: undeclared",
    });
    const bounds = "{ validate: { body: { content: { multipart/form-data: { form: { maxParts: 2 } } } } } }";
    const check = await formOf(open, `operations: { 'POST /orders': ${bounds} }`);
    expect(await send(check, TITLE, PHOTO, role)).toMatchObject({ reason: "form_parts_exceeded" });
    const strip = "undeclaredProperties: strip\nreadOnly: strip";
    expect(await send(await formOf(open, strip), TITLE, PHOTO, role)).toMatchObject({ seen: "form role: undeclared" });
    const alone = open.replace(/application\/json.*/, "");
    expect(await send(await formOf(alone, strip), TITLE, PHOTO, field("id", "7"))).toMatchObject({
      reason: "form_field_invalid",
    });
    expect(await send(await formOf(FORM, "readOnly: ignore"), TITLE, PHOTO, field("id", "7"))).toBe(CONTINUE);
  });

  test("is made of all parts of its schema, in whatever file they stand", async () => {
    const check = await checkOf(
      `
multipart/form-data:
  schema:
    allOf:
      - { $ref: 'form.yaml#/Base' }
      - { required: [title], properties: { title: { type: string, maxLength: 3 } } }
`,
      "public: true",
      {
        "api/form.yaml":
          "Base: { required: [file], properties: { file: { $ref: '#/File' }, size: { type: integer, maximum: 5 } } }\nFile: { type: string, format: binary }\n",
      },
    );
    const part = file("file", "a.bin", "x/y", "a");
    expect(await send(check, part, field("title", "abc"), field("size", "5"))).toBe(CONTINUE);
    expect(await send(check, part, field("title", "abcd"))).toMatchObject({ seen: "form title: / maxLength" });
    expect(await send(check, field("title", "abc"))).toMatchObject({ seen: "form file: missing" });
    expect(await send(check, part, field("title", "abc"), field("size", "6"))).toMatchObject({
      seen: "form size: / maximum",
      place: { file: "api/form.yaml" },
    });
  });

  test("takes what 3.1 writes for a file", async () => {
    const check = await checkOf(`
multipart/form-data:
  schema:
    properties:
      pdf: { contentMediaType: application/pdf }
      raw: { type: string, contentMediaType: application/octet-stream }
      bin: { type: string, contentMediaType: application/pdf, contentEncoding: binary }
      b64: { type: string, contentMediaType: application/pdf, contentEncoding: base64 }
      any: {}
    additionalProperties: false
`);
    expect(await send(check, file("pdf", "a.pdf", "application/pdf", "%PDF-1.7"))).toBe(CONTINUE);
    expect(await send(check, file("pdf", "a.pdf", "application/pdf", "MZ"))).toMatchObject({
      reason: "file_content_mismatch",
    });
    expect(await send(check, file("bin", "a.pdf", "application/pdf", "%PDF-1.7"))).toBe(CONTINUE);
    expect(await send(check, field("b64", "JVBERi0xLjc="))).toBe(CONTINUE);
    expect(await send(check, file("b64", "a.pdf", "application/pdf", "%PDF-1.7"))).toMatchObject({
      reason: "form_field_invalid",
    });
    expect(await send(check, file("raw", "a.exe", "application/x-msdownload", "MZ"))).toBe(CONTINUE);
    expect(await send(check, field("any", "text"))).toBe(CONTINUE);
    expect(await send(check, file("any", "a", "x/y", "text"))).toBe(CONTINUE);
  });

  test("headers of a part hold, of a field and of a file, and nobody asks them of a field that is left empty", async () => {
    const check = await checkOf(`
multipart/form-data:
  schema: { properties: { note: { type: string }, pdf: { contentMediaType: application/pdf } } }
  encoding:
    note: { headers: { X-Lang: { schema: { enum: [en, de] } } } }
    pdf: { headers: { X-Pages: { required: true, schema: { type: integer, maximum: 9 } } } }
`);
    const withLine = ([head, content]: ReturnType<typeof field>, line: string) =>
      [`${head}\r\n${line}`, content] as const;
    const pdf = file("pdf", "a.pdf", "application/pdf", "%PDF-1.7");
    expect(await send(check, withLine(field("note", "a"), "X-Lang: en"), withLine(pdf, "x-pages: 9"))).toBe(CONTINUE);
    expect(await send(check, file("pdf", "", "application/octet-stream", ""))).toBe(CONTINUE);
    expect(await send(check, withLine(field("note", "a"), "X-Lang: fr"))).toMatchObject({
      reason: "form_field_invalid",
      seen: "form note: header x-lang: / enum",
    });
    expect(await send(check, withLine(pdf, "X-Pages: 10"))).toMatchObject({
      seen: "form pdf: header x-pages: / maximum",
    });
    expect(await send(check, pdf)).toMatchObject({ seen: "form pdf: header x-pages: missing" });
  });

  test("tells of a part that refuses what another declares", async () => {
    const schema =
      "{ allOf: [{ properties: { a: {}, b: {} } }, { properties: { b: {} }, additionalProperties: false }] }";
    const described = api(`/a:\n  post: { requestBody: { content: { application/json: { schema: ${schema} } } } }`);
    const { warnings } = await examine(policyOf("public: true"), filesWith(jwks, described));
    expect(warnings.map(({ text, place: { file, line } }) => `${file}:${line} ${text}`)).toContainEqual(
      expect.stringContaining("api/orders.yaml:5 'api/orders.yaml': no body can have 'a'"),
    );
  });

  test("tells what of it is not enforced", async () => {
    const told = await looseOf(`
multipart/form-data:
  schema:
    oneOf: [{ required: [a] }, { required: [b] }]
    properties: { a: { type: string }, b: { type: array, items: { type: object } }, c: {} }
    additionalProperties: { type: string }
  encoding: { c: { headers: { X-Rate: {} } }, b: { style: form } }
`);
    const text = told.join();
    for (const what of [
      "objects of forms in styles other than deepObject",
      "fields of forms without a type",
      "headers of parts of forms",
    ])
      expect(text).toContain(what);
  });
});

describe("other forms and XML", () => {
  test("an urlencoded form with objects has them as JSON", async () => {
    const check = await checkOf(`
application/x-www-form-urlencoded:
  schema: { required: [order], properties: { order: { $ref: '#/components/schemas/Order' }, count: { type: integer } } }
`);
    const type = "application/x-www-form-urlencoded";
    const order = (value: string): string => `order=${encodeURIComponent(value)}`;
    expect(await judge(check, type, `${order('{"item":"a"}')}&count=3`)).toBe(CONTINUE);
    expect(await judge(check, type, order('{"item":7}'))).toMatchObject({ seen: "form order: /item type" });
    expect(await judge(check, type, "count=3")).toMatchObject({ seen: "form order: missing" });
  });

  test("XML is read before it is judged", async () => {
    const content = "application/xml: { schema: { type: object, xml: { name: order } } }";
    const check = await checkOf(content);
    expect(await judge(check, "application/xml", "<order/>")).toBe(CONTINUE);
    expect(await judge(check, "application/xml", "<order>")).toMatchObject({ reason: "body_not_xml" });
    const entity = '<!DOCTYPE order [<!ENTITY a SYSTEM "file:///etc/passwd">]><order>&a;</order>';
    expect(await judge(check, "application/xml", entity)).toMatchObject({ reason: "xml_construct_denied" });
    expect((await looseOf(content)).join()).not.toContain("not enforced");
  });

  test("what is no text is told where its schema asks for something, and not where it only says what it is", async () => {
    const told = async (schema: string): Promise<string> =>
      (await looseOf(`application/octet-stream: { schema: ${schema} }`)).join();
    expect(await told("{ type: string, format: binary }")).not.toContain("not enforced");
    expect(await told("{ type: string, format: binary, maxLength: 5 }")).toContain(
      "schemas of application/octet-stream",
    );
  });

  test("of a GET is let in where 3.1 has one, and ignored and told where 3.0 has", async () => {
    const json = "application/json: { schema: { type: object, required: [a] } }";
    const get = document(json).replace("  post:", "  get:");
    const snapshot = await snapshotOf(policyOf("public: true"), filesWith(jwks, get));
    const route = routeOf(snapshot, "/orders");
    expect(route.keepsBodiesIn).toEqual(["GET"]);
    expect(route.checks.map(({ name }) => name)).toContain("validate");
    const older = filesWith(jwks, get.replace("3.1.0", "3.0.3"));
    const other = routeOf(await snapshotOf(policyOf("public: true"), older), "/orders");
    expect(other.keepsBodiesIn).toEqual([]);
    expect(other.checks.map(({ name }) => name)).not.toContain("validate");
    expect((await warningsOf(policyOf("public: true"), older)).join()).toContain("not enforced: bodies of GET");
  });

  test("a body that need not be there is none of them", async () => {
    const text = document(
      "application/xml: {}\nmultipart/form-data: { schema: { required: [a], properties: { a: { type: string } } } }",
    );
    const open = text.replace("required: true", "required: false");
    const snapshot = await snapshotOf(policyOf("public: true"), filesWith(jwks, open));
    const check = routeOf(snapshot, "/orders").checks.find(({ name }) => name === "validate");
    expect(await check?.evaluate(createExchange({ method: "POST", body: new MemoryBody([]) }))).toBe(CONTINUE);
  });
});
