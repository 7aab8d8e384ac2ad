// Goal: what docs/formatting.md shows is what 'postern fmt' says.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/formatting.md"), "utf8");

test("the commands of the page say what it shows, one after the other", async () => {
  const policy = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const commands = (/```\n(\$ [\s\S]*?)```/.exec(page)?.[1] ?? "").split(/^\$ /m).slice(1);
  const { postern } = folderWith({ "policy.yaml": policy });
  const told: string[] = [];
  for (const command of commands) {
    const [line = ""] = command.split("\n");
    const { code, out, err } = await postern(...line.split(" ").slice(1));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    told.push(`${line}\n${out}`);
  }
  expect(told).toEqual(commands);
  expect(told).toHaveLength(3);
});
