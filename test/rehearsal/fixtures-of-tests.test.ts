// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of tests have references that look like it
// Goal: requests, identities, bodies and answers that tests name are written once, in the same document or a file that it names; a
// name that is not there is a problem where it stands. A real token is judged as one. Method: `postern test`.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createTokenMint, ISSUER } from "../fixtures/tokens.ts";
import { folderWith, KEY, type Told } from "./kit.ts";

const mint = await createTokenMint();
const POLICY = `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8443' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
authenticators:
  own: { type: jwt, issuer: '${ISSUER}', audience: [orders], algorithms: [RS256], keys: keys.json }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
routes:
  - { path: /orders, methods: [GET], authenticate: [own, partners], response: { fields: { remove: [$.internal] } } }
  - { path: /orders, methods: [POST], authenticate: [own, partners], validate: { body: { schema: order.json } } }
`;
const FILES = {
  "keys.json": mint.jwks,
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`,
  "order.json": '{ "type": "object", "required": ["sku"] }',
};
const OWN = `fixtures:
  identities: { reader: { jwt: { sub: ann } }, partner: { api-key: acme } }
  bodies: { order: { sku: a } }
  requests:
    list: { path: /orders, headers: { X-Page: '1' } }
    create: { method: POST, path: /orders, bodyOf: order }
  answers: { one: { headers: { X-A: b }, body: { sku: a, internal: 1 } } }
`;
const TESTS = `tests:
  - { name: by name, request: list, as: reader, expect: { allow: true, upstream: { headers: { X-Page: '1' } } } }
  - { name: with a change, request: { like: list, headers: { X-Page: '2', X-B: c } }, as: partner, expect: { allow: true, upstream: { headers: { X-Page: '2', X-B: c } } } }
  - { name: a body, request: create, as: reader, expect: allow }
  - { name: another body, request: { like: create, body: {} }, as: reader, expect: { deny: body_schema_mismatch } }
  - { name: the body alone, request: { path: /orders, method: POST, bodyOf: order }, as: reader, expect: allow }
  - { name: an answer, request: list, as: reader, answer: one, expect: { allow: true, answer: { headers: { X-A: b }, body: { sku: a } } } }
  - { name: another status, request: /orders, as: reader, answer: { like: one, status: 201 }, expect: { allow: true, status: 201, answer: { removed: [/internal] } } }
  - name: in steps
    as: reader
    steps: [{ request: list, expect: allow }, { request: { like: list, method: DELETE }, as: partner, expect: { deny: method_not_allowed } }, { request: list, as: nobody, expect: deny }]
  - name: in a matrix
    matrix:
      principals: { reader: reader, partner: partner, guest: nobody }
      resources: { list: list, orders: /orders }
      actions: { read: { method: GET }, write: create }
      allow: { reader: { list: [read], orders: [read] }, partner: { list: [read], orders: [read] } }
`;

function run(files: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Told> {
  return folderWith({ ...FILES, ...files }).postern("test", ...args, "policy.yaml");
}

test("they stand beside the tests, in files that are named, in a policy and in a file of tests", async () => {
  // What a request of an action says goes before that of a resource: the path of both is the same here.
  const tests = TESTS.replace(
    "allow: { reader: { list: [read], orders: [read] }, partner: { list: [read], orders: [read] } }",
    "allow: { reader: { list: [read, write], orders: [read, write] }, partner: { list: [read, write], orders: [read, write] } }",
  );
  const named = `fixtures: { files: [common.yaml] }\n`;
  const common = OWN.replace("fixtures:\n", "").replace(/^ {2}/gm, "");
  for (const files of [
    { "policy.yaml": `${POLICY}${OWN}${tests}` },
    { "policy.yaml": `${POLICY}${named}${tests}`, "common.yaml": common },
    { "policy.yaml": POLICY, "policy.test.yaml": `${OWN}${tests}` },
    { "policy.yaml": POLICY, "policy.test.yaml": `${named}${tests}`, "common.yaml": common },
  ]) {
    const { code, out, err } = await run(files);
    expect(code, `${out}${err}`).toBe(0);
    expect(out).toContain("20 passed");
  }
});

test("a name that is not there is a problem where it stands", async () => {
  const told = await run({
    "policy.yaml": POLICY,
    "policy.test.yaml": `fixtures:
  files: [none.yaml, more.yaml]
  identities: { reader: { jwt: {} }, other: nobody }
  requests: { list: { path: /orders, bodyOf: ordr } }
  bodies: { order: {} }
  bodys: {}
tests:
  - { name: a, request: lst, as: readr, answer: one, expect: allow }
  - { name: b, request: { like: lst, bodyOf: x }, expect: allow }
  - { name: c, request: { bodyOf: order, body: {} }, expect: allow }
`,
    "more.yaml": "bodies: { order: {} }\nfiles: []\n",
  });
  expect(told.code).toBe(1);
  expect(told.err.split("\n")).toEqual([
    "policy.test.yaml:2:11: 'none.yaml' does not exist",
    expect.stringMatching(/^policy\.test\.yaml:3:45: expected a mapping, as in /),
    "policy.test.yaml:4:46: the fixtures have no such body; did you mean 'order'?",
    "policy.test.yaml:5:13: the fixtures have this body already",
    expect.stringMatching(/^policy\.test\.yaml:6:3: unknown key 'bodys'; /),
    "policy.test.yaml:8:25: the fixtures have no such request; did you mean 'list'?",
    "policy.test.yaml:8:34: the fixtures have no such identity; there is none yet",
    "policy.test.yaml:8:49: the fixtures have no such answer; there is none yet",
    "policy.test.yaml:9:33: the fixtures have no such request; did you mean 'list'?",
    "policy.test.yaml:9:46: the fixtures have no such body; expected one of: order",
    "policy.test.yaml:10:25: expected one of 'body', 'bodyFile' and 'bodyOf'",
    expect.stringMatching(/^more\.yaml:2:1: unknown key 'files'; /),
    "",
  ]);
});

test("a real token is judged as one", async () => {
  const good = await mint.token({ sub: "ann" });
  const [head, payload] = good.split(".");
  const forged = `${head}.${payload}.${"A".repeat(342)}`;
  const { code, out, err } = await run({
    "policy.yaml": `${POLICY}tests:
  - { name: good, request: /orders, as: { bearer: ${good} }, expect: allow }
  - { name: forged, request: /orders, as: { bearer: ${forged} }, expect: { deny: token_signature_invalid } }
`,
  });
  expect(code, `${out}${err}`).toBe(0);
});

test("texts of a file of tests, and of fixtures, refer to the environment and to files as those of a policy do", async () => {
  const tests = `fixtures: { files: [shared.yaml] }
tests:
  - { name: by reference, request: list, as: { api-key: "\${env:POSTERN_TEST_CALLER:-acme}" }, expect: allow }
  - { name: from a file, request: { like: list, headers: { X-Page: "\${file:page}" } }, as: { api-key: acme }, times: "\${env:POSTERN_TEST_TIMES:-2}", expect: { allow: true, upstream: { headers: { X-Page: '7' } } } }
  - { name: not meant, request: { path: /orders, headers: { X-A: "$\${jndi:x}" } }, as: { api-key: acme }, expect: { allow: true, upstream: { headers: { X-A: "$\${jndi:x}" } } } }
`;
  const shared = `requests: { list: { path: "\${env:POSTERN_TEST_PATH:-/orders}" } }\n`;
  const files = { ...FILES, "policy.yaml": POLICY, "policy.a.test.yaml": tests, "shared.yaml": shared, page: "7\n" };
  const { postern } = folderWith(files);
  expect(await postern("test", "policy.yaml")).toMatchObject({ code: 0, err: "" });
});

test("a reference that leads nowhere is a problem where it stands, and no more than a note where nothing is at hand", async () => {
  const tests = `tests:
  - { name: a, request: { path: /orders, headers: { X-A: "\${env:POSTERN_TEST_NOWHERE}" } }, as: { api-key: acme }, expect: allow }
`;
  const { postern } = folderWith({ ...FILES, "policy.yaml": POLICY, "policy.a.test.yaml": tests });
  const { code, err } = await postern("test", "policy.yaml");
  expect({ code, err }).toEqual({
    code: 1,
    err: "policy.a.test.yaml:2:58: variable POSTERN_TEST_NOWHERE is not set; expected its value or a default, as in ${env:POSTERN_TEST_NOWHERE:-x}\n",
  });
  const offline = await postern("check", "--offline", "policy.yaml");
  expect(offline.code).toBe(0);
  expect(offline.out).toContain("policy.a.test.yaml:2:58: not looked at: variable POSTERN_TEST_NOWHERE is not set\n");
});

test("a file of tests includes none, and says what to write in its place", async () => {
  const { postern } = folderWith({ ...FILES, "policy.yaml": POLICY, "policy.a.test.yaml": "include: [b.yaml]\n" });
  expect((await postern("check", "policy.yaml")).out).toBe(
    "policy.a.test.yaml:1:1: a file of tests includes none; expected 'fixtures: { files: […] }' for what several share\n",
  );
});
