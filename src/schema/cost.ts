import { DEFAULTS } from "../support/defaults.ts";
import { isLeaf, type Subschema } from "./subschema.ts";

/**
 * How often each child of a value is judged, by child: `.name`, `[3]`; the bare `.`, `[` and `~` (names of members) stand
 * for all children of the kind that are not listed.
 */
type Counts = ReadonlyMap<string, number>;

const NO_COUNTS: Counts = new Map();

/** What a plan can cost, whatever the value. */
export interface Cost {
  /** Judgements of one part of a value at most, where nothing is kept of what was found out; saturates. */
  readonly judgementsMax: number;
}

/**
 * Where two alternatives of a schema both lead back to it through one child, each level of a body doubles the work: 600
 * bytes would keep a CPU for hours. For each depth that a body may have, this counts how often one value can be judged at
 * most, whatever the body. `ordered`: what a schema applies in place stands before it.
 */
export function costOf(root: Subschema, ordered: readonly Subschema[]): Cost {
  const nodes = nodesOf(ordered);
  const rootAt = ordered.indexOf(root);
  let current = inPlaceCounts(nodes);
  let judgementsMax = current.reduce((most, count) => Math.max(most, count), 1);
  // Where no child has two judges, its value is judged as often as the schema and what it applies say, and no more.
  if (!nodes.some((_, index) => hasOverlap(nodes, index))) return { judgementsMax };
  judgementsMax = 1;
  for (let depth = 0; depth <= DEFAULTS.jsonDepthMax; depth++) {
    judgementsMax = Math.max(judgementsMax, current[rootAt] ?? 0);
    if (judgementsMax > DEFAULTS.schemaJudgementsMax) break;
    const next = childCounts(nodes, current);
    // Each depth follows from the one before it alone.
    if (next.every((count, index) => count === current[index])) break;
    current = next;
  }
  return { judgementsMax };
}

/** Of one subschema, by positions in the order. */
interface CostNode {
  /** Those for the value itself; of each group one is applied. */
  readonly groups: readonly (readonly number[])[];
  readonly children: readonly (readonly [child: string, parts: readonly number[]])[];
  /** Some other is applied to the same value, so that it matters which child is judged how often. */
  isShared: boolean;
}

function nodesOf(ordered: readonly Subschema[]): readonly CostNode[] {
  const at = new Map(ordered.map((schema, index) => [schema, index]));
  const positions = (parts: readonly Subschema[]): number[] => parts.map((part) => at.get(part) ?? 0);
  const nodes = ordered.map((schema): CostNode => {
    if (isLeaf(schema)) return { groups: [], children: [], isShared: false };
    const groups = groupsOf(schema).map(positions);
    const children = [...childrenOf(schema)].map(([child, parts]) => [child, positions(parts)] as const);
    return { groups, children, isShared: groups.length > 0 };
  });
  for (const { groups } of nodes) {
    for (const index of groups.flat()) {
      const part = nodes[index];
      if (part !== undefined) part.isShared = true;
    }
  }
  return nodes;
}

function groupsOf(schema: Subschema): readonly (readonly Subschema[])[] {
  const { condition } = schema;
  const branches = condition === null ? [] : [condition.then, condition.else].filter((part) => part !== null);
  return [
    ...[
      ...schema.refs,
      ...schema.allOf,
      ...(schema.anyOf?.parts ?? []),
      ...(schema.oneOf?.parts ?? []),
      ...(schema.not?.parts ?? []),
      ...schema.dependentSchemas.map((dependent) => dependent.schema),
      ...(condition === null ? [] : [condition.if]),
    ].map((part) => [part]),
    ...(branches.length === 0 ? [] : [branches]),
    ...schema.dynamicRefs.map(({ targets, fallback }) => [...targets.values(), fallback]),
  ];
}

/** Subschemas by child; an overlap that depends on a pattern counts as one. */
function childrenOf({ array, object, unevaluatedItems, unevaluatedProperties }: Subschema): Map<string, Subschema[]> {
  const children = new Map<string, Subschema[]>();
  const set = (child: string, parts: readonly (Subschema | null)[]): void => {
    const there = parts.filter((part) => part !== null);
    if (there.length > 0) children.set(child, there);
  };
  const patterns = object?.patterns.map(({ schema }) => schema) ?? [];
  set(".", [...patterns, object?.additional ?? null, unevaluatedProperties]);
  set("~", [object?.names ?? null]);
  set("[", [array?.contains ?? null, array?.rest ?? null, unevaluatedItems]);
  for (const [name, part] of object?.properties ?? []) set(`.${name}`, [part, ...patterns]);
  for (const [at, part] of (array?.prefix ?? []).entries()) set(`[${at}`, [part, array?.contains ?? null]);
  return children;
}

/** Whether two of those that judge a value both judge one of its children. */
function hasOverlap(nodes: readonly CostNode[], start: number): boolean {
  const { groups, children } = nodes[start] ?? { groups: [], children: [] };
  if (groups.length === 0) return children.some(([, parts]) => parts.length > 1);
  const names = new Set<string>();
  const kinds = new Set<string>();
  const pending = [start];
  const seen = new Set(pending);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const node = nodes[next];
    if (node === undefined) continue;
    const before = new Set(kinds);
    for (const [child, parts] of node.children) {
      const kind = child.charAt(0);
      // A name that another lists, or a kind of children that another judges whole.
      if (parts.length > 1 || names.has(child) || before.has(kind) || (child === kind && hasKind(names, kind, node)))
        return true;
      if (child === kind) kinds.add(kind);
    }
    for (const [child] of node.children) names.add(child);
    for (const part of node.groups.flat()) {
      if (seen.has(part)) continue;
      seen.add(part);
      pending.push(part);
    }
  }
  return false;
}

/** Whether another has children of the kind by name. */
function hasKind(names: ReadonlySet<string>, kind: string, node: CostNode): boolean {
  for (const name of names) if (name.startsWith(kind) && !node.children.some(([child]) => child === name)) return true;
  return false;
}

/** Judgements of the value itself: of the schema and of all that it applies in place. */
function inPlaceCounts(nodes: readonly CostNode[]): number[] {
  const counts: number[] = [];
  for (const { groups } of nodes) {
    let count = 1;
    for (const group of groups) count += Math.max(...group.map((index) => counts[index] ?? 0));
    counts.push(saturate(count));
  }
  return counts;
}

/** Judgements of the child that is judged most, one level below those of `deeper`. */
function childCounts(nodes: readonly CostNode[], deeper: readonly number[]): number[] {
  const all: Counts[] = [];
  const sum = (parts: readonly number[]): number => {
    let count = 0;
    for (const index of parts) count += deeper[index] ?? 0;
    return saturate(count);
  };
  return nodes.map(({ groups, children, isShared }) => {
    if (!isShared) {
      all.push(NO_COUNTS);
      return children.reduce((most, [, parts]) => Math.max(most, sum(parts)), 0);
    }
    let merged: Counts = new Map(children.map(([child, parts]) => [child, sum(parts)]));
    for (const group of groups) {
      const most = group.map((index) => all[index] ?? NO_COUNTS).reduce((a, b) => merge(a, b, Math.max));
      merged = merge(merged, most, (a, b) => saturate(a + b));
    }
    all.push(merged);
    return Math.max(0, ...merged.values());
  });
}

function merge(a: Counts, b: Counts, join: (a: number, b: number) => number): Counts {
  if (b.size === 0) return a;
  if (a.size === 0) return b;
  const merged = new Map<string, number>();
  for (const child of a.keys()) merged.set(child, join(lookUp(a, child), lookUp(b, child)));
  for (const child of b.keys()) if (!merged.has(child)) merged.set(child, join(lookUp(a, child), lookUp(b, child)));
  return merged;
}

function lookUp(counts: Counts, child: string): number {
  return counts.get(child) ?? counts.get(child.charAt(0)) ?? 0;
}

function saturate(count: number): number {
  return Math.min(count, DEFAULTS.schemaJudgementsMax + 1);
}
