import { DEFAULTS } from "../../support/defaults.ts";
import { buildSchemaGraph, type SchemaNode } from "./schema-graph.ts";

/**
 * How often each child of a value is judged, by child: `.name`, `[3]`; the bare `.`, `[` and `~` (names of properties)
 * stand for all children of the kind that are not listed.
 */
type Counts = Map<string, number>;

const NO_COUNTS: ReadonlyMap<string, number> = new Map();

/**
 * Why a body could be judged without end, or null. Ajv forgets what it judged, so where two alternatives of a schema
 * both lead back to it through one child, each level of a body doubles the work: 600 bytes keep a CPU for hours. For
 * each depth that a body may have, this counts how often one value can be judged at most, whatever the body.
 */
export function findExplosion(schema: unknown): string | null {
  const graph = buildSchemaGraph(schema);
  if (!graph.ok) return graph.error;
  const { root, nodes } = graph.value;
  if (root === null) return null;
  const history: (readonly number[])[] = [inPlaceCounts(nodes)];
  for (let depth = 0; depth <= DEFAULTS.jsonDepthMax; depth++) {
    const current = history[depth] ?? [];
    if ((current[root.index] ?? 0) > DEFAULTS.schemaJudgementsMax) return describe(root, history, depth);
    const next = childCounts(nodes, current);
    // Each depth follows from the one before it alone.
    if (next.every((count, at) => count === current[at])) return null;
    history.push(next);
  }
  return null;
}

/** Judgements of the value itself: of the node and of all that it applies in place. */
function inPlaceCounts(nodes: readonly SchemaNode[]): number[] {
  const counts: number[] = [];
  for (const node of nodes) {
    let count = 1;
    for (const group of node.inPlace) count += Math.max(...group.map(({ index }) => counts[index] ?? 0));
    counts[node.index] = saturate(count);
  }
  return counts;
}

/** Judgements of the value that is judged most, one level below those of `deeper`. */
function childCounts(nodes: readonly SchemaNode[], deeper: readonly number[]): number[] {
  const all: ReadonlyMap<string, number>[] = [];
  return nodes.map((node) => {
    let counts: Counts = new Map();
    for (const [child, targets] of node.children) {
      counts.set(child, saturate(targets.reduce((sum, { index }) => sum + (deeper[index] ?? 0), 0)));
    }
    for (const group of node.inPlace) {
      const most = group.map(({ index }) => all[index] ?? NO_COUNTS).reduce((a, b) => merge(a, b, Math.max));
      counts = merge(counts, most, (a, b) => saturate(a + b));
    }
    all[node.index] = counts;
    return Math.max(0, ...counts.values());
  });
}

function merge(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  join: (a: number, b: number) => number,
): Counts {
  const merged: Counts = new Map();
  for (const child of a.keys()) merged.set(child, join(lookUp(a, child), lookUp(b, child)));
  for (const child of b.keys()) if (!merged.has(child)) merged.set(child, join(lookUp(a, child), lookUp(b, child)));
  return merged;
}

function lookUp(counts: ReadonlyMap<string, number>, child: string): number {
  return counts.get(child) ?? counts.get(child.charAt(0)) ?? 0;
}

function saturate(count: number): number {
  return Math.min(count, DEFAULTS.schemaJudgementsMax + 1);
}

const REMEDY = "move what they share beside them so that it is judged once, or choose between them by 'if' on a leaf";

/** Names the first two places that judge one child, on the way down that is judged most. */
function describe(root: SchemaNode, history: readonly (readonly number[])[], depth: number): string {
  let node = root;
  for (let level = depth - 1; level >= 0; level--) {
    const deeper = history[level] ?? [];
    const targets = heaviestChild(node, deeper);
    const [first, second] = targets;
    if (first === undefined) break;
    if (second !== undefined) {
      const both = first === second ? `'${first.pointer}', twice,` : `'${first.pointer}' and '${second.pointer}'`;
      return `${both} judge the same child, again at each level: this schema can take time exponential in the depth of a body; ${REMEDY}`;
    }
    node = first;
  }
  return `'${node.pointer}' judges one value more than ${DEFAULTS.schemaJudgementsMax} times: this schema can take time exponential in the depth of a body; ${REMEDY}`;
}

/** Who judges the child that is judged most: at most two of them. */
function heaviestChild(node: SchemaNode, deeper: readonly number[]): readonly SchemaNode[] {
  const judges = new Map<string, SchemaNode[]>();
  for (const child of childrenOf(node)) {
    judges.set(
      child,
      judgesOf(node, child).filter(({ index }) => (deeper[index] ?? 0) > 0),
    );
  }
  const weigh = (targets: readonly SchemaNode[]): number =>
    targets.reduce((sum, { index }) => sum + (deeper[index] ?? 0), 0);
  return [...judges.values()].reduce<readonly SchemaNode[]>((most, one) => (weigh(one) > weigh(most) ? one : most), []);
}

function childrenOf(node: SchemaNode, seen: Set<SchemaNode> = new Set()): Set<string> {
  const children = new Set(node.children.keys());
  if (seen.has(node)) return children;
  seen.add(node);
  for (const member of node.inPlace.flat()) for (const child of childrenOf(member, seen)) children.add(child);
  return children;
}

function judgesOf(node: SchemaNode, child: string): SchemaNode[] {
  const targets = [...(node.children.get(child) ?? node.children.get(child.charAt(0)) ?? [])];
  for (const member of node.inPlace.flat()) {
    if (targets.length >= JUDGES_MAX) break;
    targets.push(...judgesOf(member, child));
  }
  return targets;
}

/** A problem names two; more are looked at, because some lead nowhere. */
const JUDGES_MAX = 64;
