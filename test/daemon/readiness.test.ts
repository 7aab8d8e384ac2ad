// Goal: why a process is not ready is known by a closed word each, and by nothing that the policy does not ask for.
import { describe, expect, test } from "vitest";
import { everyReason, NOT_READY, notReady, notReadyLines, type ReadinessFacts } from "../../src/daemon/readiness.ts";
import { type AdminSettings, NO_ADMIN } from "../../src/policy/snapshot.ts";
import type { ResourceStatus } from "../../src/resources/resource.ts";

const statusOf = (changes: Partial<ResourceStatus>): ResourceStatus => ({
  kind: "key set",
  name: "okta",
  state: "starting",
  detail: null,
  freshAtMs: null,
  staleUntilMs: null,
  fault: null,
  tries: { ok: 0, unchanged: 0, failed: 0, unusable: 0 },
  ...changes,
});

function reasons(facts: Partial<ReadinessFacts>, admin: Partial<AdminSettings> = {}): readonly string[] {
  const snapshot = { admin: { ...NO_ADMIN, ...admin } };
  return [...notReady({ snapshot, isEnding: false, hasExpiredCertificate: false, resources: [], ...facts })];
}

describe("readiness", () => {
  test("knows start, drain, certificates, keys and the service", () => {
    expect(reasons({})).toEqual([]);
    expect(reasons({ snapshot: null })).toEqual(["starting"]);
    expect(reasons({ isEnding: true })).toEqual(["draining"]);
    expect(reasons({ hasExpiredCertificate: true })).toEqual([]);
    expect(reasons({ hasExpiredCertificate: true }, { readyWithExpiredCertificate: false })).toEqual([
      "certificate_expired",
    ]);
    const pending = statusOf({ kind: "SPIFFE workload", gatesReadiness: true });
    expect(reasons({ resources: [pending] })).toEqual(["certificate_pending"]);
  });

  test("waits for keys only where the policy says so, and not for new ones", () => {
    for (const kind of ["key set", "SPIFFE JWT bundle"]) {
      expect(reasons({ resources: [statusOf({ kind })] })).toEqual([]);
      expect(reasons({ resources: [statusOf({ kind })] }, { readyWithoutKeys: false })).toEqual(["keys_missing"]);
      const stale = statusOf({ kind, state: "stale", freshAtMs: 1 });
      expect(reasons({ resources: [stale] }, { readyWithoutKeys: false })).toEqual([]);
    }
    const collector = statusOf({ kind: "collector", state: "failing" });
    expect(reasons({ resources: [collector] }, { readyWithoutKeys: false })).toEqual([]);
  });

  test("goes by a health check only where the check says so", () => {
    const check = (changes: Partial<ResourceStatus>) => ({
      resources: [statusOf({ kind: "health check", name: "app", ...changes })],
    });
    expect(reasons(check({ state: "failing", gatesReadiness: false }))).toEqual([]);
    expect(reasons(check({ gatesReadiness: true }))).toEqual(["upstream_unknown"]);
    expect(reasons(check({ state: "failing", gatesReadiness: true }))).toEqual(["upstream_unhealthy"]);
    expect(reasons(check({ state: "ready", freshAtMs: 5, gatesReadiness: true }))).toEqual([]);
  });

  test("each reason is told to metrics, there or not", () => {
    const told = everyReason(new Set(["draining"]));
    expect([...told.keys()]).toEqual(Object.keys(NOT_READY));
    expect([...told].filter(([, holds]) => holds)).toEqual([["draining", true]]);
  });

  test("each reason comes once, and says what to do", () => {
    const two = [statusOf({ name: "a" }), statusOf({ name: "b" })];
    expect(reasons({ isEnding: true, resources: two }, { readyWithoutKeys: false })).toEqual([
      "draining",
      "keys_missing",
    ]);
    expect(notReadyLines(["draining"])).toEqual([`draining: ${NOT_READY.draining}`]);
    for (const text of Object.values(NOT_READY)) expect(text).toMatch(/[;,] (?:wait|see|nothing is|renew)|renew it/);
  });
});
