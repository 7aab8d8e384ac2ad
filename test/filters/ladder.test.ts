// Goal: a share of the ladder is of callers: who is refused once is refused at each try, and nobody can work out who is not.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { CallerShares } from "../../src/filters/ladder.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../../src/policy/compile.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { judge } from "../../src/proxy/pipeline.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { fixedClock, policyWith, problemsOf, readerOf } from "../policy/policy-kit.ts";

const CALLERS = Array.from({ length: 4000 }, (_, at) => `caller-${at}`);
const share = new CallerShares([0x1234, -5]);

const by = (id: string, shares = share, check = "authorize"): number =>
  shares.of(check, createExchange({ principal: createPrincipal({ id }) }));
const from = (peer: string): number => share.of("authorize", createExchange({ peer }));

describe("a caller's place in a share", () => {
  test("is the same at each try, and about as many callers are below a share as it says", () => {
    const first = CALLERS.map((id) => by(id));
    expect(CALLERS.map((id) => by(id))).toEqual(first);
    expect(first.every((one) => one >= 0 && one < 1)).toBe(true);
    for (const percent of [5, 50]) {
      const within = first.filter((one) => one * 100 < percent).length / CALLERS.length;
      expect(Math.abs(within * 100 - percent)).toBeLessThan(3);
    }
  });

  test("is another for another key, and for another check", () => {
    const agree = (one: (id: string) => number, other: (id: string) => number): number =>
      CALLERS.filter((id) => one(id) < 0.5 === other(id) < 0.5).length / CALLERS.length;
    expect(Math.abs(agree(by, (id) => by(id, new CallerShares([0x1234, -6]))) - 0.5)).toBeLessThan(0.05);
    expect(Math.abs(agree(by, (id) => by(id, share, "validate")) - 0.5)).toBeLessThan(0.05);
  });

  test("goes by address where nobody is known, of IPv6 by the network, and where all are anonymous", () => {
    expect(from("192.0.2.1")).toBe(from("192.0.2.1"));
    expect(from("192.0.2.1")).not.toBe(from("192.0.2.2"));
    expect(from("2001:db8:1:2::1")).toBe(from("2001:db8:1:2:ffff::9"));
    expect(from("2001:db8:1:2::1")).not.toBe(from("2001:db8:1:3::1"));
    const anonymous = (peer: string) =>
      share.of("authorize", createExchange({ peer, principal: createPrincipal({ type: "anonymous" }) }));
    expect(anonymous("192.0.2.1")).toBe(from("192.0.2.1"));
  });
});

async function compiled(text: string, seed: readonly [number, number], secret = "s3cret"): Promise<Snapshot> {
  const { snapshot, problems } = await examinePolicy("conf/policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: readerOf(text, { "ladder.key": secret }),
    ladderSeed: seed,
  });
  if (snapshot === null) throw new Error(problems.map((one) => one.text).join("\n"));
  return snapshot;
}

async function refusedOf(snapshot: Snapshot, peers: readonly string[]): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const peer of peers) {
    const subject = {
      snapshot,
      exchange: createExchange({ peer, path: "/a", headers: [["user-agent", "sqlmap"]] }),
      trustedProxies: null,
      trustsForwardedHost: false,
      forwardedCertificates: null,
      observer: null,
      shares: snapshot.shares,
      fault: null,
      route: null,
      ownPage: null,
      methodBody: null,
    };
    if ((await judge(subject)) instanceof Denial) refused.push(peer);
  }
  return refused;
}

const PEERS = Array.from({ length: 200 }, (_, at) => `192.0.2.${at}`);
const ROUTES = "routes: [{ path: /a, public: true, bots: { deny: [scanners], mode: { enforce: 50% } } }]";

test("whoever is refused is refused again, in processes with the policy's key the same ones, and without it others", async () => {
  const own = await compiled(policyWith(ROUTES), [1, 2]);
  const refused = await refusedOf(own, PEERS);
  expect(refused.length).toBeGreaterThan(60);
  expect(refused.length).toBeLessThan(140);
  expect(await refusedOf(own, PEERS)).toEqual(refused);
  expect(await refusedOf(await compiled(policyWith(ROUTES), [3, 4]), PEERS)).not.toEqual(refused);
  const keyed = policyWith(`ladder: { key: { file: ladder.key } }\n${ROUTES}`);
  const everywhere = await refusedOf(await compiled(keyed, [1, 2]), PEERS);
  expect(everywhere).not.toEqual(refused);
  expect(await refusedOf(await compiled(keyed, [3, 4]), PEERS)).toEqual(everywhere);
  expect(await refusedOf(await compiled(keyed, [3, 4], "another"), PEERS)).not.toEqual(everywhere);
});

test("a key that is not there is a problem", async () => {
  const text = policyWith("ladder: { key: { file: missing.key } }\nroutes: [{ path: /a, public: true }]");
  expect(await problemsOf(text)).toEqual([expect.stringContaining("missing.key")]);
});
