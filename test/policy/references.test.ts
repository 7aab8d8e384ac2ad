// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of policies have references that look like it
// Goal: a value may come from the environment or a file, as text and nothing else, and shows nowhere. Method: policies with
// references in every place of a scalar, values that look like YAML and like references, and a planted secret.
import { expect, test } from "vitest";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { type Examination, examinePolicy } from "../../src/policy/compile.ts";
import { Concealed } from "../../src/policy/concealed.ts";
import { ProblemList } from "../../src/policy/problems.ts";
import { References } from "../../src/policy/references.ts";
import { err } from "../../src/support/result.ts";
import { folderWith } from "../rehearsal/kit.ts";
import { type Files, fixedClock, policyWith, readerOf } from "./policy-kit.ts";

const HEAD = `version: 1
service: \${env:SERVICE:-orders}
listeners: [{ name: inbound, address: "127.0.0.1:\${env:PORT}", maxHeaders: "\${env:COUNT}" }]
upstreams: { app: { address: "http://\${env:HOST}:3000" } }
`;
const ROUTES = "routes: [{ path: /a, public: true }]\n";
const ENV = { PORT: "8080", COUNT: "7", HOST: "127.0.0.1" };

async function look(
  policy: string,
  env: Record<string, string> = ENV,
  files: Files = {},
  offline = false,
): Promise<Examination & { readonly told: readonly string[]; readonly missing: readonly string[] }> {
  const inputs = { cwd: "/srv", clock: fixedClock, readFile: readerOf(policy, files), env, offline };
  const found = await examinePolicy("conf/policy.yaml", {
    ...inputs,
    rateTables: new RateTables([1, 2], fixedClock, 64),
  });
  const text = ({ place, text: said }: Examination["problems"][number]): string =>
    `${place.line}:${place.column} ${said}`;
  return { ...found, told: found.problems.map(text), missing: found.absent.map(text) };
}

test("variables stand for themselves in whole texts and within one, as numbers where those are wanted", async () => {
  const { snapshot, told } = await look(`${HEAD}${ROUTES}`);
  expect(told).toEqual([]);
  expect(snapshot?.service).toBe("orders");
  expect(snapshot?.listeners[0]).toMatchObject({ address: { host: "127.0.0.1", port: 8080 } });
  expect(JSON.stringify(snapshot?.listeners[0])).toMatch(/"\w*[hH]eaders?\w*":7/);
  expect((await look(`${HEAD}${ROUTES}`, { ...ENV, SERVICE: "x42" })).snapshot?.service).toBe("x42");
  // A default counts for what is not set and for what is empty, as in a shell.
  expect((await look(`${HEAD}${ROUTES}`, { ...ENV, SERVICE: "" })).snapshot?.service).toBe("orders");
});

test("what looks like a number stays text where text is wanted, and true is true where that is wanted", async () => {
  const text = `${HEAD}admin: { address: "127.0.0.1:1", readyWithExpiredCertificate: "\${env:READY}" }
authenticators: { idp: { type: jwt, issuer: "\${env:ISSUER}", audience: ["\${env:ID}"], algorithms: [RS256], keys: "\${env:KEYS}" } }
routes: [{ path: /a, authenticate: [idp] }]
`;
  const env = { ...ENV, READY: "false", ISSUER: "https://idp.example.org/", ID: "1234567890", KEYS: "none.json" };
  const { told, missing, snapshot } = await look(text, env, {}, true);
  expect(told).toEqual([]);
  expect(missing).toEqual(["6:114 '${env:KEYS}' does not exist"]);
  expect(snapshot).toBeNull();
});

test("files give their text without its last line end, and are files of the policy", async () => {
  const policy = `${HEAD}routes: [{ path: "\${file:where}", public: true }]\n`;
  const { snapshot } = await look(policy, ENV, { where: "/from-a-file\n" });
  expect(snapshot?.routeList.map(({ template }) => template)).toEqual(["/from-a-file"]);
  expect(snapshot?.files).toEqual(["/srv/conf/policy.yaml", "/srv/conf/where"]);
});

test("other values are another policy", async () => {
  const hash = async (port: string) => (await look(`${HEAD}${ROUTES}`, { ...ENV, PORT: port })).snapshot?.hash;
  expect(await hash("8080")).toBe(await hash("8080"));
  expect(await hash("8081")).not.toBe(await hash("8080"));
});

test("a value is text: neither YAML nor a reference, wherever it stands", async () => {
  const policy = `${HEAD}routes:
  - path: /a
    public: true
    methods: \${env:EVIL}
`;
  expect((await look(policy, { ...ENV, EVIL: "[GET]" })).told).toEqual(["8:14 expected a list, not text"]);
  expect((await look(policy, { ...ENV, EVIL: "[GET]\n  - { path: /**, public: true }" })).told).toHaveLength(1);
  const nested = await look(`${HEAD}${ROUTES}`, { ...ENV, SERVICE: "$" + "{env:PORT}" });
  expect(nested.told.join()).not.toContain("8080");
  expect(nested.snapshot?.service).not.toBe("8080");
  // Keys are structure: what looks like a reference there is a key.
  expect((await look(`${HEAD}"\${env:HOST}": 1\n${ROUTES}`)).told).toEqual([
    expect.stringMatching(/^5:1 unknown key '\$\{env:HOST\}'/),
  ]);
});

test.each([
  ["${env:NOPE}", "variable NOPE is not set; expected its value or a default, as in ${env:NOPE:-x}"],
  ["a ${env:NOPE} b", "variable NOPE is not set; expected its value or a default, as in ${env:NOPE:-x}"],
  ["${env:1}", "expected the name of a variable, as in ${env:PORT} or ${env:PORT:-8080}"],
  ["${env:PORT", "a reference without its end; expected '}'"],
  ["${vault:x}", "no reference is called 'vault'; expected ${env:NAME} or ${file:NAME}, or $${ for the text itself"],
  ["${file:gone}", "'gone' does not exist; expected a file, relative to the policy"],
  ["${file:binary}", "'binary' is not UTF-8"],
])("%s is one problem, at its place", async (reference, problem) => {
  const { told } = await look(`${HEAD.replace("${env:SERVICE:-orders}", reference)}${ROUTES}`, ENV, {
    binary: Buffer.from([0xff, 0x41, 0x42]),
  });
  expect(told).toEqual([`2:10 ${problem}`]);
});

test("a dollar more makes it the text that it looks like, and other text with a dollar is left alone", () => {
  const problems = new ProblemList();
  const references = new References({
    env: ENV,
    isOffline: false,
    readFile: () => err("does not exist"),
    include: () => {},
    problems,
    absent: problems,
    concealed: new Concealed(),
  });
  const place = () => ({ file: "policy.yaml", line: 1, column: 1, path: "" });
  const texts = ["$${env:PORT}", "a$1 ${x} ${} $", "^a$", "$${env:PORT}${env:PORT}", "${env:A:-b:c}", "${env:A:-}"];
  expect(texts.map((text) => references.resolve(text, place))).toEqual([
    "${env:PORT}",
    "a$1 ${x} ${} $",
    "^a$",
    "${env:PORT}8080",
    "b:c",
    "",
  ]);
  expect(problems.isEmpty).toBe(true);
});

test("offline, what is not set or not there is listed, and nothing else is said of it", async () => {
  const { told, missing } = await look(`${HEAD}${ROUTES}`, {}, {}, true);
  expect(told).toEqual([]);
  expect(missing).toEqual([
    "3:39 variable PORT is not set",
    "3:76 variable COUNT is not set",
    "4:30 variable HOST is not set",
  ]);
});

test("no problem and no warning shows a value that came from elsewhere", async () => {
  const SECRET = "correct-horse-battery";
  const policy = `${HEAD}limits: { slow: { rate: 1/minute, key: "\${file:secret}" } }
authenticators: { "a": { type: "\${file:secret}" } }
routes:
  - { path: /a, authenticate: ["\${file:secret}"], limit: ["\${file:secret}"], address: { deny: ["\${file:secret}"] } }
  - { path: "\${file:secret}", public: true, methods: ["\${file:secret}"], upstream: "\${file:secret}" }
`;
  const { problems, warnings } = await look(policy, ENV, { secret: `${SECRET}\n` });
  expect(problems.length).toBeGreaterThan(5);
  expect(JSON.stringify([problems, warnings])).not.toContain(SECRET);
  expect(JSON.stringify(problems)).toContain("${file:secret}");
});

test("what looks like an attribute or another gateway's spelling in a value is text", async () => {
  const policy = `${HEAD}routes:
  - path: /a
    public: true
    request: { setHeaders: { X-Key: "Key \${file:secret}", X-Address: "{client.address} \${file:secret}" } }
    response: { setHeaders: { X-Key: "\${file:secret}" } }
`;
  for (const secret of ["ab{x}cdef", "ab{client.address}cd", "aa{{bbbb}}ccdd", "pw$request.id99", "q%{secret}e-word"]) {
    const { told, warnings } = await look(policy, ENV, { secret });
    expect(told, secret).toEqual([]);
    expect(JSON.stringify(warnings), secret).not.toContain("placeholder_not_filled");
  }
});

test.each([
  ["acme", "'jwt.tenant == \"${env:T}\"'", 0],
  ["it's fine", "'jwt.tenant == \"${env:T}\"'", 0],
  ["10", "'jwt.level > ${env:T}'", 0],
  ['jwt.tenant == "acme" || jwt.level > 1', '"${env:T}"', 0],
  ['x" || jwt.tenant == "z', "'jwt.tenant == \"${env:T}\"'", 1],
  ['ab"cd', "'jwt.tenant == \"${env:T}\"'", 1],
  ["a\\n", "'jwt.tenant == \"${env:T}\"'", 1],
  ["0 || true", "'jwt.level > ${env:T}'", 1],
])("%s as a value of the condition %s changes nothing else of it: %i problems", async (value, when, count) => {
  const policy = `${HEAD}authenticators: { idp: { type: jwt, issuer: "https://idp.example.org/", audience: [a], algorithms: [RS256] } }
routes: [{ path: /a, authenticate: [idp], authorize: { when: ${when} } }]
`;
  const { told } = await look(policy, { ...ENV, T: value });
  expect(told).toEqual(Array.from({ length: count }, () => expect.stringContaining("a reference gives quotes")));
});

test.each([
  ["ab{id}cd", "expected text, {parameter} or {attribute} in its segments"],
  ["ab/**", "expected text, {parameter} or {attribute} in its segments"],
  ["ab-cd", ""],
])("%s as a value of a path, a URL behind it and a key's expression is text of it alone", async (value, fault) => {
  const policy = `${HEAD}limits: { k: { rate: 1/minute, key: { expression: 'client.address + "\${env:T}"' }, absent: deny } }
routes:
  - { path: "/a/{id}/**", public: true, limit: [k], rewrite: { path: "/x/\${env:T}" } }
  - { path: "/b/{id}/**", public: true, redirect: { to: "https://example.org/x/\${env:T}" } }
`;
  const { told } = await look(policy, { ...ENV, T: value });
  expect(told).toEqual(fault === "" ? [] : [expect.stringContaining(fault), expect.stringContaining(fault)]);
  const behind = policy.replace("org/x/", "org/x#");
  expect((await look(behind, { ...ENV, T: "ab{jwt.sub}cd" })).told.at(-1)).toContain("expected characters of a URL");
  const injected = (await look(policy, { ...ENV, T: 'x" + client.address + "' })).told;
  expect(injected[0]).toContain("a reference gives quotes");
});

test("explain shows the reference in place of what a rewrite, a redirect or a key's expression has of it", async () => {
  const policy =
    policyWith(`limits: { k: { rate: 1/minute, key: { expression: 'client.address + "\${file:secret}"' }, absent: deny } }
routes:
  - { path: "/a/{id}", methods: [GET], public: true, limit: [k], rewrite: { path: "/x/\${file:secret}/{id}" } }
  - { path: "/b/{id}", methods: [GET], public: true, redirect: { to: "https://example.org/\${file:secret}#{path.id}" } }
`);
  const folder = folderWith({ secret: "s3cret-segment", "policy.yaml": policy });
  for (const [request, shown] of [
    ["GET /a/5", "goes on as /x/${file:secret}/5"],
    ["GET /a/5", '(client.address + "${file:secret}")'],
    ["GET /b/5", "https://example.org/${file:secret}#5"],
  ] as const) {
    const { out } = await folder.postern("explain", "--policy", "policy.yaml", request);
    expect(out).toContain(shown);
    expect(out).not.toContain("s3cret");
  }
});

test("a value that is hardly a secret hides nothing, and one that may be is hidden", () => {
  const shown = ["true", "api", "8080", "orders", "443", "127.0.0.1", "fd00::1:2:3", "localhost", "1234567"];
  const hidden = ["hunter2", "482913ab", "correct-horse", "12345678", "Tr0ub4"];
  const concealed = new Concealed();
  for (const value of [...shown, ...hidden]) concealed.add(value, "${env:A}");
  for (const value of shown) expect(concealed.in(`port ${value} is`)).toBe(`port ${value} is`);
  for (const value of hidden) expect(concealed.in(`Bearer_${value}x`)).toBe("Bearer_${env:A}x");
});

test("a denial does not say what a schema wants that came from elsewhere, at any length", async () => {
  const secret = `const-${"s3cret-".repeat(30)}`;
  const policy = policyWith(`routes:
  - path: /a
    methods: [GET, POST]
    public: true
    validate:
      query: { k: { const: "\${file:secret}" }, other: { const: shown-word } }
      headers: { X-K: { enum: ["\${file:secret}"] } }
      form: { fields: { f: { pattern: "^\${file:secret}$" } } }
tests:
  - { name: query, request: "/a?k=1", expect: allow }
  - { name: other, request: "/a?other=1", expect: allow }
  - { name: header, request: { path: /a, headers: { X-K: "1" } }, expect: allow }
  - { name: form, request: { method: POST, path: /a, headers: { Content-Type: application/x-www-form-urlencoded }, body: f=1 }, expect: allow }
`);
  const { code, out, err: told } = await folderWith({ secret, "policy.yaml": policy }).postern("test", "policy.yaml");
  expect(code, told).toBe(1);
  expect(out.match(/expected a value that is not shown/g)).toHaveLength(3);
  expect(out).toContain('expected "shown-word"');
  expect(out).not.toContain("s3cret");
});

test("what references give is bounded", async () => {
  const files = { big: "x".repeat(16_000) };
  const routes = Array.from({ length: 1_100 }, () => '  - { path: /a, public: true, x: "${file:big}" }\n').join("");
  const { told } = await look(`${HEAD}routes:\n${routes}`, ENV, files);
  expect(told.some((text) => text.includes("references give more than 16777216 characters"))).toBe(true);
});
