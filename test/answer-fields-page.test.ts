import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { REASONS, type Reason } from "../src/decision/reason.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/answers.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const FILES = {
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`,
  "secrets/mask": "a key that only tests have",
  "schemas/order.json": JSON.stringify({ type: "object", properties: { id: { type: "integer" } } }),
};

test("the page has its examples", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(5);
});

test.each(blocks)("%s", async (text) => {
  const authenticators = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" } };
  const policy = stringify({ authenticators, ...(parse(text) as object) }, { aliasDuplicateObjects: false });
  expect(await problemsOf(policyWith(policy), FILES)).toEqual([]);
});

test("the page has the numbers of the code", () => {
  expect(page).toContain(
    `more than ${DEFAULTS.answerNameBytesMax / 1024} KiB, more than ${DEFAULTS.answerDepthMax} levels`,
  );
  expect(page).toContain(`events of more than ${DEFAULTS.answerEventBytesMax / 1024} KiB`);
  expect(page).toContain(`more than ${DEFAULTS.inflationMax} times its bytes beyond the first MiB`);
  expect(DEFAULTS.inflatedFreeBytes).toBe(1024 ** 2);
});

test("the page names reasons that exist, with their status", () => {
  const named = [...page.matchAll(/(\d{3}) `(response_\w+)`/g)];
  expect(named.length).toBeGreaterThanOrEqual(3);
  for (const [, status = "", reason = ""] of named) expect(REASONS[reason as Reason]?.status).toBe(Number(status));
});
