import { isBeside, type Node, walk } from "./tree.ts";

/** One test of a text; a pattern matches where all of its checks say what they should. */
export interface Check {
  readonly tree: Node;
  /** The text must not match. */
  readonly negated: boolean;
  /** How long the text may be, in the characters of the tree's sets. */
  readonly lengthMin: number;
  readonly lengthMax: number;
}

const START: Node = { kind: "edge", edge: "textStart" };
const END: Node = { kind: "edge", edge: "textEnd" };

/**
 * A pattern as checks that are cheap apart: looks ahead right behind the first `^` and looks behind right before the last
 * `$` ask something of the whole text, so each is a pattern of its own: what would be the product of their automata is
 * the sum.
 */
export function checksOf(tree: Node): Check[] {
  if (tree.kind !== "sequence") return [toCheck(tree, false)];
  const parts = [...tree.parts];
  const checks: Check[] = [];
  if (isEdge(parts[0], "textStart")) {
    for (let part = parts[1]; part?.kind === "look" && part.ahead; part = parts[1]) {
      checks.push(toCheck({ kind: "sequence", parts: [START, part.body] }, part.negated));
      parts.splice(1, 1);
    }
  }
  if (isEdge(parts.at(-1), "textEnd")) {
    for (let part = parts.at(-2); part?.kind === "look" && !part.ahead; part = parts.at(-2)) {
      checks.push(toCheck({ kind: "sequence", parts: [part.body, END] }, part.negated));
      parts.splice(-2, 1);
    }
  }
  return [...checks, toCheck({ kind: "sequence", parts }, false)];
}

function isEdge(node: Node | undefined, edge: "textStart" | "textEnd"): boolean {
  return node?.kind === "edge" && node.edge === edge;
}

/** One set again and again, and nothing else: the count is the text's length, and needs no instruction for each. */
function toCheck(tree: Node, negated: boolean): Check {
  const any = { negated, lengthMin: 0, lengthMax: Number.POSITIVE_INFINITY };
  if (tree.kind !== "sequence" || tree.parts.length !== 3) return { ...any, tree };
  const [start, middle, end] = tree.parts;
  if (!isEdge(start, "textStart") || !isEdge(end, "textEnd")) return { ...any, tree };
  if (middle?.kind !== "repeat" || middle.body.kind !== "set") return { ...any, tree };
  const body: Node = { ...middle, min: 0, max: Number.POSITIVE_INFINITY };
  return {
    tree: { kind: "sequence", parts: [START, body, END] },
    negated,
    lengthMin: middle.min,
    lengthMax: middle.max,
  };
}

/** Which looks a tree has: a text is read forward for those behind and backward for those ahead. */
export function looksOf(tree: Node): { ahead: boolean; behind: boolean } {
  const looks = [...walk(tree)].flatMap((node) => (node.kind === "look" && !isBeside(node) ? [node.ahead] : []));
  return { ahead: looks.includes(true), behind: looks.includes(false) };
}
