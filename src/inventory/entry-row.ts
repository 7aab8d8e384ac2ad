import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import type { JudgedEntry } from "./entries.ts";
import { levelOf } from "./findings.ts";
import type { OperationUse } from "./operation-use.ts";
import { weaknessWords } from "./weak-token.ts";

/** An entry for machines. */
export function rowOf(entry: JudgedEntry): JsonObject {
  const { status, method, path, route, hosts, versions, declared, isDeprecated, findings, use } = entry;
  return {
    status,
    method,
    path,
    route,
    ...(hosts.length === 0 ? {} : { hosts }),
    ...(versions.length === 0 ? {} : { versions }),
    declared,
    deprecated: isDeprecated,
    exposure: levelOf(findings, "exposure"),
    threat: levelOf(findings, "threat"),
    findings,
    ...observedOf(use),
  };
}

/** What was seen of it. */
export function observedOf(use: OperationUse | null): JsonObject {
  if (use === null) return { requests: 0, first: null, last: null, callers: [], sensitive: [] };
  const callers = Array.from(use.callers, ([caller, one]) => ({ caller, ...one }))
    .toSorted((a, b) => b.requests - a.requests || (a.caller < b.caller ? -1 : 1))
    .slice(0, DEFAULTS.inventoryCallersToldMax)
    .map(({ caller, requests, denied, firstMs, lastMs, weak }) => ({
      caller,
      requests,
      denied,
      first: timeText(firstMs),
      last: timeText(lastMs),
      weak: weaknessWords(weak),
    }));
  return {
    requests: use.requests,
    ...use.counts,
    first: timeText(use.firstMs),
    last: timeText(use.lastMs),
    confirmedLast: timeText(use.confirmedMs),
    anonymous: use.anonymous,
    callers,
    callersMore: use.callers.size - callers.length,
    // How often one gave way to another: nobody knows how many they were, for who comes back is another then.
    callersGone: use.callersGone,
    sensitive: Array.from(use.sensitive, ([name, count]) => {
      const [way = "", kind = ""] = name.split(" ", 2);
      return { way, kind, count };
    }),
  };
}

function timeText(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString();
}
