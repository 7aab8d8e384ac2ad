import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { RouteRules } from "../../src/detection/rules/rule-set.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { policyWith, problemsOf, warningsOf } from "../policy/policy-kit.ts";

const ACTIONS = "block,log,t:none,tag:paranoia-level/1,setvar:tx.inbound_anomaly_score_pl1=+5";
const FILES = {
  "rules/own.conf": [
    `SecRule REQUEST_METHOD "!@within GET POST" "id:1,phase:1,${ACTIONS},msg:'Method'"`,
    `SecRule REQUEST_HEADERS:Content-Type "@rx csv" "id:2,phase:1,${ACTIONS},msg:'Type'"`,
    `SecRule REQUEST_HEADERS:User-Agent "@rx curl" "id:3,phase:1,${ACTIONS},msg:'Any'"`,
  ].join("\n"),
};
const DETECTORS = "detectors: { crs: { rules: [rules] } }\n";
const ROUTES = "routes: [{ path: /a, public: true, detect: [crs] }]";

const route = (more: string): string =>
  policyWith(`${DETECTORS}routes: [{ path: /a, public: true, detect: [crs], ${more} }]`);

test("a method that a rule has something against, whatever is asked, is told", async () => {
  const told = await warningsOf(route("methods: [GET, DELETE]"), FILES);
  expect(told).toEqual([expect.stringContaining("/a: rule 1 of 'crs' has something against each 'DELETE' (Method)")]);
});

test("and so is a media type", async () => {
  const told = await warningsOf(route("methods: [POST], validate: { contentType: [text/csv] }"), FILES);
  expect(told).toEqual([expect.stringContaining("rule 2 of 'crs' has something against each 'text/csv' (Type)")]);
});

test("routes that say nothing of their own are asked about once, however many there are", async () => {
  const begin = vi.spyOn(RouteRules.prototype, "begin");
  const routes = Array.from({ length: 20 }, (_, at) => `{ path: /r${at}, methods: [GET, DELETE], public: true }`);
  const policy = policyWith(`${DETECTORS}defaults: { detect: [crs] }\nroutes: [${routes.join(", ")}]`);
  const told = await warningsOf(policy, FILES);
  const asked = begin.mock.calls.map(([{ method }]) => method);
  begin.mockRestore();
  expect(told).toHaveLength(20);
  expect(asked.sort()).toEqual(["DELETE", "GET"]);
});

test("what a rule has against any request is none of the route's", async () => {
  expect(await warningsOf(route("methods: [GET, POST]"), FILES)).toEqual([]);
});

test("a rule of one's own that does not run is told, one of the rule set's and one that a directive removes are not", async () => {
  const told = await warningsOf(route("methods: [GET]"), {
    "rules/own.conf": [
      `SecRule SERVER_NAME "@streq admin" "id:1,phase:1,deny"`,
      `SecRule ARGS "@rx (a)\\1" "id:2,phase:2,deny"`,
      `SecRule REQUEST_BODY "@rx x" "id:3,phase:2,deny"`,
      `SecRule REQUEST_BODY|ARGS "@rx x" "id:4,phase:2,deny"`,
      `SecRule SERVER_NAME "@streq admin" "id:950000,phase:1,deny"`,
      `SecRule ARGS "@rx y" "id:5,phase:2,deny"`,
      `SecAction "id:6,phase:5,pass"`,
      `SecRule ARGS "@rx z" "id:7,phase:2,deny,chain"`,
      "SecRuleScript own.lua",
      "SecRuleRemoveById 5",
      "SecRuleRemoveById 77",
    ].join("\n"),
  });
  expect(told.map((text) => text.replace(/^.*?own\.conf/, "own.conf"))).toEqual([
    expect.stringContaining("own.conf:1:1 rule 1 does not run: SERVER_NAME"),
    "own.conf:2:1 rule 2 does not run: its pattern: a reference back to a group takes time that grows with the square of the text, or worse",
    expect.stringContaining("own.conf:3:1 rule 3 sees less: REQUEST_BODY has no JSON, XML or multipart body"),
    "own.conf:8:1 rule 7 does not run: @inspectfile: rules start no programs",
    "own.conf:11:1 'SecRuleRemoveById' does nothing: it means no rule that stands before it",
  ]);
});

test("of many rules that do not run the first ten are told, and how many there are", async () => {
  const rules = Array.from({ length: 12 }, (_, at) => `SecRule SERVER_NAME "@streq a" "id:${at + 1},phase:1,deny"`);
  const told = await warningsOf(route("methods: [GET]"), { "rules/own.conf": rules.join("\n") });
  expect(told).toHaveLength(11);
  expect(told.join("\n")).toContain(
    "2 more rules and directives do nothing, or less than they say; 'check --rules' has all of them",
  );
});

test("lists that rules name are read from beside them, whatever they are called", async () => {
  const own = [
    `SecRule ARGS "@pmFromFile words.txt" "id:1,phase:2,deny"`,
    `SecRule REMOTE_ADDR "@ipMatchF ../lists/addresses.dat" "id:2,phase:1,deny"`,
    `SecRule ARGS "@pmf /srv/conf/rules/words.txt" "id:3,phase:2,deny"`,
    `SecRule ARGS "@pmFromFile none.txt" "id:4,phase:2,deny"`,
  ].join("\n");
  const files = { "rules/own.conf": own, "rules/words.txt": "evil\n", "lists/addresses.dat": "192.0.2.0/24\n" };
  const missing = ["rules/own.conf:4:1 its file 'none.txt' is not there"];
  expect(await problemsOf(route("methods: [GET]"), files)).toEqual(missing);
  const named = policyWith(`${DETECTORS.replace("[rules]", "[rules/own.conf]")}${ROUTES}`);
  expect(await problemsOf(named, files)).toEqual(missing);
});

test("what is no file of rules is told as such, and what is no list of files asks for none", async () => {
  const told = (rules: string): Promise<readonly string[]> =>
    problemsOf(policyWith(`detectors: { crs: { rules: ${rules} } }\n${ROUTES}`), FILES);
  const expected = "is no file of rules; expected files that end in .conf or .example, or folders with such files";
  expect(await told("[crs.load]")).toEqual([expect.stringContaining(`'crs.load' ${expected}`)]);
  expect(await told("[rules, unix-shell.data]")).toEqual([expect.stringContaining(`'unix-shell.data' ${expected}`)]);
  expect(await told("rules")).toEqual([expect.stringContaining("expected a list, not text")]);
});

test("a variable that no rule has is told, and one that any has is not, however it is written", async () => {
  const own = `SecRule ARGS:n "@gt %{tx.limit}" "id:1,phase:2,deny"\nSecRule &TX:Kinds.all "@eq 0" "id:2,phase:2,pass"`;
  const detectors = "detectors: { crs: { rules: [rules], variables: { limit: '1', kinds.all: '1', limi: '1' } } }\n";
  expect(await warningsOf(policyWith(`${detectors}${ROUTES}`), { "rules/own.conf": own })).toEqual([
    expect.stringContaining("no rule has 'tx.limi'"),
  ]);
});

test("levels that count are levels that run", async () => {
  const told = (levels: string): Promise<readonly string[]> =>
    problemsOf(policyWith(`detectors: { crs: { rules: [rules], ${levels} } }\n${ROUTES}`), FILES);
  const expected = [expect.stringContaining("expected at least the level of 'paranoia'")];
  expect(await told("paranoia: 3, detectionParanoia: 2")).toEqual(expected);
  expect(await told("paranoia: 2, detectionParanoia: 2")).toEqual([]);
  expect(await told("detectionParanoia: 4")).toEqual([]);
});

test("a rule that denies by itself is what the log tells, not a score that was too low", async () => {
  const own = [
    `SecRule ARGS "@rx x" "id:1,phase:2,pass,log,t:none,tag:paranoia-level/1,setvar:tx.inbound_anomaly_score_pl1=+2"`,
    `SecRule ARGS "@rx y" "id:2,phase:2,deny"`,
  ].join("\n");
  const folder = mkdtempSync(join(tmpdir(), "postern-own-rules-"));
  const routes = ROUTES.replace(
    /\]$/,
    ", { path: /b, public: true, detect: [crs], validate: { query: { n: { type: integer } } } }]",
  );
  writeFileSync(join(folder, "policy.yaml"), policyWith(`${DETECTORS.replace("[rules]", "[own.conf]")}${routes}`));
  writeFileSync(join(folder, "own.conf"), own);
  let told = "";
  const stdout = (text: string): void => {
    told += text;
  };
  const io = { stdout, stderr: stdout, cwd: folder, clock: systemClock };
  for (const target of ["/a?q=x", "/a?q=xy", "/b?n=1"])
    await main(["explain", "--policy", "policy.yaml", `GET ${target}`], io);
  rmSync(folder, { recursive: true });
  expect(told).toContain("score 0 of 5, all rules run here; 1 in ARGS:q, score 2 (own.conf:1)");
  expect(told).toContain("score 0: 2 in ARGS:q (own.conf:2); wanted no match of a rule that denies");
  expect(told).toContain("score 0 of 5, 0 of 2 searches are left in values that its contract describes");
});

test("bodies that no rule can read are a problem where the route asks for rules, and a warning where the defaults do", async () => {
  const types = "methods: [POST], validate: { contentType: [application/octet-stream] }";
  const text =
    "rules cannot read a body of 'application/octet-stream'; expected 'detect: []' on a route of such bodies";
  expect(await problemsOf(route(types), FILES)).toEqual([expect.stringContaining(text)]);
  const byDefault = policyWith(
    `${DETECTORS}defaults: { detect: [crs] }\nroutes: [{ path: /a, public: true, ${types} }]`,
  );
  expect(await problemsOf(byDefault, FILES)).toEqual([]);
  expect(await warningsOf(byDefault, FILES)).toEqual([expect.stringContaining(text)]);
});
