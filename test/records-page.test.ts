// Goal: what docs/records.md shows is what the command says, and its numbers are the product's.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import type { DecisionFacts, PrincipalFacts } from "../src/records/decision-facts.ts";
import { RECORD_FILES } from "../src/records/record-file.ts";
import { SHOWN_CLAIMS, SHOWN_HEADERS } from "../src/records/redaction.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { PUBLIC_ROUTE, policyWith, problemsOf } from "./policy/policy-kit.ts";
import { factsOf } from "./records/kit.ts";
import { folderWith } from "./rehearsal/kit.ts";

const read = (name: string): string => readFileSync(resolve(import.meta.dirname, `../docs/${name}.md`), "utf8");
const page = read("records");
const [recording = "", next = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const [, command = "", shown = ""] = /```\n\$ (.*)\n([\s\S]*?)```/.exec(page) ?? [];

const caller = (id: string): PrincipalFacts => ({
  id,
  authenticator: "partners",
  type: "api-key",
  scopes: [],
  roles: [],
  groups: [],
  claimNames: [],
  claims: {},
});
const orders = { route: "/v1/orders/{orderId}", principal: caller("acme") };
const reports = { route: "/v1/reports", path: "/v1/reports", principal: caller("acme") };

function record(prefix: string, requests: readonly Partial<DecisionFacts>[]): string {
  return requests.map((one, at) => `${JSON.stringify(factsOf({ ...one, id: `${prefix}-${at + 1}` }))}\n`).join("");
}

const FILES = {
  "next.yaml": next,
  "keys.yaml": `callers:\n${["acme", "initech"]
    .map((name) => {
      const scopes = name === "acme" ? "orders:read" : "orders:read, reports:read";
      return `  - { name: ${name}, scopes: ["${scopes.replace(", ", '", "')}"], keys: [{ sha256: "${createHash("sha256").update(name).digest("hex")}" }] }\n`;
    })
    .join("")}`,
  "decisions.old.jsonl": record("uV3kq0Zt", [
    ...Array.from({ length: 5 }, (_, at) => ({ ...orders, path: `/v1/orders/${at}` })),
    reports,
    { ...reports, principal: caller("initech") },
    reports,
  ]),
  "decisions.jsonl": `${record("x81cPd_w", [
    { ...orders, path: "/v1/orders/7", query: ["page"] },
    { route: "/v1/legacy", path: "/v1/legacy" },
    { route: "unmatched", path: "/v1/status", verdict: "deny", status: 404, reason: "route_not_found" },
  ])}{"v":1,"id":"x81cP`,
};

test("its policies are sound", async () => {
  expect(await problemsOf(`${policyWith(PUBLIC_ROUTE)}\n${recording}`)).toEqual([]);
  expect(await problemsOf(next, { "keys.yaml": FILES["keys.yaml"] })).toEqual([]);
});

test("the command says what it shows", async () => {
  const [, ...args] = command.split(" ");
  const { code, out, err } = await folderWith(FILES).postern(...args);
  expect({ code, err, out }).toEqual({ code: 1, err: "", out: shown });
});

test("its names and numbers are the product's", () => {
  for (const name of RECORD_FILES) expect(page).toContain(`\`${name}\``);
  expect(page).toContain(`(${DEFAULTS.recordBytes / 1024 ** 2}MiB if absent)`);
  expect(page).toContain(`at most ${DEFAULTS.recordWaitingBytesMax / 1024 ** 2} MiB`);
  expect(DEFAULTS.recordWriteMs).toBe(500);
});

test("the table of what decisions show has each header and claim", () => {
  const table = read("explaining").split("## What a decision shows")[1]?.toLowerCase() ?? "";
  const families = ["access-control-request-", "sec-fetch-"];
  for (const name of SHOWN_HEADERS) {
    const family = families.find((start) => name.startsWith(start));
    expect(table).toContain(family === undefined ? `\`${name}\`` : `\`${family}*\``);
  }
  for (const name of SHOWN_CLAIMS) expect(table).toContain(`\`${name}\``);
});
