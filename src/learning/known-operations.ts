import { parseTemplate } from "../matching/route-tree.ts";
import { parseJsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import { mapping } from "./current-routes.ts";
import type { Thresholds } from "./support.ts";

/** What `postern inventory --json` tells of an operation that the service has answered. */
export interface KnownOperation {
  /** Template of the route that took it. */
  readonly route: string;
  readonly path: string;
  readonly method: string;
  readonly requests: number;
  readonly callers: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

const DEPTH_MAX = 16;

/** The inventory's list for machines → the operations that were answered. It goes further back than a record that turns over. */
export function knownOperations(content: Buffer): Result<readonly KnownOperation[], string> {
  const parsed = parseJsonObject(content, DEPTH_MAX);
  const rows = parsed.ok ? parsed.value["operations"] : undefined;
  if (!Array.isArray(rows)) return err("is no list of an inventory; expected what 'postern inventory --json' prints");
  return ok(rows.map(mapping).flatMap(operationOf));
}

function operationOf(row: Readonly<Record<string, unknown>>): readonly KnownOperation[] {
  const { route, path, method, confirmed, callers, callersMore, anonymous, first, confirmedLast } = row;
  if (typeof route !== "string" || typeof path !== "string" || typeof method !== "string") return [];
  const requests = countOf(confirmed);
  if (requests === 0 || !/^[A-Z]{1,32}$/.test(method) || !parseTemplate(path).ok) return [];
  const named = Array.isArray(callers) ? callers.length : 0;
  return [
    {
      route,
      path,
      method,
      requests,
      callers: named + countOf(callersMore) + (countOf(anonymous) > 0 ? 1 : 0),
      firstMs: Date.parse(String(first)) || 0,
      lastMs: Date.parse(String(confirmedLast)) || 0,
    },
  ];
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 0;
}

export function isKnownEnough({ requests, callers }: KnownOperation, thresholds: Thresholds): boolean {
  return requests >= thresholds.requests && callers >= thresholds.callers;
}
