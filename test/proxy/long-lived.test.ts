import { expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import type { Check } from "../../src/filters/filter.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import type { Principal } from "../../src/message/principal.ts";
import type { Route, Snapshot } from "../../src/policy/snapshot.ts";
import { type LastingStream, LongLived } from "../../src/proxy/long-lived.ts";
import { Deadlines } from "../../src/support/deadlines.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { snapshotOf } from "../fixtures/proxy.ts";
import { createCertificate, createExchange, createPrincipal } from "../fixtures/route-context.ts";

type Evaluate = (exchange: Exchange) => Verdict | Promise<Verdict>;
const place = { file: "policy.yaml", line: 9, column: 5, path: "routes[0].authorize" };
const nobody: Verdict = new Denial("scope_missing", place, "no scopes", "scopes a");

function checkOf(evaluate: Evaluate, changes: Partial<Check> = {}): Check {
  return { name: "test", phase: "authorize", place, enforcePercent: 100, evaluate, explain: () => "", ...changes };
}

const policyWith = (...checks: readonly Check[]): Snapshot => snapshotOf({ route: { checks } });
const allowing = policyWith(checkOf(() => CONTINUE));

class Stream implements LastingStream {
  readonly ownPage = null;
  snapshot: Snapshot = allowing;
  route: Route | null = allowing.routeList[0] ?? null;
  methodBody: null = null;
  readonly exchange: Exchange;
  readonly trustedProxies = null;
  readonly trustsForwardedHost = false;
  readonly forwardedCertificates = null;
  readonly startedMs: number;
  outlivedTrust = false;
  readonly denials: Denial[] = [];
  endedAtMs = -1;
  readonly #world: World;

  constructor(world: World, principal: Principal | null, path = "/") {
    this.#world = world;
    this.startedMs = world.nowMs;
    this.exchange = createExchange({ principal, path });
  }

  endStream(denial: Denial): void {
    this.denials.push(denial);
    this.endedAtMs = this.#world.nowMs;
    this.#world.longLived.remove(this);
  }

  adopt(snapshot: Snapshot, route: Route | null): void {
    this.snapshot = snapshot;
    this.route = route;
  }

  goAway(): void {}
}

/** A clock that is moved, chance that is given, and deferred work that is done when asked. */
class World {
  nowMs = 1_000;
  wallOffsetMs = 0;
  snapshot = allowing;
  random: () => number = () => 0.5;
  deferred: (() => void)[] = [];
  readonly #deadlines: Deadlines;
  readonly longLived: LongLived;

  constructor() {
    const clock = { monotonicMs: () => this.nowMs, wallMs: () => this.wallMs() };
    this.#deadlines = new Deadlines(clock);
    this.longLived = new LongLived({
      clock,
      deadlines: this.#deadlines,
      random: () => this.random(),
      snapshot: () => this.snapshot,
      defer: (work) => this.deferred.push(work),
    });
  }

  wallMs(afterMs = 0): number {
    return 1_700_000_000_000 + this.wallOffsetMs + this.nowMs + afterMs;
  }

  stream(principal: Principal | null = null, path = "/"): Stream {
    const stream = new Stream(this, principal, path);
    this.longLived.add(stream);
    return stream;
  }

  swap(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.longLived.swapped();
  }

  /** Time goes by in the steps in which deadlines are looked at. */
  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs += DEFAULTS.sweepIntervalMs;
      this.#deadlines.sweep();
      while (this.deferred.length > 0) this.deferred.shift()?.();
    }
  }
}

test("a stream that the new policy denies is ended with the place that denies it, and others take that policy over", () => {
  const world = new World();
  const denied = world.stream(null, "/denied");
  const allowed = world.stream(createPrincipal({ id: "bob" }));
  world.pass(2_000);
  const byPath = policyWith(checkOf(({ target }) => (target.path === "/denied" ? nobody : CONTINUE)));
  world.swap(byPath);
  world.pass(1_000);
  expect(denied.denials).toMatchObject([{ reason: "stream_denied", place, seen: "scope_missing: no scopes" }]);
  expect(allowed.denials).toEqual([]);
  expect(allowed.snapshot).toBe(byPath);
});

test("a stream that cannot take a policy over yet is judged by it once all the same", () => {
  const world = new World();
  const stream = world.stream(createPrincipal({ id: "alice" }));
  stream.adopt = () => {};
  world.pass(2_000);
  let judged = 0;
  const counting = checkOf(() => {
    judged++;
    return CONTINUE;
  });
  world.swap(policyWith(counting));
  world.pass(60_000);
  expect(judged).toBe(1);
  world.swap(policyWith(checkOf(() => nobody)));
  world.pass(1_000);
  expect(stream.denials).toMatchObject([{ reason: "stream_denied" }]);
});

test("a stream is judged as it came: with none of what the first judgement found", () => {
  const world = new World();
  const stream = world.stream(createPrincipal({ id: "alice" }));
  const seen: (Principal | null)[] = [];
  world.pass(2_000);
  world.swap(
    policyWith(
      checkOf((exchange) => {
        seen.push(exchange.principal);
        exchange.principal = createPrincipal({ id: "somebody else" });
        return CONTINUE;
      }),
    ),
  );
  world.pass(1_000);
  expect(seen).toEqual([null]);
  expect(stream.exchange.principal?.id).toBe("alice");
});

test("a stream of a certificate that other CAs judged is ended, one without a certificate is not", () => {
  const world = new World();
  const [certified, bare] = [world.stream(), world.stream()];
  Object.assign(certified, { exchange: createExchange({ certificate: createCertificate() }) });
  for (const stream of [certified, bare]) stream.outlivedTrust = true;
  world.pass(2_000);
  world.swap(policyWith(checkOf(() => CONTINUE)));
  world.pass(1_000);
  expect(certified.denials).toMatchObject([{ reason: "stream_denied" }]);
  expect(bare.denials).toEqual([]);
});

test("a body that only the old policy's route keeps in its GET ends with it", () => {
  const world = new World();
  const [kept, bare] = [world.stream(), world.stream()];
  Object.assign(kept.exchange, { body: { ...EMPTY_BODY, isKept: true } });
  world.pass(2_000);
  world.swap(snapshotOf({ route: { checks: [], keepsBodiesIn: ["GET"] } }));
  world.pass(1_000);
  expect(kept.denials).toEqual([]);
  world.swap(policyWith());
  world.pass(1_000);
  expect(kept.denials).toMatchObject([{ reason: "stream_denied", seen: "request_malformed: body in a GET request" }]);
  expect(bare.denials).toEqual([]);
});

test("limits and bodies are not judged again", () => {
  const world = new World();
  const stream = world.stream();
  world.pass(2_000);
  const asked: string[] = [];
  const ask = (name: string, changes: Partial<Check>): Check =>
    checkOf(() => {
      asked.push(name);
      return CONTINUE;
    }, changes);
  world.swap({
    ...policyWith(ask("limit", { phase: "limit" }), ask("validate", { phase: "validate" }), ask("authorize", {})),
    admitChecks: [ask("address", { phase: "admit" }), ask("limit by address", { phase: "admit", once: true })],
  });
  world.pass(1_000);
  expect(asked).toEqual(["address", "authorize"]);
  expect(stream.denials).toEqual([]);
});

test("what has run for less than a second is left alone until it has", () => {
  const world = new World();
  world.pass(250);
  const stream = world.stream();
  world.swap(policyWith(checkOf(() => nobody)));
  world.pass(DEFAULTS.streamSettleMs - 250);
  expect(stream.denials).toEqual([]);
  world.pass(500);
  expect(stream.denials).toHaveLength(1);
});

test("a stream that began under the policy before is judged though the change is long over", () => {
  const world = new World();
  world.swap(policyWith(checkOf(() => nobody)));
  world.pass(10_000);
  const stream = world.stream();
  world.pass(2_000);
  expect(stream.denials).toHaveLength(1);
});

test("a check that only audits ends no stream, and of a share it is the same ones at each look", () => {
  const world = new World();
  const shares = { of: (_check: string, { target }: Exchange) => (target.path === "/low" ? 0.1 : 0.9) };
  const [low, high] = [world.stream(null, "/low"), world.stream(null, "/high")];
  world.pass(2_000);
  world.swap(policyWith(checkOf(() => nobody, { enforcePercent: 0 })));
  world.pass(1_000);
  expect([low.denials, high.denials]).toEqual([[], []]);
  for (const percent of [5, 20, 20, 20]) {
    world.swap({ ...policyWith(checkOf(() => nobody, { enforcePercent: percent })), shares });
    world.pass(1_000);
    expect([low.denials.length, high.denials.length]).toEqual([percent > 10 ? 1 : 0, 0]);
  }
});

test("a check that has to wait, one that throws and one that rejects have their say", async () => {
  const cases: [evaluate: Evaluate, seen: string | null][] = [
    [() => Promise.resolve(nobody), "scope_missing: no scopes"],
    [() => Promise.resolve(CONTINUE), null],
    [() => Promise.reject(new Error("broken")), "internal_error: Error: broken"],
    [
      () => {
        throw new Error("broken");
      },
      "internal_error: Error: broken",
    ],
  ];
  for (const [evaluate, seen] of cases) {
    const world = new World();
    const stream = world.stream();
    world.pass(2_000);
    world.swap(policyWith(checkOf(evaluate)));
    world.pass(1_000);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(stream.denials.map((denial) => denial.seen)).toEqual(seen === null ? [] : [seen]);
  }
});

test("of thousands few are judged in one go, and all within the window", () => {
  const world = new World();
  let state = 1;
  world.random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const streams = Array.from({ length: 4_000 }, () => world.stream());
  world.pass(2_000);
  let inOneGo = 0;
  let most = 0;
  const next = policyWith(
    checkOf(() => {
      most = Math.max(most, ++inOneGo);
      return nobody;
    }),
  );
  const defer = world.deferred;
  Object.defineProperty(world, "deferred", {
    get: () => {
      inOneGo = 0;
      return defer;
    },
  });
  const swappedMs = world.nowMs;
  world.swap(next);
  world.pass(DEFAULTS.streamJudgeWindowMs + DEFAULTS.sweepIntervalMs);
  expect(streams.filter((stream) => stream.denials.length === 1)).toHaveLength(4_000);
  expect(most).toBeLessThanOrEqual(DEFAULTS.streamsJudgedAtOnce);
  const times = streams.map((stream) => stream.endedAtMs - swappedMs);
  // One a millisecond: 4,000 streams take 4 s, and no quarter second has much more than its share.
  expect(Math.max(...times)).toBeGreaterThan(3_500);
  const perSweep = Map.groupBy(times, (time) => time);
  expect(Math.max(...[...perSweep.values()].map((group) => group.length))).toBeLessThan(400);
});

test("few streams do not wait for a window that is made for thousands", () => {
  const world = new World();
  world.random = () => 0.99;
  const stream = world.stream();
  world.pass(2_000);
  world.swap(policyWith(checkOf(() => nobody)));
  world.pass(500);
  expect(stream.denials).toHaveLength(1);
});

const authenticate = (enforcePercent: number) =>
  policyWith(checkOf(() => CONTINUE, { name: "authenticate", phase: "authenticate", enforcePercent }));

const enforced = authenticate(100);

function expiring(world: World, graceMs: number, snapshot = enforced): Stream {
  world.snapshot = snapshot;
  const stream = new Stream(world, createPrincipal({ expiresAtMs: world.wallMs(60_000), graceMs }));
  stream.adopt(world.snapshot, world.snapshot.routeList[0] ?? null);
  world.longLived.add(stream);
  return stream;
}

test("the end of its credentials ends a stream, and not a moment before", () => {
  const world = new World();
  const stream = expiring(world, 0);
  world.pass(59_750);
  expect(stream.denials).toEqual([]);
  world.pass(250);
  expect(stream.denials).toMatchObject([{ reason: "stream_expired", place }]);
});

test("streams whose credentials end together end within the time that clocks may differ, and no later", () => {
  const world = new World();
  const draws = [0, 0.5, 0.99];
  world.random = () => draws.shift() ?? 0;
  const streams = [expiring(world, 4_000), expiring(world, 4_000), expiring(world, 4_000)];
  world.pass(70_000);
  expect(streams.map((stream) => stream.endedAtMs - 61_000)).toEqual([0, 2_000, 4_000]);
});

test("a stream that begins with credentials within the time that clocks may differ lives until that is over", () => {
  const world = new World();
  world.snapshot = enforced;
  const stream = new Stream(world, createPrincipal({ expiresAtMs: world.wallMs(-10_000), graceMs: 30_000 }));
  stream.adopt(world.snapshot, world.snapshot.routeList[0] ?? null);
  world.longLived.add(stream);
  world.pass(19_750);
  expect(stream.denials).toEqual([]);
  world.pass(250);
  expect(stream.denials).toMatchObject([{ reason: "stream_expired", place }]);
});

test("credentials that only an auditing check asked for end nothing", () => {
  const world = new World();
  const stream = expiring(world, 0, authenticate(0));
  world.pass(120_000);
  expect(stream.denials).toEqual([]);
});

test("a wall clock that was set forward ends a stream at the next look", () => {
  const world = new World();
  const stream = expiring(world, 0);
  world.wallOffsetMs = 50_000;
  world.pass(DEFAULTS.streamLookMs - 1_000);
  expect(stream.denials).toEqual([]);
  world.pass(1_000);
  expect(stream.denials).toHaveLength(1);
});

test("a stream that is over is forgotten", () => {
  const world = new World();
  const stream = expiring(world, 0);
  expect(world.longLived.size).toBe(1);
  world.longLived.remove(stream);
  expect(world.longLived.size).toBe(0);
  world.pass(120_000);
  expect(stream.denials).toEqual([]);
});
