// Goal: what docs/reloading.md shows is what the commands say, of the very files that it shows.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { DEFAULTS } from "../src/support/defaults.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/reloading.md"), "utf8");

/** The files of one part of the page, by the name in their first line. */
function filesOf(heading: string): Record<string, string> {
  const part = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...part.matchAll(/```yaml\n(# (\S+)\n[\s\S]*?)```/g)];
  return Object.fromEntries(blocks.map(([, text = "", name = ""]) => [name, text]));
}

/** The first terminal of that part: what is typed, and what comes. */
function terminalOf(heading: string): { readonly typed: string; readonly shown: string } {
  const part = page.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const [, typed = "", shown = ""] = /```\n\$ (.*)\n([\s\S]*?)```/.exec(part) ?? [];
  return { typed, shown };
}

test("Several files: the problem stands at the line of the file that has it", async () => {
  const files = filesOf("Several files");
  expect(Object.keys(files)).toEqual(["policy.yaml", "limits.yaml", "routes/orders.yaml"]);
  const { folder, postern } = folderWith({});
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { typed, shown } = terminalOf("Several files");
  expect(await postern(...typed.split(" ").slice(1))).toEqual({ code: 1, out: shown, err: "" });
});

test("its numbers are the product's", () => {
  expect(page).toContain(
    `At most ${DEFAULTS.includedFilesMax} files, ${DEFAULTS.policyBytesMax / 2 ** 20} MiB together`,
  );
  expect(page).toContain(`is waited for ${DEFAULTS.reloadUnmarkedMs / 1000} s`);
  expect(page).toContain(`taken after ${DEFAULTS.reloadSettleMaxMs / 1000} s`);
});
