// Goal: what docs/learning.md shows is what the commands say and write, and its words and numbers are the product's.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { LEFT_OUT } from "../src/learning/left-out.ts";
import type { DecisionFacts } from "../src/records/decision-facts.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { caller, each } from "./learning/kit.ts";
import { factsOf } from "./records/kit.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/learning.md"), "utf8");
const [policy = "", learnt = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const shown = [...page.matchAll(/```\n\$ (.*)\n([\s\S]*?)```/g)].map(
  (match) => [match[1] ?? "", match[2] ?? ""] as const,
);

const NAMES = ["acme", "globex", "initech"];
const PARTNERS = NAMES.map((name) => caller(name, { scopes: ["orders:read"] }));
const MINUTE_MS = 60_000;

function record(): string {
  const requests: readonly Partial<DecisionFacts>[] = [
    ...each(PARTNERS, 400, (principal, at) => ({
      principal,
      path: `/v1/orders/${1000 + at}`,
      ...(at % 2 === 0 ? { query: ["page"], shapes: ["integer:2"] } : {}),
    })),
    ...each(PARTNERS, 40, (principal) => ({
      principal,
      method: "POST",
      path: "/v1/orders",
      requestBytes: 9_000,
      headers: ["host", "content-type: application/json"],
    })),
    ...each(PARTNERS.slice(0, 1), 25, (principal) => ({ principal, method: "DELETE", path: "/v1/orders" })),
    ...each(PARTNERS, 1, (principal) => ({ principal, path: "/v1/export", query: ["format"], shapes: ["name:8"] })),
    ...each(PARTNERS, 3, (principal) => ({ principal, path: "/v1/orders/9", status: 404 })),
    ...each(["198.51.100.9"], 8, (client) => ({
      client,
      path: "/wp-login.php",
      route: "unmatched",
      verdict: "deny",
      status: 401,
      reason: "credentials_missing",
    })),
  ];
  const startMs = Date.UTC(2026, 10, 1);
  return requests
    .map((one, at) => `${JSON.stringify(factsOf({ route: "/**", atMs: startMs + at * 29 * MINUTE_MS, ...one }))}\n`)
    .join("");
}

const keys = NAMES.map((name) => {
  const sha256 = createHash("sha256").update(name).digest("hex");
  return `  - { name: ${name}, scopes: ["orders:read"], keys: [{ sha256: "${sha256}" }] }\n`;
});
const { folder, postern } = folderWith({
  "policy.yaml": policy,
  "keys.yaml": `callers:\n${keys.join("")}`,
  "decisions.jsonl": record(),
});

test("learn says and writes what it shows, check has nothing to say of it, and replay denies what was left out", async () => {
  const [learn, replay] = shown;
  const told = await postern(...(learn?.[0] ?? "").split(" ").slice(1));
  expect(told).toEqual({ code: 0, out: "", err: learn?.[1] });
  expect(readFileSync(join(folder, "learnt.yaml"), "utf8")).toBe(learnt);
  expect(await postern("check", "learnt.yaml")).toEqual({ code: 0, out: "learnt.yaml: no problems\n", err: "" });
  expect((await postern(...(replay?.[0] ?? "").split(" ").slice(1))).out).toBe(replay?.[1]);
});

test("its words and numbers are the product's", () => {
  for (const [word, text] of Object.entries(LEFT_OUT)) expect(page).toContain(`| \`${word}\` | ${text} |`);
  expect(page.match(/^\| `\w+` \| /gm)?.filter((row) => row.slice(3, -4) in LEFT_OUT)).toHaveLength(
    Object.keys(LEFT_OUT).length,
  );
  expect(page).toContain(
    `at least ${DEFAULTS.learnRequestsMin} requests (\`--min-requests\`) of ${DEFAULTS.learnCallersMin} callers`,
  );
  expect(page).toContain(`up to ${DEFAULTS.learnNamedMax} API keys`);
  expect(page).toContain(`at most ${DEFAULTS.learnEnumMax} words`);
});
