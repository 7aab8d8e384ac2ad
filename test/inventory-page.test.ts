// Goal: what docs/inventory.md shows of a running postern is what the commands say, and what it promises of a restart holds.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { FINDINGS, LEVELS } from "../src/inventory/findings.ts";
import { main } from "../src/main.ts";
import { type Clock, systemClock } from "../src/support/clock.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { eventually, type PolicyPorts, type Postern, startPostern, startService } from "./fixtures/postern.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/inventory.md"), "utf8");
const [policy = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const shown = [...page.matchAll(/```\n\$ (.*)\n([\s\S]*?)```/g)].map((match) => [match[1] ?? "", match[2] ?? ""]);
const KEY = "key-0123456789abcdef";
const FILE = "/files/2026-11-30/0b54ad3b-9d6b-4f0e-8d9f-3f2a6f2a9c11";
let postern: Postern;

beforeAll(async () => {
  const service = await startService();
  const ports = ({ port, admin, app }: PolicyPorts): string =>
    policy.replace(":8080", `:${port}`).replace(":9901", `:${admin}`).replace(":3000", `:${app}`);
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  postern = await startPostern(service.port, ports, {
    "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${sha256}" }] }]`,
  });
  const asked = [
    ["GET", "/v1/orders/42"],
    ["GET", "/v1/orders/43"],
    ["GET", "/v0/orders"],
    ["GET", FILE],
    ["DELETE", `${FILE}/delete`],
    ["GET", "/wp-admin"],
    ["POST", "/.env"],
  ] as const;
  for (const [method, path] of asked) {
    const response = await fetch(`http://localhost:${postern.port}${path}`, { method, headers: { "X-Api-Key": KEY } });
    await response.arrayBuffer();
  }
  await eventually(
    async () => JSON.parse((await postern.admins("/inventory?as=live")).body)["requests"] as number,
    (requests) => requests === asked.length,
  );
});

/** Runs a command of the page. */
function run(command: string, ...more: readonly string[]) {
  return runBy(systemClock, command, ...more);
}

/** A clock by which time passes between the first picture and the second alone, however busy the machine is. */
function twoPictures(): Clock {
  let readings = 0;
  return { ...systemClock, monotonicMs: () => (++readings <= 2 ? 0 : 1_000_000) };
}

async function runBy(clock: Clock, command: string, ...more: readonly string[]) {
  const [, ...args] = command.split(" ");
  const out = { stdout: "", stderr: "" };
  const code = await main([...args, ...more], {
    stdout: (text) => {
      out.stdout += text;
    },
    stderr: (text) => {
      out.stderr += text;
    },
    cwd: postern.folder,
    clock,
  });
  return { code, ...out };
}

/** What differs from run to run, in the words of the page; columns that are as wide as the machine's names. */
function timeless(text: string): string {
  return text
    .replaceAll(`${postern.folder}/`, "")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+Z)?/g, (_, seconds = "", rest = "") => {
      return `2026-11-30T09:12${seconds && ":44"}${rest && ".031Z"}`;
    });
}

test.each(shown)("%s", async (command, expected) => {
  const { code, stdout, stderr } = await run(command);
  expect([code, stderr]).toEqual([0, ""]);
  expect(timeless(stdout)).toBe(expected);
});

test("the forms for machines", async () => {
  const list = shown[0]?.[0] ?? "";
  const json = JSON.parse((await run(list, "--json", "--status", "dead")).stdout);
  expect(json).toMatchObject({ service: "orders", operations: [{ method: "DELETE", path: "/v1/orders/{orderId}" }] });
  const document = JSON.parse((await run(list, "--openapi")).stdout);
  expect(Object.keys(document["paths"])).toContain("/files/{date}/{uuid}");
  expect(await run(list, "--overlay")).toMatchObject({ code: 1, stdout: "" });
  expect(await run(list, "--status", "lost")).toMatchObject({ code: 2, stdout: "" });
});

test("top asks again, with rates", async () => {
  const top = `postern top --address 127.0.0.1:${postern.admin} --every 100ms --for 1s`;
  const { code, stdout } = await runBy(twoPictures(), top);
  expect(code).toBe(0);
  expect(stdout.match(/^requests {2}confirmed/gm)).toHaveLength(1);
  expect(stdout).toMatch(/^req\/s {2}requests {2}confirmed {2}denied {2}method {2}path$/m);
  const lines = (await runBy(twoPictures(), `${top} --json`)).stdout.split("\n");
  expect(lines.map((line) => (line === "" ? null : JSON.parse(line)["requests"]))).toEqual([7, 7, null]);
  expect(await run("postern top --policy policy.yaml --every never")).toMatchObject({ code: 2, stdout: "" });
});

test("the page's tables and numbers are the product's", () => {
  for (const [name, { axis, level, text }] of Object.entries(FINDINGS)) {
    expect(page).toContain(`| \`${name}\` | ${axis} | ${LEVELS[level]} | ${text} |`);
  }
  expect(page.match(/^\| `\w+` \| (?:exposure|threat) \|/gm)).toHaveLength(Object.keys(FINDINGS).length);
  for (const words of [
    `the room of ${DEFAULTS.inventoryProbedMax}`,
    `more than ${DEFAULTS.inventoryNamesMax} names`,
    `at most ${DEFAULTS.inventoryWordCharsMax}`,
    `at most ${DEFAULTS.inventoryCallers} of each`,
    `up to ${DEFAULTS.inventoryLearnMs} ms`,
    `at most ${DEFAULTS.inventoryLearntMax.toLocaleString("en")} operations`,
    `at most ${DEFAULTS.inventoryWaitingMax.toLocaleString("en")} at once`,
  ]) {
    expect(page.replaceAll("\n", " ")).toContain(words);
  }
});

test("a scanner leaves in sight what there is", async () => {
  const list = shown[0]?.[0] ?? "";
  const ask = async (path: string): Promise<unknown> => (await fetch(`http://localhost:${postern.port}${path}`)).text();
  const names = [..."abcde"].flatMap((first) => [..."abcdef"].map((second) => `/tried-${first}${second}`));
  for (const name of [...names, "/tried-ef"]) await ask(name);
  const rowsOf = (text: string): string[] => text.match(/^(?:used|dead|undeclared|probed) .*$/gm) ?? [];
  const all = await eventually(
    async () => (await run(list, "--status", "probed")).stdout,
    (text) => rowsOf(text).length === 32,
  );
  expect(all).not.toContain("--status probed");
  const { stdout } = await run(list);
  const rows = rowsOf(stdout);
  expect(rows.map((row) => row.startsWith("probed")).join()).toMatch(/^(?:false,){5}true(?:,true){19}$/);
  expect(rows.filter((row) => row.startsWith("probed"))[0]).toMatch(/ \/tried-ef +2 /);
  expect(stdout).toContain("\n12 more are merely probed: --status probed\n");
});

test("the end of the process leaves it in the state folder", async () => {
  postern.process.kill("SIGTERM");
  await postern.exited;
  const [file = ""] = readdirSync(join(postern.folder, "state")).filter((name) => name.startsWith("inventory-"));
  expect(readFileSync(join(postern.folder, "state", file), "utf8")).toContain('["{date}","{uuid}","delete"]');
});
