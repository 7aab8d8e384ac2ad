// Goal: who has the token has a check stand on another step of the ladder for a while: over edits of the file, never longer than it
// was to, and never so that somebody is let in whom no authenticator knows. Method: docs/ladder.md before a real service.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { closeAll } from "../fixtures/closing.ts";
import { eventually } from "../fixtures/eventually.ts";
import { type LivePostern, startLivePostern, terminalOf } from "../fixtures/live-postern.ts";
import { startService } from "../fixtures/postern.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/ladder.md"), "utf8");
const policy = /```yaml\n(version: 1\n[\s\S]*?)```/.exec(page)?.[1] ?? "";
const TOKEN = "0123456789abcdef0123456789abcdef";
const KEY = "pk_0123456789abcdef0123456789";
const SHA256 = createHash("sha256").update(KEY).digest("hex");
const FILES = {
  "policy.yaml": policy,
  "admin.token": `${TOKEN}\n`,
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${SHA256}" }] }]`,
};

let postern: LivePostern;

beforeAll(async () => {
  const { port } = await startService();
  postern = await startLivePostern(FILES, port);
});
afterAll(closeAll);

beforeEach(async () => {
  await ladder("clear");
  await load(policy);
});

const ask = async (path = "/orders", key: string | null = KEY): Promise<number> => {
  const response = await fetch(`${postern.url}${path}`, { headers: key === null ? {} : { "x-api-key": key } });
  await response.arrayBuffer();
  return response.status;
};

const ladder = (...words: readonly string[]) => postern.command("ladder", ...words, "--policy", "policy.yaml");

const act = (name: string, settings: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${postern.admin}/ladder/${name}`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(settings),
  });

/** Another text of the policy, loaded, whatever came of it. */
async function load(text: string): Promise<void> {
  postern.write("policy.yaml", text);
  postern.daemon.reload();
  await postern.daemon.reloadSettled();
}

const names = (): unknown[] => postern.daemon.status.steps.map(({ check }) => check);
const isOver = (): boolean => names().length === 0;
const withoutTimes = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME");

test("what refuses is audited by the place that its denial tells, as the page shows it, and refuses again when somebody says so", async () => {
  expect(await ask()).toBe(403);
  expect(JSON.stringify(postern.sink.lines)).toMatch(/policy\.yaml:12:26"/);

  const command = "postern ladder set policy.yaml:12:26 audit --for 1h --policy policy.yaml";
  const set = await postern.command(...command.split(" ").slice(1));
  expect(set).toMatchObject({ code: 0, err: "" });
  expect(withoutTimes(set.out)).toBe(withoutTimes(terminalOf(page, command)));
  expect(await ask()).toBe(200);
  const { out } = await ladder();
  expect(out).toContain(set.out);
  expect(out).toContain("would have denied 1 request: scope_missing (1)");
  expect((await ladder("unset", "authorize of GET /orders")).code).toBe(0);
  expect(await ask()).toBe(403);
});

test("policy, log, audit log and metrics tell of it, with who asked", async () => {
  await ladder("set", "routes[0].authorize", "5%");
  const shown = { check: "authorize of GET /orders", mode: "enforce: 5%", was: "enforce", routes: ["/orders"] };
  expect(await (await fetch(`${postern.admin}/policy`)).json()).toMatchObject({ steps: [shown] });
  expect(await (await fetch(`${postern.admin}/ladder`)).json()).toMatchObject({ steps: [shown] });
  expect(postern.sink.events("ladder_step").at(-1)).toMatchObject({ state: "set", ...shown });
  expect(postern.sink.events("admin_act").at(-1)).toMatchObject({
    act: "/ladder/set",
    result: "done",
    client: "127.0.0.1",
    ...shown,
  });
  const metrics = async (): Promise<string> => (await fetch(`${postern.admin}/metrics`)).text();
  expect(await metrics()).toContain("\npostern_ladder_steps 1\n");
  expect(JSON.stringify(await (await fetch(`${postern.admin}/status`)).json())).toContain(
    JSON.stringify({ path: "/ladder", acts: [{ name: "set", asks: ["check", "mode", "for"] }] }).slice(0, -2),
  );
  await ladder("clear");
  expect(postern.sink.events("ladder_step").at(-1)).toMatchObject({ state: "ended", why: null });
  expect(await metrics()).toContain("\npostern_ladder_steps 0\n");
});

test("it ends by itself, though the file on disk is broken meanwhile", async () => {
  expect((await ladder("set", "authorize of GET /orders", "off", "--for", "1s")).code).toBe(0);
  expect(await ask()).toBe(200);
  await load("version: 1\nroutes: {}\n");
  expect(postern.daemon.status.stale).toBe(true);
  await eventually(isOver);
  expect(await ask()).toBe(403);
  expect(postern.sink.events("ladder_step").at(-1)).toMatchObject({ state: "ended", why: "its time is over" });
  const refused = await ladder("set", "limits.perCaller", "audit", "--address", postern.admin.replace("http://", ""));
  expect(refused.code).not.toBe(0);
  expect(await (await act("set", { check: "limits.perCaller", mode: "audit" })).text()).toContain(
    "the policy does not compile with it",
  );
});

test("each ends in its own time; where the file is broken by then, none lasts longer than it was to", async () => {
  await ladder("set", "limits.perCaller", "audit", "--for", "1h");
  await ladder("set", "authorize of GET /orders", "audit", "--for", "1s");
  await eventually(() => names().length === 1);
  expect(names()).toEqual(["limits.perCaller"]);
  expect(await ask()).toBe(403);
  await ladder("set", "authorize of GET /orders", "audit", "--for", "1s");
  await load("version: 1\nroutes: {}\n");
  await eventually(isOver);
  expect(await ask()).toBe(403);
  expect(postern.sink.events("ladder_step").slice(-2)).toMatchObject([
    { check: "limits.perCaller", why: expect.stringContaining("another step is over, and this one cannot stay") },
    { check: "authorize of GET /orders", why: "its time is over" },
  ]);
});

test("who sets it again has more time, and another step stands in place of the first", async () => {
  await ladder("set", "authorize of GET /orders", "off", "--for", "1m");
  const until = (): number => Date.parse(String(postern.daemon.status.steps[0]?.["until"]));
  const before = until();
  expect((await ladder("set", "routes[0].authorize", "off", "--for", "2h")).code).toBe(0);
  expect(until() - before).toBeGreaterThan(3_600_000);
  await ladder("set", "authorize of GET /orders", "audit", "--for", "1m");
  expect(postern.daemon.status.steps).toMatchObject([{ mode: "audit", was: "enforce" }]);
  await ladder("unset", "routes[0].authorize");
  expect(await ask()).toBe(403);
});

test("it goes with its check through edits of the file, and ends where the check is gone", async () => {
  await ladder("set", "authorize of GET /orders", "audit");
  const more = "  - { path: /invoices, authenticate: [partners], authorize: { scopes: ['invoices:read'] } }\n";
  await load(policy.replace("routes:\n", `routes:\n${more}`));
  expect(await ask()).toBe(200);
  // It has not gone to what stands where its check stood.
  expect(await ask("/invoices")).toBe(403);
  expect(names()).toEqual(["authorize of GET /orders"]);
  await load(policy.replace(/ {4}authorize: .*\n/, ""));
  expect(isOver()).toBe(true);
  expect(postern.sink.events("ladder_step").at(-1)).toMatchObject({ why: "the policy has the check no more" });
  await load(policy);
  expect(await ask()).toBe(403);
});

test("a limit keeps what it has counted, on whichever step it stands", async () => {
  const limited = policy
    .replace(/ {4}authorize: .*\n/, "")
    .replace("perCaller: {", "ownCount: {")
    .replace("[perCaller]", "[ownCount]");
  await load(limited);
  for (let at = 0; at < 4; at++) expect(await ask()).toBe(200);
  expect(await ask()).toBe(429);
  expect((await ladder("set", "limits.ownCount", "audit")).code).toBe(0);
  expect(await ask()).toBe(200);
  expect((await ladder("unset", "limits.ownCount")).out).toBe("limits.ownCount stands where the policy has it\n");
  expect(await ask()).toBe(429);
});

test("with a rollback it is the policy of before that runs, as its file had it", async () => {
  await load(policy.replace("orders:read", "orders:write"));
  await ladder("set", "authorize of GET /orders", "audit");
  expect(await ask()).toBe(200);
  expect((await postern.command("rollback", "--policy", "policy.yaml")).code).toBe(0);
  expect([await ask(), isOver()]).toEqual([403, true]);
  expect(postern.sink.events("ladder_step").at(-1)).toMatchObject({ why: "the policy was taken back" });
});

test("who has the token lets nobody in without a credential, and who has none, or a page of another site, sets nothing", async () => {
  for (const mode of ["audit", "off", "5%"]) {
    const response = await act("set", { check: "authenticate of GET /orders", mode });
    expect([response.status, await response.text()]).toEqual([409, expect.stringContaining("not lowered here")]);
  }
  expect(await ask("/orders", null)).toBe(401);
  const wish = { check: "authorize of GET /orders", mode: "audit" };
  expect((await act("set", wish, { authorization: "Bearer no-token-of-this-policy" })).status).toBe(401);
  expect((await act("set", wish, { origin: "https://other.example" })).status).toBe(403);
  expect(isOver()).toBe(true);
});

test("an edit that asks for a credential of everybody does, though 'authenticate' stood on another step until then", async () => {
  const open = policy.replace(/ {4}authorize: .*\n/, "").replace("[partners]\n", "{ any: [partners], mode: audit }\n");
  await load(open);
  expect(await ask("/orders", null)).toBe(200);
  expect((await ladder("set", "authenticate of GET /orders", "5%")).code).toBe(0);
  await load(open.replace("mode: audit", "mode: enforce"));
  expect(await ask("/orders", null)).toBe(401);
  expect(isOver()).toBe(true);
  expect(postern.sink.events("ladder_step").at(-1)).toMatchObject({ why: expect.stringContaining("'authenticate'") });
});

test("of many that are asked for at once so many are set as there is room for, and each of them may have more time", async () => {
  const all = Array.from({ length: DEFAULTS.ladderStepsMax + 1 }, (_, at) => `own${at}`);
  const limits = all.map((name) => `  ${name}: { rate: 4/hour, key: client.address }\n`).join("");
  const routes = all.map((name) => `  - { path: /${name}, public: true, limit: [${name}] }\n`).join("");
  await load(policy.replace(/limits: .*\n/, `limits:\n${limits}`).replace(/routes:[\s\S]*/, `routes:\n${routes}`));
  const set = (name: string) => act("set", { check: `limits.${name}`, mode: "audit" });
  const statuses = await Promise.all(all.map(async (name) => (await set(name)).status));
  expect(statuses.filter((status) => status === 200)).toHaveLength(DEFAULTS.ladderStepsMax);
  expect(statuses).toContain(409);
  expect((await act("set", { check: names()[0], mode: "audit" })).status).toBe(200);
  expect(names()).toHaveLength(DEFAULTS.ladderStepsMax);
});

test.each([
  [{ check: "authorize of GET /nothing", mode: "audit" }, 404, "has no check"],
  [{ check: "policy.yaml:9", mode: "audit" }, 404, "has no check"],
  [{ check: "limits.nobody", mode: "audit" }, 409, "has no 'mode'"],
  [{ check: "response of GET /orders", mode: "audit" }, 409, "has no 'mode'"],
  [{ check: "authorize of GET /orders", mode: "enforce" }, 409, "on this step already"],
  [{ check: "authorize of GET /orders", mode: "loosely" }, 400, "expected 'mode'"],
  [{ check: "authorize of GET /orders", mode: "101%" }, 400, "expected 'mode'"],
  [{ check: "authorize of GET /orders", mode: "audit", for: "25h" }, 400, "1s to 24h"],
  [{ check: "authorize of GET /orders", mode: "audit", for: "soon" }, 400, "not a duration"],
  [{ mode: "audit" }, 400, "expected 'check'"],
])("%j is refused: %s, %s", async (settings, status, text) => {
  const response = await act("set", settings);
  expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(text)]);
  expect(isOver()).toBe(true);
});
