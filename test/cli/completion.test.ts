// Goal: what 'postern completion' prints completes as each shell does it, by the shells themselves.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-completion-"));
  for (const shell of ["bash", "zsh", "fish"]) {
    let script = "";
    const stdout = (text: string): void => {
      script += text;
    };
    await main(["completion", shell], { stdout, stderr: stdout, cwd: folder, clock: systemClock });
    writeFileSync(join(folder, `postern.${shell}`), script);
  }
  writeFileSync(join(folder, "policy.yaml"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(program: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd: folder, encoding: "utf8", timeout: PATIENCE_MS });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout;
}

/** What bash offers behind `words`, of which the last is not yet whole. */
function bash(...words: readonly string[]): readonly string[] {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `source ./postern.bash
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}
_postern; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p postern`;
  const lines = shell("bash", "--norc", "-c", script).trimEnd().split("\n");
  expect(lines.pop()).toBe("complete -o default -F _postern postern");
  return lines;
}

test("bash: commands, options, words and values", () => {
  expect(bash("postern", "au")).toEqual(["audit", "audit-log"]);
  expect(bash("postern", "check", "--o")).toEqual(["--online", "--offline"]);
  expect(bash("postern", "check", "--fail-on", "")).toEqual(["error", "warning", "info"]);
  expect(bash("postern", "check", "--fail-on", "=", "w")).toEqual(["warning"]);
  expect(bash("postern", "check", "--fail-on", "=")).toEqual(["error", "warning", "info"]);
  expect(bash("postern", "quota", "")).toEqual(["list", "reset"]);
  expect(bash("postern", "anomalies", "accept", "--kind", "path")).toEqual(["path_scan"]);
  expect(bash("postern", "help", "hash")).toEqual(["hash-key", "hash-password"]);
  // Nothing of ours: bash goes on with names of files.
  expect(bash("postern", "check", "pol")).toEqual([""]);
  expect(bash("postern", "explain", "-p", "")).toEqual([""]);
});

function fish(line: string): readonly string[] {
  const script = `source ./postern.fish; complete -C ${JSON.stringify(line)}`;
  const lines = shell("fish", "--no-config", "-c", script).trimEnd().split("\n");
  return lines.map((one) => one.split("\t")[0] ?? "");
}

test("fish: the same, with files where they are", () => {
  expect(fish("postern au")).toEqual(["audit", "audit-log"]);
  expect(fish("postern check --o")).toEqual(["--offline", "--online"]);
  expect(fish("postern check --fail-on ")).toEqual(["error", "info", "warning"]);
  expect(fish("postern quota ")).toEqual(["list", "reset"]);
  expect(fish("postern help hash")).toEqual(["hash-key", "hash-password"]);
  expect(fish("postern check pol")).toEqual(["policy.yaml"]);
  expect(fish("postern explain -p pol")).toEqual(["policy.yaml"]);
});

/** What the script hands to zsh's own `_describe` and `_arguments` behind `words`, a line each. */
function zsh(...words: readonly string[]): readonly string[] {
  const script = `compdef() { print -r -- compdef $@ }
source ./postern.zsh
_describe() { print -rl -- \${(P)4} }
_arguments() { print -rl -- $@ }
words=(${words.map((word) => `'${word}'`).join(" ")}); CURRENT=${words.length}; _postern`;
  const [first, ...lines] = shell("zsh", "-f", "-c", script).trimEnd().split("\n");
  expect(first).toBe("compdef _postern postern");
  return lines;
}

test("zsh: the same, with what each does, in the words of its own functions", () => {
  expect(zsh("postern", "au")).toContain(
    "audit-log:Says whether an audit log is whole, and names the first line that was changed, removed or moved.",
  );
  const check = zsh("postern", "check", "--o");
  expect(check).toContain(
    "--fail-on=[from what severity on a finding ends with 1; error if absent]:error|warning|info:(error warning info)",
  );
  expect(check.at(-1)).toBe("*:file:_files");
  expect(zsh("postern", "quota", "")).toContain("1:word:(list reset)");
  const explain = zsh("postern", "explain", "");
  expect(explain).toContain("(-p --policy)-p+[the policy, or the one that runs]:FILE:_files");
  expect(explain).toContain("(-p --policy)--policy=[the policy, or the one that runs]:FILE:_files");
  expect(explain).toContain("*--header=[a header of the request; may be repeated]:'NAME\\: VALUE': ");
});
