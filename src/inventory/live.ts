import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import type { Steps } from "../support/turns.ts";
import type { InventoryBook } from "./book.ts";
import type { DeclaredRoute } from "./declared.ts";
import type { OperationUse } from "./operation-use.ts";
import { keyOfRoute, type RouteUse, UNMATCHED } from "./route-use.ts";
import { templateOf } from "./segment-kind.ts";

interface Row {
  readonly lastMs: number;
  readonly row: JsonObject;
}

/** Sums since the book began, of what was asked for last: who asks twice has rates. */
export function* liveSteps(book: InventoryBook, declared: readonly DeclaredRoute[], nowMs: number): Steps<JsonObject> {
  book.learn();
  const ids = new Map(declared.map(({ id }) => [keyOfRoute(id), id]));
  ids.set(UNMATCHED.template, UNMATCHED);
  const operations: Row[] = [];
  const rules: Row[] = [];
  const callers = new Map<string, { requests: number; denied: number; lastMs: number }>();
  let requests = 0;
  for (const id of ids.values()) {
    const route = book.find(id);
    if (route === null) continue;
    requests += route.requests;
    for (const [path, use] of usesOf(route)) {
      operations.push(operationRow(path, use));
      addCallers(callers, use);
      yield;
    }
    rules.push(...ruleRows(route));
    yield;
  }
  const callerRows = Array.from(callers, ([caller, { lastMs, ...counts }]) => ({
    lastMs,
    row: { caller, ...counts, last: new Date(lastMs).toISOString() },
  }));
  return {
    at: new Date(nowMs).toISOString(),
    requests,
    operations: newest(operations),
    callers: newest(callerRows),
    rules: newest(rules),
  };
}

function* usesOf(route: RouteUse): Generator<readonly [path: string, use: OperationUse]> {
  for (const use of route.operations.values()) yield [route.id.template, use];
  for (const [steps, use] of route.tree.all()) yield [templateOf(route.prefix ?? "", steps), use];
}

function operationRow(path: string, use: OperationUse): Row {
  const { method, lastMs, requests } = use;
  return { lastMs, row: { method, path, requests, ...use.counts, last: new Date(lastMs).toISOString() } };
}

function addCallers(
  callers: Map<string, { requests: number; denied: number; lastMs: number }>,
  use: OperationUse,
): void {
  for (const [name, { requests, denied, lastMs }] of use.callers) {
    const sum = callers.get(name);
    if (sum === undefined) callers.set(name, { requests, denied, lastMs });
    else {
      sum.requests += requests;
      sum.denied += denied;
      sum.lastMs = Math.max(sum.lastMs, lastMs);
    }
  }
}

/** Who let a route's requests in, and what kept them out. */
function* ruleRows(route: RouteUse): Generator<Row> {
  let allowed = 0;
  let lastMs = 0;
  for (const [, { counts, confirmedMs, lastMs: seenMs }] of usesOf(route)) {
    allowed += counts.confirmed + counts.answered + counts.missing + counts.failed;
    lastMs = Math.max(lastMs, confirmedMs, allowed > 0 ? seenMs : 0);
  }
  const { template } = route.id;
  if (allowed > 0)
    yield {
      lastMs,
      row: { route: template, verdict: "allow", reason: null, rule: null, place: null, requests: allowed },
    };
  for (const { reason, rule, place, denied, audited, lastMs: atMs } of route.rules.values()) {
    const shared = { route: template, reason, rule, place };
    if (denied > 0) yield { lastMs: atMs, row: { ...shared, verdict: "deny", requests: denied } };
    if (audited > 0) yield { lastMs: atMs, row: { ...shared, verdict: "audit", requests: audited } };
  }
}

function newest(rows: readonly Row[]): readonly JsonObject[] {
  return rows
    .toSorted((a, b) => b.lastMs - a.lastMs)
    .slice(0, DEFAULTS.inventoryLiveMax)
    .map(({ row }) => row);
}
