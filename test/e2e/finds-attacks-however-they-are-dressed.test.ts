// Goal: an attack that the rules find in a query is found however a body or a head is dressed that some service reads. Method: the rules
// as Debian ships them before a service that notes all that arrives.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `
version: 1
service: shop
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
admin: { address: '127.0.0.1:${admin}' }
detectors:
  crs:
    rules: [/etc/modsecurity/crs/crs-setup.conf, /usr/share/modsecurity-crs/rules]
    variables:
      allowed_methods: GET HEAD POST PUT
      allowed_request_content_type: '${[
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/xml",
        "application/xml",
        "application/json",
        "application/octet-stream",
        "application/x-ndjson",
        "application/json-seq",
        "application/graphql",
        "image/png",
        "text/plain",
        "text/json",
        "multipart/related",
      ]
        .map((type) => `|${type}|`)
        .join(" ")}'
defaults: { detect: [crs] }
routes:
  - { path: '/**', methods: [GET, POST], public: true }
  - { path: '/of/{id}', methods: [GET], public: true }
  - { path: '/unsearched', methods: [GET, POST], public: true, detect: [] }
  - path: /typed
    methods: [GET, POST]
    public: true
    validate: { query: { id: { type: integer }, ids: { type: [integer, string] } } }
`;

const SQL = "1' UNION SELECT password FROM users-- ";
let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService(() => false);
  postern = await startPostern(service.port, policy);
});
afterAll(closeAll);
beforeEach(() => {
  service.arrived.length = 0;
});

async function post(
  type: string | null,
  body: string | Buffer,
  more: Record<string, string> = {},
  path = "/items",
): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, {
    method: "POST",
    headers: {
      "user-agent": "Mozilla/5.0",
      accept: "*/*",
      host: "shop.example",
      ...(type === null ? {} : { "content-type": type }),
      ...more,
    },
    body: Buffer.from(body as string),
  });
  await response.arrayBuffer();
  return response.status;
}
const FORM = `note=${encodeURIComponent(SQL)}`;
const JSON_TEXT = JSON.stringify({ note: SQL });
const escaped = (text: string): string =>
  text.replaceAll("UNION", "\\u0055NION").replaceAll("SELECT", "\\u0053ELECT").replaceAll("'", "\\u0027");
const ESCAPED = escaped(JSON_TEXT);
const ESCAPES = escaped(SQL);
const PART = (head: string) => `--b\r\n${head}\r\n\r\n${SQL}\r\n--b--\r\n`;
const utf16 = (text: string, bom = true): Buffer => Buffer.from((bom ? "\ufeff" : "") + text, "utf16le");

/** Each range of ASCII with the byte of its first character in IBM037. */
const EBCDIC: readonly (readonly [range: string, first: number])[] = [
  ..."abcdefghi,jklmnopqr,stuvwxyz,ABCDEFGHI,JKLMNOPQR,STUVWXYZ,0123456789".split(",").map((range, at) => {
    return [range, [0x81, 0x91, 0xa2, 0xc1, 0xd1, 0xe2, 0xf0][at] ?? 0] as const;
  }),
  ...[..." '-=%&+{}\":*/<>"].map((sign, at) => {
    return [
      sign,
      [0x40, 0x7d, 0x60, 0x7e, 0x6c, 0x50, 0x4e, 0xc0, 0xd0, 0x7f, 0x7a, 0x5c, 0x61, 0x4c, 0x6e][at] ?? 0,
    ] as const;
  }),
];
const ibm037 = (text: string): Buffer =>
  Buffer.from(
    [...text].map((char) => {
      const [range = "", first = 0] = EBCDIC.find(([chars]) => chars.includes(char)) ?? [];
      return first + range.indexOf(char);
    }),
  );
const utf7 = (text: string): string =>
  text.replace(/[^\s\w{}":=]+|UNION|SELECT/g, (part) => {
    return `+${Buffer.from(part, "utf16le").swap16().toString("base64").replaceAll("=", "")}-`;
  });

const DRESSED: [string, string | null, string | Buffer][] = [
  ["json", "application/json", ESCAPED],
  ["json charset", "application/json; charset=utf-8", ESCAPED],
  ["json text/plain", "text/plain", ESCAPED],
  ["json no type", null, ESCAPED],
  ["json text/json", "text/json", ESCAPED],
  ["ndjson", "application/x-ndjson", `{"a":1}\n${ESCAPED}\n`],
  ["ndjson plain", "text/plain", `{"a":1}\n${ESCAPED}\n`],
  ["json then rest", "text/plain", `${ESCAPED} x`],
  ["json-seq", "application/json-seq", `\x1e${ESCAPED}\n`],
  ["json bom plain", "text/plain", `\ufeff${ESCAPED}`],
  ["json utf16 plain", "text/plain", utf16(JSON_TEXT)],
  ["json utf16 nobom plain", "text/plain", utf16(JSON_TEXT, false)],
  ["json utf16 charset", "application/json; charset=utf-16", utf16(JSON_TEXT)],
  ["json blank 300", "text/plain", `${" ".repeat(300)}${ESCAPED}`],
  ["json duplicate in plain", "text/plain", `{"note":"x","note":${JSON.stringify(SQL)}}`],
  ["json scalar in plain", "text/plain", JSON.stringify(SQL)],
  ["json scalar", "application/json", JSON.stringify(SQL).replaceAll("UNION", "\\u0055NION")],
  [
    "json latin1 byte",
    "text/plain",
    Buffer.concat([Buffer.from(ESCAPED.slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')]),
  ],
  ["json comment", "text/plain", `/* */${ESCAPED}`],
  ["json trailing comma", "text/plain", `${ESCAPED.slice(0, -1)},}`],
  ["text plain", "text/plain", SQL],
  ["graphql", "application/graphql", `{ user(name: "${SQL}") { id } }`],
  ["form", "application/x-www-form-urlencoded", FORM],
  ["form no type", null, FORM],
  ["form plain", "text/plain", FORM],
  ["form ;", "application/x-www-form-urlencoded;", FORM],
  ["form comma", "application/x-www-form-urlencoded, text/plain", FORM],
  ["form dup charset", "application/x-www-form-urlencoded; charset=utf-8; charset=utf-8", FORM],
  ["form bad param", "application/x-www-form-urlencoded; =", FORM],
  ["form semicolons", "application/x-www-form-urlencoded", `a=1;${FORM}`],
  ["form a[b]", "application/x-www-form-urlencoded", `a[b][]=${encodeURIComponent(SQL)}`],
  ["form utf16", "application/x-www-form-urlencoded; charset=utf-16", utf16(FORM)],
  ["form utf7", "application/x-www-form-urlencoded; charset=utf-7", FORM],
  ["form ibm037", "application/x-www-form-urlencoded; charset=ibm037", FORM],
  ["form bom", "application/x-www-form-urlencoded", `\ufeff${FORM}`],
  ["form %u", "application/x-www-form-urlencoded", "note=1%u0027%20UNION%20SELECT%20password%20FROM%20users--%20"],
  [
    "form hpp",
    "application/x-www-form-urlencoded",
    "note=1'%20UNION%20SELECT%20/*&note=*/password%20FROM%20users--%20",
  ],
  ["form double", "application/x-www-form-urlencoded", `note=${encodeURIComponent(encodeURIComponent(SQL))}`],
  ["form upper", "APPLICATION/X-WWW-FORM-URLENCODED", FORM],
  ["form many", "application/x-www-form-urlencoded", `${"a&".repeat(5000)}${FORM}`],
  ["json many", "application/json", `[${"1,".repeat(5000)}${JSON.stringify(SQL)}]`],
  ["multipart related mine", "multipart/related; boundary=b", PART('Content-Disposition: form-data; name="a"')],
  ["multipart", "multipart/form-data; boundary=b", PART('Content-Disposition: form-data; name="a"')],
  ["multipart quoted", 'multipart/form-data; boundary="b"', PART('Content-Disposition: form-data; name="a"')],
  [
    "multipart blank boundary",
    'multipart/form-data; boundary="b c"',
    PART('Content-Disposition: form-data; name="a"').replaceAll("--b", "--b c"),
  ],
  ["multipart comma", "multipart/form-data; boundary=b,x", PART('Content-Disposition: form-data; name="a"')],
  ["multipart two", "multipart/form-data; boundary=b; boundary=b", PART('Content-Disposition: form-data; name="a"')],
  ["multipart no semicolon", "multipart/form-data boundary=b", PART('Content-Disposition: form-data; name="a"')],
  ["multipart comma type", "multipart/form-data, boundary=b", PART('Content-Disposition: form-data; name="a"')],
  ["multipart none", "multipart/form-data", PART('Content-Disposition: form-data; name="a"')],
  ["multipart mixed", "multipart/mixed; boundary=b", PART('Content-Disposition: form-data; name="a"')],
  ["multipart related", "multipart/related; boundary=b", PART('Content-Disposition: form-data; name="a"')],
  [
    "multipart empty filename",
    "multipart/form-data; boundary=b",
    PART('Content-Disposition: form-data; name="a"; filename=""'),
  ],
  [
    "multipart empty filename octet",
    "multipart/form-data; boundary=b",
    PART('Content-Disposition: form-data; name="a"; filename=""\r\nContent-Type: application/octet-stream'),
  ],
  [
    "multipart json part",
    "multipart/form-data; boundary=b",
    `--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n${ESCAPED}\r\n--b--\r\n`,
  ],
  [
    "multipart part charset",
    "multipart/form-data; boundary=b",
    Buffer.concat([
      Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=utf-16le\r\n\r\n',
      ),
      utf16(SQL, false),
      Buffer.from("\r\n--b--\r\n"),
    ]),
  ],
  [
    "multipart _charset_",
    "multipart/form-data; boundary=b",
    Buffer.concat([
      Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nutf-16le\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
      ),
      utf16(SQL, false),
      Buffer.from("\r\n--b--\r\n"),
    ]),
  ],
  ["multipart unnamed token name", "multipart/form-data; boundary=b", PART("Content-Disposition: form-data; name=a")],
  [
    "multipart name attack",
    "multipart/form-data; boundary=b",
    PART(`Content-Disposition: form-data; name="${SQL}"`).replace(`\r\n\r\n${SQL}`, "\r\n\r\nx"),
  ],
  [
    "multipart filename attack",
    "multipart/form-data; boundary=b",
    PART(`Content-Disposition: form-data; name="a"; filename="${SQL}"`).replace(`\r\n\r\n${SQL}`, "\r\n\r\nx"),
  ],
  ["xml cdata", "application/xml", `<a><![CDATA[${SQL}]]></a>`],
  ["xml entities", "text/xml", `<a>&#49;&#39; UNI&#79;N SEL&#69;CT password FROM users-- </a>`],
  ["xml split", "text/xml", `<a>1' UNION SEL<!-- -->ECT password FROM users-- </a>`],
  ["xml nested split", "text/xml", `<a>1' UNION SEL<b/>ECT password FROM users-- </a>`],
  ["xml name", "text/xml", `<a><script>alert(document.cookie)</script></a>`],
  ["xml utf16", "application/xml; charset=utf-16", utf16(`<a>${SQL}</a>`)],
  ["json in json", "application/json", JSON.stringify({ filter: ESCAPED })],
  ["json in json in json", "application/json", JSON.stringify({ filter: JSON.stringify([ESCAPED]) })],
  ["json in a form", "application/x-www-form-urlencoded", `filter=${encodeURIComponent(ESCAPED)}`],
  [
    "a string of GraphQL",
    "application/json",
    JSON.stringify({ query: `query Of { person(name: "${ESCAPES}") { id } }` }),
  ],
  [
    "a string of GraphQL behind a comment with a quote",
    "application/json",
    JSON.stringify({ query: `{ # "\n person(name: "${ESCAPES}") { id } }` }),
  ],
  ["JSON with a comment that has a quote", "text/plain", `{ /* " */ "name": "${ESCAPES}" }`],
  [
    "json in a part",
    "multipart/form-data; boundary=b",
    PART('Content-Disposition: form-data; name="a"').replace(SQL, ` ${ESCAPED}`),
  ],
  ["form in ibm037", "application/x-www-form-urlencoded; charset=ibm037", ibm037(`note=${SQL}`)],
  ["form in quoted ibm037", 'application/x-www-form-urlencoded; charset="IBM037"', ibm037(`note=${SQL}`)],
  [
    "form in ibm037 behind utf-8",
    "application/x-www-form-urlencoded; charset=utf-8; charset=ibm037",
    ibm037(`note=${SQL}`),
  ],
  [
    "form in ibm037 behind another parameter",
    "application/x-www-form-urlencoded; a=b; charset=cp037",
    ibm037(`note=${SQL}`),
  ],
  ["text in ibm037", "text/plain; charset=ibm037", ibm037(SQL)],
  ["json in ibm037", "application/json; charset=ibm037", ibm037(JSON_TEXT)],
  ["xml in ibm037", "application/xml; charset=ibm037", ibm037(`<a>${SQL}</a>`)],
  ["xml that says so itself", "application/xml", `<?xml version="1.0" encoding="utf-7"?><a>${utf7(SQL)}</a>`],
  ["json in utf-7", "application/json; charset=utf-7", utf7(JSON_TEXT)],
  ["form in utf-7", "application/x-www-form-urlencoded; charset=utf-7", `note=${utf7(SQL)}`],
  ["text in utf-7", "text/plain; charset=utf-7", utf7(SQL)],
  ["text in utf-16be", "text/plain", utf16(SQL).swap16()],
  [
    "part in ibm037",
    "multipart/form-data; boundary=b",
    Buffer.concat([
      Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=ibm037\r\n\r\n',
      ),
      ibm037(SQL),
      Buffer.from("\r\n--b--\r\n"),
    ]),
  ],
  [
    "part in base64",
    "multipart/form-data; boundary=b",
    PART('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64').replace(SQL, btoa(SQL)),
  ],
  [
    "part in quoted-printable",
    "multipart/form-data; boundary=b",
    PART('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: quoted-printable').replace(
      SQL,
      SQL.replaceAll("'", "=27").replaceAll("UNION", "=55NION"),
    ),
  ],
  ["XML as text", "text/plain", "<a>1&#39; &#85;NION &#x53;ELECT password FROM users-- </a>"],
  ["XML as a form", "application/x-www-form-urlencoded", "<a>1&apos; &#85;NION &#83;ELECT password FROM users-- </a>"],
  ["an attribute of XML as text", "text/plain", `<a b="1&#39; &#85;NION &#x53;ELECT password FROM users-- "/>`],
  [
    "XML with sections",
    "text/plain",
    "<a><![CDATA[1' UN]]><![CDATA[ION SEL]]><![CDATA[ECT password FROM users-- ]]></a>",
  ],
  ["json as bytes", "application/octet-stream", ESCAPED],
  ["json as a picture", "image/png", `\n ${ESCAPED} and more`],
];

test.for(DRESSED)("%s", async ([, type, body]) => {
  const status = await post(type, body);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(service.arrived).toEqual([]);
});

const HEADS: readonly (readonly [what: string, target: string, lines: string])[] = [
  ["two Cookie lines", "/items", `Cookie: a=1\r\nCookie: b=${encodeURIComponent(SQL)}\r\n`],
  ["a cookie in quotes", "/items", `Cookie: a="${SQL.replaceAll(" ", "/**/")}"\r\n`],
  ["a semicolon within a quoted cookie", "/items", 'Cookie: a="1\' UNION /*;*/ SELECT password FROM users-- "\r\n'],
  ["escapes in a quoted cookie", "/items", 'Cookie: a="1\\047 \\125NION \\123ELECT password \\106ROM users-- "\r\n'],
  ["JSON in a cookie", "/items", `Cookie: a=${encodeURIComponent(ESCAPED)}\r\n`],
  ["JSON in a cookie of Express", "/items", `Cookie: a=${encodeURIComponent(`j:${ESCAPED}`)}\r\n`],
  ["JSON in a signed cookie of Express", "/items", `Cookie: a=${encodeURIComponent(`s:j:${ESCAPED}.sig`)}\r\n`],
  ["GraphQL in a query", `/items?query=${encodeURIComponent(`query Of { person(name: "${ESCAPES}") { id } }`)}`, ""],
  ["JSON in a query", `/items?filter=${encodeURIComponent(ESCAPED)}`, ""],
  [
    "a parameter twice, whose values make one",
    "/items?q=1'%20UNION%20SELECT%20/*&q=*/password%20FROM%20users--%20",
    "",
  ],
  ["a parameter of the path", `/of/${encodeURIComponent(SQL)}`, ""],
  ["a cookie without a name", "/items", `Cookie: ${encodeURIComponent(SQL)}\r\n`],
  ["a query parameter that stands behind others", `/items?${"a&".repeat(2_000)}q=${encodeURIComponent(SQL)}`, ""],
  ["a value that the contract does not close", `/typed?ids=${encodeURIComponent(SQL)}`, ""],
  ["a parameter twice, of which one is a number", `/typed?id=1&id=${encodeURIComponent(SQL)}`, ""],
  ["a parameter that the contract closes, in another spelling", `/typed?id[]=${encodeURIComponent(SQL)}`, ""],
  ["a semicolon behind what the contract closes", `/typed?id=1;q=${encodeURIComponent(SQL)}`, ""],
  ["an escape of an escape", `/items?q=${encodeURIComponent(encodeURIComponent(SQL))}`, ""],
  ["a traversal", "/items?file=..%2f..%2f..%2fetc%2fpasswd", ""],
  ["a traversal in escapes of escapes", "/items?file=..%252f..%252f..%252fetc%252fpasswd", ""],
  ["overlong UTF-8", "/items?file=..%c0%af..%c0%af..%c0%afetc%c0%afpasswd", ""],
  ["a shell command", "/items?q=%3Bcat%20/etc/passwd", ""],
  [
    "User-Agent of a shell",
    "/items",
    "X-Api: () { :;}; /bin/bash -c id\r\nReferer: () { :;}; /bin/cat /etc/passwd\r\n",
  ],
  ["an attack with a GET body", "/items", "Content-Type: application/json\r\nContent-Length: 62\r\n"],
];

test.for(HEADS)("%s", async ([what, target, lines]) => {
  const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
  const body = lines.includes("Content-Length: 62") ? JSON_TEXT.padEnd(62) : "";
  client.write(
    `GET ${target} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n${lines}\r\n${body}`,
  );
  await client.until(() => client.received.includes("\r\n\r\n"));
  expect(client.received, what).toMatch(/^HTTP\/1.1 4/);
  client.destroy();
  expect(service.arrived).toEqual([]);
});

test.for(["multipart/form-data; boundary=b", "application/octet-stream"])(
  "an attack in the query does not reach a service that does not wait for a body of %s",
  async (type) => {
    const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
    const target = `/items?q=${encodeURIComponent(SQL)}`;
    const head = `POST ${target} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n`;
    client.write(`${head}Content-Type: ${type}\r\nContent-Length: 1000\r\n\r\n--b\r\n`);
    await client.until(() => client.received.includes("\r\n\r\n"));
    expect(client.received).toMatch(/^HTTP\/1.1 403 /);
    client.destroy();
    expect(service.arrived).toEqual([]);
  },
);

test("what people send under these labels passes", async () => {
  expect(await post("application/json", '{"a":1}')).toBe(200);
  expect(await post("application/json", "")).toBe(200);
  expect(await post("text/plain", '[note] Ann said: "no bread today", and left at five')).toBe(200);
  expect(await post("text/plain", 'C:\\temp\\new and "quoted" words')).toBe(200);
  expect(await post("image/png", Buffer.alloc(2_000, 7))).toBe(200);
  expect(await post("application/octet-stream", '{"name":"Ann"}')).toBe(200);
  expect(await post("image/png", Buffer.alloc(2_000_000, 7))).toBe(200);
  expect(await post("application/octet-stream", "hello")).toBe(200);
  expect(await post("text/plain", "<order><name>O&apos;Brien &amp; sons</name><n>2 &lt; 3</n></order>")).toBe(200);
  expect(await post("text/plain", "<p>Hello<br>two loaves & a half, it's fine")).toBe(200);
  expect(await post("application/x-ndjson", '{"a":1,"name":"Ann"}\n{"a":2,"name":"O\'Brien"}\n')).toBe(200);
  expect(await post("application/graphql", "{ orders(first: 7) { name total } }")).toBe(200);
  expect(await post("application/x-www-form-urlencoded", "a=1&b=%C3%B6")).toBe(200);
  expect(await post("application/x-www-form-urlencoded", "a&".repeat(4_000))).toBe(200);
  expect(await post(null, "")).toBe(200);
  expect(
    await post("application/json", JSON.stringify({ filter: '{"name":"O\\u0027Brien","path":"C:\\\\temp"}' })),
  ).toBe(200);
  const query = 'query Of { person(name: "O\\u0027Brien", note: "a \\"quoted\\" word,\\nand a line") { id } }';
  expect(await post("application/json", JSON.stringify({ query }))).toBe(200);
  expect(await post("application/json", JSON.stringify({ note: 'use "^\\d+\\s*$" for "numbers"' }))).toBe(200);
});
