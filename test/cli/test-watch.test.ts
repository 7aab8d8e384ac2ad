// Goal: `postern test --watch` runs tests again when the policy, a file of tests or a file that they name is another one, tells
// nothing of what is half written, and ends on Ctrl-C with the last run's exit code. Method: the process itself.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { policyWith } from "../policy/policy-kit.ts";
import { folderWith } from "../rehearsal/kit.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const policyOf = (methods: string): string =>
  policyWith(`routes: [{ path: /open, methods: [${methods}], public: true, validate: { body: { schema: open.json } } }]
tests: [{ name: who posts, request: { method: POST, path: /open, body: { a: 1 } }, expect: allow }]
`);

test("tests run again when a file is another one", { timeout: 4 * PATIENCE_MS }, async () => {
  const { folder } = folderWith({ "policy.yaml": policyOf("POST"), "open.json": '{ "type": "object" }' });
  const child = spawn(process.execPath, [MAIN, "test", "--watch", "policy.yaml"], { cwd: folder });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += chunk;
    });
  }
  const runs = (): string[] => said.split("files are watched; Ctrl-C ends\n");
  const after = async (nth: number): Promise<string> => {
    await eventually(async () => runs().length > nth);
    return runs()[nth - 1] ?? "";
  };
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
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
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  expect({ code, rest: runs()[7] }).toEqual({ code: 1, rest: "" });
});
