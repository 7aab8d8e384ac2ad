import { expect, test, vi } from "vitest";
import { RouteRules } from "../../src/detection/rules/rule-set.ts";
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
