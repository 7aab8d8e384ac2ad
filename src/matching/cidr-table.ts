import type { Address } from "../message/address.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { atOnce, type Steps } from "../support/turns.ts";
import { parsePrefix } from "./prefix.ts";
import { RangeCollector } from "./range-collector.ts";
import type { RangeTable } from "./range-table.ts";

/**
 * A set of IP prefixes, immutable, built once; IPv4-mapped IPv6 prefixes count as IPv4. `::/0` is all of IPv6 and
 * nothing of IPv4. The peer of a Unix socket is in no table.
 */
export interface CidrTable {
  /** Number of prefixes it was built from. */
  readonly size: number;
  has(address: Address): boolean;
}

/** What is wrong with one of the prefixes. */
export interface CidrProblem {
  readonly text: string;
  /** Which one, from 0. */
  readonly index: number;
}

/** Prefixes and bare addresses as a policy has them → table, or what is wrong with them, of very many the first. */
export function buildCidrTable(prefixes: Iterable<string>): Result<CidrTable, CidrProblem[]> {
  return atOnce(cidrTable(prefixes));
}

/** The same in steps. With `cutsHostBits`, bits behind a prefix's length are no fault. */
export function* cidrTable(prefixes: Iterable<string>, cutsHostBits = false): Steps<Result<RangeTable, CidrProblem[]>> {
  const problems: CidrProblem[] = [];
  const collector = new RangeCollector();
  let index = 0;
  for (const text of prefixes) {
    const prefix = parsePrefix(text, cutsHostBits);
    if (prefix.ok) collector.addPrefix(prefix.value);
    else problems.push({ text: prefix.error, index });
    if (problems.length >= DEFAULTS.policyProblemsMax) break;
    if (++index % STEP_PREFIXES === 0) yield;
  }
  return problems.length > 0 ? err(problems) : ok(yield* collector.build());
}

/** Prefixes read between two yields. */
const STEP_PREFIXES = 128;
