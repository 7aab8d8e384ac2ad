import { DEPRECATED_OUTCOMES, type DeprecatedOutcome } from "../../message/deprecated-use.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import type { CallerUse, RouteUse } from "./route-use.ts";

/** What survives of who asked for one route. */
export interface KeptUse {
  readonly route: string;
  readonly counts: Readonly<Record<DeprecatedOutcome, number>>;
  readonly callers: readonly (readonly [name: string, use: CallerUse])[];
  readonly addresses: readonly (readonly [name: string, use: CallerUse])[];
}

export function encodeUse(routes: readonly RouteUse[]): Buffer {
  const rows = (room: ReadonlyMap<string, CallerUse>) =>
    Array.from(room, ([name, { requests, firstMs, lastMs, outcome }]) => [name, requests, firstMs, lastMs, outcome]);
  const kept = routes.map(({ route, counts, callers, addresses }) => ({
    route,
    counts,
    callers: rows(callers),
    addresses: rows(addresses),
  }));
  return Buffer.from(JSON.stringify({ routes: kept }));
}

/** Null where it is of no use. What is beyond the bounds, or not what was written, is left out. */
export function decodeUse(content: Buffer): readonly KeptUse[] | null {
  const parsed = parseJsonObject(content, 6);
  if (!parsed.ok) return null;
  const { routes } = parsed.value;
  return Array.isArray(routes) ? routes.slice(0, DEFAULTS.deprecatedRoutesMax).flatMap(routeOf) : null;
}

function routeOf(value: unknown): readonly KeptUse[] {
  if (typeof value !== "object" || value === null) return [];
  const { route, counts, callers, addresses }: Partial<Record<keyof KeptUse, unknown>> = value;
  if (typeof route !== "string") return [];
  return [{ route, counts: countsOf(counts), callers: rowsOf(callers), addresses: rowsOf(addresses) }];
}

function countsOf(value: unknown): KeptUse["counts"] {
  const counts: Record<DeprecatedOutcome, number> = { served: 0, excepted: 0, brownout: 0, ended: 0 };
  if (typeof value !== "object" || value === null) return counts;
  for (const outcome of DEPRECATED_OUTCOMES) {
    const count: unknown = Reflect.get(value, outcome);
    if (isCount(count)) counts[outcome] = count;
  }
  return counts;
}

function rowsOf(value: unknown): readonly (readonly [string, CallerUse])[] {
  return Array.isArray(value) ? value.slice(0, DEFAULTS.deprecatedCallersMax).flatMap(rowOf) : [];
}

function rowOf(value: unknown): readonly (readonly [string, CallerUse])[] {
  if (!Array.isArray(value)) return [];
  const [name, requests, firstMs, lastMs, last]: readonly unknown[] = value;
  const outcome = DEPRECATED_OUTCOMES.find((one) => one === last);
  if (typeof name !== "string" || !isCount(requests) || !isCount(firstMs) || !isCount(lastMs)) return [];
  if (outcome === undefined) return [];
  return [[name.slice(0, DEFAULTS.deprecatedCallerCharsMax), { requests, firstMs, lastMs, outcome }]];
}

/** Also a time: milliseconds since 1970. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
