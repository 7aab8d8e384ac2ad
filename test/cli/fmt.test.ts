// Goal: 'postern fmt' changes files as people expect of a formatter: whole, in place, and only where it must.
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { replaceFile } from "../../src/cli/replace-file.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { folderWith } from "../rehearsal/kit.ts";

const LOOSE = '# why\nversion:  1\nroutes:\n- path: "/a"\n';
const TIDY = "# why\nversion: 1\nroutes:\n  - path: /a\n";

test("files are changed in place and listed; those that are laid out are not touched", async () => {
  const { folder, postern } = folderWith({ "a.yaml": LOOSE, "b.yaml": TIDY });
  const before = statSync(join(folder, "b.yaml"));
  expect(await postern("fmt", "a.yaml", "b.yaml")).toEqual({ code: 0, out: "a.yaml\n", err: "" });
  expect(readFileSync(join(folder, "a.yaml"), "utf8")).toBe(TIDY);
  expect(statSync(join(folder, "b.yaml")).ino).toBe(before.ino);
  expect(await postern("fmt", "a.yaml", "b.yaml")).toEqual({ code: 0, out: "", err: "" });
});

test("a file is replaced by one rename, with its mode, behind its link, with its mark", async () => {
  const { folder, postern } = folderWith({ "real.yaml": `\ufeff${LOOSE}` });
  chmodSync(join(folder, "real.yaml"), 0o640);
  symlinkSync("real.yaml", join(folder, "link.yaml"));
  const before = statSync(join(folder, "real.yaml"));
  expect(await postern("fmt", "link.yaml")).toEqual({ code: 0, out: "link.yaml\n", err: "" });
  const after = statSync(join(folder, "real.yaml"));
  expect(lstatSync(join(folder, "link.yaml")).isSymbolicLink()).toBe(true);
  expect({ mode: after.mode, uid: after.uid, gid: after.gid }).toEqual({
    mode: before.mode,
    uid: before.uid,
    gid: before.gid,
  });
  expect(after.ino).not.toBe(before.ino);
  expect(readFileSync(join(folder, "real.yaml"), "utf8")).toBe(`\ufeff${TIDY}`);
  expect(readdirSync(folder).sort()).toEqual(["link.yaml", "real.yaml"]);
});

test("a file that somebody saves meanwhile is theirs", () => {
  const { folder } = folderWith({ "a.yaml": "newer\n" });
  const file = join(folder, "a.yaml");
  expect(replaceFile(file, Buffer.from("older\n"), Buffer.from("formatted\n"))).toMatchObject({ ok: false });
  expect(readFileSync(file, "utf8")).toBe("newer\n");
  expect(readdirSync(folder)).toEqual(["a.yaml"]);
});

test("--check and --diff write nothing", async () => {
  const { folder, postern } = folderWith({ "a.yaml": `${LOOSE}\n\n`, "b.yaml": TIDY });
  expect(await postern("fmt", "--check", "a.yaml", "b.yaml")).toEqual({ code: 1, out: "a.yaml\n", err: "" });
  expect(await postern("fmt", "--check", "b.yaml")).toEqual({ code: 0, out: "", err: "" });
  const shown = await postern("fmt", "--diff", "a.yaml", "b.yaml");
  expect(shown).toEqual({
    code: 0,
    out: `--- a.yaml
+++ a.yaml
@@ -1,6 +1,4 @@
 # why
-version:  1
+version: 1
 routes:
-- path: "/a"
-
-
+  - path: /a
`,
    err: "",
  });
  expect((await postern("fmt", "--check", "--diff", "a.yaml")).code).toBe(1);
  expect(readFileSync(join(folder, "a.yaml"), "utf8")).toBe(`${LOOSE}\n\n`);
});

test("what is not YAML, or cannot be read, is told with its place and left alone; the others are laid out", async () => {
  const { folder, postern } = folderWith({ "bad.yaml": "a: [1\nb: 2\n", "x.json": "{}", "good.yaml": LOOSE });
  const told = await postern("fmt", "bad.yaml", "x.json", "none.yaml", "good.yaml");
  expect(told.code).toBe(1);
  expect(told.out).toBe("good.yaml\n");
  const [first = "", ...rest] = told.err.split("\n");
  expect(first).toMatch(/^bad\.yaml:2:\d+: not valid YAML: /);
  expect(rest).toEqual(["x.json:1:1: is JSON; expected YAML", "none.yaml:1:1: does not exist", ""]);
  expect(readFileSync(join(folder, "bad.yaml"), "utf8")).toBe("a: [1\nb: 2\n");
});

test("--json tells each file", async () => {
  const { postern } = folderWith({ "bad.yaml": "a: [1\n", "good.yaml": LOOSE });
  const { code, out } = await postern("fmt", "--json", "--check", "bad.yaml", "good.yaml");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject([
    { file: "bad.yaml", changed: false, problems: [{ text: expect.stringContaining("not valid YAML"), line: 2 }] },
    { file: "good.yaml", changed: true, problems: [] },
  ]);
});

async function fmtInput(input: string, ...options: readonly string[]) {
  const told = { out: "", err: "" };
  const code = await main(["fmt", ...options, "-"], {
    stdout: (text) => {
      told.out += text;
    },
    stderr: (text) => {
      told.err += text;
    },
    cwd: "/",
    stdin: () => Buffer.from(input),
    clock: systemClock,
  });
  return { code, ...told };
}

test("standard input goes to standard output", async () => {
  expect(await fmtInput(LOOSE)).toEqual({ code: 0, out: TIDY, err: "" });
  expect(await fmtInput(LOOSE, "--check")).toEqual({ code: 1, out: "", err: "" });
  const bad = await fmtInput("a: [1\n");
  expect({ code: bad.code, out: bad.out }).toEqual({ code: 1, out: "" });
  expect(bad.err).toMatch(/^-:2:1: not valid YAML/);
});

test("in a manifest the policies of its ConfigMaps are laid out, and nothing else", async () => {
  const manifest = (policy: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name:   orders}
data:
  policy.yaml: |
${policy}
  other.txt: |
    a:   1
---
apiVersion: v1
kind: ConfigMap
metadata: {name: others}
data:
  app.yaml: |
    a:   1
`;
  const { folder, postern } = folderWith({
    "a.yaml": manifest("    version:   1\n    routes:\n    - path: /a # why\n"),
    "bad.yaml": manifest("    version: 1\n    routes: [\n"),
    "quoted.yaml": 'apiVersion: v1\nkind: ConfigMap\ndata:\n  policy.yaml: "version:  1\\nroutes: []\\n"\n',
  });
  expect(await postern("fmt", "a.yaml")).toEqual({ code: 0, out: "a.yaml\n", err: "" });
  expect(readFileSync(join(folder, "a.yaml"), "utf8")).toBe(
    manifest("    version: 1\n    routes:\n      - path: /a # why\n"),
  );
  expect((await postern("fmt", "bad.yaml")).err).toMatch(/^bad\.yaml:8:5: not valid YAML: flow sequence .+\n$/);
  expect(await postern("fmt", "--check", "quoted.yaml")).toEqual({
    code: 0,
    out: "",
    err: "quoted.yaml:4:16: 'policy.yaml' is no block text (|) and stays as it is\n",
  });
});

test("what 'init' writes is laid out", async () => {
  const { folder, postern } = folderWith({});
  await postern("init", ".");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  expect(files.length).toBeGreaterThan(0);
  expect(await postern("fmt", "--diff", "--check", ...files)).toEqual({ code: 0, out: "", err: "" });
});

test("the policies that come along are laid out", async () => {
  const { postern } = folderWith({});
  const policies = resolve(import.meta.dirname, "../../policies");
  const names = readdirSync(policies, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
  expect(names.length).toBeGreaterThan(2);
  const files = names.map((name) => join(policies, name));
  expect(await postern("fmt", "--check", "--diff", ...files)).toEqual({ code: 0, out: "", err: "" });
});

test("used wrongly", async () => {
  const { postern } = folderWith({});
  expect((await postern("fmt")).code).toBe(2);
  expect((await postern("fmt", "-", "a.yaml")).code).toBe(2);
  expect((await postern("fmt", "--wirte", "a.yaml")).err).toContain("unknown option '--wirte'");
});
