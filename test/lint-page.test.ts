// Goal: docs/lint.md lists every rule as it is, and what it shows is what the command says.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { LINT_RULES, type LintSpec } from "../src/decision/lint-rule.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/lint.md"), "utf8");
const policy = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const [command = "", ...shown] = (/```\n\$ ([\s\S]*?)\n```/.exec(page)?.[1] ?? "").split("\n");

test("the page has a row for each rule, and no other", () => {
  const rows = Object.entries<LintSpec>(LINT_RULES).map(
    ([rule, { severity, text, mend }]) => `| \`${rule}\` | ${severity} | ${text} | ${mend} |`,
  );
  expect(page.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
});

test("what the page shows is what check says", async () => {
  const { postern } = folderWith({ "policy.yaml": policy });
  const { code, out, err } = await postern(...command.split(" ").slice(1));
  expect({ code, err, out }).toEqual({ code: 0, err: "", out: `${shown.join("\n")}\n` });
});
