import { stateFiles } from "../../src/daemon/state-files.ts";
import type { Ask, QuotaWindows, StoreAnswer, StoreCounter } from "../../src/limits/redis/ask.ts";
import type { OpenLink, StoreAddress } from "../../src/limits/redis/link.ts";
import { openLink } from "../../src/limits/redis/open-link.ts";
import { SCRIPT, SCRIPT_SHA1 } from "../../src/limits/redis/script.ts";
import { LimitStore } from "../../src/limits/redis/store.ts";
import type { StoreOptions } from "../../src/limits/redis/store-request.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { ResourceState } from "../../src/resources/resource.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { err } from "../../src/support/result.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { eventually } from "../fixtures/eventually.ts";
import { onClose } from "../fixtures/proxy.ts";

/** Long enough for a machine that is busy with something else; tests of what comes late have their own. */
export const PATIENT_MS = 5_000;

export interface KitOptions extends Partial<Omit<StoreOptions, "address">> {
  readonly address?: Partial<StoreAddress>;
  readonly clock?: Clock;
}

export interface KitStore {
  readonly store: LimitStore;
  /** Every state that it told of. */
  readonly states: readonly ResourceState[];
}

export function addressOf(port: number, more: Partial<StoreAddress> = {}): StoreAddress {
  return {
    hosts: [{ host: "127.0.0.1", port }],
    kind: "single",
    master: "",
    database: 0,
    username: null,
    password: null,
    sentinelUsername: null,
    sentinelPassword: null,
    tls: null,
    ...more,
  };
}

/** A store that is started, and closed with the test. */
export function startStore(port: number, options: KitOptions = {}): KitStore {
  const { address, clock = systemClock, ...more } = options;
  const states: ResourceState[] = [];
  const store = new LimitStore(
    {
      name: "shared",
      prefix: "postern",
      timeoutMs: PATIENT_MS,
      open: openLink,
      ...more,
      address: addressOf(port, address),
    },
    {
      clock,
      timers: systemTimers,
      random: Math.random,
      residentBytes: () => 0,
      memory: unlimitedMemory(),
      openCaller: () => ({ call: () => Promise.resolve(err({ kind: "closed", text: "none" })), close: () => {} }),
      folder: null,
      openFiles: (folder) => stateFiles(folder, null),
      readFile: () => err("none"),
      changed: (resource) => void states.push(resource.status().state),
      note: () => {},
      recompile: () => {},
    },
  );
  store.start();
  onClose(() => store.close());
  return { store, states };
}

export async function readyStore(port: number, options: KitOptions = {}): Promise<KitStore> {
  const kit = startStore(port, options);
  await isReady(kit.store);
  return kit;
}

export async function isReady(store: LimitStore): Promise<void> {
  await eventually(() => store.status().state === "ready");
}

/** `count` in `seconds`; ids differ where counters are not to be one. */
export function rate(id: string, count: number, seconds: number, burst = count, lease = 0): StoreCounter {
  const intervalUs = Math.ceil((seconds * 1_000_000) / count);
  return { id, terms: { kind: "rate", intervalUs, toleranceUs: burst * intervalUs }, lease };
}

/** By the hour of UTC. */
export function hourly(id: string, limit: number, lease = 0): StoreCounter {
  return { id, terms: { kind: "quota", limit, windowsAt: hourAt }, lease };
}

export function hourAt(wallMs: number): QuotaWindows {
  const start = Math.floor(wallMs / 3_600_000) * 3600;
  return { start, end: start + 3600, next: start + 7200 };
}

export async function ask(store: LimitStore, ...asks: readonly Ask[]): Promise<readonly StoreAnswer[]> {
  return store.ask(asks);
}

/** The kind of the answer to one ask. */
export async function one(store: LimitStore, counter: StoreCounter, key = "k", cost = 1): Promise<StoreAnswer["kind"]> {
  const [answer] = await store.ask([{ counter, key, cost }]);
  return answer?.kind ?? "unavailable";
}

/** How many of `count` asks in a row are let in. */
export async function admittedOf(store: LimitStore, count: number, counter: StoreCounter, key = "k"): Promise<number> {
  let admitted = 0;
  for (let at = 0; at < count; at++) if ((await one(store, counter, key)) === "admitted") admitted++;
  return admitted;
}

const TIMED = SCRIPT.replace(
  "redis.call('TIME')",
  "{ tonumber(table.remove(ARGV, 1)), tonumber(table.remove(ARGV, 1)) }",
).replace("format('%d', micros / 1000 + 1) end", "'3600000' end");

/**
 * Links whose store reads the time from `clock` and not from its own: the script is the same but for that, and for how long
 * keys are kept, which goes by the real time.
 */
export function timedLinks(clock: Pick<Clock, "wallMs">): OpenLink {
  return async (address, ended) => {
    const link = await openLink(address, ended);
    return {
      ...link,
      send: (key, [command = "", script = "", count = "0", ...rest]) => {
        if (command !== "EVALSHA" || script !== SCRIPT_SHA1) return link.send(key, [command, script, count, ...rest]);
        const ms = clock.wallMs();
        const time = [Math.floor(ms / 1000), Math.round((ms % 1000) * 1000)].map(String);
        const [keys, argv] = [rest.slice(0, Number(count)), rest.slice(Number(count))];
        return link.send(key, ["EVAL", TIMED, count, ...keys, ...time, ...argv]);
      },
    };
  };
}
