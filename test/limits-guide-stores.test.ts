import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { LIMIT_DEFAULTS } from "../src/support/limit-defaults.ts";
import { createTokenMint } from "./fixtures/tokens.ts";
import { examine, policyWith } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");
const section = page.split("## Limits that processes share\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const { jwks } = await createTokenMint();

test("the section has its blocks", () => {
  expect(blocks).toHaveLength(4);
});

test.each(blocks)("%s", async (text) => {
  const top = parse(text) as Record<string, Record<string, unknown>>;
  const okta = {
    type: "jwt",
    issuer: "https://id.example/",
    audience: ["a"],
    algorithms: ["RS256"],
    keys: "jwks.json",
  };
  const limits = Object.keys(top["limits"] ?? {});
  const routes = [{ path: "/", authenticate: ["okta"], limit: limits }];
  const policy = policyWith(stringify({ ...top, authenticators: { okta }, routes }));
  // The variable is not set here: what is missing is listed apart.
  const { problems } = await examine(
    policy.replace("{ env: STORE_PASSWORD }", "").replace("env: STORE_PASSWORD", "file: secrets/store"),
    {
      "jwks.json": jwks,
      "secrets/store": "secret-of-tests",
    },
  );
  expect(problems.map(({ text: problem }) => problem)).toEqual([]);
});

test("its numbers are the product's", () => {
  expect(section).toContain(`at most ${LIMIT_DEFAULTS.storeOverMsMax / 1000} seconds`);
  expect(section).toContain(`of ${LIMIT_DEFAULTS.storeOverKeysMax.toLocaleString("en")} keys`);
  expect(section).toContain(`After ${LIMIT_DEFAULTS.storeBreakerFailures} calls that failed`);
  expect(LIMIT_DEFAULTS.storeBreakerMsMin).toBe(250);
  expect(section).toContain(`a quarter of a second to ${LIMIT_DEFAULTS.storeBreakerMsMax / 1000} seconds`);
  expect(LIMIT_DEFAULTS.storeLeaseMs).toBe(1_000);
});
