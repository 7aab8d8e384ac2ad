// Goal: no document makes a real XML reader fetch, expand or read twice what the policy refuses, and honest ones are read.
// Method: PHP's DOM (libxml2 with entities, as old code calls it) and Python's expat read what postern lets through; each
// attack is tried on the bare reader first.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { PYTHON } from "../fixtures/program.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: shop
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - path: /xml
    methods: [POST]
    public: true
    validate: { xml: { depth: 20 } }
`;

const PHP = `
  $x = new DOMDocument();
  if (!@$x->loadXML(stream_get_contents(STDIN), LIBXML_NOENT | LIBXML_DTDLOAD)) { echo "error"; exit; }
  @$x->xinclude();
  echo $x->documentElement->textContent;`;
const EXPAT = `
import sys, xml.etree.ElementTree as e
try: print("".join(e.fromstring(sys.stdin.buffer.read()).itertext()), end="")
except Exception: print("error", end="")`;

const READERS = { php: ["php", "-r", PHP], python: [PYTHON, "-c", EXPAT] } as const;

/** PHP often comes without its XML. */
const CHECKS = {
  php: ["php", "-r", 'exit(class_exists("DOMDocument") ? 0 : 1);'],
  python: [PYTHON, "-c", "import pyexpat"],
} as const;

function isThere(reader: keyof typeof CHECKS): boolean {
  const [program, ...args] = CHECKS[reader];
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

function read(reader: keyof typeof READERS, input: Buffer | string): string {
  const [program, ...args] = READERS[reader];
  return execFileSync(program, args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] });
}

/** Answers with the text that the reader finds in what arrived. */
function startReaders(): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () =>
      response.end(read(request.headers["x-reader"] as keyof typeof READERS, Buffer.concat(chunks))),
    );
  });
  return listen(server);
}

let postern: Postern;
beforeAll(async () => {
  postern = await startPostern(await startReaders(), policy);
});
afterAll(closeAll);

async function post(reader: string, body: string | Buffer): Promise<{ status: number; text: string }> {
  const headers = { "content-type": "application/xml", "x-reader": reader };
  const response = await fetch(`http://127.0.0.1:${postern.port}/xml`, {
    method: "POST",
    headers,
    body,
  });
  return { status: response.status, text: await response.text() };
}

// Text alone: an entity from outside has to be well-formed itself.
const folder = mkdtempSync(join(tmpdir(), "postern-xml-"));
writeFileSync(join(folder, "secret"), "a secret of the machine");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const FILE = `file://${join(folder, "secret")}`;
const utf7 = '<?xml version="1.0" encoding="UTF-16"?><a>read</a>';

test.for<[reader: keyof typeof READERS, what: string, body: string | Buffer, found: string, reason: string]>([
  [
    "php",
    "an external entity",
    `<!DOCTYPE a [<!ENTITY x SYSTEM "${FILE}">]><a>&x;</a>`,
    "a secret of the machine",
    "xml_construct_denied",
  ],
  [
    "php",
    "an XInclude",
    `<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include parse="text" href="${FILE}"/></a>`,
    "a secret of the machine",
    "xml_construct_denied",
  ],
  [
    "php",
    "an entity of its own",
    '<!DOCTYPE a [<!ENTITY x "expanded">]><a>&x;</a>',
    "expanded",
    "xml_construct_denied",
  ],
  [
    "python",
    "an entity of its own",
    '<!DOCTYPE a [<!ENTITY x "expanded">]><a>&x;</a>',
    "expanded",
    "xml_construct_denied",
  ],
  ["php", "UTF-16", Buffer.from(`\ufeff${utf7}`, "utf16le"), "read", "body_not_xml"],
  ["python", "UTF-16", Buffer.from(`\ufeff${utf7}`, "utf16le"), "read", "body_not_xml"],
  [
    "python",
    "another alphabet",
    Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><a>caf\u00e9</a>', "latin1"),
    "caf\u00e9",
    "body_not_xml",
  ],
  ["python", "deep elements", `${"<a>".repeat(100)}deep${"</a>".repeat(100)}`, "deep", "xml_limit_exceeded"],
  ["php", "deep elements", `${"<a>".repeat(100)}deep${"</a>".repeat(100)}`, "deep", "xml_limit_exceeded"],
])("%s takes %s, and never gets it", async ([reader, , body, found, reason], { skip }) => {
  skip(!isThere(reader), `${reader} has no XML here`);
  expect(read(reader, body)).toContain(found);
  expect(JSON.parse((await post(reader, body)).text)).toMatchObject({ reason });
});

test.for(["php", "python"] as const)("%s reads honest documents as they were sent", async (reader, { skip }) => {
  skip(!isThere(reader), `${reader} has no XML here`);
  const body =
    '\ufeff<?xml version="1.0" encoding="utf-8"?><!-- c --><s:Envelope xmlns:s="urn:s"><s:Body a="1">caf\u00e9 &amp; <![CDATA[<tea>]]>&#x21;</s:Body></s:Envelope>';
  expect(await post(reader, body)).toEqual({ status: 200, text: "caf\u00e9 & <tea>!" });
});
