import { DEFAULTS } from "../support/defaults.ts";
import { candidateLists } from "./judge/alternatives.ts";
import { childParts, inPlaceParts, isLeaf, type Subschema } from "./subschema.ts";
import { type Dearest, dearestList, dearestOf } from "./worst.ts";

/**
 * How often each child of a value is judged, by child: `.name`, `[3]`, `=` (what a text holds); the bare `.`, `[` and `~`
 * (names of members) stand
 * for all children of the kind that are not listed.
 */
type Counts = ReadonlyMap<string, number>;

const NO_COUNTS: Counts = new Map();
const COUNTED_MAX = 1_000_000;

/** What a plan can cost, whatever the value. */
export interface Cost {
  /**
   * Judgements of one part of a value at most, each pattern of names and each `uniqueItems` above it counted as one. A body
   * takes time by its bytes times this.
   */
  readonly judgementsMax: number;
  /** Two ways lead back to the same schema, again and again, so that answers have to be kept. */
  readonly isForking: boolean;
  /** Which schema most of it comes from; null where nothing is dear. */
  readonly dearest: Dearest | null;
}

/**
 * Where two alternatives of a schema both lead back to it through one child, each level of a body doubles the work: 600
 * bytes would keep a CPU for hours. For each depth that a body may have, this counts how often one value can be judged at
 * most, whatever the body. `ordered`: what a schema applies in place stands before it. `scopes`: of how many ways to it the
 * meaning of a schema can depend on.
 */
export function costOf(root: Subschema, ordered: readonly Subschema[], scopes: number): Cost {
  const plain = plainCost(ordered);
  if (plain !== null) return plain;
  const nodes = nodesOf(ordered);
  const inPlace = inPlaceCounts(nodes);
  const deepest = deepestOf(nodes, inPlace, ordered.indexOf(root));
  const isForking = deepest > DEFAULTS.schemaJudgementsMax;
  // No schema judges a value twice where answers are kept.
  const counted = isForking ? Math.max(...inPlace, referencesIn(ordered) * scopes) : deepest;
  const written = writtenMax(nodes, ordered);
  const judgementsMax = counted + written;
  if (judgementsMax <= DEFAULTS.schemaJudgementsKnownMax) return { judgementsMax, isForking, dearest: null };
  return {
    judgementsMax,
    isForking,
    dearest: written > counted ? dearestList(ordered) : dearestOf(ordered, inPlace),
  };
}

/**
 * Most plans have no two schemas for one value, but for references that stand alone, and no two for one child: each value
 * is judged once. Null for others.
 */
function plainCost(ordered: readonly Subschema[]): Cost | null {
  let judgementsMax = 1;
  const counts = new Map<Subschema, number>();
  for (const schema of ordered) {
    if (isLeaf(schema)) continue;
    const { array, object, unevaluatedItems, unevaluatedProperties } = schema;
    if (unevaluatedItems !== null || unevaluatedProperties !== null) return null;
    if (array !== null && (array.contains !== null || array.uniqueItems !== undefined)) return null;
    if (object !== null && object.patterns.length > 0) return null;
    const parts = inPlaceParts(schema);
    if (parts.length === 0) continue;
    const [part, other] = parts;
    if (part === undefined) continue;
    const isAlone = other === undefined && array === null && object === null;
    if (!isAlone || schema.condition !== null || schema.dynamicRefs.length > 0) return null;
    const count = 1 + (counts.get(part) ?? 1);
    counts.set(schema, count);
    judgementsMax = Math.max(judgementsMax, count);
  }
  if (judgementsMax > DEFAULTS.schemaJudgementsKnownMax) return null;
  return { judgementsMax, isForking: false, dearest: null };
}

/** Judgements of one value at whatever depth of a body; no more than is needed to know that they are too many. */
function deepestOf(nodes: readonly CostNode[], inPlace: readonly number[], rootAt: number): number {
  // Where no child has two judges, its value is judged as often as the schema and what it applies say, and no more.
  if (!nodes.some((_, index) => hasOverlap(nodes, index)))
    return inPlace.reduce((most, count) => Math.max(most, count), 1);
  let judgementsMax = 1;
  let current = inPlace;
  for (let depth = 0; depth <= DEFAULTS.jsonDepthMax; depth++) {
    judgementsMax = Math.max(judgementsMax, current[rootAt] ?? 0);
    if (judgementsMax > DEFAULTS.schemaJudgementsMax) break;
    const next = childCounts(nodes, current);
    // Each depth follows from the one before it alone.
    if (next.every((count, index) => count === current[index])) break;
    current = next;
  }
  return judgementsMax;
}

function referencesIn(ordered: readonly Subschema[]): number {
  let count = 1;
  for (const schema of ordered) if (!isLeaf(schema)) count += inPlaceParts(schema).length + childParts(schema).length;
  return count;
}

/** How many `uniqueItems` can stand above one part of a body, each of which writes it out. */
function writtenMax(nodes: readonly CostNode[], ordered: readonly Subschema[]): number {
  const own = ordered.map(({ array }) => (array?.uniqueItems === undefined ? 0 : 1));
  if (own.every((count) => count === 0)) return 0;
  let below = ordered.map(() => 0);
  for (let depth = 0; depth < DEFAULTS.jsonDepthMax; depth++) {
    const counts: number[] = [];
    for (const [index, { groups, children }] of nodes.entries()) {
      const deeper = Math.max(0, ...children.flatMap(([, parts]) => parts.map((part) => below[part] ?? 0)));
      const beside = groups.flat(2).reduce((most, part) => Math.max(most, counts[part] ?? 0), 0);
      counts.push(Math.max((own[index] ?? 0) + deeper, beside));
    }
    if (counts.every((count, index) => count === below[index])) break;
    below = counts;
  }
  return below.reduce((most, count) => Math.max(most, count), 0);
}

/** Of one subschema, by positions in the order. */
interface CostNode {
  /** Judgements that the schema itself takes: more than one where each name is held against patterns. */
  readonly own: number;
  /** Those for the value itself; of each group one list is applied. */
  readonly groups: readonly (readonly (readonly number[])[])[];
  readonly children: readonly (readonly [child: string, parts: readonly number[]])[];
  /** Some other is applied to the same value, so that it matters which child is judged how often. */
  isShared: boolean;
}

function nodesOf(ordered: readonly Subschema[]): readonly CostNode[] {
  const at = new Map(ordered.map((schema, index) => [schema, index]));
  const positions = (parts: readonly Subschema[]): number[] => parts.map((part) => at.get(part) ?? 0);
  const nodes = ordered.map((schema): CostNode => {
    if (isLeaf(schema)) return { own: 1, groups: [], children: [], isShared: false };
    const groups = groupsOf(schema).map((lists) => lists.map(positions));
    const children = [...childrenOf(schema)].map(([child, parts]) => [child, positions(parts)] as const);
    const own = Math.max(1, schema.object?.patterns.length ?? 0);
    return { own, groups, children, isShared: groups.length > 0 };
  });
  for (const { groups } of nodes) {
    for (const index of groups.flat(2)) {
      const part = nodes[index];
      if (part !== undefined) part.isShared = true;
    }
  }
  return nodes;
}

function groupsOf(schema: Subschema): readonly (readonly (readonly Subschema[])[])[] {
  const { condition } = schema;
  const branches = condition === null ? [] : [condition.then, condition.else].filter((part) => part !== null);
  return [
    ...[
      ...schema.refs,
      ...schema.allOf,
      ...(schema.not?.parts ?? []),
      ...schema.dependentSchemas.map((dependent) => dependent.schema),
      ...(condition === null ? [] : [condition.if]),
    ].map((part) => [[part]]),
    ...[schema.anyOf, schema.oneOf].filter((group) => group !== null).map(({ parts }) => candidateLists(parts)),
    ...(branches.length === 0 ? [] : [branches.map((part) => [part])]),
    ...schema.dynamicRefs.map(({ targets, fallback }) => [...targets.values(), fallback].map((part) => [part])),
  ];
}

/** Subschemas by child; an overlap that depends on a pattern counts as one. */
function childrenOf({
  array,
  object,
  content,
  unevaluatedItems,
  unevaluatedProperties,
}: Subschema): Map<string, Subschema[]> {
  const children = new Map<string, Subschema[]>();
  const set = (child: string, parts: readonly (Subschema | null)[]): void => {
    const there = parts.filter((part) => part !== null);
    if (there.length > 0) children.set(child, there);
  };
  const patterns = object?.patterns.map(({ schema }) => schema) ?? [];
  set(".", [...patterns, object?.additional ?? null, unevaluatedProperties]);
  set("~", [object?.names ?? null]);
  set("=", [content?.schema ?? null]);
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
    for (const part of node.groups.flat(2)) {
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
  for (const { own, groups } of nodes) {
    let count = own;
    for (const lists of groups) {
      let most = 0;
      for (const list of lists) most = Math.max(most, sumOf(list, counts));
      count += most;
    }
    counts.push(saturate(count));
  }
  return counts;
}

/** Judgements of the child that is judged most, one level below those of `deeper`. */
function childCounts(nodes: readonly CostNode[], deeper: readonly number[]): number[] {
  const all: Counts[] = [];
  const sum = (parts: readonly number[]): number => saturate(sumOf(parts, deeper));
  return nodes.map(({ groups, children, isShared }) => {
    if (!isShared) {
      all.push(NO_COUNTS);
      return children.reduce((most, [, parts]) => Math.max(most, sum(parts)), 0);
    }
    let merged: Counts = new Map(children.map(([child, parts]) => [child, sum(parts)]));
    for (const lists of groups) {
      const most = lists.map((list) => list.map((index) => all[index] ?? NO_COUNTS).reduce(add, NO_COUNTS));
      merged = add(
        merged,
        most.reduce((a, b) => merge(a, b, Math.max), NO_COUNTS),
      );
    }
    all.push(merged);
    return Math.max(0, ...merged.values());
  });
}

function sumOf(positions: readonly number[], counts: readonly number[]): number {
  let sum = 0;
  for (const index of positions) sum += counts[index] ?? 0;
  return sum;
}

function add(a: Counts, b: Counts): Counts {
  return merge(a, b, (left, right) => saturate(left + right));
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
  return Math.min(count, COUNTED_MAX);
}
