// Goal: no client makes a candidate hold more, or do more, than its bounds. Method: floods of requests, of callers and of routes.
import { expect, test } from "vitest";
import { IN_EVERY_SHARE } from "../../src/filters/ladder.ts";
import type { Principal } from "../../src/message/principal.ts";
import { CandidateTrials } from "../../src/rehearsal/beside.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { CandidateCounts } from "../../src/telemetry/candidate-counts.ts";
import { listenerOf, routeOf, snapshotOf } from "../fixtures/snapshot.ts";
import { exchangeOf, TestClock } from "../fixtures/telemetry.ts";

/** A candidate without routes, which denies whatever the policy in force lets in. */
function candidate(share = 1) {
  const counts = new CandidateCounts("0123456789abcdef");
  const deferred: (() => void)[] = [];
  const told: string[] = [];
  const trials = new CandidateTrials(
    snapshotOf({ listeners: [listenerOf()] }),
    counts,
    { share, cpuShare: 1 },
    {
      clock: new TestClock(),
      random: () => 0.5,
      defer: (work) => deferred.push(work),
      onDifference: ({ route }) => told.push(route),
    },
  );
  const offer = (at: number, template: string): void => {
    const exchange = exchangeOf("GET", "/orders/1");
    exchange.receivedTarget = "/orders/1";
    const id = `caller-${at}`;
    const principal: Principal = {
      authenticator: "okta",
      type: "jwt",
      id,
      key: `okta/${id}`,
      scopes: new Set(),
      claims: {},
      expiresAtMs: Number.POSITIVE_INFINITY,
    };
    exchange.principal = principal;
    const { headers, body } = exchange;
    trials.offer(
      { id: `abcdefgh-${at}`, exchange, snapshot: snapshotOf(), route: routeOf(template), shares: IN_EVERY_SHARE },
      { allowed: true } as never,
      {
        headers,
        body,
      },
    );
  };
  const judgeAll = (): void => {
    for (let work = deferred.shift(); work !== undefined; work = deferred.shift()) work();
  };
  return { counts, deferred, told, trials, offer, judgeAll };
}

test("of a flood in one turn no more wait than there is room for, and the others are counted", () => {
  const { counts, deferred, offer, judgeAll } = candidate();
  for (let at = 0; at < 5_000; at++) offer(at, "/orders/{id}");
  expect(deferred).toHaveLength(1);
  judgeAll();
  const { candidateWaitingMax: room } = DEFAULTS;
  expect(counts.results).toMatchObject({ different: room, crowded: 5_000 - room, budget: 0 });
});

test("callers and routes without end take bounded room, and what has none is counted", () => {
  const { counts, told, offer, judgeAll } = candidate();
  const routes = DEFAULTS.candidateDifferencesMax + 50;
  for (let at = 0; at < 4 * routes; at++) {
    offer(at, `/r${at % routes}/{id}`);
    judgeAll();
  }
  for (let at = 0; at < 1_000; at++) {
    offer(at, "/r0/{id}");
    judgeAll();
  }
  expect(counts.results.different).toBe(4 * routes + 1_000);
  expect([counts.differences.size, told.length]).toEqual([routes - 50, routes - 50]);
  expect(counts.otherDifferences).toBe(4 * 50);
  const first = [...counts.differences.values()][0];
  expect(first?.count).toBe(1_004);
  expect(first?.callers.list.length).toBeLessThanOrEqual(DEFAULTS.candidateCallersMax);
  expect(first?.examples).toHaveLength(DEFAULTS.candidateExamplesMax);
});

test("of the others nothing is kept: those that are not drawn are not offered", () => {
  expect([candidate(0.1).trials.draws(), candidate(0.6).trials.draws()]).toEqual([false, true]);
});
