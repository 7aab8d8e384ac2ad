import { expect, test } from "vitest";
import type { DecisionLine } from "../../src/records/decision-line.ts";
import { decisionsRoom } from "../../src/records/decisions-room.ts";
import { readFacts } from "../../src/records/read-facts.ts";
import { RecentDecisions } from "../../src/records/recent-decisions.ts";
import { Tracer } from "../../src/records/tracer.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { factsOf, lineOf } from "./kit.ts";

const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs };

function denied(id: string): DecisionLine {
  return lineOf({ id, verdict: "deny", reason: "scope_missing", status: 403 });
}

test("denials and others do not push each other out", () => {
  const recent = new RecentDecisions({ keep: 2, sampleOneIn: 1 });
  recent.note(denied("d1"));
  for (const id of ["a1", "a2", "a3"]) recent.note(lineOf({ id }));
  expect(recent.after(0, "all").map(({ id }) => id)).toEqual(["d1", "a2", "a3"]);
  expect(recent.find("d1")?.status).toBe(403);
  expect(recent.find("a1")).toBeNull();
});

test("of what was not denied one in so many is wanted, or none", () => {
  const third = new RecentDecisions({ keep: 2, sampleOneIn: 3 });
  expect(Array.from({ length: 6 }, () => third.wants({ reason: null }))).toEqual([
    false,
    false,
    true,
    false,
    false,
    true,
  ]);
  const none = new RecentDecisions({ keep: 2, sampleOneIn: 0 });
  expect([none.wants({ reason: null }), none.wants({ reason: "rate_limited" })]).toEqual([false, true]);
});

test("who watches gets what is new since the number that was told", async () => {
  const recent = new RecentDecisions({ keep: 500, sampleOneIn: 1 });
  const room = decisionsRoom(recent, new Tracer(clock), clock);
  for (let at = 1; at <= 150; at++) recent.note(denied(`d${at}`));
  const first = await room.show(new URLSearchParams("which=denied"));
  expect(first).toMatchObject({ ok: true, value: { last: 150 } });
  if (!first.ok) return;
  // No more than a hundred at once, the newest.
  expect(first.value["decisions"]).toHaveLength(100);
  recent.note(lineOf({ id: "allowed" }));
  recent.note(denied("new"));
  const next = await room.show(new URLSearchParams("which=denied&after=150"));
  expect(next).toMatchObject({ ok: true, value: { last: 152, decisions: [{ seq: 152, id: "new" }] } });
});

test.each([["after=-1"], ["after=1e9"], ["after=99999999999999999"], ["which=some"]])(
  "%s is refused",
  async (query) => {
    const room = decisionsRoom(new RecentDecisions({ keep: 1, sampleOneIn: 1 }), new Tracer(clock), clock);
    expect(await room.show(new URLSearchParams(query))).toMatchObject({ ok: false, error: { status: 400 } });
  },
);

test("an id of any length is answered in few words", async () => {
  const room = decisionsRoom(new RecentDecisions({ keep: 1, sampleOneIn: 1 }), new Tracer(clock), clock);
  const answer = await room.show(new URLSearchParams({ id: "x".repeat(100_000) }));
  expect(answer).toMatchObject({ ok: false, error: { status: 404 } });
  if (!answer.ok) expect(answer.error.text.length).toBeLessThan(200);
});

test("one trace waits at a time, and for no longer than its time", () => {
  clock.nowMs = 0;
  const tracer = new Tracer(clock);
  expect(tracer.begin(createExchange())).toBeNull();
  const ticket = tracer.arm(() => true, 1e9) ?? "";
  expect(tracer.arm(() => true, 10)).toBeNull();
  const trace = tracer.begin(createExchange());
  clock.nowMs = 60_000;
  // Sixty seconds are all there is, whatever was asked for.
  expect(trace === null ? null : tracer.take(trace, "late")).toBeUndefined();
  expect([tracer.state(ticket), tracer.begin(createExchange())]).toEqual(["over", null]);
  const second = tracer.arm(() => true, 10);
  expect(second).not.toBeNull();
});

test("the first request that meets the condition is the one, and only it", () => {
  clock.nowMs = 0;
  const tracer = new Tracer(clock);
  const ticket = tracer.arm(({ method }) => method === "POST", 1000) ?? "";
  const get = tracer.begin(createExchange());
  const posts = [tracer.begin(createExchange({ method: "POST" })), tracer.begin(createExchange({ method: "POST" }))];
  expect(get === null ? null : tracer.take(get, "get")).toBeUndefined();
  expect(posts.map((post, at) => post !== null && tracer.take(post, `post${at}`) !== undefined)).toEqual([true, false]);
  expect(tracer.state(ticket)).toEqual({ id: "post0" });
});

test.each([
  ["expected 'condition'", {}],
  ["expected 'condition'", { condition: "x".repeat(3000) }],
  ["at most 60", { condition: "request.method == 'GET'", seconds: 61 }],
  ["at most 60", { condition: "request.method == 'GET'", seconds: 0 }],
  ["column 1: there is no attribute 'nonsense'", { condition: "nonsense == 1" }],
  ["may be a secret", { condition: "request.headers['authorization'] == 'Bearer x'" }],
  ["may be a secret", { condition: "query.token == 'x'" }],
  ["neither", { condition: "request.method" }],
] as const)("a trace is refused with '%s'", async (text, settings) => {
  const room = decisionsRoom(new RecentDecisions({ keep: 1, sampleOneIn: 1 }), new Tracer(clock), clock);
  const answer = await room.acts["trace"]?.(settings);
  expect(answer?.ok).toBe(false);
  if (answer?.ok === false && text !== "neither") expect(answer.error.text).toContain(text);
});

test("what is told is read back as it was", () => {
  const facts = factsOf({
    principal: {
      id: "u1",
      authenticator: "okta",
      type: "jwt",
      scopes: ["a"],
      roles: [],
      groups: [],
      claimNames: ["sub", "tenant"],
      claims: { tenant: "acme", levels: [1, 2] },
    },
    trace: [
      { phase: "authorize", check: "authorize", result: "pass", place: "p:1:2", saw: "x", wanted: null, us: 1.5 },
    ],
  });
  expect(readFacts(JSON.parse(JSON.stringify(facts)))).toEqual({ ok: true, value: facts });
});

test.each([
  ["expected a JSON object", [] as unknown],
  ['expected "v": 1', { ...factsOf(), v: 2 }],
  ["'path': longer than", { ...factsOf(), path: "/".repeat(5000) }],
  ["'reason': expected a reason", { ...factsOf(), reason: "__proto__" }],
  ["'verdict': expected one of", { ...factsOf(), verdict: "maybe" }],
  ["'query': expected a list", { ...factsOf(), query: "a" }],
  ["'query': expected a text", { ...factsOf(), query: [1] }],
  ["'principal': expected an object", { ...factsOf(), principal: "me" }],
  ["'atMs': expected a number", { ...factsOf(), atMs: "now" }],
])("%s", (text, value) => {
  const read = readFacts(value);
  expect(read.ok ? "" : read.error).toContain(text);
});

test("what acts on a terminal is gone from what is read", () => {
  const read = readFacts({ ...factsOf(), path: "/a\u001b[2J\n\u202e", route: "\u009b31m" });
  expect(read.ok && [read.value.path, read.value.route]).toEqual(["/a\ufffd[2J\ufffd\ufffd", "\ufffd31m"]);
});
