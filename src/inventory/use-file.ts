import { DEFAULTS } from "../support/defaults.ts";
import { parseJsonObject } from "../support/json.ts";
import type { Steps } from "../support/turns.ts";
import { type CallerUse, OperationUse } from "./operation-use.ts";
import { OUTCOMES } from "./outcome.ts";
import type { Probed, ProbedUse } from "./probed.ts";
import type { RouteId, RouteUse } from "./route-use.ts";

/** A line of JSON for each operation, so that neither writing nor reading holds up others: what lies between two is a step. */
export function* encodeSteps(
  sinceMs: number,
  routes: readonly RouteUse[],
  probed: readonly ProbedUse[],
): Steps<Buffer> {
  const lines = [JSON.stringify({ sinceMs })];
  for (const route of routes) {
    const { id, requests, unlearnt } = route;
    lines.push(JSON.stringify({ route: idRow(id), requests, unlearnt }));
    for (const use of route.operations.values()) lines.push(JSON.stringify({ route: idRow(id), use: rowOf(use) }));
    for (const [steps, use] of route.tree.all()) {
      lines.push(JSON.stringify({ route: idRow(id), steps, use: rowOf(use) }));
      yield;
    }
    yield;
  }
  for (const { route, steps, use } of probed) {
    lines.push(JSON.stringify({ route: idRow(route), steps, probed: rowOf(use) }));
    yield;
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

export interface Restored {
  route(id: RouteId): RouteUse;
  readonly probed: Probed;
}

/** Lays what was kept under what was counted meanwhile; since when it counts, or null where the content is of no use. */
export function* restoreSteps(content: Buffer, into: Restored): Steps<number | null> {
  let sinceMs: number | null = null;
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf(0x0a, from);
    const line = content.subarray(from, end < 0 ? content.length : end);
    from = end < 0 ? content.length : end + 1;
    const parsed = parseJsonObject(line, DEPTH_MAX);
    if (!parsed.ok) return null;
    if (sinceMs === null) {
      if (!isCount(parsed.value["sinceMs"])) return null;
      sinceMs = parsed.value["sinceMs"];
    } else restoreLine(parsed.value, into);
    yield;
  }
  return sinceMs;
}

const DEPTH_MAX = 6;

/** What is not as it was written is left out. */
function restoreLine(line: Readonly<Record<string, unknown>>, into: Restored): void {
  const id = idOf(line["route"]);
  if (id === null) return;
  const { requests, unlearnt } = line;
  if (isCount(requests) && isCount(unlearnt)) {
    const route = into.route(id);
    route.requests += requests;
    route.unlearnt += unlearnt;
  }
  const steps = textsOf(line["steps"]);
  const use = useOf(line["use"]);
  if (use !== null) {
    const route = into.route(id);
    const own = steps === null ? route.operation(use.method) : route.tree.learn(steps, use.method);
    own?.join(use);
  }
  const probed = useOf(line["probed"]);
  if (probed !== null && steps !== null) into.probed.restore(id, steps, probed);
}

function idRow({ template, hosts, versions }: RouteId): readonly unknown[] {
  return [template, hosts, versions];
}

function idOf(value: unknown): RouteId | null {
  if (!Array.isArray(value)) return null;
  const [template, hosts, versions]: readonly unknown[] = value;
  const [ofHosts, ofVersions] = [textsOf(hosts), textsOf(versions)];
  if (typeof template !== "string" || ofHosts === null || ofVersions === null) return null;
  return { template, hosts: ofHosts, versions: ofVersions };
}

function rowOf(use: OperationUse): readonly unknown[] {
  const callers = Array.from(use.callers, ([name, { requests, denied, firstMs, lastMs, weak }]) => {
    return [name, requests, denied, firstMs, lastMs, weak];
  });
  const { method, firstMs, lastMs, confirmedMs, bodies, created, anonymous, attacks, callersGone } = use;
  const numbers = [firstMs, lastMs, confirmedMs, bodies, created, anonymous, attacks, callersGone];
  return [method, OUTCOMES.map((outcome) => use.counts[outcome]), numbers, [...use.sensitive], callers];
}

function useOf(value: unknown): OperationUse | null {
  if (!Array.isArray(value)) return null;
  const [method, counts, numbers, sensitive, callers]: readonly unknown[] = value;
  if (typeof method !== "string" || method.length > METHOD_CHARS_MAX) return null;
  if (!isCounts(counts) || !isCounts(numbers) || !Array.isArray(sensitive) || !Array.isArray(callers)) return null;
  const { inventoryKindsMax, inventoryCallersMax } = DEFAULTS;
  const use = new OperationUse(method, { each: inventoryCallersMax, left: inventoryCallersMax });
  for (const [at, outcome] of OUTCOMES.entries()) use.counts[outcome] = counts[at] ?? 0;
  const [firstMs = 0, lastMs = 0, confirmedMs = 0, bodies = 0, created = 0, anonymous = 0, attacks = 0, gone = 0] =
    numbers;
  Object.assign(use, { firstMs, lastMs, confirmedMs, bodies, created, anonymous, attacks, callersGone: gone });
  for (const pair of sensitive.slice(0, inventoryKindsMax)) {
    const [name, count]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof name === "string" && isCount(count)) use.sensitive.set(name, count);
  }
  for (const row of callers.slice(0, inventoryCallersMax)) restoreCaller(use, row);
  return use;
}

const METHOD_CHARS_MAX = 32;

function restoreCaller(use: OperationUse, row: unknown): void {
  if (!Array.isArray(row)) return;
  const [name, ...rest]: readonly unknown[] = row;
  if (typeof name !== "string" || !isCounts(rest)) return;
  const [requests = 0, denied = 0, firstMs = 0, lastMs = 0, weak = 0] = rest;
  const caller: CallerUse = { requests, denied, firstMs, lastMs, weak };
  use.joinCaller(name, caller);
}

function textsOf(value: unknown): readonly string[] | null {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) return null;
  return value.slice(0, DEFAULTS.inventoryStepsMax + 1);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}

/** Also a time: milliseconds since 1970. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
