import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimFolder } from "../../src/cli/throwaway-folder.ts";

/** Beyond the largest process id that Linux gives. */
const NO_PROCESS = 2 ** 30;

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "postern-folder-"));
  folder = join(parent, ".postern");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test("a claimed folder is closed to others and goes with its content", () => {
  const claim = claimFolder(folder, process.pid);
  if (!claim.ok) throw new Error(claim.error);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  writeFileSync(join(folder, "server.key"), "key");
  claim.value();
  expect(existsSync(folder)).toBe(false);
});

test("a folder of a process that runs is not taken from it", () => {
  expect(claimFolder(folder, process.pid).ok).toBe(true);
  const second = claimFolder(folder, process.pid);
  expect(second).toEqual({ ok: false, error: `${folder} is in use by another quick start` });
});

test("a folder that a killed process left is made anew", () => {
  claimFolder(folder, NO_PROCESS);
  writeFileSync(join(folder, "old.key"), "key");
  expect(claimFolder(folder, process.pid).ok).toBe(true);
  expect(readdirSync(folder)).toEqual(["pid"]);
});

test("a folder that is not ours is left as it is", () => {
  mkdirSync(folder);
  writeFileSync(join(folder, "precious"), "mine");
  const claim = claimFolder(folder, process.pid);
  expect(claim.ok).toBe(false);
  expect(readdirSync(folder)).toEqual(["precious"]);
});

test("a folder whose parent is missing is told, not made", () => {
  expect(claimFolder(join(parent, "nowhere/.postern"), process.pid).ok).toBe(false);
});
