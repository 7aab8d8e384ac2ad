// Goal: what a candidate would refuse by counting is told, by counters of its own, and never of requests that it did not all see.
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { AnswerFacts } from "../../src/message/taken.ts";
import { CandidateTrials } from "../../src/rehearsal/beside.ts";
import { openTestWorld } from "../../src/rehearsal/test-world.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { CandidateCounts } from "../../src/telemetry/candidate-counts.ts";

const HEAD = `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: http://127.0.0.1:3000 } }
`;
const LIMITED = `${HEAD}limits: { few: { rate: 60/minute, burst: 5, key: client.address } }
routes:
  - { path: '/orders/{id}', methods: [GET], public: true, limit: [few] }
`;

async function candidate(text: string, share = 1) {
  const opened = await openTestWorld("/srv/next.yaml", {
    cwd: "/srv",
    readFile: (file) => (file === "/srv/next.yaml" ? ok(Buffer.from(text)) : err("ENOENT")),
    clock: systemClock,
    env: {},
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const { snapshot, time } = opened.value;
  time.begin(Date.UTC(2026, 10, 30));
  const counts = new CandidateCounts(snapshot.hash);
  const deferred: (() => void)[] = [];
  const trials = new CandidateTrials(
    snapshot,
    counts,
    { share, cpuShare: 1 },
    { clock: time, random: () => 0, defer: (work) => deferred.push(work), onDifference: () => {} },
  );
  const route = { template: "/orders/{id}", responseChecks: [] } as never;
  /** A request from its beginning to its verdict; what it gives ends it. */
  const begin = (from: string, live: Denial | null, path: string): ((status: number) => void) => {
    const peer = parseAddress(from);
    if (peer === null) throw new Error("no address");
    const facts = { listener: "inbound", peer, proxyPeer: null, protocol: "http/1.1", secure: false } as const;
    const headers = new HeaderBlock(["host"], ["orders"]);
    const target = { path, query: "" };
    const exchange = new Exchange(
      { ...facts, certificate: null },
      "GET",
      target,
      "orders",
      "orders",
      headers,
      EMPTY_BODY,
    );
    exchange.receivedTarget = path;
    // What is refused is over before anybody is offered it.
    if (live !== null) exchange.end();
    trials.offer(
      { id: "a-1", exchange, snapshot, route, shares: snapshot.shares },
      live ?? ({ allowed: true } as never),
      {
        headers,
        body: EMPTY_BODY,
      },
    );
    const judgeAll = (): void => {
      for (let work = deferred.shift(); work !== undefined; work = deferred.shift()) work();
    };
    judgeAll();
    return (status) => {
      exchange.end();
      exchange.settle({ ...ANSWERED, status, denied: live !== null });
      judgeAll();
    };
  };
  const ask = (from: string, live: Denial | null = null, path = "/orders/1", status = 200): void =>
    begin(from, live, path)(status);
  return { begin, ask, counts, time };
}

const ANSWERED: AnswerFacts = {
  status: 200,
  callOutcome: "none",
  requestBodyBytes: 0,
  responseBodyBytes: 2,
  upstreamMs: 1,
  denied: false,
};

const TOO_MANY = new Denial("rate_limited", null, "the burst is used up", "fewer");

test("what it alone refuses is counted by route and caller, as soon as it has seen all that its limit looks back at", async () => {
  const { ask, counts, time } = await candidate(LIMITED);
  for (let at = 0; at < 7; at++) ask("192.0.2.1");
  expect(counts.results).toMatchObject({ same: 5, unknown: 2, counted: 0 });
  expect(counts.unknown.list).toEqual([{ key: "what was counted before it began", count: 2 }]);
  time.pass(5_000);
  for (let at = 0; at < 9; at++) ask("192.0.2.1");
  ask("192.0.2.2");
  expect(counts.results).toMatchObject({ same: 11, different: 0, counted: 4 });
  expect([...counts.refusals.values()]).toMatchObject([
    { route: "/orders/{id}", reason: "rate_limited", live: 0, candidate: 4, candidatePlace: { line: 5 } },
  ]);
  expect([...counts.refusals.values()][0]?.callers.list).toEqual([{ key: "192.0.2.1", count: 4 }]);
});

test("two that count the same say the same, whichever requests each refuses", async () => {
  const { ask, counts, time } = await candidate(LIMITED);
  time.pass(5_000);
  // In force the first ones met a limit that was used up already.
  for (let at = 0; at < 10; at++) ask("192.0.2.1", at < 5 ? TOO_MANY : null);
  expect(counts.differences.size).toBe(0);
  expect([...counts.refusals.values()]).toMatchObject([{ live: 5, candidate: 5 }]);
});

test("of a sample nothing is counted, and what counting refused in force is not known", async () => {
  const { ask, counts, time } = await candidate(LIMITED, 0.5);
  time.pass(60_000);
  for (let at = 0; at < 9; at++) ask("192.0.2.1");
  ask("192.0.2.1", TOO_MANY);
  expect(counts.results).toMatchObject({ same: 9, counted: 0, unknown: 1 });
  expect(counts.unknown.list).toEqual([{ key: "a limit that is not tried", count: 1 }]);
  expect([...counts.untried]).toMatchObject([["/orders/{id}", [{ check: "limit", place: { line: 7 } }]]]);
});

const DAY_MS = 86_400_000;

test.each([
  ["quota_exceeded", "few: { quota: 2/day, key: client.address }", DAY_MS],
  ["budget_exceeded", "few: { budget: 2/day, key: client.address, cost: 1 }", DAY_MS],
  ["distinct_exceeded", "few: { distinct: { of: path.id, per: client.address, limit: 2, window: 10m } }", 600_000],
])("%s is found by counters of its own, once it has run as long as they look back", async (reason, limit, windowMs) => {
  const { ask, counts, time } = await candidate(LIMITED.replace(/few: \{.*?\}(?= \}| *$)/m, limit));
  for (let at = 0; at < 3; at++) ask("192.0.2.1", null, `/orders/${at}`);
  expect(counts.unknown.list).toEqual([{ key: "what was counted before it began", count: 1 }]);
  time.pass(windowMs + 1);
  for (let at = 0; at < 5; at++) ask("192.0.2.1", null, `/orders/${at}`);
  ask("192.0.2.2");
  expect([...counts.refusals.values()]).toMatchObject([{ reason, live: 0, candidate: 3 }]);
  expect([...counts.untried]).toEqual([]);
});

test("places are held for as long as the request in force lasts", async () => {
  const limit = "few: { concurrency: 2, key: client.address }";
  const { begin, ask, counts, time } = await candidate(LIMITED.replace(/few: \{.*?\}/, limit));
  time.pass(60_000);
  const [first, second] = [begin("192.0.2.1", null, "/orders/1"), begin("192.0.2.1", null, "/orders/2")];
  ask("192.0.2.1");
  ask("192.0.2.2");
  first(200);
  ask("192.0.2.1");
  second(200);
  for (let at = 0; at < 5; at++) ask("192.0.2.1");
  expect([...counts.refusals.values()]).toMatchObject([{ reason: "concurrency_limited", live: 0, candidate: 1 }]);
  expect(counts.results).toMatchObject({ same: 9, counted: 1, different: 0 });
});

test("a rate of failures counts what the service in force has answered", async () => {
  const limit = "few: { rate: 60/minute, burst: 2, key: client.address, count: failures }";
  const { ask, counts, time } = await candidate(LIMITED.replace(/few: \{.*?\}/, limit));
  time.pass(60_000);
  for (let at = 0; at < 6; at++) ask("192.0.2.1", null, "/orders/1", 200);
  expect(counts.results).toMatchObject({ same: 6, counted: 0 });
  for (let at = 0; at < 6; at++) ask("192.0.2.1", null, "/orders/1", 404);
  expect([...counts.refusals.values()]).toMatchObject([{ reason: "rate_limited", live: 0, candidate: 4 }]);
});

test("a rate that has requests wait is said not to be tried", async () => {
  const limit = "few: { rate: 60/minute, burst: 1, key: client.address, throttle: { queue: 4, timeout: 1s } }";
  const { ask, counts, time } = await candidate(LIMITED.replace(/few: \{.*?\}/, limit));
  time.pass(60_000);
  for (let at = 0; at < 5; at++) ask("192.0.2.1");
  ask("192.0.2.1", TOO_MANY);
  expect(counts.results).toMatchObject({ same: 5, counted: 0, unknown: 1 });
  expect([...counts.untried.values()]).toMatchObject([[{ check: "limit" }]]);
});

test("a ban begins with what the candidate refuses, and is nobody else's", async () => {
  const banning = `${HEAD}bans: { probing: { on: [route_not_found], times: 2/minute, key: client.address, for: 1m } }
routes:
  - { path: '/orders/{id}', methods: [GET], public: true }
`;
  const { ask, counts, time } = await candidate(banning);
  time.pass(120_000);
  const nowhere = new Denial("route_not_found", null, "no route", "a route");
  for (let at = 0; at < 3; at++) ask("192.0.2.1", nowhere, "/none");
  ask("192.0.2.2");
  for (let at = 0; at < 4; at++) ask("192.0.2.1");
  expect([...counts.refusals.values()]).toMatchObject([{ reason: "banned", live: 0, candidate: 4 }]);
  expect(counts.results).toMatchObject({ same: 4, counted: 4 });
});
