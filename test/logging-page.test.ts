// Goal: what docs/logging.md shows is what postern says, and its numbers are the product's.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { auditLine, GENESIS, readAuditLine } from "../src/records/audit-chain.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { PRESETS } from "../src/telemetry/log-presets.ts";
import { ACCESS_FIELDS, COMMON_FIELDS } from "../src/telemetry/log-reference.ts";
import { EVENT_FIELDS } from "../src/telemetry/log-reference-events.ts";
import { logWords } from "../src/telemetry/log-words.ts";
import { PUBLIC_ROUTE, policyWith, problemsOf } from "./policy/policy-kit.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/logging.md"), "utf8");
const sections = Array.from(page.matchAll(/```yaml\n([\s\S]*?)```/g), ([, text = ""]) => text);
const section = sections.find((text) => text.includes("audit.key")) ?? "";
const [, line = ""] = /```json\n(.*)\n```/.exec(page) ?? [];
const [, command = "", shown = ""] = /```\n\$ (.*)\n([\s\S]*?)```/.exec(page) ?? [];
const FILES = { "audit.key": "0123456789abcdef0123456789abcdef" };

test("its policy is sound; a short key, and a file without a name, are problems", async () => {
  const policy = `${policyWith(PUBLIC_ROUTE)}\n${section}`;
  expect(await problemsOf(policy, FILES)).toEqual([]);
  expect((await problemsOf(policy, { "audit.key": "short" })).join()).toMatch(/a key of 5 bytes; expected at least 32/);
  expect((await problemsOf(policy.replace("audit.jsonl", ""), FILES)).join()).toMatch(/expected the name of a file/);
});

test("its line is laid out as they are", () => {
  const { act, result, client, time } = JSON.parse(line) as Record<string, string>;
  const first = auditLine(GENESIS, "2026-12-01T09:29:59.000Z", "opened", '"torn":0,"head":"none"', null);
  const fields = JSON.stringify({ act, result, client }).slice(1, -1);
  const { text } = auditLine(first.head, time ?? "", "admin_act", fields, null);
  expect(text.replaceAll(/[0-9a-f]{64}/g, "…")).toBe(`${line}\n`);
  expect(readAuditLine(text.trimEnd())?.prev).toBe(first.head.hash);
});

test("the command says what it shows", async () => {
  const { folder, postern } = folderWith({});
  let head = GENESIS;
  const lines = ["opened", "ready", "stopped"].map((event) => {
    const made = auditLine(head, "2026-12-01T09:30:00.000Z", event, "", null);
    head = made.head;
    return made.text;
  });
  writeFileSync(join(folder, "audit.jsonl"), lines.toSpliced(1, 1).join(""));
  const [, ...args] = command.split(" ");
  expect(await postern(...args)).toEqual({ code: 1, err: "", out: shown });
  rmSync(folder, { recursive: true });
});

test("its numbers are the product's", () => {
  expect(page).toContain(`At most ${DEFAULTS.auditWaitingCharsMax / 1024 ** 2} MiB wait`);
  expect(page).toContain(`at least ${DEFAULTS.auditKeyBytesMin} bytes`);
  expect(page).toContain(`(${DEFAULTS.auditDenialsPerSecond} if absent)`);
  expect([DEFAULTS.auditHeadToldMs, DEFAULTS.recordWriteMs]).toEqual([60_000, 500]);
});

test("its other policies are sound, and its table of names is what presets say", async () => {
  expect(sections).toHaveLength(3);
  for (const text of sections) expect(await problemsOf(`${policyWith(PUBLIC_ROUTE)}\n${text}`, FILES)).toEqual([]);
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\S+)` \| `(\S+)` \|$/gm)];
  expect(rows.length).toBeGreaterThan(20);
  for (const [, field = "", ecs, otel] of rows) {
    expect([PRESETS.ecs.nameOf(field), PRESETS.otel.nameOf(field)], field).toEqual([ecs, otel]);
  }
  const told = new Set(rows.map(([, field]) => field));
  for (const field of [...Object.keys(ACCESS_FIELDS), ...Object.keys(COMMON_FIELDS), ...Object.keys(EVENT_FIELDS)]) {
    const isNamed = Object.values(PRESETS).some((names) => !names.nameOf(field).startsWith("postern."));
    if (isNamed) expect(told.has(field), field).toBe(true);
  }
});

test("its line in words is what a terminal gets", () => {
  const [, words = ""] = /```\n(09:30:00.*\n)```/.exec(page) ?? [];
  const fields = {
    level: "info",
    time: "2026-12-01T09:30:00.125Z",
    event: "request",
    id: "GwI_4cD4-3",
    method: "GET",
    path: "/v1/orders/42",
    status: 403,
    principal: "alice",
    reason: "scope_missing",
    policy: "policy.yaml:14:91",
    seen: "scopes orders:write",
    wanted: "scopes orders:read",
    durationMs: 0.8,
  };
  expect(logWords(JSON.stringify(fields), false)).toBe(words);
});

test("the numbers of its files and lines are the product's", () => {
  expect(page).toContain(`${DEFAULTS.logPendingBytesMax / 1024 ** 2} MiB of lines wait`);
  expect(page).toContain(`have a line, ${DEFAULTS.logDenialsPerSecond} if absent`);
  expect(page).toContain(`told once in ${DEFAULTS.logRepeatMs / 1000} seconds`);
  expect(page).toContain(`at most ${DEFAULTS.logFieldBytesMax} bytes, a list ${DEFAULTS.logFieldItemsMax} items`);
  expect(page).toContain(`\`keep\` of them stay, ${DEFAULTS.logFilesKept} if absent`);
  expect(DEFAULTS.logBrokenRetryMs).toBe(1_000);
});
