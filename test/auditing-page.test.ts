// Goal: docs/auditing.md shows what the command says, and has a section for each item.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { AUDIT_ITEMS } from "../src/policy/audit/items.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/auditing.md"), "utf8");
const policy = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const [command = "", ...shown] = (/```\n\$ ([\s\S]*?)\n```/.exec(page)?.[1] ?? "").split("\n");

test("what the page shows is what audit says", async () => {
  const { postern } = folderWith({ "policy.yaml": policy });
  const { code, out, err } = await postern(...command.split(" ").slice(1));
  expect({ code, err, out }).toEqual({ code: 1, err: "", out: `${shown.join("\n")}\n` });
});

test("each item has its section, where reports lead to", () => {
  const sections = page.split("\n").filter((line) => line.startsWith("### "));
  expect(sections).toEqual(AUDIT_ITEMS.map(({ id }) => `### ${id}`));
});
