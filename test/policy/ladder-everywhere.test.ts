// Goal: whatever can refuse climbs the one ladder, by the same words; what is new in the registry has to say how.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { REGISTRY } from "../../src/filters/index.ts";
import { PART_NAMES } from "../../src/filters/response/parts.ts";
import { ladderChecks, targetName, targetsOf } from "../../src/policy/ladder-checks.ts";
import type { LadderCheck, Snapshot } from "../../src/policy/snapshot.ts";
import { policyWith, snapshotOf, snapshotOnSteps } from "./policy-kit.ts";

const SHA256 = createHash("sha256").update("test-key").digest("hex");
const FILES = {
  "keys.yaml": `callers: [{ name: acme, limit: own, keys: [{ sha256: '${SHA256}' }] }]\n`,
  "nobody.conf": 'SecRule ARGS "@contains attack" "id:1,phase:2,deny"\n',
};
const KEYS =
  "authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }\nlimits: { own: { rate: 9/hour, key: principal } }";

/** Of a section of the policy that holds `MODE` once, and the name of the check that it makes. */
type Case = readonly [check: string, text: string];

const route = (more: string): string => `routes: [{ path: /a, public: true, ${more} }]`;
const known = (more: string): string => `${KEYS}\nroutes: [{ path: /a, authenticate: [keys], ${more} }]`;
const limit = (settings: string): Case => [
  "limit",
  `limits: { one: { ${settings}, mode: MODE } }\n${route("limit: [one]")}`,
];

/** Null: nothing of it refuses a request by itself. */
const FILTERS: Readonly<Record<string, Case | null>> = {
  priority: ["overload", `overload: { mode: MODE }\n${route("priority: low")}`],
  undeclared: ["undeclared", route("undeclared: MODE")],
  address: ["address", route("address: { deny: [192.0.2.0/24], mode: MODE }")],
  bots: ["bots", route("bots: { deny: [scanners], mode: MODE }")],
  authenticate: ["authenticate", `${KEYS}\nroutes: [{ path: /a, authenticate: { any: [keys], mode: MODE } }]`],
  deprecated: ["deprecated", route("deprecated: { sunset: 2020-01-01, mode: MODE }")],
  decide: [
    "decide",
    `decisionServices: { opa: { type: opa, url: http://127.0.0.1:8181/v1/data/a } }\n${route("decide: { by: [opa], mode: MODE }")}`,
  ],
  authorize: ["authorize", known("authorize: { scopes: [a], mode: MODE }")],
  limit: limit("rate: 1/hour, key: client.address"),
  validate: ["validate", route("validate: { contentType: [text/plain], mode: MODE }")],
  detect: ["detect", `detectors: { own: { rules: [nobody.conf] } }\n${route("detect: { by: [own], mode: MODE }")}`],
  websocket: ["websocket", route("websocket: { origins: ['https://a.example'], mode: MODE }")],
  rewrite: null,
  respond: null,
  redirect: null,
  request: null,
  response: ["maxBytes", route("response: { maxBytes: { max: 1KiB, mode: MODE } }")],
  cors: null,
};

const PARTS: Readonly<Record<string, Case | null>> = {
  maxBytes: ["maxBytes", route("response: { maxBytes: { max: 1KiB, mode: MODE } }")],
  maxItems: ["maxItems", route("response: { maxItems: { max: 10, mode: MODE } }")],
  maxDepth: ["maxDepth", route("response: { maxDepth: { max: 10, mode: MODE } }")],
  validate: ["validate", route("response: { validate: { status: [200], mode: MODE } }")],
  errors: ["errors", route("response: { errors: { status: [500], mode: MODE } }")],
  fields: ["fields", route("response: { fields: { remove: ['$.a'], mode: MODE } }")],
  mask: ["mask", route("response: { mask: { '$.a': { with: last4, mode: MODE } } }")],
  // Cookies lose attributes and names; no answer is refused for them.
  cookies: null,
  location: [
    "response.location",
    route("response: { location: { allow: ['https://login.example.org'], mode: MODE } }"),
  ],
  leaks: ["leaks", route("response: { leaks: { cards: block, mode: MODE } }")],
};

const LIMITS: Readonly<Record<string, Case>> = {
  rate: limit("rate: 1/hour, key: client.address"),
  bandwidth: limit("bandwidth: 1KiB/s, key: client.address"),
  budget: limit("budget: 10/day, key: client.address, cost: 1"),
  distinct: limit("distinct: { of: 'query.a', per: client.address, limit: 3, window: 10m }"),
  quota: limit("quota: 10/day, key: client.address"),
  concurrency: limit("concurrency: 4, key: client.address"),
};

/** What refuses beside them. */
const OTHERS: Readonly<Record<string, Case>> = {
  bans: [
    "ban",
    `bans: { one: { on: [route_not_found], times: 5/minute, key: client.address, for: 5m, mode: MODE } }\n${route("methods: [GET]")}`,
  ],
  "a caller's own limit": [
    "limit",
    `${KEYS.replace("key: principal", "key: principal, mode: MODE")}\nroutes: [{ path: /a, authenticate: [keys] }]`,
  ],
  "who has no plan": [
    "limit",
    `limits: { own: { rate: 9/hour, key: client.address } }\nplans: { small: [own] }\n${route("limit: { plan: { default: deny, mode: MODE } }")}`,
  ],
  "anomalies of bots": ["bots", route("bots: { anomalies: { threshold: 3, mode: MODE } }")],
  "leaks of requests": ["validate", route("validate: { leaks: { cards: block, mode: MODE } }")],
};

const STEPS = { off: -1, audit: 0, "{ enforce: 5% }": 5, enforce: 100 } as const;

function checksOf({ admitChecks, routeList }: Snapshot): readonly LadderCheck[] {
  return [...admitChecks, ...routeList.flatMap(({ checks, responseChecks }) => [...checks, ...responseChecks])];
}

async function holds([check, text]: Case): Promise<void> {
  for (const [mode, percent] of Object.entries(STEPS)) {
    const snapshot = await snapshotOf(policyWith(text.replace("MODE", mode)), FILES);
    const asked = checksOf(snapshot).filter(({ name, enforcePercent }) => name === check && enforcePercent === percent);
    expect(asked.length > 0, mode).toBe(percent !== -1);
    const rungs = snapshot.rungs.filter((rung) => rung.name === check);
    expect(
      rungs.map(({ enforcePercent }) => enforcePercent),
      mode,
    ).toEqual(percent === 100 ? [] : [percent]);
  }
}

/** A step that is set is the mode that somebody would have written, by whatever name of the check it is asked for. */
async function isSet([check, text]: Case): Promise<void> {
  for (const [from, to, percent] of [
    ["enforce", "audit", 0],
    ["off", "enforce", 100],
    ["audit", "{ enforce: 5% }", 5],
  ] as const) {
    const policy = policyWith(text.replace("MODE", from));
    const base = await snapshotOf(policy, FILES);
    const found = [...ladderChecks(base)].filter((one) => one.check.name === check);
    const wanted = stepsOf(await snapshotOf(policyWith(text.replace("MODE", to)), FILES));
    const names = found.flatMap(({ check: { place }, target }) => [
      targetName(target),
      place.path,
      `policy.yaml:${place.line}:${place.column}`,
    ]);
    expect(names, from).not.toEqual([]);
    for (const name of new Set(names)) {
      const [target, ...others] = targetsOf(base, name);
      if (target === undefined) throw new Error(`no check ${name}`);
      if (others.length > 0) continue;
      const laid = await snapshotOnSteps(policy, FILES, [{ target, percent }]);
      expect(laid.steps.length, name).toBe(1);
      expect(stepsOf(laid), `${name} to ${to}`).toEqual(wanted);
    }
  }
}

const stepsOf = (snapshot: Snapshot): readonly unknown[] =>
  [...ladderChecks(snapshot)].map(({ check: { name, place, enforcePercent } }) => [name, place.path, enforcePercent]);

const cases = (of: Readonly<Record<string, Case | null>>) =>
  Object.entries(of).filter((entry): entry is [string, Case] => entry[1] !== null);

describe("every filter", () => {
  test("is one of these", () => {
    expect(Object.keys(FILTERS).sort()).toEqual(REGISTRY.filters.map(({ name }) => name).sort());
  });

  test.each(cases(FILTERS))("%s climbs the ladder", (_name, one) => holds(one));
  test.each(cases(FILTERS))("%s is set on another step", (_name, one) => isSet(one));
});

describe("every part of an answer's rules", () => {
  test("is one of these", () => {
    expect(Object.keys(PARTS).sort()).toEqual([...PART_NAMES].sort());
  });

  test.each(cases(PARTS))("%s climbs the ladder", (_name, one) => holds(one));
  test.each(cases(PARTS))("%s is set on another step", (_name, one) => isSet(one));
});

describe("every kind of limit", () => {
  test("is one of these", () => {
    expect(Object.keys(LIMITS).sort()).toEqual(REGISTRY.limits.map(({ word }) => word).sort());
  });

  test.each(cases(LIMITS))("%s climbs the ladder", (_name, one) => holds(one));
  test.each(cases(LIMITS))("%s is set on another step", (_name, one) => isSet(one));
});

test.each(cases(OTHERS))("%s climbs the ladder", (_name, one) => holds(one));
test.each(cases(OTHERS))("%s is set on another step", (_name, one) => isSet(one));
