// Goal: a policy in several files means what it means in one, and each place is its own file's. Method: the same text
// whole and in parts; and each thing that must not stand in a part.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { includedJsonSchema } from "../../src/policy/json-schema.ts";
import { examine, problemsOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const HEAD = `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8080' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
`;
const POLICY = `${HEAD}include: [limits.yaml, routes/*.yaml]
routes:
  - { path: /own, public: true }
`;
const FILES = {
  "limits.yaml": "version: 1\nlimits: { calls: { rate: 5/second, key: client.address } }\n",
  "routes/b.yaml": "routes:\n  - path: /b\n    public: true\n",
  "routes/a.yaml": "routes:\n  - path: /a1\n    public: true\n    limit: [calls]\n  - { path: /a2, public: true }\n",
  "routes/readme.md": "# Not a policy\n",
};

test("lists are appended in the order of names, mappings united, and each route knows its file", async () => {
  const { routeList, limits } = await snapshotOf(POLICY, FILES);
  expect(routeList.map(({ template, place }) => `${template} ${place.file}:${place.line} ${place.path}`)).toEqual([
    "/own conf/policy.yaml:7 routes[0]",
    "/a1 conf/routes/a.yaml:2 routes[0]",
    "/a2 conf/routes/a.yaml:5 routes[1]",
    "/b conf/routes/b.yaml:2 routes[0]",
  ]);
  expect(limits).toHaveLength(1);
});

test("a policy without routes of its own has those of its files", async () => {
  const { routeList } = await snapshotOf(`${HEAD}include: 'routes/?.yaml'\n`, FILES_OF_ROUTES);
  expect(routeList.map(({ template }) => template)).toEqual(["/a"]);
});
const FILES_OF_ROUTES = { "routes/a.yaml": "routes: [{ path: /a, public: true }]\n", "routes/ab.yaml": "routes: 5\n" };

test("the hash is another when any of the files is, and the same for the same", async () => {
  const hash = async (files: typeof FILES) => (await snapshotOf(POLICY, files)).hash;
  expect(await hash(FILES)).toBe(await hash({ ...FILES }));
  expect(await hash({ ...FILES, "routes/b.yaml": "routes: [{ path: /c, public: true }]\n" })).not.toBe(
    await hash(FILES),
  );
});

test("problems stand at the line of the file that has them, as far as the whole policy shows them", async () => {
  const files = {
    ...FILES,
    "routes/b.yaml": "routes:\n  - path: /b\n    public: true\n    limit: [cals]\n  - path: /c\n",
  };
  expect(await problemsOf(POLICY, files)).toEqual([
    "conf/routes/b.yaml:4:13 no limit 'cals' is defined; did you mean 'calls'?",
    "conf/routes/b.yaml:5:5 the route does not say who may use it; expected 'authenticate' or 'public: true'",
  ]);
  const found = await problemsOf(POLICY, { ...FILES, "routes/b.yaml": "routes:\n  - { path: /own, public: true }\n" });
  expect(found).toEqual([expect.stringContaining("line 7 of conf/policy.yaml")]);
});

test("a name that two files define is a problem that names both places", async () => {
  expect(await problemsOf(POLICY, { ...FILES, "routes/b.yaml": FILES["limits.yaml"] })).toEqual([
    "conf/routes/b.yaml:2:11 'calls' of 'limits' is defined at line 2 of conf/limits.yaml too; expected it once",
  ]);
});

test.each([
  ["include: [more.yaml]\n", "1:1 an included file includes no others; expected them in the policy's own 'include'"],
  [
    "admin: { address: '127.0.0.1:1' }\n",
    "1:1 'admin' does not stand in an included file; expected it in the policy itself",
  ],
  ["defaults: {}\n", "1:1 'defaults' does not stand in an included file; expected it in the policy itself"],
  ["rutes: []\n", "1:1 unknown key 'rutes'; did you mean 'routes'?"],
  ["version: 2\n", "1:10 expected 1, the version of the policy language"],
  ["routes: { path: /a }\n", "1:9 expected a list"],
  ["limits: [a]\n", "1:9 expected a mapping"],
  ["- a\n", "1:1 expected a mapping"],
  ["", "1:1 the file is empty; expected sections of a policy, as 'routes'"],
])("what must not stand in an included file: %j", async (content, problem) => {
  expect(await problemsOf(POLICY, { ...FILES, "routes/b.yaml": content })).toEqual([`conf/routes/b.yaml:${problem}`]);
});

test.each([
  ["routes/**", "5:10 expected '*' and '?' in the last part of the name alone, as in routes/*.yaml"],
  ["'*/a.yaml'", "5:10 expected '*' and '?' in the last part of the name alone, as in routes/*.yaml"],
  ["'routes/[ab].yaml'", "5:10 expected '*' and '?' in the last part of the name alone, as in routes/*.yaml"],
  ["./policy.yaml", "5:10 the policy includes itself; expected another file"],
  ["routes/none.yaml", "5:10 'routes/none.yaml' does not exist; expected a file, relative to the policy"],
  ["nowhere/*.yaml", "5:10 'nowhere' does not exist; expected a folder, relative to the policy"],
  ["5", "5:10 expected the names of files, as in [routes/*.yaml]"],
])("include: %s", async (entry, problem) => {
  const text = `${HEAD}include: ${entry}\nroutes: [{ path: /own, public: true }]\n`;
  expect(await problemsOf(text, FILES)).toEqual([problem]);
});

test("a folder without a file that matches is a warning: routes may come later", async () => {
  const text = `${HEAD}include: [routes/*.yml]\nroutes: [{ path: /own, public: true }]\n`;
  expect(await warningsOf(text, FILES)).toEqual(["5:11 no file matches, so nothing is included"]);
});

test("a pattern that the policy and its tests match means neither; a file that two entries mean counts once", async () => {
  const files = { "b.yaml": "routes: [{ path: /b, public: true }]\n", "policy.test.yaml": "tests: []\n" };
  const { routeList } = await snapshotOf(`${HEAD}include: [b.yaml, '*.yaml']\n`, files);
  expect(routeList.map(({ template }) => template)).toEqual(["/b"]);
});

test("what an included file names starts from the policy's folder, as what the policy names", async () => {
  const files = {
    "routes/a.yaml": "routes: [{ path: /a, public: true, address: { denyFile: lists/bad.txt } }]\n",
    "lists/bad.txt": "192.0.2.1\n",
  };
  const { files: read } = await snapshotOf(`${HEAD}include: [routes/a.yaml]\n`, files);
  expect(read).toEqual(["/srv/conf/policy.yaml", "/srv/conf/routes/a.yaml", "/srv/conf/lists/bad.txt"]);
});

test("operations and tests of included files are those of the policy", async () => {
  const files = {
    "part.yaml":
      "openapi: [{ file: api.json, public: true }]\ntests:\n  - { name: t, request: { path: /x }, expect: allow }\n",
    "api.json": JSON.stringify({
      openapi: "3.1.0",
      info: { title: "t", version: "1" },
      paths: { "/x": { get: { responses: { 200: { description: "ok" } } } } },
    }),
  };
  const { snapshot, problems, tests } = await examine(`${HEAD}include: part.yaml\n`, files);
  expect(problems).toEqual([]);
  expect(snapshot?.routeList.map(({ template }) => template)).toEqual(["/x"]);
  expect(tests.map(({ name, place }) => `${name} ${place.file}:${place.line}`)).toEqual(["t conf/part.yaml:3"]);
});

test("so many files are a problem", async () => {
  const names = Array.from({ length: 1_001 }, (_, at) => `many/${at}.yaml`);
  const files = Object.fromEntries(names.map((name) => [name, "routes: []\n"]));
  expect(await problemsOf(`${HEAD}include: ['many/*']\n`, files)).toContain("5:11 more than 1000 files are included");
});

test("an editor's schema of an included file knows its sections alone, and needs none", () => {
  const file = resolve(import.meta.dirname, "../../policies/policy.schema.json");
  const schema = includedJsonSchema(JSON.parse(readFileSync(file, "utf8")));
  expect(Object.keys(schema["properties"] as object).sort()).toEqual(
    "authenticators bans decisionServices detectors grpc limits openapi plans roles routes stores tests upstreams version".split(
      " ",
    ),
  );
  expect(schema["required"]).toBeUndefined();
});
