import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, Scalar, type YAMLMap } from "yaml";

/** What each alias stands for. */
export type AliasTargets = Map<Alias, Node>;

/** Whether a pair is YAML's merge key (yaml.org/type/merge.html): `<<`, written plainly. */
export function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === "<<" && key.type === Scalar.PLAIN;
}

/** The mappings that the merge keys of `map` name, the one that counts first; of aliases, what they stand for. */
export function mergedInto(map: YAMLMap, aliases: AliasTargets): readonly YAMLMap[] {
  const pair = map.items.find(isMergeKey);
  if (pair === undefined) return [];
  const named: readonly unknown[] = isSeq(pair.value) ? pair.value.items : [pair.value];
  return named.map((node) => (isAlias(node) ? aliases.get(node) : node)).filter((node) => isMap(node));
}
