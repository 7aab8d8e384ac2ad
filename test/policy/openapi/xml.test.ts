import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../../src/decision/verdict.ts";
import type { Check } from "../../../src/filters/filter.ts";
import { createExchange, MemoryBody } from "../../fixtures/route-context.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { routeOf, snapshotOf, warningsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

/** One operation, POST /orders, whose XML has this schema, beside the components `more`. */
function document(schema: string, more = ""): string {
  const path = `
/orders:
  post:
    security: []
    requestBody:
      required: true
      content:
        application/xml:
          schema:
            ${schema.trim().replaceAll("\n", "\n            ")}
`;
  return `${api(path)}${more.trim() === "" ? "" : `    ${more.trim().replaceAll("\n", "\n    ")}\n`}`;
}

async function checkOf(schema: string, more = "", settings = "public: true"): Promise<Check> {
  const snapshot = await snapshotOf(policyOf(settings), filesWith(jwks, document(schema, more)));
  const check = routeOf(snapshot, "/orders").checks.find(({ name }) => name === "validate");
  if (check === undefined) throw new Error("nothing is validated");
  return check;
}

const looseOf = async (schema: string, more = ""): Promise<string> =>
  (await warningsOf(policyOf("public: true"), filesWith(jwks, document(schema, more)))).join();

async function judge(check: Check, body: string): Promise<Verdict> {
  const headers = [["content-type", "application/xml"]] as const;
  return check.evaluate(createExchange({ method: "POST", headers, body: new MemoryBody([body]) }));
}

/** `passes`, or the first thing that is wrong: where, the rule and the detail. */
async function saidOf(check: Check, body: string): Promise<string> {
  const verdict = await judge(check, body);
  if (verdict === CONTINUE) return "passes";
  if (!(verdict instanceof Denial)) throw new Error("no verdict");
  const [first] = verdict.body?.errors ?? [];
  return `${first?.pointer} ${first?.keyword}: ${first?.detail}`;
}

const PET = `
Pet:
  type: object
  required: [id, name]
  properties:
    id: { type: integer, maximum: 100, xml: { attribute: true } }
    name: { type: string, maxLength: 10, pattern: '^[A-Za-z ]*$' }
    price: { type: number, maximum: 9.5 }
    isGood: { type: boolean, xml: { name: good } }
    tags: { type: array, maxItems: 2, items: { type: string, maxLength: 5, xml: { name: tag } } }
    toys: { type: array, xml: { wrapped: true }, items: { type: object, xml: { name: toy }, properties: { size: { type: integer } } } }
    born: { type: [string, 'null'], maxLength: 10 }
    owner: { $ref: '#/components/schemas/Owner' }
Owner: { type: object, additionalProperties: false, properties: { name: { type: string, xml: { namespace: 'urn:o', prefix: o } } } }
`;
const ROOT = "{ $ref: '#/components/schemas/Pet' }";

describe("a body of XML", () => {
  let check: Check;
  beforeAll(async () => {
    check = await checkOf(ROOT, PET);
  });
  const pet = (inner: string, attributes = 'id="1"'): string => `<Pet ${attributes}><name>Rex</name>${inner}</Pet>`;

  test.each([
    ["what has to be there", pet("")],
    ["a declaration, blanks and comments", `<?xml version="1.0"?>\n<!-- a -->\n${pet("\n <!-- b -->\n")}\n`],
    ["values of each type", pet("<price> 9.5 </price><good>true</good>")],
    ["one item of a list, which is a list", pet("<tag>a</tag>")],
    ["more of them", pet("<tag>a</tag><tag>b</tag>")],
    ["a list in an element of its own", pet("<toys><toy><size>1</size></toy><toy><size>2</size></toy></toys>")],
    ["an empty list in one", pet("<toys/>")],
    ["characters by number", '<Pet id="1"><name>R&#101;x</name></Pet>'],
    ["a CDATA section", '<Pet id="1"><name><![CDATA[Rex]]></name></Pet>'],
    ["what is nil", pet('<born xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>')],
    ["another prefix of the namespace", pet('<owner><x:name xmlns:x="urn:o">a</x:name></owner>')],
    ["the name of what is referred to (3.2)", pet('<Owner><o:name xmlns:o="urn:o">a</o:name></Owner>')],
    ["what nobody declares", pet('<colour shade="1">red<b/></colour><colour/>', 'id="1" size="2"')],
    [
      "where a schema is said to be",
      pet("", 'id="1" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a b"'),
    ],
  ])("%s passes", async (_, body) => {
    expect(await saidOf(check, body)).toBe("passes");
  });

  test.each([
    ["a number that is too large", pet("", 'id="101"'), "/Pet/@id maximum: expected at most 100"],
    ["a text that is too long", '<Pet id="1"><name>Rexrexrexrex</name></Pet>', "/Pet/name maxLength"],
    ["no number", pet("<price>ten</price>"), "/Pet/price type: expected number"],
    ["a number as other languages spell it", pet("<price>0x5</price>"), "/Pet/price type: expected number"],
    ["what has to be there and is not", '<Pet id="1"/>', "/Pet required"],
    ["an item that is too long", pet("<tag>a</tag><tag>abcdef</tag>"), "/Pet/tag[2] maxLength"],
    ["too many items", pet("<tag>a</tag><tag>b</tag><tag>c</tag>"), "/Pet/tag maxItems"],
    ["a member of an item", pet("<toys><toy/><toy><size>x</size></toy></toys>"), "/Pet/toys/toy[2]/size type"],
    ["another outermost element", "<Cat/>", "/Cat xml: expected 'Pet' as the outermost element"],
    ["an element that a closed object does not have", pet("<owner><x/></owner>"), "/Pet/owner/x additionalProperties"],
    ["an element twice", pet("<name>Tom</name>"), "/Pet/name xml: expected this element once"],
    ["a list's element twice", pet("<toys/><toys/>"), "/Pet/toys xml: expected this element once"],
    [
      "items apart from each other",
      pet("<tag>a</tag><good>true</good><tag>b</tag>"),
      "/Pet/tag xml: expected the items",
    ],
    [
      "another element among items",
      pet("<toys><toy/><size/></toys>"),
      "/Pet/toys/size xml: expected elements 'toy' alone",
    ],
    ["a comment within a text", '<Pet id="1"><name>Rex<!-- -->DROP</name></Pet>', "/Pet/name xml: expected no comment"],
    [
      "a CDATA section behind a text",
      '<Pet id="1"><name>Rex<![CDATA[ x]]></name></Pet>',
      "/Pet/name xml: expected no text",
    ],
    [
      "a text behind a CDATA section",
      '<Pet id="1"><name><![CDATA[a]]>b</name></Pet>',
      "/Pet/name xml: expected no text",
    ],
    [
      "two CDATA sections",
      '<Pet id="1"><name><![CDATA[a]]><![CDATA[b]]></name></Pet>',
      "/Pet/name xml: expected no text",
    ],
    ["text beside elements", '<Pet id="1">x<name>Rex</name></Pet>', "/Pet xml: expected no text beside elements"],
    ["elements within a text", '<Pet id="1"><name>Rex<b/></name></Pet>', "/Pet/name xml: expected no text beside"],
    ["an attribute of a text", '<Pet id="1"><name x="1">Rex</name></Pet>', "/Pet/name/@x xml: expected no attribute"],
    ["an element in place of an attribute", pet("<id>500</id>"), "/Pet/id xml: expected another spelling"],
    ["an attribute in place of an element", pet("", 'id="1" price="99"'), "/Pet/@price xml: expected another spelling"],
    ["another case", pet("<Price>99</Price>"), "/Pet/Price xml: expected another spelling"],
    ["a member that has another name in XML", pet("<tags>a</tags>"), "/Pet/tags xml: expected another spelling"],
    ["another namespace", pet('<x:price xmlns:x="urn:x">99</x:price>'), "/Pet/price xml: expected no namespace"],
    ["a namespace for all", '<Pet xmlns="urn:x" id="1"/>', "/Pet xml: expected no namespace"],
    [
      "no namespace where there is one",
      pet("<owner><name>a</name></owner>"),
      "/Pet/owner/name xml: expected namespace 'urn:o'",
    ],
    ["an attribute in a namespace", '<Pet xmlns:x="urn:x" x:id="1"/>', "/Pet/@id xml: expected no namespace"],
    [
      "a type of its own",
      pet('<price xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x">1</price>'),
      "/Pet/price/@type xml",
    ],
    [
      "nil where there may be none",
      pet('<price xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1"/>'),
      "/Pet/price type",
    ],
    [
      "nil with something in it",
      pet('<born xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="1">x</born>'),
      "/Pet/born xml",
    ],
    ["an empty number", pet("<price/>"), "/Pet/price type: expected number"],
  ])("%s is refused", async (_, body, said) => {
    expect(await saidOf(check, body)).toContain(said);
  });

  test("a text with blanks at its ends has to fit without them, too", async () => {
    const strict = await checkOf(
      "{ type: object, xml: { name: a }, properties: { b: { type: string, pattern: '^ *[a-z]{2,} *$', minLength: 3 } } }",
    );
    expect(await saidOf(strict, "<a><b> abc </b></a>")).toBe("passes");
    expect(await saidOf(strict, "<a><b> ab </b></a>")).toContain("/a/b minLength");
  });

  test("names the document's line, and an entity is still refused", async () => {
    expect(await judge(check, '<Pet id="500"><name>a</name></Pet>')).toMatchObject({
      reason: "body_schema_mismatch",
      place: { file: "api/orders.yaml" },
      seen: "body /Pet/@id maximum",
      body: { errors: [{ pointer: "/Pet/@id", keyword: "maximum", detail: "expected at most 100" }] },
    });
    expect(await judge(check, "<!DOCTYPE Pet><Pet/>")).toMatchObject({ reason: "xml_construct_denied" });
    expect(await judge(check, "<Pet>&e;</Pet>")).toMatchObject({ reason: "xml_construct_denied" });
    expect(await judge(check, "<Pet>")).toMatchObject({ reason: "body_not_xml" });
  });

  test("is told nowhere as not enforced", async () => {
    expect(await looseOf(ROOT, PET)).not.toContain("not enforced");
  });

  test("long ones are judged in turns", async () => {
    const many = await checkOf(
      "{ type: array, xml: { name: a, wrapped: true }, items: { type: integer, maximum: 9, xml: { name: b } } }",
    );
    expect(await saidOf(many, `<a>${"<b>7</b>".repeat(9_000)}</a>`)).toBe("passes");
    expect(await saidOf(many, `<a>${"<b>7</b>".repeat(9_000)}<b>10</b></a>`)).toContain("/a/b[9001] maximum");
  });

  test("a text of many blanks and sections takes no longer than it is long", async () => {
    const open = await checkOf("{ type: object, xml: { name: a }, properties: { b: { type: string } } }");
    const blanks = " ".repeat(120_000);
    expect(await saidOf(open, `<a><b>${blanks}x${blanks}x</b></a>`)).toBe("passes");
    expect(await saidOf(open, `<a><c>${blanks}${"<![CDATA[ ]]>".repeat(50_000)}</c></a>`)).toBe("passes");
  });
});

describe("what OpenAPI says of XML", () => {
  test("alternatives, allOf and maps", async () => {
    const check = await checkOf(`
type: object
xml: { name: a }
allOf: [{ properties: { n: { type: integer } } }]
oneOf:
  - { required: [kind], properties: { kind: { const: x }, v: { type: integer, maximum: 5 } } }
  - { required: [kind], properties: { kind: { const: y }, v: { type: boolean } } }
properties:
  map: { type: object, additionalProperties: { type: integer } }
`);
    expect(await saidOf(check, "<a><kind>x</kind><v>5</v><n>1</n><map><p>1</p><q>2</q></map></a>")).toBe("passes");
    expect(await saidOf(check, "<a><kind>y</kind><v>true</v></a>")).toBe("passes");
    expect(await saidOf(check, "<a><kind>x</kind><v>6</v></a>")).toContain("/a/v maximum");
    expect(await saidOf(check, "<a><kind>x</kind><v>none</v></a>")).toContain("/a/v type");
    expect(await saidOf(check, "<a><kind>x</kind><map><p>z</p></map></a>")).toContain(
      "/a/map/p type: expected integer",
    );
    expect(await saidOf(check, "<a><kind>x</kind><map><p>1</p><p>2</p></map></a>")).toContain("/a/map/p xml");
  });

  test("a default namespace counts for what is within", async () => {
    const check = await checkOf(
      "{ type: object, xml: { name: a, namespace: 'urn:a' }, properties: { b: { type: integer } } }",
    );
    expect(await saidOf(check, '<a xmlns="urn:a"><b>1</b></a>')).toBe("passes");
    expect(await saidOf(check, '<p:a xmlns:p="urn:a"><b>1</b></p:a>')).toBe("passes");
    expect(await saidOf(check, "<a><b>1</b></a>")).toContain("expected namespace 'urn:a'");
  });

  test("recursive schemas, and lists of them", async () => {
    const more =
      "Node: { type: object, properties: { value: { type: integer }, next: { $ref: '#/components/schemas/Node' } } }";
    const check = await checkOf("{ $ref: '#/components/schemas/Node' }", more);
    expect(await saidOf(check, "<Node><next><next><value>1</value></next></next></Node>")).toBe("passes");
    expect(await saidOf(check, "<Node><next><next><value>x</value></next></next></Node>")).toContain(
      "/Node/next/next/value",
    );
  });

  test("attributes and the text of one element (3.2)", async () => {
    const schema = `
type: array
xml: { nodeType: element, name: animals }
items:
  xml: { name: animal }
  type: object
  required: [name]
  properties:
    kind: { type: string, enum: [Cat, Dog], xml: { nodeType: attribute } }
    name: { type: string, maxLength: 6, xml: { nodeType: text } }
`;
    const check = await checkOf(schema);
    expect(
      await saidOf(check, '<animals><animal kind="Cat">Fluffy</animal><animal kind="Dog">Fido</animal></animals>'),
    ).toBe("passes");
    expect(await saidOf(check, '<animals><animal kind="Cat">Fluffyxx</animal></animals>')).toContain(
      "/animals/animal[1]/text() maxLength",
    );
    expect(await saidOf(check, '<animals><animal kind="Cow">Fluffy</animal></animals>')).toContain(
      "/animals/animal[1]/@kind enum",
    );
    expect(await saidOf(check, "<animals><animal>Flu<x/>ffy</animal></animals>")).toContain(
      "expected no text beside elements",
    );
  });

  test("lists that have to be there are there when they are empty", async () => {
    const check = await checkOf(
      "{ type: object, xml: { name: a }, required: [b], properties: { b: { type: array, items: { type: string } } } }",
    );
    expect(await saidOf(check, "<a/>")).toBe("passes");
  });

  test("members that the service sets, and those that nobody declares", async () => {
    const schema =
      "{ type: object, xml: { name: a }, properties: { id: { type: integer, readOnly: true, xml: { attribute: true } }, b: { type: string } } }";
    expect(await saidOf(await checkOf(schema), '<a id="1"/>')).toContain("/a/@id readOnly");
    const closed = await checkOf(schema, "", "public: true\nundeclaredProperties: refuse");
    expect(await saidOf(closed, "<a><b>1</b></a>")).toBe("passes");
    expect(await saidOf(closed, "<a><c/></a>")).toContain("/a/c");
    expect(await saidOf(closed, '<a c="1"/>')).toContain("/a/c");
  });

  test.each([
    ["what has no one reading", "{ type: [array, integer], items: {} }", "as XML: what is a list or something else"],
    ["lists of lists", "{ type: array, items: { type: array, items: {} } }", "as XML: lists of lists"],
    [
      "two members of one name",
      "{ properties: { a: { type: string, xml: { name: b } }, b: { type: string } } }",
      "as XML: two members of one name",
    ],
    ["patterns of names", "{ patternProperties: { '^a': { type: string } } }", "as XML: patternProperties"],
    [
      "names that tell alternatives apart",
      "{ oneOf: [{ $ref: '#/components/schemas/Order' }] }",
      "as XML: alternatives that the name of the outermost element tells apart",
    ],
    ["lists in an order", "{ type: array, prefixItems: [{ type: string }] }", "as XML: lists with items in an order"],
  ])("%s is told, and read without a schema", async (_, schema, said) => {
    expect(await looseOf(schema)).toContain(`not enforced: ${said}`);
    expect(await saidOf(await checkOf(schema), "<x/>")).toBe("passes");
  });
});
