// Goal: what outlives a policy is started once, kept as long as some policy has it, and closed once.
import { expect, test } from "vitest";
import type { Resource, ResourceState, ResourceStatus, ResourceWorld } from "../../src/resources/resource.ts";
import { testResources } from "../fixtures/outside.ts";

class Probe implements Resource {
  readonly kind = "probe";
  readonly name: string;
  readonly events: string[] = [];
  readonly #world: ResourceWorld;
  #state: ResourceState = "starting";

  constructor(name: string, world: ResourceWorld) {
    this.name = name;
    this.#world = world;
  }

  turn(state: ResourceState): void {
    this.#state = state;
    this.#world.changed(this);
  }

  status(): ResourceStatus {
    const tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
    const nothing = { detail: null, freshAtMs: null, staleUntilMs: null, fault: null };
    return { kind: this.kind, name: this.name, state: this.#state, tries, ...nothing };
  }

  start(): void {
    this.events.push("start");
  }

  close(): void {
    this.events.push("close");
  }

  tryOnce(): ReturnType<Resource["tryOnce"]> {
    return Promise.resolve({ ok: true, value: "fine" });
  }
}

const acquire = (
  registry: ReturnType<typeof testResources>,
  settings: readonly string[],
  directory: string | null = null,
) => {
  const acquisition = registry.begin(directory);
  const probes = settings.map((setting) =>
    acquisition.acquire("probe", [setting], (world) => new Probe(setting, world)),
  );
  return { resources: acquisition.resources, probes };
};

test("equal settings are the instance that runs, over any number of policies", () => {
  const registry = testResources();
  const first = acquire(registry, ["a", "b", "a"]);
  expect(first.probes[0]).toBe(first.probes[2]);
  expect(first.resources.size).toBe(2);
  registry.follow(first);
  const second = acquire(registry, ["a", "c"]);
  expect(second.probes[0]).toBe(first.probes[0]);
  registry.follow(second);
  expect(first.probes.map(({ events }) => events)).toEqual([["start"], ["start", "close"], ["start"]]);
  expect(second.probes[1]?.events).toEqual(["start"]);
  registry.close();
  expect(second.probes.map(({ events }) => events)).toEqual([
    ["start", "close"],
    ["start", "close"],
  ]);
});

test("what the policy before has goes on running, unseen, as long as that may come back", () => {
  const registry = testResources();
  const states: string[] = [];
  registry.reportTo({
    onState: ({ name, state }) => states.push(`${name} ${state}`),
    onNote: () => {},
    onFolder: () => {},
  });
  const first = acquire(registry, ["a", "b"]);
  registry.follow(first);
  const second = acquire(registry, ["a", "c"]);
  registry.follow(second, first);
  first.probes[1]?.turn("failing");
  expect([registry.statuses().map(({ name }) => name), states]).toEqual([["a", "c"], []]);
  expect(acquire(registry, ["b"]).probes[0]).toBe(first.probes[1]);

  registry.follow(first);
  expect(registry.statuses().map(({ name }) => name)).toEqual(["a", "b"]);
  first.probes[1]?.turn("ready");
  expect(states).toEqual(["b ready"]);
  const events = [first.probes[0], first.probes[1], second.probes[1]].map((probe) => probe?.events);
  expect(events).toEqual([["start"], ["start"], ["start", "close"]]);
  registry.close();
  expect(first.probes[1]?.events).toEqual(["start", "close"]);
});

test("a policy that is refused starts nothing and closes nothing", () => {
  const registry = testResources();
  const first = acquire(registry, ["a"]);
  registry.follow(first);
  const refused = acquire(registry, ["b"]);
  expect(refused.probes[0]?.events).toEqual([]);
  expect(first.probes[0]?.events).toEqual(["start"]);
  expect(registry.statuses().map(({ name }) => name)).toEqual(["a"]);
});

test("another state folder is another instance", () => {
  const registry = testResources();
  const first = acquire(registry, ["a"], "/var/lib/one");
  registry.follow(first);
  expect(acquire(registry, ["a"], "/var/lib/one").probes[0]).toBe(first.probes[0]);
  expect(acquire(registry, ["a"], "/var/lib/two").probes[0]).not.toBe(first.probes[0]);
});

test("each change of state is told once, and only of what is in force", () => {
  const registry = testResources();
  const told: string[] = [];
  registry.reportTo({
    onState: ({ name, state }, before) => told.push(`${name} ${before} ${state}`),
    onFolder: () => {},
    onNote: () => {},
  });
  const { probes, resources } = acquire(registry, ["a"]);
  probes[0]?.turn("failing");
  registry.follow({ resources });
  probes[0]?.turn("failing");
  probes[0]?.turn("ready");
  probes[0]?.turn("ready");
  registry.close();
  probes[0]?.turn("failing");
  expect(told).toEqual(["a failing ready"]);
});
