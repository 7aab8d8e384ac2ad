import { type Document, isAlias, isCollection, isNode, isPair, isScalar } from "yaml";

/** Whether two texts say the same: values, the order of keys, anchors, aliases and tags, whatever their spelling. */
export function saysTheSame(
  before: readonly Document.Parsed[],
  after: readonly Document.Parsed[],
  isSameText: (before: string, after: string) => boolean = Object.is,
): boolean {
  const isSame = (one: unknown, other: unknown): boolean => {
    if (isPair(one)) return isPair(other) && isSame(one.key, other.key) && isSame(one.value, other.value);
    if (!isNode(one) || !isNode(other)) return one == null && other == null;
    if (isAlias(one) || isAlias(other)) return isAlias(one) && isAlias(other) && one.source === other.source;
    if (one.anchor !== other.anchor || one.tag !== other.tag) return false;
    if (isScalar(one)) return isScalar(other) && isSameValue(one.value, other.value);
    if (!isCollection(one) || !isCollection(other)) return false;
    return one.items.length === other.items.length && one.items.every((item, at) => isSame(item, other.items[at]));
  };
  const isSameValue = (one: unknown, other: unknown): boolean =>
    typeof one === "string" && typeof other === "string" ? isSameText(one, other) : Object.is(one, other);
  return before.length === after.length && before.every((one, at) => isSame(one.contents, after[at]?.contents));
}
