// Goal: what survives a restart is read back as it was, or not at all. Method: a real folder, and every way to spoil it.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateFiles } from "../../src/daemon/state-files.ts";
import { StateFolder } from "../../src/resources/state-folder.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";

const KIND = { name: "keys", version: 1 };
let root: string;
let warnings: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "postern-state-"));
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function folder(directory = join(root, "state"), userId: number | null = process.geteuid?.() ?? null): StateFolder {
  return new StateFolder(directory, stateFiles(directory, userId), (file, text) => warnings.push(`${file}: ${text}`));
}

const onlyFile = (): string => join(root, "state", readdirSync(join(root, "state"))[0] ?? "");

test("what was written is read by the next process, from files of this user alone", async () => {
  await folder().write(KIND, "https://id.example/", Buffer.from("content"));
  expect((await folder().read(KIND, "https://id.example/"))?.toString()).toBe("content");
  expect(await folder().read(KIND, "another")).toBe(null);
  expect(statSync(join(root, "state")).mode & 0o777).toBe(0o700);
  expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual([]);
});

test("what a killed process left half written goes with the next start, and nothing else does", async () => {
  const directory = join(root, "state");
  await folder().write(KIND, "id", Buffer.from("content"));
  const kept = readdirSync(directory);
  const left = [`${kept[0]}.0123456789ab.new`, "audit.jsonl.lock.0123456789ab"];
  const others = [`${kept[0]}.ba9876543210.new`, "notes.new", "quotas.sqlite", "x.0123456789AB.new"];
  for (const name of [...left, ...others]) writeFileSync(join(directory, name), "half");
  const then = new Date(Date.now() - 2 * DEFAULTS.stateLeftoverMs);
  // Another process may be writing the young one just now.
  for (const name of [...left, ...others.slice(1)]) utimesSync(join(directory, name), then, then);
  await folder().read(KIND, "id");
  await eventually(async () => readdirSync(directory).length === kept.length + others.length);
  expect(readdirSync(directory).toSorted()).toEqual([...kept, ...others].toSorted());
});

test("no damage is ever read as content", async () => {
  await folder().write(KIND, "id", Buffer.from("the content that was kept"));
  const whole = readFileSync(onlyFile());
  const file = onlyFile();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (at, flip, cut) => {
        const damaged = cut ? whole.subarray(0, at) : Buffer.from(whole);
        if (!cut) damaged[at] = (damaged[at] ?? 0) ^ flip;
        writeFileSync(file, damaged);
        expect(await folder().read(KIND, "id")).toBe(null);
      },
    ),
    { numRuns: 200 },
  );
  expect(warnings[0]).toContain("set aside");
  expect(readdirSync(join(root, "state")).every((name) => name.endsWith(".damaged"))).toBe(true);
});

test("what is written behind a damaged file that was read on the spot stays", async () => {
  const one = folder();
  await one.write(KIND, "id", Buffer.from("old"));
  writeFileSync(onlyFile(), "damaged");
  expect(one.readNow(KIND, "id")).toBe(null);
  await one.write(KIND, "id", Buffer.from("new"));
  expect((await folder().read(KIND, "id"))?.toString()).toBe("new");
});

test("another version is a fresh beginning", async () => {
  await folder().write({ ...KIND, version: 2 }, "id", Buffer.from("x"));
  expect(await folder().read(KIND, "id")).toBe(null);
  expect(warnings[0]).toContain("version 2; this postern has 1");
});

test("a file or folder that others could have written is not read", async () => {
  await folder().write(KIND, "id", Buffer.from("x"));
  chmodSync(onlyFile(), 0o666);
  expect(await folder().read(KIND, "id")).toBe(null);
  chmodSync(onlyFile(), 0o600);
  expect(await folder().read(KIND, "id")).not.toBe(null);
  chmodSync(join(root, "state"), 0o777);
  expect(await folder().read(KIND, "id")).toBe(null);
  expect(warnings.map((text) => text.slice(text.indexOf(": ") + 2))).toEqual([
    "others may write it; nothing of it is used",
    "others may write into the folder; expected chmod 700; nothing of it is used",
  ]);
});

test("a file of another user, and a link that somebody laid, are not read", async () => {
  await folder().write(KIND, "id", Buffer.from("x"));
  // Files of root are anybody's own: nobody but root makes them.
  const read = await folder(join(root, "state"), 4_711).read(KIND, "id");
  expect(read === null).toBe(process.geteuid?.() !== 0);
  const file = onlyFile();
  const content = readFileSync(file);
  rmSync(file);
  writeFileSync(join(root, "planted"), content);
  symlinkSync(join(root, "planted"), file);
  expect(await folder().read(KIND, "id")).toBe(null);
  expect(warnings.at(-1)).toContain("ELOOP");
});

test("a folder that cannot be made is a warning, and nothing fails", async () => {
  writeFileSync(join(root, "state"), "a file");
  await folder().write(KIND, "id", Buffer.from("x"));
  expect(await folder().read(KIND, "id")).toBe(null);
  expect(warnings).toHaveLength(2);
});

test("what is too large is not kept", async () => {
  await folder().write(KIND, "id", Buffer.alloc(DEFAULTS.stateFileBytesMax + 1));
  expect(warnings[0]).toContain("it is not kept");
});

test("of many writes at once the last is what stays", async () => {
  const one = folder();
  await Promise.all(Array.from({ length: 50 }, (_, at) => one.write(KIND, "id", Buffer.from(`${at}`))));
  expect((await one.read(KIND, "id"))?.toString()).toBe("49");
  expect(readdirSync(join(root, "state"))).toHaveLength(1);
});
