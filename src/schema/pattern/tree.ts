import type { CharSet } from "./char-set.ts";

/**
 * What a pattern says, without its spelling: flags are worked into the sets, and groups, names and laziness are gone,
 * because nothing but whether a text matches is asked.
 */
export type Node =
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  /** `max` may be Infinity. */
  | { readonly kind: "repeat"; readonly body: Node; readonly min: number; readonly max: number }
  | { readonly kind: "edge"; readonly edge: "textStart" | "textEnd" | "lineStart" | "lineEnd" }
  /** Between a character of `word` and one that is none, or where `negated` anywhere else. */
  | { readonly kind: "wordEdge"; readonly word: CharSet; readonly negated: boolean }
  | { readonly kind: "look"; readonly ahead: boolean; readonly negated: boolean; readonly body: Node };

export type BesideLook = Extract<Node, { kind: "look" }> & { readonly body: Extract<Node, { kind: "set" }> };

/** A look at the one character beside the place: known wherever the text is read from. */
export function isBeside(node: Node): node is BesideLook {
  return node.kind === "look" && node.body.kind === "set";
}

export const EMPTY: Node = { kind: "sequence", parts: [] };

/** Shortest and longest text that a tree can take, in the characters of its sets; zero-width parts take nothing. */
export function lengthsOf(node: Node): { min: number; max: number } {
  switch (node.kind) {
    case "set":
      return { min: 1, max: 1 };
    case "sequence": {
      const parts = node.parts.map(lengthsOf);
      return { min: sum(parts.map((part) => part.min)), max: sum(parts.map((part) => part.max)) };
    }
    case "choice": {
      const options = node.options.map(lengthsOf);
      return { min: Math.min(...options.map(({ min }) => min)), max: Math.max(...options.map(({ max }) => max)) };
    }
    case "repeat": {
      const body = lengthsOf(node.body);
      return { min: times(body.min, node.min), max: times(body.max, node.max) };
    }
    default:
      return { min: 0, max: 0 };
  }
}

/** Whether whatever the tree takes begins (or ends) where the text does. */
export function isAnchored(node: Node, edge: "textStart" | "textEnd"): boolean {
  switch (node.kind) {
    case "edge":
      return node.edge === edge;
    case "sequence":
      return node.parts.some((part) => isAnchored(part, edge));
    case "choice":
      return node.options.every((option) => isAnchored(option, edge));
    case "repeat":
      return node.min > 0 && isAnchored(node.body, edge);
    default:
      return false;
  }
}

/** Every node of the tree, outermost first. By a stack: generators in each other would give each node through all of them. */
export function* walk(node: Node): Generator<Node> {
  const stack = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    yield next;
    if (next.kind === "sequence") stack.push(...next.parts.toReversed());
    else if (next.kind === "choice") stack.push(...next.options.toReversed());
    else if (next.kind === "repeat" || next.kind === "look") stack.push(next.body);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function times(length: number, count: number): number {
  return length === 0 || count === 0 ? 0 : length * count;
}
