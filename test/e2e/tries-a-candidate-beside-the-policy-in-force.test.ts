// Goal: an edit that would deny is seen on real requests before the swap, at a bounded cost, and nothing of it acts on anybody.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeAll } from "../fixtures/closing.ts";
import { eventually } from "../fixtures/eventually.ts";
import { type LivePostern, startLivePostern, terminalOf } from "../fixtures/live-postern.ts";
import { startService } from "../fixtures/postern.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/candidate.md"), "utf8");
const policy = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const next = policy
  .split("\n")
  .filter((line) => !line.startsWith("candidate:"))
  .join("\n")
  .replace(/\n$/, "\n    authorize: { scopes: ['orders:read'] }\n");
const KEY = "pk_0123456789abcdef0123456789";
const FILES = {
  "policy.yaml": policy,
  "next.yaml": next,
  "admin.token": "0123456789abcdef0123456789abcdef\n",
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`,
};

interface Shown {
  readonly hash: string | null;
  readonly problems: readonly string[];
  readonly notTried: readonly string[];
  readonly requests: Readonly<Record<string, number>>;
  readonly differences: readonly { readonly live: string; readonly candidate: string; readonly count: number }[];
}

let postern: LivePostern;
let arrived: readonly { readonly headers: Readonly<Record<string, unknown>> }[];

beforeAll(async () => {
  const service = await startService();
  arrived = service.arrived;
  postern = await startLivePostern(FILES, service.port);
  await shownUntil(({ hash }) => hash !== null);
});
afterAll(closeAll);

const ask = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${postern.url}${path}`, { headers });
const shown = async (): Promise<Shown> => (await fetch(`${postern.admin}/candidate`)).json() as Promise<Shown>;

function shownUntil(holds: (shown: Shown) => boolean): Promise<Shown> {
  return eventually(async () => {
    const response = await fetch(`${postern.admin}/candidate`);
    const one = response.ok ? ((await response.json()) as Shown) : null;
    return one !== null && holds(one) ? one : null;
  });
}

const judged = ({ requests }: Shown): number => Object.values(requests).reduce((sum, one) => sum + one, 0);

async function writeNext(text: string): Promise<void> {
  const before = (await shown()).hash;
  postern.write("next.yaml", text);
  await shownUntil(({ hash }) => hash !== before);
}

test("what the edit would deny is seen, and everybody is served as before", async () => {
  for (let at = 0; at < 3; at++)
    expect((await ask(`/v1/orders/${at}?token=hunter2`, { "x-api-key": KEY })).status).toBe(200);
  for (let at = 0; at < 3; at++) expect((await ask("/health")).status).toBe(200);
  expect((await ask("/v1/orders/7", { "x-api-key": "pk_of_nobody_0000000000000000" })).status).toBe(401);
  expect(await shownUntil((one) => judged(one) === 7)).toMatchObject({
    requests: { same: 4, different: 3, unknown: 0 },
    notTried: [],
    differences: [{ live: "allow", candidate: "scope_missing", count: 3, route: "/v1/orders/{orderId}" }],
  });
  expect(arrived).toHaveLength(6);
});

test("the command shows it as the page does, and says by its exit code that there is a difference", async () => {
  const told = await postern.command("candidate", "--policy", "policy.yaml");
  const timeless = (text: string): string => text.replace(/such as {3}GET \S+/, "such as   GET ID");
  expect({ ...told, out: timeless(told.out) }).toEqual({
    code: 1,
    err: "",
    out: timeless(terminalOf(page, "postern candidate --policy policy.yaml")),
  });
});

test("nothing that clients sent is in what is told of it", async () => {
  const told = [
    JSON.stringify(await shown()),
    await (await fetch(`${postern.admin}/metrics`)).text(),
    postern.sink
      .events("candidate")
      .map((line) => JSON.stringify(line))
      .join(""),
  ].join("\n");
  for (const secret of [KEY, "hunter2", "of_nobody", "/v1/orders/0"]) expect(told).not.toContain(secret);
  expect(told).toMatch(
    /postern_candidate_differences_total\{route="\/v1\/orders\/\{orderId\}",live="allow",candidate="scope_missing"\} 3/,
  );
});

test("its limits count for nobody, its services are asked by nobody, and what they would say is not known", async () => {
  const decide = next
    .replace(
      "routes:",
      "decisionServices: { opa: { type: opa, url: 'http://127.0.0.1:9/v1/data/a' } }\nlimits: { one: { rate: 1/hour, key: client.address } }\nroutes:",
    )
    .replace("authorize: { scopes: ['orders:read'] }", "decide: [opa]\n    limit: [one]");
  await writeNext(decide);
  for (let at = 0; at < 5; at++) expect((await ask("/v1/orders/1", { "x-api-key": KEY })).status).toBe(200);
  expect(await shownUntil((one) => judged(one) === 5)).toMatchObject({
    requests: { unknown: 5, different: 0 },
    unknown: [
      { key: "what was counted before it began", count: 4 },
      { key: "a decision service", count: 1 },
    ],
    differences: [],
    refusals: [],
    untried: [{ route: "/v1/orders/{orderId}", checks: [{ check: "decide" }] }],
  });
  const policyPage = (await (await fetch(`${postern.admin}/policy`)).json()) as { resources: readonly unknown[] };
  expect(policyPage.resources).toEqual([]);
});

test("a client that asks without end takes no more than its share of the processor, and the rest is left out", async () => {
  const live = policy.replace("cpuShare: 10%", "cpuShare: 0%");
  postern.write("policy.yaml", live);
  postern.daemon.reload();
  await postern.daemon.reloadSettled();
  await writeNext(next.replace("orders:read", "orders:admin"));
  for (let round = 0; (await shown()).requests["budget"] === 0; round++) {
    await Promise.all(Array.from({ length: 40 }, () => ask("/v1/orders/1", { "x-api-key": KEY })));
    if (round > 400) throw new Error("its time is never over");
  }
  const { spentMs } = (await shown()) as Shown & { readonly spentMs: number };
  // The burst, and the judgement that ended it.
  expect(spentMs).toBeLessThan(200);
});

test("its problems change nothing, and are told", async () => {
  await writeNext(next.replace("version: 1", "version: 7"));
  const { problems, hash } = await shown();
  expect([hash, problems]).toEqual([null, [expect.stringContaining("next.yaml:1:10")]]);
  expect((await ask("/v1/orders/1", { "x-api-key": KEY })).status).toBe(200);
  const { candidate, stale } = (await (await fetch(`${postern.admin}/policy`)).json()) as Record<string, unknown>;
  expect([stale, candidate]).toEqual([false, expect.objectContaining({ hash: null })]);
  expect(await (await fetch(`${postern.admin}/metrics`)).text()).toMatch(/postern_candidate_refused\{?\}? 1/);
  const told = await postern.command("candidate", "--policy", "policy.yaml");
  expect([told.code, told.out]).toEqual([1, expect.stringContaining("it judges nothing")]);
});

test("promoting needs the token, is one rename, keeps the old text, and from then on counts", async () => {
  await writeNext(next);
  const before = readFileSync(join(postern.folder, "policy.yaml"), "utf8");
  const [, port = ""] = postern.admin.split("http://");
  const refused = await postern.command("candidate", "promote", "--address", port);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("401")]);
  const done = await postern.command("candidate", "promote", "--policy", "policy.yaml");
  expect([done.code, done.err, done.out.replace(/[0-9a-f]{16}/, "0123456789abcdef")]).toEqual([
    0,
    "",
    terminalOf(page, "postern candidate promote --policy policy.yaml"),
  ]);
  expect((await ask("/v1/orders/1", { "x-api-key": KEY })).status).toBe(403);
  expect(readFileSync(join(postern.folder, "policy.yaml.previous"), "utf8")).toBe(before);
  expect(readFileSync(join(postern.folder, "policy.yaml"), "utf8")).toContain("orders:read");
  expect(existsSync(join(postern.folder, "policy.yaml.next~"))).toBe(false);
  expect((await fetch(`${postern.admin}/candidate`)).status).toBe(404);
});
