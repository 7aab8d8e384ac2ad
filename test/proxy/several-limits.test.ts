import { describe, expect, test } from "vitest";
import { Permit } from "../../src/decision/permit.ts";
import { Denial } from "../../src/decision/verdict.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { limitLines } from "../../src/proxy/limit-fields.ts";
import { judge, type Subject } from "../../src/proxy/pipeline.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { NOW_MS, policyWith, problemsOf, snapshotOf } from "../policy/policy-kit.ts";

const from = (peer: string, tenant = "acme") => createExchange({ peer, path: "/", headers: [["x-tenant", tenant]] });

async function judged(snapshot: Snapshot, exchange: Exchange, random = 0.5): Promise<"pass" | Denial> {
  const subject: Subject = {
    snapshot,
    exchange,
    trustedProxies: null,
    trustsForwardedHost: false,
    forwardedCertificates: null,
    observer: null,
    shares: { of: () => random },
    fault: null,
    route: null,
    ownPage: null,
    methodBody: null,
  };
  const outcome = await judge(subject);
  return Permit.isGenuine(outcome) ? "pass" : (outcome as Denial);
}

const policy = (limits: string, limit: string, more = "") =>
  policyWith(
    `limits:\n${limits}\n${more}defaults: { limit: [perAddress] }\nroutes:\n  - { path: /, public: true, limit: ${limit} }\n`,
  );

const TENANT = `key: 'request.headers["x-tenant"]', absent: deny`;

describe("where one of several limits is over, the others are not counted", () => {
  test("one that the defaults have, before the route is known", async () => {
    const snapshot = await snapshotOf(
      policy(
        `  perAddress: { rate: 4/hour, key: client.address }\n  perRoute: { rate: 2/hour, key: [route, client.address] }`,
        "[perRoute]",
      ),
    );
    for (let at = 0; at < 2; at++) expect(await judged(snapshot, from("192.0.2.1"))).toBe("pass");
    for (let at = 0; at < 100; at++) {
      expect(await judged(snapshot, from("192.0.2.1"))).toMatchObject({ place: { path: "limits.perRoute" } });
    }
    const exchange = from("192.0.2.1");
    await judged(snapshot, exchange);
    expect(exchange.rateLimit).toMatchObject({ policy: { name: "perRoute" }, before: { remaining: 2 } });
    expect(exchange.taken).toBeNull();
  });

  test("one that only audits takes nothing back", async () => {
    const snapshot = await snapshotOf(
      policy(
        `  perAddress: { rate: 4/hour, key: client.address }\n  perRoute: { rate: 1/hour, key: [route, client.address], mode: audit }`,
        "[perRoute]",
      ),
    );
    const outcomes = [];
    for (let at = 0; at < 6; at++) outcomes.push(await judged(snapshot, from("192.0.2.1")));
    expect(outcomes.filter((one) => one === "pass")).toHaveLength(4);
  });

  test("a denial of another kind counts: guesses of what is not there use up the limit", async () => {
    const snapshot = await snapshotOf(
      policy("  perAddress: { rate: 2/hour, key: client.address }", "[other]\n").replace("limit: [other]\n", ""),
    );
    const lost = () => createExchange({ path: "/nothing" });
    expect(await judged(snapshot, lost())).toMatchObject({ reason: "route_not_found" });
    expect(await judged(snapshot, lost())).toMatchObject({ reason: "route_not_found" });
    expect(await judged(snapshot, lost())).toMatchObject({ reason: "rate_limited" });
  });

  test("a policy with one limit keeps nothing for its requests", async () => {
    const snapshot = await snapshotOf(
      policyWith(
        "limits: { one: { rate: 4/hour, key: client.address } }\nroutes: [{ path: /, public: true, limit: [one] }]\n",
      ),
    );
    const exchange = from("192.0.2.1");
    expect(await judged(snapshot, exchange)).toBe("pass");
    expect(exchange.taken).toBeNull();
  });
});

test("a share that is enforced is the same callers' whenever they ask, and about as many as it says", async () => {
  const snapshot = await snapshotOf(
    policy(
      `  perAddress: { rate: 100000/second, key: client.address }\n  perTenant: { rate: 1/hour, ${TENANT}, mode: { enforce: 30% } }`,
      "[perTenant]",
    ),
  );
  let enforced = 0;
  for (let at = 0; at < 64; at++) {
    const ask = (random: number) => judged(snapshot, from("192.0.2.1", `tenant-${at}`), random);
    await ask(0);
    const outcomes = [await ask(0), await ask(0.99), await ask(0.5)].map((one) => one instanceof Denial);
    expect(new Set(outcomes).size).toBe(1);
    if (outcomes[0] === true) enforced++;
  }
  expect(enforced).toBeGreaterThan(8);
  expect(enforced).toBeLessThan(32);
});

describe("what clients are told", () => {
  const LIMITS = `  perAddress: { rate: 4/hour, key: client.address }\n  perTenant: { rate: 10/second, burst: 20, ${TENANT} }`;

  async function linesWith(more: string): Promise<string> {
    const snapshot = await snapshotOf(policy(LIMITS, "[perTenant]", more));
    const exchange = from("192.0.2.1");
    expect(await judged(snapshot, exchange)).toBe("pass");
    return exchange.rateLimit === null ? "" : limitLines(exchange.rateLimit, NOW_MS);
  }

  test("draft-11: all limits in the order in which they were met, each with its scope", async () => {
    expect(await linesWith("")).toBe(
      'ratelimit-policy: "perAddress";q=4;w=3600;postern-scope=process, "perTenant";q=20;w=2;postern-scope=process\r\n' +
        'ratelimit: "perAddress";r=3;t=900, "perTenant";r=19;t=1\r\n',
    );
  });

  test("by option a number that tells keys apart, one for each key", async () => {
    const lines = await linesWith("limitHeaders: { partitionKey: true }\n");
    const keys = [...lines.matchAll(/;pk=:([A-Za-z0-9+/]{11}=):/g)].map((match) => match[1]);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(2);
    expect([keys[0], keys[1]]).toEqual([keys[2], keys[3]]);
  });

  test("by option the older fields, which tell the tightest limit alone", async () => {
    expect(await linesWith("limitHeaders: { fields: [draft-06] }\n")).toBe(
      "ratelimit-limit: 4\r\nratelimit-remaining: 3\r\nratelimit-reset: 900\r\n",
    );
    expect(await linesWith("limitHeaders: { fields: [x-ratelimit] }\n")).toBe(
      `x-ratelimit-limit: 4\r\nx-ratelimit-remaining: 3\r\nx-ratelimit-reset: ${NOW_MS / 1000 + 900}\r\n`,
    );
    expect(await linesWith("limitHeaders: { fields: [draft-11, x-ratelimit] }\n")).toMatch(
      /^ratelimit-policy: .*\r\nratelimit: .*\r\nx-ratelimit-limit: 4\r\n/,
    );
    expect(await linesWith("limitHeaders: { fields: [] }\n")).toBe("");
  });

  test("a word for fields that there are not is a problem", async () => {
    expect(await problemsOf(policy(LIMITS, "[perTenant]", "limitHeaders: { fields: [draft-12] }\n"))).toEqual([
      expect.stringContaining("expected draft-11, draft-06 or x-ratelimit"),
    ]);
  });
});

describe("an entry of limits is of one kind", () => {
  test.each([
    ["{ key: client.address }", /does not say of what it is; expected one of: rate/],
    ["{ rat: 5/second, key: client.address }", /does not say of what it is; did you mean 'rate'\?/],
  ])("%s", async (entry, text) => {
    expect(
      await problemsOf(policy(`  perAddress: ${entry}`, "[perAddress]").replace(", limit: [perAddress]", "")),
    ).toEqual([expect.stringMatching(text)]);
  });
});
