// Goal: what docs/testing-policies.md shows is a policy whose tests hold, and its numbers and words are the product's.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { DEFAULTS } from "../src/support/defaults.ts";
import { folderWith, KEY } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/testing-policies.md"), "utf8");
const policy = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const answers = /```yaml\n(- name: a partner[\s\S]*?)```/.exec(page)?.[1] ?? "";
const fixtures = /```yaml\n(fixtures:[\s\S]*?)```/.exec(page)?.[1] ?? "";
const [command = "", ...shown] = (/```\n\$ ([\s\S]*?)\n```/.exec(page)?.[1] ?? "").split("\n");
const FILES = {
  "policy.yaml": policy,
  "keys.yaml": `callers: [{ name: acme, scopes: ["orders:read"], keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`,
  "order.json": JSON.stringify({ type: "object", properties: { total: { type: "number" } } }),
};

test("its policy holds, and the command says what it shows", async () => {
  const { postern } = folderWith(FILES);
  expect(command).toBe("postern test policy.yaml");
  const { code, out, err } = await postern("test", "policy.yaml");
  const timeless = (text: string) => text.replace(/ in \d+ ms/, "");
  expect({ code, err, out: timeless(out) }).toEqual({ code: 0, err: "", out: timeless(`${shown.join("\n")}\n`) });
});

test("what it says of answers holds beside rules for them, and fails without", async () => {
  const rules = `response: { fields: { remove: [$.cost] }, mask: { $.card: last4 }, leaks: { email: observe }, validate: { content: { application/json: { schema: order.json } } } }`;
  const { folder, postern } = folderWith({
    ...FILES,
    "order.json": '{ "required": ["id"] }',
    "policy.test.yaml": `tests:\n${answers.replace(/^/gm, "  ")}`,
  });
  const route = "methods: [GET]\n    authenticate: [okta, partners]";
  expect(policy).toContain(route);
  const withRules = policy.replace(route, `${route}\n    ${rules}`);
  writeFileSync(join(folder, "policy.yaml"), withRules);
  expect(await postern("test", "--filter", "card", "policy.yaml")).toMatchObject({ code: 0, err: "" });
  expect(await postern("test", "--filter", "without an id", "policy.yaml")).toMatchObject({ code: 0, err: "" });
  writeFileSync(join(folder, "policy.yaml"), policy);
  const { out } = await postern("test", "policy.yaml");
  expect(out).toMatch(/FAILED: a partner never[\s\S]*FAILED: an answer without an id/);
});

test("what it says of fixtures holds beside the policy", async () => {
  const { postern } = folderWith({ ...FILES, "policy.test.yaml": fixtures, "common.yaml": "bodies: { more: a }\n" });
  expect(fixtures).toContain("files: [common.yaml]");
  expect(await postern("test", "policy.yaml")).toMatchObject({ code: 0, err: "" });
});

test("the first file of tests is what it shows", async () => {
  const { postern } = folderWith(FILES);
  const text = /```\n\$ postern test --generate policy\.yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const { code, out, err } = await postern("test", "--generate", "policy.yaml");
  const timeless = (written: string) => written.replace(/at: \S+/g, "at: T");
  expect({ code, err, out: timeless(out) }).toEqual({ code: 0, err: "", out: timeless(text) });
});

test("each of its tests notices the edit that it is there for", async () => {
  const { folder, postern } = folderWith(FILES);
  const edits: readonly (readonly [string, string, string])[] = [
    ["scopes: ['orders:read'] }\n    limit", "scopes: ['orders:write'] }\n    limit", "an order is not readable"],
    ["rate: 2/minute, burst: 2", "rate: 3/minute, burst: 3", "two a minute"],
    ["validate: { body: { schema: order.json } }", "validate: { contentType: [application/json] }", "an order's total"],
    ["limit: [tight]", "limit: [tight]\n    request: { keepCredentials: true }", "never the key"],
    ["methods: [GET], public: true", "methods: [GET, DELETE], public: true", "guest may not DELETE health"],
  ];
  for (const [from, to, name] of edits) {
    expect(policy).toContain(from);
    writeFileSync(join(folder, "policy.yaml"), policy.replace(from, to));
    const { out, err } = await postern("test", "policy.yaml");
    expect(`${out}${err}`, from).toMatch(new RegExp(`FAILED: .*${name}`));
  }
});

test("its numbers are the product's", () => {
  expect(page).toContain(`After ${DEFAULTS.testBudgetMs / 1000} s no further request is asked`);
});
