import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../src/main.ts";
import { systemClock } from "../src/support/clock.ts";
import { theWorld } from "./fixtures/postern.ts";

const root = resolve(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map((match) => match[2] ?? "");
const policy = blocks.find((block) => block.startsWith("version: 1")) ?? "";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-readme-"));
  const { pki, mint } = await theWorld();
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(folder, "tls"));
  const files = {
    "policy.yaml": policy,
    "tls/server.pem": pki.server.certificate,
    "tls/server.key": pki.server.key,
    "tls/ca.pem": pki.ca.certificate,
    "okta.jwks.json": mint.jwks,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function postern(...args: readonly string[]): Promise<string> {
  let output = "";
  const write = (text: string) => {
    output += text;
  };
  await main(args, { stdout: write, stderr: write, cwd: folder, clock: systemClock });
  return output;
}

test("the policy of the README has no problems", async () => {
  expect(policy.trimEnd().split("\n")).toHaveLength(15);
  expect(await postern("check", "policy.yaml")).toBe("policy.yaml: no problems\n");
});

test("the README shows what explain prints", async () => {
  const shown = blocks.find((block) => block.startsWith("$ postern explain")) ?? "";
  const as = '{ jwt: { sub: alice, scope: "orders:write" } }';
  const told = await postern("explain", "--policy", "policy.yaml", "--as", as, "GET /v1/orders/42");
  const [command, ...lines] = shown.split("\n");
  expect(command).toBe(`$ postern explain --policy policy.yaml --as '${as}' 'GET /v1/orders/42'`);
  // The hash is of certificates made for this run.
  expect(lines.join("\n")).toBe(told.replace(/\(policy \w+\)/, "(policy 2e16ef6f29ab25af)"));
});

test("every file that the README links to is there", () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? "");
  for (const link of links) expect(() => readFileSync(join(root, link)), link).not.toThrow(/ENOENT/);
  expect(links.length).toBeGreaterThan(10);
});

test("every command is in the README, and in the map", async () => {
  const names = [...(await postern("--help")).matchAll(/^ {2}([a-z-]+) {2}/gm)].map((match) => match[1] ?? "");
  expect(names.length).toBeGreaterThan(20);
  const map =
    readFileSync(join(root, "src/README.md"), "utf8")
      .split("\n")
      .find((line) => line.startsWith("cli/")) ?? "";
  const isTold = (name: string): boolean =>
    name === "quickstart" ||
    (new RegExp(`^\\| .*\`postern ${name}\\b`, "m").test(readme) && map.split(/[ ,]/).includes(name));
  expect(names.filter((name) => !isTold(name))).toEqual([]);
});

test("every page of docs/ is linked from the README", () => {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  expect(pages.filter((name) => !readme.includes(`(docs/${name}`))).toEqual([]);
});
