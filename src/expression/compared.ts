import { parseExpression } from "./parser.ts";
import type { Node } from "./syntax.ts";

/**
 * Of each comparison of a condition, and of each call as `startsWith`, the first names of all that it looks at: `path` and
 * `jwt` of `path.tenant == jwt.tenant`. The condition is one that compiles.
 */
export function comparedNames(source: string): readonly ReadonlySet<string>[] {
  const found: ReadonlySet<string>[] = [];
  const left: Node[] = [parseExpression(source)];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    const compares = node.kind === "call" || (node.kind === "binary" && (node.op === "==" || node.op === "in"));
    if (compares) found.push(namesIn(node));
    left.push(...partsOf(node));
  }
  return found;
}

function namesIn(node: Node): ReadonlySet<string> {
  const names = new Set<string>();
  const left: Node[] = [node];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (one.kind === "name") names.add(one.name);
    left.push(...partsOf(one));
  }
  return names;
}

/** What of a condition stands directly within a part of it. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "literal":
    case "name":
      return [];
    case "select":
    case "unary":
      return [node.of];
    case "index":
      return [node.of, node.key];
    case "call":
      return node.target === null ? node.args : [node.target, ...node.args];
    case "list":
      return node.items;
    case "binary":
      return [node.left, node.right];
    case "conditional":
      return [node.test, node.yes, node.no];
  }
}
