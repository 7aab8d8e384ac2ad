// Goal: whatever document the description lets in, no real reader finds a value in it that its schema refuses.
// Method: documents that are made at random of what readers disagree about go through postern; those that arrive are read by
// ElementTree, minidom, SimpleXML and encoding/xml, and what each finds is held against the schema. The bare readers find
// wrong values in what was refused.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { environment, PYTHON, works } from "../fixtures/program.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

const DOCUMENT = `
openapi: 3.1.0
info: { title: pets, version: '1' }
paths:
  /pets:
    post:
      security: []
      requestBody:
        required: true
        content: { application/xml: { schema: { $ref: '#/components/schemas/Pet' } } }
components:
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        id: { type: integer, minimum: 0, maximum: 9, xml: { attribute: true } }
        name: { type: string, pattern: '^ *[a-z]{1,5} *$' }
        price: { type: integer, minimum: 0, maximum: 9 }
        tags: { type: array, maxItems: 2, items: { type: string, enum: [a, b], xml: { name: tag } } }
`;

const folder = mkdtempSync(join(tmpdir(), "postern-pets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "pets.yaml"), DOCUMENT);

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: pets
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
openapi:
  - { file: ${join(folder, "pets.yaml")}, public: true }
`;

/** What a reader finds; an empty text for nothing. */
interface Found {
  readonly id: string;
  readonly name: string;
  readonly price: string;
  readonly tags: readonly string[];
}

const ELEMENT_TREE = `
import json, sys, xml.etree.ElementTree as e
def read(text):
  root = e.fromstring(text)
  one = lambda name: (root.findall(name) or [e.Element("x")])[-1].text or ""
  return {"id": root.get("id") or "", "name": one("name"), "price": one("price"), "tags": [t.text or "" for t in root.findall("tag")]}
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;
const MINIDOM = `
import json, sys
from xml.dom import minidom
def text(node): return node.firstChild.data if node.firstChild is not None and hasattr(node.firstChild, "data") else ""
def read(source):
  root = minidom.parseString(source.encode()).documentElement
  first = lambda name: next((text(n) for n in root.childNodes if n.nodeName == name), "")
  return {"id": root.getAttribute("id"), "name": first("name"), "price": first("price"), "tags": [text(n) for n in root.childNodes if n.nodeName == "tag"]}
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;
const SIMPLE_XML = `
$found = [];
foreach (json_decode(stream_get_contents(STDIN)) as $text) {
  $x = simplexml_load_string($text);
  $tags = []; foreach ($x->tag as $tag) $tags[] = (string)$tag;
  $found[] = ["id" => (string)$x["id"], "name" => (string)$x->name, "price" => (string)$x->price, "tags" => $tags];
}
echo json_encode($found);`;
const GO = `package main
import ("encoding/json"; "encoding/xml"; "os")
type Pet struct {
  ID string \`xml:"id,attr" json:"id"\`
  Name string \`xml:"name" json:"name"\`
  Price string \`xml:"price" json:"price"\`
  Tags []string \`xml:"tag" json:"tags"\`
}
func main() {
  var texts []string
  if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil { panic(err) }
  found := []Pet{}
  for _, text := range texts {
    pet := Pet{Tags: []string{}}
    if err := xml.Unmarshal([]byte(text), &pet); err != nil { panic(err) }
    found = append(found, pet)
  }
  json.NewEncoder(os.Stdout).Encode(found)
}`;
writeFileSync(join(folder, "main.go"), GO);

const READERS: Readonly<Record<string, { readonly command: readonly string[]; readonly check: string }>> = {
  ElementTree: { command: [PYTHON, "-c", ELEMENT_TREE], check: `${PYTHON} -c 'import pyexpat'` },
  minidom: { command: [PYTHON, "-c", MINIDOM], check: `${PYTHON} -c 'import pyexpat'` },
  SimpleXML: {
    command: ["php", "-r", SIMPLE_XML],
    check: "php -r 'exit(class_exists(\"SimpleXMLElement\") ? 0 : 1);'",
  },
  "encoding/xml": { command: ["go", "run", join(folder, "main.go")], check: "go version" },
};

function read(reader: string, documents: readonly string[]): readonly Found[] {
  const [program = "", ...args] = READERS[reader]?.command ?? [];
  const env = { ...environment(), GOCACHE: join(folder, "cache"), GOFLAGS: "-mod=mod", GO111MODULE: "off" };
  return JSON.parse(execFileSync(program, args, { input: JSON.stringify(documents), encoding: "utf8", env }));
}

/** Whether the schema would take what was found, as a service uses it: texts with blanks or without. */
function fits({ id, name, price, tags }: Found): boolean {
  const isDigit = (text: string): boolean => /^\s*\d?\s*$/.test(text);
  return (
    isDigit(id) &&
    isDigit(price) &&
    /^ *[a-z]{1,5} *$/.test(name) &&
    tags.length <= 2 &&
    tags.every((tag) => /^[ab]$/.test(tag))
  );
}

// ---- documents -----------------------------------------------------------------------------------------------------

let seed = 20_260_701;
function below(max: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * max);
}
const oneOf = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;

const ASIDES = [
  "",
  "",
  "",
  "<!-- x -->",
  "<![CDATA[]]>",
  "<![CDATA[9]]>",
  "<!---->",
  "<x/>",
  " ",
  "\n",
  "&#57;",
  "&#32;",
];
const VALUES = ["5", "9", "99", "rex", "drop", "a", "b", "c", "", " 7 ", "<![CDATA[7]]>", "&#97;", "REX", "5e9"];
const NAMES = ["name", "name", "price", "tag", "tag", "id", "Name", "x:price", "x:tag", "tags", "other"];

function text(): string {
  return below(3) === 0 ? `${oneOf(ASIDES)}${oneOf(VALUES)}${oneOf(ASIDES)}${oneOf(VALUES)}` : oneOf(VALUES);
}

function element(): string {
  const name = below(5) === 0 ? oneOf(NAMES) : oneOf(["price", "tag"]);
  const usual = name === "tag" ? oneOf(["a", "b"]) : String(below(10));
  const attributes = name.startsWith("x:")
    ? ' xmlns:x="urn:x"'
    : below(20) === 0
      ? oneOf([' id="77"', ' xmlns="urn:x"', ' xmlns=""'])
      : "";
  return `<${name}${attributes}>${below(4) > 0 ? usual : text()}</${name}>`;
}

function document(): string {
  const inner = Array.from(
    { length: below(4) },
    () => `${oneOf(["", "", "\n  ", "<!-- y -->", "z"].slice(0, below(5) + 1))}${element()}`,
  );
  const attributes = oneOf([
    "",
    "",
    "",
    "",
    ' id="5"',
    ' id="55"',
    ' id=" 5 "',
    ' price="99"',
    ' xmlns:x="urn:x" x:id="99" id="1"',
    ' id="&#53;"',
  ]);
  return `<Pet${attributes}><name>${below(6) === 0 ? text() : "rex"}</name>${inner.join("")}</Pet>`;
}

const COUNT = 3_000;
const documents = [...new Set(Array.from({ length: COUNT }, document))];
const passed: string[] = [];
const refused: string[] = [];

let postern: Postern;
beforeAll(async () => {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  postern = await startPostern(await listen(server), policy);
  for (const body of documents) {
    const headers = { "content-type": "application/xml" };
    const response = await fetch(`http://127.0.0.1:${postern.port}/pets`, { method: "POST", headers, body });
    await response.arrayBuffer();
    (response.status === 200 ? passed : refused).push(body);
  }
});
afterAll(closeAll);

test("some documents arrive, and some do not", () => {
  expect(passed.length).toBeGreaterThan(200);
  expect(refused.length).toBeGreaterThan(300);
});

describe.each(Object.keys(READERS))("%s", (reader) => {
  const isThere = works(READERS[reader]?.check ?? "false");

  test("finds no value in what arrived that the schema refuses", ({ skip }) => {
    skip(!isThere, `${reader} is not installed`);
    const found = read(reader, passed);
    expect(passed.filter((_, at) => !fits(found[at] as Found))).toEqual([]);
  });

  test("would have found some in what did not", ({ skip }) => {
    skip(!isThere, `${reader} is not installed`);
    // What is no XML to it stops the reader; of these it reads all.
    const readable = refused.filter((body) => !/x:|xmlns/.test(body));
    const found = read(reader, readable);
    expect(found.filter((one) => !fits(one)).length).toBeGreaterThan(100);
  });
});
