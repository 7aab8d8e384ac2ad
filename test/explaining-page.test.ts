// Goal: what docs/explaining.md shows of a running postern is what the command says.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { main } from "../src/main.ts";
import { systemClock } from "../src/support/clock.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { eventually, type PolicyPorts, type Postern, startPostern, startService } from "./fixtures/postern.ts";
import { PUBLIC_ROUTE, policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/explaining.md"), "utf8");
const [policy = "", ...parts] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const shown = [...page.matchAll(/```\n\$ (.*)\n([\s\S]*?)```/g)].map((match) => [match[1] ?? "", match[2] ?? ""]);
const KEY = "key-0123456789abcdef";
let postern: Postern;

beforeAll(async () => {
  const service = await startService();
  const ports = ({ port, admin, app }: PolicyPorts): string =>
    policy.replace(":8080", `:${port}`).replace(":9901", `:${admin}`).replace(":3000", `:${app}`);
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  postern = await startPostern(service.port, ports, {
    "admin.token": "admin-0123456789abcdef0123456789abcdef",
    "keys.yaml": `callers: [{ name: acme, scopes: ["orders:read"], keys: [{ sha256: "${sha256}" }] }]`,
  });
});

async function ask(path: string): Promise<string> {
  const response = await fetch(`http://localhost:${postern.port}${path}`, {
    headers: { "X-Api-Key": KEY, Accept: "*/*", "User-Agent": "curl/8.5.0" },
  });
  const { id } = (await response.json()) as { id?: string };
  return String(id);
}

/** Runs a command of the page; words in single quotes are one. */
function run(command: string) {
  const [, ...args] = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  const out = { stdout: "" };
  const io = {
    stdout: (text: string) => {
      out.stdout += text;
    },
    stderr: () => {},
    cwd: postern.folder,
    clock: systemClock,
  };
  return { code: main(args, io), out };
}

/** What differs from run to run, in the words of the page. */
function timeless(text: string): string {
  return text
    .replaceAll(`${postern.folder}/`, "/etc/postern/")
    .replaceAll(/\b[\w-]{8}-\w{1,3}(?= )/g, "uV3kq0Zt-1x")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-11-30T09:12:44.031Z")
    .replaceAll(/^\d\d:\d\d:\d\d\.\d{3}/gm, "09:12:44.031")
    .replaceAll(/ +[\d.]+ (µs)/g, " 0 $1")
    .replaceAll(/[\d.]+ (ms)/g, "0 $1")
    .replaceAll(/policy [\da-f]{16}/g, "policy 0123456789abcdef")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:0");
}

function shownFor(command: string): string {
  const found = shown.find(([line]) => line?.includes(command));
  return timeless(found?.[1] ?? "");
}

function lineOf(word: string): string {
  return shown.find(([line]) => line?.includes(word))?.[0] ?? "";
}

test("a decision by its id", async () => {
  const id = await ask("/v1/reports?year=2026");
  await eventually(
    () => postern.admins(`/decisions?id=${id}`),
    ({ status }) => status === 200,
  );
  const { code, out } = run(lineOf("policy.yaml ID").replace("ID", id));
  expect(await code).toBe(1);
  expect(timeless(out.stdout)).toBe(shownFor("policy.yaml ID"));
});

test("the next one, with each check", async () => {
  const { code, out } = run(lineOf("--next"));
  let exit: number | null = null;
  void code.then((value) => {
    exit = value;
  });
  await eventually(
    async () => {
      await ask("/v1/orders/42");
      return exit;
    },
    (value) => value !== null,
  );
  expect(await code).toBe(0);
  expect(timeless(out.stdout)).toBe(shownFor("--next"));
});

test("denials as they come", async () => {
  const { out } = run(lineOf("--watch"));
  await eventually(
    async () => {
      await ask("/v1/reports");
      return out.stdout;
    },
    (text) => text.includes("\n"),
  );
  expect(timeless(out.stdout.split("\n")[0] ?? "")).toBe(shownFor("--watch").trimEnd());
});

test("a pasted URL, beforehand", async () => {
  const { code, out } = run(lineOf("--as"));
  expect(await code).toBe(1);
  expect(timeless(out.stdout)).toBe(shownFor("--as"));
});

test("its other blocks are parts of policies, and its numbers the product's", async () => {
  for (const part of parts)
    expect(await problemsOf(`${policyWith(PUBLIC_ROUTE)}\n${part}`, { "debug.key": "k".repeat(64) })).toEqual([]);
  expect(page).toContain(`the last ${DEFAULTS.decisionsKept} denials`);
  expect(page).toContain(`one in ${DEFAULTS.decisionsSampleOneIn} of other requests`);
  expect(page).toContain(`at most ${DEFAULTS.traceMsMax / 1000} seconds`);
});
