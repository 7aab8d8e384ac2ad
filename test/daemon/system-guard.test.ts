import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemGuard } from "../../src/daemon/system-guard.ts";
import { othersMayRead, strangersMayWrite } from "../../src/policy/file-guard.ts";
import { othersReach } from "../fixtures/others-reach.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "postern-guard-")));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

const guard = systemGuard(true);
const isHidden = !othersReach(tmpdir());

function look(name: string) {
  const modes = guard?.modesOf(join(folder, name));
  if (modes === null || modes === undefined) return null;
  const writers = strangersMayWrite(modes, guard?.groups ?? new Set());
  return {
    read: othersMayRead(modes),
    write: writers.map(([entry, who]) => `${who} ${entry.path.slice(folder.length)}`),
  };
}

function write(name: string, mode: number): void {
  writeFileSync(join(folder, name), "x");
  chmodSync(join(folder, name), mode);
}

test.skipIf(isHidden)("the system's own modes are told, whoever asks", () => {
  write("key", 0o600);
  expect(look("key")).toEqual({ read: false, write: [] });
  chmodSync(join(folder, "key"), 0o646);
  expect(look("key")).toEqual({ read: true, write: ["others /key"] });
  expect(look("nothing")).toBeNull();
});

test.skipIf(isHidden)("Kubernetes' way to a file is followed: a link to a link to a folder, swapped whole", () => {
  mkdirSync(join(folder, "..2026"), { mode: 0o755 });
  write("..2026/tls.key", 0o644);
  symlinkSync("..2026", join(folder, "..data"));
  symlinkSync("..data/tls.key", join(folder, "tls.key"));
  chmodSync(folder, 0o1777);
  expect(look("tls.key")).toEqual({ read: true, write: [] });
  mkdirSync(join(folder, "..2027"), { mode: 0o755 });
  write("..2027/tls.key", 0o440);
  rmSync(join(folder, "..data"));
  symlinkSync("..2027", join(folder, "..data"));
  expect(look("tls.key")).toEqual({ read: false, write: [] });
  chmodSync(folder, 0o777);
  expect(look("tls.key")).toEqual({ read: false, write: ["others "] });
});

test.skipIf(isHidden)("a link out of a folder of strangers is as good as the file", () => {
  mkdirSync(join(folder, "open"));
  mkdirSync(join(folder, "shut"), { mode: 0o700 });
  chmodSync(join(folder, "open"), 0o777);
  write("shut/policy.yaml", 0o600);
  symlinkSync("../shut/policy.yaml", join(folder, "open/policy.yaml"));
  expect(look("open/policy.yaml")).toEqual({ read: false, write: ["others /open"] });
});

test("root is root only where it serves", () => {
  expect(systemGuard(true)?.servesAsRoot).toBe(process.geteuid?.() === 0);
  expect(systemGuard(false)?.servesAsRoot).toBe(false);
});
