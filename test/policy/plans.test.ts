import { describe, expect, test } from "vitest";
import type { Denial } from "../../src/decision/verdict.ts";
import type { Principal } from "../../src/message/principal.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, routeOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const KEYS = `callers:
  - { name: acme, plan: gold, keys: [{ sha256: ${"a".repeat(64)} }] }
  - { name: umbrella, keys: [{ sha256: ${"b".repeat(64)}, plan: free }] }
`;

function policy(plan: string, plans = "{ gold: [perCaller], free: [{ perCaller: { rate: 3/hour } }, daily] }"): string {
  return policyWith(`authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
limits:
  perCaller: { rate: 6/hour, key: principal }
  daily: { rate: 2/hour, key: [principal, request.method] }
plans: ${plans}
routes:
  - { path: /, authenticate: [partners], limit: ${plan} }
`);
}

const caller = (parts: Partial<Principal> & { readonly id: string }): Principal =>
  createPrincipal({ authenticator: "partners", type: "api-key", ...parts, key: `partners/${parts.id}` });

/** How many of 20 GETs and POSTs in turn pass, and what denies the last of them. */
async function passing(snapshot: Snapshot, principal: Principal | null): Promise<readonly [number, string | null]> {
  const checks = routeOf(snapshot, "/").checks.filter(({ name }) => name === "limit");
  let passed = 0;
  let last: Denial | null = null;
  for (let at = 0; at < 20; at++) {
    const exchange = createExchange({ principal, method: at % 2 === 0 ? "GET" : "POST" });
    last = null;
    for (const check of checks) {
      last ??= await check.evaluate(exchange);
      if (last !== null) break;
    }
    if (last === null) passed++;
    else exchange.giveBack();
  }
  return [passed, last?.place?.path ?? null];
}

const files = { "keys.yaml": KEYS };
const FROM = "[{ plan: { from: principal.claims.plan, default: free } }]";

describe("the plan of a caller", () => {
  test("is what its claim names, else the default", async () => {
    const snapshot = await snapshotOf(policy(FROM), files);
    expect(await passing(snapshot, caller({ id: "a", claims: { plan: "gold" } }))).toEqual([6, "limits.perCaller"]);
    expect((await passing(snapshot, caller({ id: "b" })))[0]).toBe(3);
    expect((await passing(snapshot, caller({ id: "c", claims: { plan: "platinum" } })))[0]).toBe(3);
    expect((await passing(snapshot, caller({ id: "d", claims: { plan: ["gold"] } })))[0]).toBe(3);
    expect((await passing(snapshot, null))[0]).toBe(3);
  });

  test("is what its entry in the file names, whatever its claims say", async () => {
    const snapshot = await snapshotOf(policy(FROM), files);
    expect((await passing(snapshot, caller({ id: "a", plan: "gold", claims: { plan: "free" } })))[0]).toBe(6);
  });

  test("may go by role, the first that it has", async () => {
    const snapshot = await snapshotOf(
      policy("{ plan: { roles: { vip: gold, staff: free }, default: unlimited } }"),
      files,
    );
    expect((await passing(snapshot, caller({ id: "a", claims: { roles: ["staff", "vip"] } })))[0]).toBe(6);
    expect((await passing(snapshot, caller({ id: "b", claims: { roles: ["staff"] } })))[0]).toBe(3);
    expect(await passing(snapshot, caller({ id: "c" }))).toEqual([20, null]);
  });

  test("is the policy's word on this one caller before all else, and exempt callers have none", async () => {
    const snapshot = await snapshotOf(
      policy(
        "[{ plan: { from: principal.claims.plan, default: free, exempt: [partners/monitor], overrides: { partners/big: gold } } }]",
      ),
      files,
    );
    expect((await passing(snapshot, caller({ id: "big", plan: "free", claims: { plan: "free" } })))[0]).toBe(6);
    expect((await passing(snapshot, caller({ id: "monitor", plan: "free" })))[0]).toBe(20);
    expect((await passing(snapshot, createPrincipal({ id: "monitor" })))[0]).toBe(3);
  });

  test("where there is none the request is denied, if the policy says so", async () => {
    const snapshot = await snapshotOf(policy("[{ plan: { from: principal.claims.plan, default: deny } }]"), files);
    const checks = routeOf(snapshot, "/").checks.filter(({ name }) => name === "limit");
    const verdicts = await Promise.all(
      checks.map((check) => check.evaluate(createExchange({ principal: caller({ id: "x" }) }))),
    );
    expect(verdicts.filter((one) => one !== null)).toMatchObject([
      { reason: "plan_missing", place: { path: "routes[0].limit[0].plan" } },
    ]);
  });

  test("counts in one place: who changes to another plan takes along what is used up", async () => {
    const snapshot = await snapshotOf(policy(FROM), files);
    expect((await passing(snapshot, caller({ id: "a", claims: { plan: "gold" } })))[0]).toBe(6);
    expect((await passing(snapshot, caller({ id: "a", claims: { plan: "free" } })))[0]).toBe(0);
  });

  test("is told by explain, with the limit", async () => {
    const snapshot = await snapshotOf(policy(FROM), files);
    const exchange = createExchange({ principal: caller({ id: "a", plan: "gold" }) });
    const told = [];
    for (const check of routeOf(snapshot, "/").checks.filter(({ name }) => name === "limit")) {
      await check.evaluate(exchange);
      told.push(check.explain(exchange));
    }
    expect(told).toEqual([
      "plan gold: rate 6/hour, burst 6 for principal partners/a, counted by this process, 5 left",
      "'perCaller' as another plan has it, which is not the caller's",
      "'daily' is not in the caller's plan",
    ]);
  });
});

describe("what is wrong with plans has its place", () => {
  test.each([
    [policy("[{ plan: { from: jwt.plan, default: fre } }]"), /13:\d+ no plan 'fre' is defined; did you mean 'free'\?/],
    [policy(FROM, "{ gold: [perCaler], free: [daily] }"), /no limit 'perCaler' is defined; did you mean 'perCaller'\?/],
    [policy(FROM, "{ gold: [perCaller, perCaller], free: [daily] }"), /stands here twice/],
    [policy(FROM, "{ gold: [{ perCaller: { key: route } }], free: [daily] }"), /'key' is the same in all plans/],
    [policy(FROM, "{ gold: [{ perCaller: { rat: 5/second } }], free: [daily] }"), /unknown key 'rat'/],
    [policy("[{ plan: { default: free } }, { plan: { default: gold } }]"), /a caller has one plan/],
    [policy("[{ plan: { from: body.plan, default: free } }]"), /not known yet/],
    [policy("[{ plan: { default: free, exempt: [monitor] } }]"), /AUTHENTICATOR\/ID/],
  ])("%#", async (text, problem) => {
    expect(await problemsOf(text, files)).toEqual([expect.stringMatching(problem)]);
  });

  test("a plan that a file names has to be there", async () => {
    const keys = { "keys.yaml": KEYS.replace("plan: gold", "plan: silver") };
    expect(await problemsOf(policy(FROM), keys)).toEqual([
      expect.stringMatching(/keys\.yaml:2:\d+ the policy has no plan of this name/),
    ]);
  });

  test("a plan that a client could choose itself is a warning", async () => {
    const text = policy(`[{ plan: { from: 'request.headers["x-plan"]', default: free } }]`);
    expect(await warningsOf(text, files)).toContainEqual(expect.stringContaining("a client can choose"));
  });

  test.each([
    ["[perCaller, { plan: { default: free } }]", "", /'perCaller' is in plan 'gold' as well, and would count twice/],
    ["[daily, { plan: { default: free } }]", "", /'daily' is in plan 'free' as well, and would count twice/],
    ["{ plan: { default: free } }", "[daily]", /'daily' applies from 'defaults' already, and .* who has plan 'free'/],
    ["[daily]", "{ plan: { default: gold } }", /'daily' is in plan 'free' as well/],
    ["{ plan: { default: free } }", "{ plan: { default: gold } }", /'defaults' says already who has which plan/],
    ["[]", "[perCaller, { plan: { default: gold } }]", /'perCaller' is in plan 'gold' as well/],
  ])("limits that a plan would count twice: %s and in defaults %s", async (own, shared, problem) => {
    const defaults = shared === "" ? "" : `defaults: { limit: ${shared} }\n`;
    const text = own === "[]" ? policy(FROM).replace(`, limit: ${FROM}`, "") : policy(own);
    expect(await problemsOf(text.replace("routes:", `${defaults}routes:`), files)).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  test("a plan that a file names is a warning where no route goes by plans", async () => {
    const told = expect.stringMatching(/keys\.yaml:2:\d+ no route goes by plans, so 'gold' limits nobody; expected/);
    expect(await warningsOf(policy("[perCaller]"), files)).toContainEqual(told);
    expect(await warningsOf(policy(FROM), files)).not.toContainEqual(told);
    const shared = policy("[]").replace(", limit: []", "").replace("routes:", `defaults: { limit: ${FROM} }\nroutes:`);
    expect(await warningsOf(shared, files)).not.toContainEqual(told);
  });
});
