/**
 * Goal: `postern` as README and `init` print it works from a checkout that was never built, for whoever stands anywhere,
 * with whatever Node. Method: the file that package.json names as the command runs as npm and as a link would run it.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { PUBLIC_ROUTE, policyWith } from "../policy/policy-kit.ts";

const ROOT = join(import.meta.dirname, "../..");
const COMMAND = join(ROOT, JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).bin.postern);

/** A Node of the machine's own that cannot run the sources; null where there is none. */
const OLDER = olderNode();

function olderNode(): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  for (const node of folders.map((folder) => join(folder, "node")).filter(existsSync)) {
    const major = Number(/^v(\d+)/.exec(execFileSync(node, ["--version"], { encoding: "utf8" }))?.[1]);
    if (major >= 18 && major < 26) return node;
  }
  return null;
}

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "postern-checkout-")));
  writeFileSync(join(folder, "mine.yaml"), policyWith(PUBLIC_ROUTE));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}, cwd = folder) {
  return new Promise<{ code: number; out: string; error: string }>((resolve) => {
    const options = { cwd, timeout: PATIENCE_MS, env: { ...process.env, ...environment } };
    execFile(program, args, options, (error, out, errorText) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, error: errorText });
    });
  });
}

const sound = { code: 0, out: "mine.yaml: no problems\n", error: "" };

test("as a link somewhere on the way, as npm link makes one, with file names from where one stands", async () => {
  symlinkSync(COMMAND, join(folder, "postern"));
  expect(await run(process.execPath, [join(folder, "postern"), "check", "mine.yaml"])).toEqual(sound);
  expect((await run(process.execPath, [join(folder, "postern"), "check"])).code).toBe(2);
});

test("as npm run postern, though npm goes to the top of the checkout first", async () => {
  const environment = { INIT_CWD: folder, npm_lifecycle_event: "postern" };
  expect(await run(process.execPath, [COMMAND, "check", "mine.yaml"], environment, ROOT)).toEqual(sound);
  // Below another script, as npm test, a folder that npm was called in means nothing.
  const other = { INIT_CWD: ROOT, npm_lifecycle_event: "test" };
  expect(await run(process.execPath, [COMMAND, "check", "mine.yaml"], other)).toEqual(sound);
});

test.skipIf(OLDER === null)("under an older Node the one that came along runs it, with its exit codes", async () => {
  expect(await run(OLDER ?? "", [COMMAND, "check", "mine.yaml"])).toEqual(sound);
  writeFileSync(join(folder, "mine.yaml"), "version: 2\n");
  expect((await run(OLDER ?? "", [COMMAND, "check", "mine.yaml"])).code).toBe(1);
});

test.skipIf(OLDER === null)("npm ci has no word about engines under an older Node", async () => {
  for (const name of ["package.json", "package-lock.json", ".npmrc"]) {
    writeFileSync(join(folder, name), readFileSync(join(ROOT, name)));
  }
  const paths = (process.env["PATH"] ?? "").split(delimiter).filter((one) => !one.includes("node_modules"));
  const environment = { PATH: paths.join(delimiter), npm_config_loglevel: undefined, npm_config_offline: "true" };
  const { error } = await run("npm", ["ci", "--dry-run"], environment);
  expect(error).not.toContain("EBADENGINE");
});
