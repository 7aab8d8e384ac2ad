// Goal: a command with `--watch` runs again when the policy, a file of tests or a file that they name is another one, tells
// nothing of what is half written, and ends on Ctrl-C with the last run's exit code. Method: the process itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BUILT } from "../fixtures/built.ts";
import { eventually } from "../fixtures/eventually.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { policyWith } from "../policy/policy-kit.ts";
import { folderWith } from "../rehearsal/kit.ts";

const policyOf = (methods: string): string =>
  policyWith(`routes: [{ path: /open, methods: [${methods}], public: true, validate: { body: { schema: open.json } } }]
tests: [{ name: who posts, request: { method: POST, path: /open, body: { a: 1 } }, expect: allow }]
`);

/** A command that watches the files of a folder, and what it has said. */
function watching(folder: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [BUILT, ...args], { cwd: folder });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += chunk;
    });
  }
  const runs = (): string[] => said.split(/(?:file is|files are) watched; Ctrl-C ends\n/);
  return {
    write: (name: string, text: string): void => writeFileSync(join(folder, name), text),
    /** What the nth run said, from 1. */
    after: async (nth: number): Promise<string> => {
      await eventually(async () => runs().length > nth);
      return runs()[nth - 1] ?? "";
    },
    /** Its exit code, and what it said behind the last run. */
    interrupt: async () => {
      child.kill("SIGINT");
      const [code] = await once(child, "exit");
      return { code, rest: runs().at(-1) };
    },
  };
}

test("tests run again when a file is another one", { timeout: 4 * PATIENCE_MS }, async () => {
  const { folder } = folderWith({ "policy.yaml": policyOf("POST"), "open.json": '{ "type": "object" }' });
  const { write, after, interrupt } = watching(folder, "test", "--watch", "policy.yaml");
  expect(await after(1)).toMatch(/^policy\.yaml:\d+:\d+: coverage: .*\npolicy\.yaml: 1 passed in \d+ ms; .*\n2 $/);
  write("policy.yaml", policyOf("GET"));
  expect(await after(2)).toContain("FAILED: who posts");
  write("policy.yaml", policyOf("POST"));
  expect(await after(3)).toContain("1 passed");
  write("open.json", '{ "type": "object", "required": ["b"] }');
  expect(await after(4)).toContain("+ deny body_schema_mismatch");
  write("policy.more.test.yaml", "tests: [{ name: another, request: /none, expect: deny }]\n");
  expect(await after(5)).toContain("1 passed, 1 failed");
  write("policy.more.test.yaml", "tests: [{ name: another, request: /none, expekt: deny }]\n");
  expect(await after(6)).toContain("policy.more.test.yaml:1:42: unknown key 'expekt'");
  rmSync(join(folder, "policy.more.test.yaml"));
  expect(await after(7)).toMatch(/^\n[\s\S]*policy\.yaml: 0 passed, 1 failed/);
  expect(await interrupt()).toEqual({ code: 1, rest: "" });
});

test("policies are looked at again when a file is another one, also one in a manifest", {
  timeout: 4 * PATIENCE_MS,
}, async () => {
  const manifestOf = (text: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: postern }\ndata:\n  policy.yaml: |\n${text.replace(/^/gm, "    ")}\n`;
  const { folder } = folderWith({
    "policy.yaml": policyOf("POST"),
    "open.json": '{ "type": "object" }',
    "manifest.yaml": manifestOf(policyWith("routes: [{ path: /a, public: true }]")),
  });
  const { write, after, interrupt } = watching(folder, "check", "--watch", "policy.yaml", "manifest.yaml");
  expect(await after(1)).toMatch(/policy\.yaml: no problems[\s\S]*manifest\.yaml: no problems/);
  write("open.json", '{ "type": "objekt" }');
  expect(await after(2)).toMatch(/open\.json:1:3: [\s\S]*manifest\.yaml: no problems/);
  write("manifest.yaml", manifestOf(policyWith("routes: [{ path: /a, pubic: true }]")));
  expect(await after(3)).toMatch(/open\.json:1:3: [\s\S]*manifest\.yaml:\d+:\d+: [^\n]*'pubic'/);
  write("open.json", '{ "type": "object" }');
  expect(await after(4)).toMatch(/policy\.yaml: no problems[\s\S]*manifest\.yaml:\d+:\d+: [^\n]*'pubic'/);
  expect(await interrupt()).toEqual({ code: 1, rest: "" });
});
