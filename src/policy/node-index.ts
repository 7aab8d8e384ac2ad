import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import { type AliasTargets, isMergeKey, mergedInto } from "../yaml/merge-keys.ts";
import type { Path } from "./path.ts";

/** Offsets in the text: of the last key that `path` led to (null before the first and for list items), of its value. */
interface Found {
  readonly key: number | null;
  readonly value: number;
}

/** The way from a path to the text, what is merged where it is written (`<<: *anchor`: in the anchor); keys are indexed once a mapping, so that large policies stay cheap. */
export class NodeIndex {
  readonly #root: Node;
  readonly #aliases: AliasTargets;
  readonly #keys = new WeakMap<YAMLMap, Map<string, Pair>>();

  constructor(root: Node, aliases: AliasTargets) {
    this.#root = root;
    this.#aliases = aliases;
  }

  /** Goes as far down `path` as the policy does. */
  find(path: Path): Found {
    let found: Found = { key: null, value: this.#root.range?.[0] ?? 0 };
    let node: unknown = this.#root;
    for (const step of path) {
      const inner: unknown = isAlias(node) ? this.#aliases.get(node) : node;
      if (isMap(inner)) {
        const pair = this.#pair(inner, String(step));
        if (pair === undefined) return found;
        const key = startOf(pair.key) ?? found.value;
        found = { key, value: startOf(pair.value) ?? key };
        node = pair.value;
      } else if (isSeq(inner) && typeof step === "number") {
        const item: unknown = inner.items[step];
        const start = startOf(item);
        if (start === null) return found;
        found = { key: null, value: start };
        node = item;
      } else return found;
    }
    return found;
  }

  #pair(map: YAMLMap, key: string): Pair | undefined {
    let index = this.#keys.get(map);
    if (index === undefined) {
      index = new Map();
      for (const pair of map.items)
        if (isScalar(pair.key) && !isMergeKey(pair)) index.set(String(pair.key.value), pair);
      this.#keys.set(map, index);
    }
    const own = index.get(key);
    if (own !== undefined) return own;
    for (const merged of mergedInto(map, this.#aliases)) {
      const pair = this.#pair(merged, key);
      if (pair !== undefined) return pair;
    }
    return undefined;
  }
}

/** Null for a value that is not there (`tls:` with nothing behind it). */
function startOf(node: unknown): number | null {
  if (!(isScalar(node) || isAlias(node) || isMap(node) || isSeq(node)) || !node.range) return null;
  return node.range[0] === node.range[1] ? null : node.range[0];
}
