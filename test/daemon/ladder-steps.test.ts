// Goal: whatever waits for its turn, a step that was renewed meanwhile stays, one that somebody ends is ended, and none is forgotten
// that could not be ended. Method: the steps alone, over policies that are compiled, with a clock and turns that the test hands out.
import { expect, test } from "vitest";
import { LadderSteps } from "../../src/daemon/ladder-steps.ts";
import type { StepChange } from "../../src/daemon/step-change.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { err, ok, type Result } from "../../src/support/result.ts";
import { createEventLog } from "../../src/telemetry/event-log.ts";
import { LogOutput } from "../../src/telemetry/log-output.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemorySink } from "../fixtures/telemetry.ts";
import { policyWith, snapshotOf, snapshotOnSteps } from "../policy/policy-kit.ts";

const CHECK = "authorize of GET /orders";
const KEYS = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]` };
const policy = (mode: string): string =>
  policyWith(`
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
routes: [{ path: /orders, methods: [GET], authenticate: [partners], authorize: { scopes: [a], mode: ${mode} } }]`);

async function begin(mode = "enforce") {
  let base = await snapshotOf(policy(mode), KEYS);
  let text = policy(mode);
  let inForce: Snapshot = base;
  const time = new ManualTime(Date.UTC(2026, 10, 30));
  const sink = new MemorySink();
  const turns: (() => Promise<void>)[] = [];
  const world = { broken: null as string | null };
  const relay = (change: StepChange) =>
    new Promise<Result<null, string>>((resolve) => {
      turns.push(async () => {
        if (world.broken !== null) return resolve(err(world.broken));
        const laid = await snapshotOnSteps(text, KEYS, change.steps());
        const fault = change.fault(laid);
        if (fault !== null) return resolve(err(fault));
        inForce = laid;
        change.way();
        change.done(laid);
        resolve(ok(null));
      });
    });
  const steps = new LadderSteps({
    clock: time,
    timers: time,
    log: createEventLog(time, new LogOutput(sink)),
    base: () => base,
    inForce: () => inForce,
    relay,
    onCount: () => {},
  });
  /** Everything that waits has its turn, in the order in which it came. */
  const turn = async (): Promise<void> => {
    for (let next = turns.shift(); next !== undefined; next = turns.shift()) {
      await next();
      await new Promise(setImmediate);
    }
  };
  const edit = async (to: string): Promise<void> => {
    text = policy(to);
    base = await snapshotOf(text, KEYS);
    const { snapshot, settle } = await steps.over(base, async (all) => ok(await snapshotOnSteps(text, KEYS, all)));
    inForce = snapshot;
    settle();
  };
  return { steps, time, sink, world, turn, edit };
}

const SET = { check: CHECK, mode: "audit" };

test("a step whose time is over while a renewal of it waits is renewed", async () => {
  const { steps, time, sink, turn } = await begin();
  void steps.acts.set({ ...SET, for: "1s" });
  await turn();
  void steps.acts.set({ ...SET, for: "1h" });
  time.pass(1000);
  await turn();
  expect(steps.shown).toMatchObject([{ check: CHECK, mode: "audit" }]);
  expect(sink.events("ladder_step")).toMatchObject([{ state: "set" }, { state: "set" }]);
});

test("who ends a step that is renewed meanwhile ends the renewed one", async () => {
  const { steps, turn } = await begin();
  void steps.acts.set({ ...SET, for: "1m" });
  await turn();
  void steps.acts.set({ ...SET, for: "1h" });
  const ended = steps.acts.unset({ check: CHECK });
  await turn();
  expect(await ended).toEqual(ok({ ended: [CHECK] }));
  expect(steps.shown).toEqual([]);
});

test("a step that cannot be ended in time is told, and ends as soon as it can be", async () => {
  const { steps, time, sink, world, turn } = await begin();
  void steps.acts.set({ ...SET, for: "1s" });
  await turn();
  world.broken = "it cannot be put in force";
  time.pass(1000);
  await turn();
  expect(sink.events("ladder_step").at(-1)).toMatchObject({ level: "error", state: "stays", why: world.broken });
  world.broken = null;
  time.pass(60_000);
  await turn();
  expect(steps.shown).toEqual([]);
  expect(sink.events("ladder_step").at(-1)).toMatchObject({ state: "ended", why: "its time is over" });
});

test("what the file says of the check is told as it says it now", async () => {
  const { steps, turn, edit } = await begin();
  void steps.acts.set(SET);
  await turn();
  expect(steps.shown).toMatchObject([{ mode: "audit", was: "enforce" }]);
  await edit("{ enforce: 5% }");
  expect(steps.shown).toMatchObject([{ mode: "audit", was: "enforce: 5%" }]);
});
