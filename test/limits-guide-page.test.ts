import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { DEFAULTS } from "../src/support/defaults.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const guide = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");
/** From requests at once to shedding. */
const page = guide.slice(guide.indexOf("## Requests at once"), guide.indexOf("## Limits that processes share"));
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

/** A part of a policy, as the page shows it → the whole: each limit has a route, and each route says who may use it. */
function policyOf(text: string): string {
  const { routes, ...top } = parse(text) as { routes?: Record<string, unknown>[]; limits?: Record<string, unknown> };
  const usual = [{ path: "/orders", ...(top.limits === undefined ? {} : { limit: Object.keys(top.limits) }) }];
  const open = (routes ?? usual).map((route) => ({ public: true, ...route }));
  return policyWith(stringify({ ...top, routes: open }, { aliasDuplicateObjects: false }));
}

/** Of rates, stores, bytes, budgets and guards; quotas and bans have tests of their own, and listeners certificates. */
const others = [
  guide.slice(0, guide.indexOf("## Quotas")),
  guide.slice(guide.indexOf("## Limits that processes share"), guide.indexOf("## Connections and handshakes")),
].flatMap((part) => [...part.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? ""));
const FILES = {
  "keys.yaml": `callers: [${["acme", "monitor"].map((name, at) => `{ name: ${name}, keys: [{ sha256: "${`a${at}`.repeat(32)}" }] }`).join()}]`,
  "secrets/store": "of-a-test",
};

test("all other examples of the page are found", () => {
  expect(others.length).toBeGreaterThanOrEqual(10);
});

test.each(others)("%s", async (text) => {
  const top = parse(text.replace("{ env: STORE_PASSWORD }", "{ file: secrets/store }")) as Record<string, unknown> & {
    limits?: Record<string, unknown>;
  };
  const limit = Object.keys(top.limits ?? {});
  const routes = top["routes"] ?? [{ path: "/v1/**", authenticate: ["partners"], limit }];
  const authenticators = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" } };
  const roles = { vip: { claims: { level: ["vip"] } } };
  const policy = stringify({ authenticators, roles, ...top, routes });
  expect(await problemsOf(policyWith(policy), FILES)).toEqual([]);
});

test("the page has its examples", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(7);
});

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOf(text))).toEqual([]);
});

test("the page has the numbers of the code", () => {
  const { adaptiveStart, adaptiveSpellMs, limitWaitingMax, overloadRetrySecondsMax } = DEFAULTS;
  expect(page).toContain(`It begins at ${adaptiveStart};`);
  expect(page).toContain(`every ${adaptiveSpellMs / 1000} s`);
  expect(page).toContain(`at most ${limitWaitingMax.toLocaleString("en")} wait in all limits`);
  expect(page).toContain(`of 1 to ${overloadRetrySecondsMax} s`);
});
