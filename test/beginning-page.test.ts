// Goal: what docs/beginning.md and docs/ladder.md show is what happens before a real service that nobody wrote a policy for.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeAll } from "./fixtures/closing.ts";
import { eventually } from "./fixtures/eventually.ts";
import { type LivePostern, startLivePostern, terminalOf } from "./fixtures/live-postern.ts";
import { startRealService } from "./fixtures/real-service.ts";

const page = (name: string): string => readFileSync(resolve(import.meta.dirname, `../docs/${name}.md`), "utf8");
const policy = /```yaml\n([\s\S]*?)```/.exec(page("beginning"))?.[1] ?? "";
const KEY = "pk_0123456789abcdef0123456789";
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`;

let postern: LivePostern;

beforeAll(async () => {
  const { port } = await startRealService("gunicorn+flask");
  postern = await startLivePostern({ "policy.yaml": policy, "keys.yaml": KEYS }, port);
});
afterAll(closeAll);

const metricsNow = async (): Promise<string> => (await fetch(`${postern.admin}/metrics`)).text();

const ask = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${postern.url}${path}`, { headers });

test("everything passes, and the ladder tells what would not have", async () => {
  for (let at = 0; at < 21; at++) expect((await ask(`/public/page-${at}`)).status).toBe(200);
  for (let at = 0; at < 3; at++) expect((await ask("/admin/panel", { "user-agent": "sqlmap/1.7" })).status).toBe(200);
  expect((await ask("/public/page", { "x-api-key": KEY })).status).toBe(200);
  // The service's own answer, and not ours.
  expect((await ask("/nowhere")).status).toBe(404);
  // A client has its answer before it is counted.
  await eventually(async () => (await metricsNow()).includes('reason="credentials_missing"} 25'));
});

test("the ladder is as both pages show it, for people and for machines", async () => {
  const told = await postern.command("ladder", "--policy", "policy.yaml");
  expect(told).toMatchObject({ code: 0, err: "" });
  for (const name of ["beginning", "ladder"]) {
    expect(told.out, name).toBe(terminalOf(page(name), "postern ladder --policy policy.yaml"));
  }
  const { out } = await postern.command("ladder", "--policy", "policy.yaml", "--json");
  expect(JSON.parse(out).checks).toContainEqual(
    expect.objectContaining({
      check: "bots",
      mode: "audit",
      denials: 3,
      callers: { list: [{ key: "127.0.0.1", count: 3 }], other: 0 },
    }),
  );
});

test("metrics and log tell it by caller, and nothing of the key", async () => {
  const metrics = await metricsNow();
  expect(metrics).toMatch(/postern_ladder_denials_total\{check="bots",rule="defaults.bots"\} 3/);
  expect(metrics).toMatch(/postern_ladder_caller_denials\{check="bots",rule="defaults.bots",caller="127.0.0.1"\} 3/);
  expect(metrics).toMatch(
    /postern_audited_denials_total\{route="\/\*\*",check="authenticate",reason="credentials_missing"\} 25/,
  );
  const [first] = postern.sink.events("would_deny");
  expect(first).toMatchObject({
    check: "authenticate",
    reason: "credentials_missing",
    caller: "127.0.0.1",
    route: "/**",
  });
  expect(postern.sink.raw.join("") + metrics).not.toContain(KEY);
});

test("one step up, a share of callers is refused, and the same one again", async () => {
  postern.write(
    "policy.yaml",
    policy.replace("deny: [scanners], mode: audit", "deny: [scanners], mode: { enforce: 50% }"),
  );
  postern.daemon.reload();
  await postern.daemon.reloadSettled();
  const statuses = new Set<number>();
  for (let at = 0; at < 8; at++) statuses.add((await ask("/public/page", { "user-agent": "sqlmap/1.7" })).status);
  expect(statuses.size).toBe(1);
});
