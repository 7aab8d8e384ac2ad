import { describe, expect, test } from "vitest";
import { readDescription } from "../../src/openapi/description.ts";
import { atOnce } from "../../src/support/turns.ts";

function told(text: string, version = "3.2.0"): readonly string[] {
  const document = Buffer.from(`openapi: ${version}\ninfo: { title: t, version: '1' }\n${text.trim()}\n`);
  const read = (): Buffer => document;
  const { findings } = atOnce(readDescription({ file: "api.yaml", root: null, overlays: [] }, read));
  return [...findings.problems, ...findings.warnings].map(({ place, text }) => `${place.line}:${place.column} ${text}`);
}

const components = (text: string): string => `components:\n  ${text}`;

describe("what the specification forbids is told where it stands", () => {
  test.each([
    ["nothing to read", "tags: []", "1:1 neither 'paths' nor 'components' nor 'webhooks'; expected one of them"],
    [
      "servers that are no list",
      "paths: {}\nservers: { url: /v1 }",
      "4:1 expected a list of servers; they are not read",
    ],
    [
      "an empty list of choices",
      "paths: {}\nservers: [{ url: '/{a}', variables: { a: { enum: [], default: b } } }]",
      "an empty list of choices; take it out",
    ],
    [
      "two examples",
      components("parameters: { a: { name: a, in: query, schema: {}, example: 1, examples: {} } }"),
      "4:66 'examples' beside 'example'",
    ],
    [
      "an example of two kinds",
      components("examples: { a: { value: 1, dataValue: 1 } }"),
      "4:30 'dataValue' beside 'value'",
    ],
    [
      "two kinds of encoding",
      components("requestBodies: { a: { content: { multipart/mixed: { encoding: {}, itemEncoding: {} } } } }"),
      "'itemEncoding' beside 'encoding'",
    ],
    [
      "styles of content",
      components("parameters: { a: { name: a, in: query, style: form, content: { application/json: {} } } }"),
      "'style' beside 'content'",
    ],
    [
      "a querystring by schema",
      components("parameters: { a: { name: a, in: querystring, schema: {} } }"),
      "'schema' of a querystring; expected 'content'",
    ],
    [
      "what stays reserved in a header",
      components("headers: { A: { schema: {}, allowReserved: true } }"),
      "'allowReserved' means nothing there",
    ],
    [
      "a header that is none",
      components("parameters: { a: { name: 'a b', in: header, schema: {} } }"),
      "4:22 expected the name of a header",
    ],
    [
      "a path parameter that is none",
      components("parameters: { a: { name: '{a}', in: path, required: true, schema: {} } }"),
      "a name that no path can have in braces",
    ],
    [
      "a schema that is none",
      components("schemas: { a: 0, b: { properties: { c: null } } }"),
      "4:14 expected a schema",
    ],
    ["a schema within one", components("schemas: { b: { properties: { c: [] } } }"), "4:33 expected a schema"],
    [
      "old and new words of XML",
      components("schemas: { a: { xml: { nodeType: element, wrapped: true } } }"),
      "'wrapped' beside 'nodeType'",
    ],
    [
      "two querystrings",
      components("pathItems: { a: { parameters: [{ in: querystring }, { in: querystring }] } }"),
      "a second querystring; expected one",
    ],
    [
      "a usual method as another",
      "paths: { /a: { additionalOperations: { POST: { responses: {} } } } }",
      "expected 'post' in place of an additional operation",
    ],
    [
      "a word that links do not have",
      components("links: { a: { operationId: b, body: {} } }"),
      "'body' means nothing in a link",
    ],
    [
      "answers within callbacks",
      components("callbacks: { a: { x: { post: { responses: { '200': { headers: { 'a b': {} } } } } } } }"),
      "expected the name of a header",
    ],
  ])("%s", (_, text, expected) => {
    expect(told(text).filter((one) => one.includes(expected))).toHaveLength(1);
  });

  test("what one version has and another has not", () => {
    const path = components(
      "parameters: { a: { name: a, in: path, required: true, allowReserved: true, schema: {} } }",
    );
    expect(told(path)).toEqual([]);
    expect(told(path, "3.1.0").join()).toContain("'allowReserved' means nothing there");
    const cookie = components("parameters: { a: { name: a, in: cookie, style: cookie, schema: {} } }");
    expect(told(cookie)).toEqual([]);
    expect(told(cookie, "3.1.0").join()).toContain("style 'cookie' is a word of OpenAPI 3.2");
  });

  test("what is right is not told, nor what examples and extensions hold", () => {
    expect(
      told(
        components(`examples: { a: { value: { value: 1, dataValue: 2, example: 1, examples: 2 } } }
  schemas: { a: { xml: { nodeType: attribute }, example: { properties: { a: 0 } }, x-b: { schemas: 0 } }, b: { items: { $ref: '#/components/schemas/a' } } }
  headers: { X-A: { schema: { type: string }, examples: {} } }`),
      ),
    ).toEqual([]);
  });
});
