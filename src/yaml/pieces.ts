import type { CST } from "yaml";

type Collection = CST.BlockMap | CST.BlockSequence | CST.FlowCollection;

/** Some of a collection's items, as a collection of its own. */
export interface Piece {
  readonly token: Collection;
  /** Values of its items in whose place there is an empty list: they are long and composed by themselves. */
  readonly later: readonly CST.Token[];
}

export function isCollection(token: CST.Token): token is Collection {
  return token.type === "block-map" || token.type === "block-seq" || token.type === "flow-collection";
}

/** Offset behind the token, with the blanks and remarks that the parser counts to it. */
function endOf(token: CST.Token): number {
  const closing = "end" in token ? token.end?.at(-1) : undefined;
  if (closing !== undefined) return endOf(closing);
  if (!isCollection(token)) return token.offset + ("source" in token ? token.source.length : 0);
  const item = token.items.at(-1);
  const last = item?.value ?? item?.sep?.at(-1) ?? item?.key ?? item?.start.at(-1);
  return last === undefined ? token.offset : endOf(last);
}

/**
 * An empty list of the same extent that stands in for `value`, so that what it is in can be composed without it; null where it is short, or where the
 * library's checks of the two together would be lost. `before` are the tokens between it and what comes before it.
 */
export function standInFor(
  value: CST.Token,
  before: readonly CST.SourceToken[],
  within: Collection["type"] | "document",
  pieceChars: number,
): CST.FlowCollection | null {
  if (!isCollection(value) || endOf(value) - value.offset <= pieceChars || !canBeCut(value)) return null;
  const isPlain = before.every(({ type, source }) => PLAIN.has(type) && !(type === "space" && source.includes("\t")));
  if (!isPlain) return null;
  const isBlock = value.type !== "flow-collection";
  if (isBlock && within === "flow-collection") return null;
  const needsNewline = within === "block-map" || before.some(({ type }) => type === "doc-start");
  if (isBlock && needsNewline && !before.some(({ type }) => type === "newline")) return null;
  const { offset, indent } = value;
  const start: CST.SourceToken = { type: "flow-seq-start", offset, indent, source: "[" };
  const end: CST.SourceToken = { type: "flow-seq-end", offset: endOf(value) - 1, indent, source: "]" };
  return { type: "flow-collection", offset, indent, start, items: [], end: [end] };
}

/** Neither anchor nor tag, which are the value's, nor anything that does not belong there. */
const PLAIN: ReadonlySet<string> = new Set([
  "space",
  "comment",
  "newline",
  "doc-start",
  "seq-item-ind",
  "map-value-ind",
  "comma",
]);

/** Items between commas, one each, and the end that belongs to the start: then no item needs to see another. */
function canBeCut(token: Collection): boolean {
  if (token.type !== "flow-collection") return true;
  if (token.end[0]?.source !== (token.start.source === "{" ? "}" : "]")) return false;
  return token.items.every(({ start, key, sep, value }, at) => {
    const isEmpty = key === undefined && sep === undefined && value === undefined;
    const commas = start.filter(({ type }) => type === "comma").length;
    return commas === (at === 0 ? 0 : 1) && (!isEmpty || at === token.items.length - 1);
  });
}

/** A collection in pieces of about so many characters, in its order. */
export function* piecesOf(token: Collection, pieceChars: number): Generator<Piece> {
  const { items } = token;
  for (let from = 0; from < items.length || from === 0; ) {
    const later: CST.Token[] = [];
    const chosen: CST.CollectionItem[] = [];
    let chars = 0;
    let at = from;
    for (; at < items.length && chars < pieceChars; at++) {
      const item = items[at] as CST.CollectionItem;
      const standIn = standInOf(item, token, pieceChars);
      if (standIn !== null && item.value !== undefined) later.push(item.value);
      else chars += spanOf(item);
      chosen.push(standIn === null ? item : { ...item, value: standIn });
    }
    // An empty last item is one only behind another.
    if (at === items.length - 1 && isEmpty(items[at] as CST.CollectionItem))
      chosen.push(items[at++] as CST.CollectionItem);
    yield { token: pieceOf(token, chosen, from, at), later };
    from = at;
    if (items.length === 0) return;
  }
}

function standInOf(
  { start, sep, value }: CST.CollectionItem,
  within: Collection,
  pieceChars: number,
): CST.FlowCollection | null {
  // `[a: b]` is a list with a mapping in it, which has no token of its own.
  const isPairInList = within.type === "flow-collection" && within.start.source === "[" && sep !== undefined;
  return value === undefined || isPairInList ? null : standInFor(value, sep ?? start, within.type, pieceChars);
}

function spanOf(item: CST.CollectionItem): number {
  const first = item.start[0] ?? item.key ?? item.sep?.[0] ?? item.value;
  const last = item.value ?? item.sep?.at(-1) ?? item.key ?? item.start.at(-1);
  return first == null || last == null ? 0 : endOf(last) - first.offset;
}

function isEmpty({ key, sep, value }: CST.CollectionItem): boolean {
  return key === undefined && sep === undefined && value === undefined;
}

function pieceOf(token: Collection, items: CST.CollectionItem[], from: number, to: number): Collection {
  if (from === 0 && to === token.items.length) return { ...token, items } as Collection;
  const [first] = items;
  const offset = from === 0 ? token.offset : (first?.start[0]?.offset ?? first?.key?.offset ?? token.offset);
  if (token.type !== "flow-collection") return { ...token, offset, items } as Collection;
  if (from > 0 && first !== undefined) {
    items[0] = { ...first, start: first.start.filter(({ type }) => type !== "comma") };
  }
  const isLast = to === token.items.length;
  const closing = token.end[0] as CST.SourceToken;
  return { ...token, offset, items, end: isLast ? token.end : [closing] };
}
